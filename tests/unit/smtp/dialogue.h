/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dialogue_: a client's dialogue as text, one thing a line. What the server says:
 *
 *     S: 250 ok           this and CRLF
 *     S| SSH-2.0          these bytes and no more
 *
 * What the owner does:
 *
 *     > secured           TLS is up; what feed had left over is told
 *     > auth PLAIN        choose; "PLAIN text" with this initial response, "PLAIN =" with an
 *                         empty one
 *     > answer text       answer a challenge
 *     > cancel            give up, with the fault "account perm TEST"
 *     > submit a@b ret=hdrs envid=x c@d notify=6 orcpt=rfc822;x e@f size=9 8bit tls alone
 *                         a transaction: sender (or <>), recipients, each before what it asks;
 *                         or rehearsal
 *     > body text         content and CRLF
 *     > last text         the last of it; "> last" with none
 *     > wait              a minute passes
 *     > stuck             from here on nothing of the output leaves
 *     > quit
 *     > eof reset         the connection ends, and why
 *     > late              1 ms before the deadline nothing happens, then it is reached
 *
 * What is then to be seen:
 *
 *     C: MAIL FROM:<a@b>     the client says this and CRLF
 *     ! IDLE                 the next event; "! AUTH PLAIN LOGIN", "! CHALLENGE text",
 *                            "! RCPT 0 none", "! RCPT 0 delivered none" where it is final,
 *                            "! DONE message perm SIZE-LOCAL",
 *                            "! DEAD message temp ambiguous LOST-AFTERDOT"
 *     ? IDLE                 this event may come or not: it depends on how the bytes come
 *
 * All that the client says and tells between two lines of input must be expected, each kind in
 * its order. A dialogue is run with the server's bytes whole, one by one, and cut in two at
 * every point, and must be the same each time. */
#ifndef TRANTER_TESTS_DIALOGUE_H
#define TRANTER_TESTS_DIALOGUE_H

#include "smtp_client.h"

struct dialogue {
    const char *name;
    const char *conf; /* any of: starttls implicit verified login lmtp chunking literal
                         (EHLO's second argument), pipelining; pipeline: three in flight, and
                         events of transactions tell their number, "! DONE #2 none"; whole: run
                         it only so, since what is true depends on it */
    const char *script;
};

/* Run it in every way; fails the test with the line that was not true. */
void dialogue_run(const struct dialogue *d);

/* Run it whole and byte by byte only: for very long ones. */
void dialogue_run_long(const struct dialogue *d);

/* The oddities that the last run's server showed. */
unsigned dialogue_oddities(void);

/* The faults of the last run's events, one a line: text, fix and the server's words. Valid
 * until the next run. */
const char *dialogue_sentences(void);

#endif
