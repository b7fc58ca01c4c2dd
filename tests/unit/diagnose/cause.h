/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cause_: bring about a failure, with the code that meets it, and give the fault that is found.
 * words are in each one's own language. */
#ifndef TRANTER_CAUSE_H
#define TRANTER_CAUSE_H

#include "fault.h"

/* What getaddrinfo and DNS say: "NONAME", "NODATA", "NODATA mx", "AGAIN", "AGAIN refused". */
void cause_resolver(struct fault *f, const char *words);

/* Every address fails so: "smtp.example.com 587 ECONNREFUSED 127.0.0.1 ::1". */
void cause_connect(struct fault *f, const char *words);

/* The peer answers a ClientHello with these bytes (NULL: nothing), and closes. */
void cause_hello(struct fault *f, const char *bytes);

/* A server's certificate: "stranger", "self", "expired", "early", "name", "address", "alias",
 * "chain", "purpose", "weak", "staple", "pin", "common", "zscaler" (who issued it), "revoked",
 * "clock" (ours is wrong); "cut": it is good, and then the connection is cut. */
void cause_certificate(struct fault *f, const char *words);

/* A reply: "MAIL tls login authed one: 550 5.7.1 no". Before the colon are the stage, and what
 * is known: tls, login, authed, one (a recipient), null and local (the sender). */
void cause_reply(struct fault *f, const char *words);

/* The end, silence or nonsense: "EOF FINAL", "TIMEOUT GREETING starttls", "GARBAGE GREETING
 * bytes", "DESYNC MAIL". */
void cause_break(struct fault *f, const char *words);

/* A whole dialogue: the client core's configuration (starttls, implicit, login), a colon, and
 * the server's lines, separated by "|"; "TLS" where TLS comes up. */
void cause_dialogue(struct fault *f, const char *words);

/* No mechanism: allowed (or "-"), offered. A token refused: "token". SCRAM unproved: "scram".
 */
void cause_login(struct fault *f, const char *allowed, const char *offered);

/* No secret: "file", "exit 1", "grant". */
void cause_secret(struct fault *f, const char *words);

/* A code that advice makes better: "CODE host port user look". */
void cause_advice(struct fault *f, const char *words);

/* The smarthost is our own listener. */
void cause_self(struct fault *f);

/* Its trust store is not there. */
void cause_no_trust(struct fault *f);

#endif
