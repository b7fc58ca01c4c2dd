/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dialogue_: a client's dialogue as text, one thing a line:
 *
 *     S: 250 ok              the server says this and CRLF
 *     S| \x15\x03            the server says these bytes (C escapes are the test's own) and no
 * more > secured              TLS is up; what feed had left over is told > auth PLAIN the owner
 * chooses; "PLAIN =" with an empty initial response, "PLAIN text" with that one > answer text
 * ... answers a challenge > cancel               ... gives up, with the fault "account perm
 * TEST" > submit a@b c@d e@f size=9 8bit    sender, or <>, and recipients > body text content
 * and CRLF; "> last text": the last of it; "> last" with none > stuck                from here
 * on nothing of the output leaves > quit > eof reset by peer    the connection ends > late one
 * ms before the deadline nothing happens, then it is reached C: MAIL FROM:<a@b>     the client
 * must have said this and CRLF ! IDLE                 the next event; "! AUTH PLAIN LOGIN", "!
 * CHALLENGE text",
 *                            "! RCPT 0 none", "! DONE message perm SIZE-LOCAL",
 *                            "! DEAD message temp ambiguous LOST-AFTERDOT"
 *
 *     ? IDLE                 this event may come or not: it depends on how the bytes come
 *
 * What the client says and tells between two lines of input must be all expected, each kind in
 * its order. A dialogue is run with the server's bytes whole, one by one, and cut in two at
 * every point, and must be the same each time. */
#ifndef TRANTER_TESTS_DIALOGUE_H
#define TRANTER_TESTS_DIALOGUE_H

#include "smtp_client.h"

struct dialogue {
    const char *name;
    const char *conf; /* any of: starttls implicit login pipelining lmtp; whole:
                         run it only so, since what is true depends on it */
    const char *script;
};

/* Run it in every way; fails the test with the line that was not true. */
void dialogue_run(const struct dialogue *d);

/* Run it whole and byte by byte only: for very long ones. */
void dialogue_run_long(const struct dialogue *d);

/* The faults of the last run's events, one a line: text, fix and the server's words. Valid
 * until the next run. */
const char *dialogue_sentences(void);

#endif
