/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_server_: the server's side of ESMTP and LMTP for local submission, without I/O, clock or
 * globals (RFC 5321, 2033, 1870, 2034, 2920, 3461, 6152, 6409).
 *
 * Syntax, sequence and limits are settled here. The owner is asked only for effects, one
 * question at a time (MAIL, RCPT, DATA, EOM), and answers each exactly once with
 * smtp_server_reply(), now or later; until then no further input is looked at, and that is the
 * backpressure. BODY and ABORT are told, not asked. Each MAIL that was accepted is ended by
 * exactly one EOM or ABORT.
 *
 *     n = smtp_server_feed(s, bytes, n, now);          as often as bytes come
 *     while (smtp_server_next(s, &e) != SMTP_SERVER_WAIT) ...
 *     write smtp_server_out(s); set a timer for smtp_server_deadline(s)
 *
 * The loop in the middle is run again after every feed, reply, tick, eof and shutdown. What it
 * adds to out between two questions is bounded by the limits of commands below. */
#ifndef TRANTER_SMTP_SERVER_H
#define TRANTER_SMTP_SERVER_H

#include "buf.h"
#include "smtp_command.h"

#include <stdint.h>

/* Strings are borrowed while the server lives. */
struct smtp_server_conf {
    const char *hostname; /* of the greeting */
    bool network; /* the peer came over TCP: HTTP request lines end the session (L-013), and
                     XTRANTER is not offered */
    uint64_t message_limit_bytes; /* advertised as SIZE; counted in wire form without
                                     dot-stuffing; 0: none */
    unsigned recipient_limit;     /* of a message; 0: none */
    int64_t command_timeout_ms;   /* between two commands; 0: never. A UNIX-socket submitter may
                                     wait for its producer for hours (compat 5.3.4) */
    int64_t data_timeout_ms;      /* between two blocks of content; 0: never */
};

enum {
    SMTP_SERVER_LINE_MAX = 4096,    /* bytes of a command line with its CRLF */
    SMTP_SERVER_IN_MAX = 64 << 10,  /* bytes of input that wait; and of a BODY */
    SMTP_SERVER_ERRORS_MAX = 20,    /* bad commands since the last message before 421 (L-037) */
    SMTP_SERVER_SPARE_MAX = 1000,   /* NOOP, RSET, EHLO and their like since the last message
                                       before each counts as a bad command */
    SMTP_SERVER_PEER_NAME_MAX = 255 /* octets of smtp_server_peer_name() */
};

enum smtp_server_event_type {
    SMTP_SERVER_WAIT, /* nothing until more bytes, an answer or time come */
    SMTP_SERVER_MAIL, /* asked: .mail */
    SMTP_SERVER_RCPT, /* asked: .rcpt */
    SMTP_SERVER_DATA, /* asked: may content come? 2yz is turned into the 354. A refusal ends the
                         transaction: ABORT */
    SMTP_SERVER_BODY, /* told: .body, decoded content in wire form (CRLF, no dot-stuffing), at
                         most SMTP_SERVER_IN_MAX bytes; valid until the next call */
    SMTP_SERVER_EOM, /* asked: the whole message came and is well-formed; store it. LMTP repeats
                        the answer for each recipient. The transaction is over with it, whatever
                        the answer */
    SMTP_SERVER_ABORT, /* told: the transaction is over without EOM (RSET, EHLO, QUIT, end of
                          file, refused content); drop what was kept */
    SMTP_SERVER_CLOSE  /* told, once: write what is in out, then close. Never while a question
                          is in hand */
};

struct smtp_server_event {
    enum smtp_server_event_type type;
    struct smtp_mail mail; /* its views, and those of rcpt, are valid until the next call */
    struct smtp_rcpt rcpt;
    struct str body;
};

struct smtp_server;

/* A session that begins at now_ms with the 220 in out. conf is copied, its strings borrowed.
 * Owned by the caller: smtp_server_free(). */
struct smtp_server *smtp_server_new(const struct smtp_server_conf *conf, int64_t now_ms);
void smtp_server_free(struct smtp_server *s);

/* Consume bytes from the client. Returns how many were taken: as much as its own bounded buffer
 * holds; all, after CLOSE (they are thrown away). */
size_t smtp_server_feed(struct smtp_server *s, const void *bytes, size_t n, int64_t now_ms);

/* As smtp_server_feed(), of what is in in, which loses what was taken; without a copy where it
 * can be. */
size_t smtp_server_take(struct smtp_server *s, struct buf *in, int64_t now_ms);

enum smtp_server_event_type smtp_server_next(struct smtp_server *s,
                                             struct smtp_server_event *e);

/* Answer the question in hand. code: SMTP reply code; status: RFC 3463 "2.1.0"; the sentence is
 * one line, made printable ASCII and cut to 512 octets here. 4yz and 5yz refuse. After 421 the
 * session ends. */
void smtp_server_reply(struct smtp_server *s, unsigned code, const char *status,
                       const char *fmt, ...) ATTR_PRINTF(4, 5);

/* What is to be written; the owner consumes it from the front. */
struct buf *smtp_server_out(struct smtp_server *s);

/* When smtp_server_tick() must be called at the latest, in monotonic ms; INT64_MAX for never,
 * and while a question is in hand. Bytes that do not complete a command move it no further.
 * An answer gives the client its whole time again, from the next feed or tick on. */
int64_t smtp_server_deadline(const struct smtp_server *s);
void smtp_server_tick(struct smtp_server *s, int64_t now_ms);

/* The client will send no more. What was fed is still looked at; then ABORT, if a transaction
 * is open, and CLOSE. */
void smtp_server_eof(struct smtp_server *s);

/* We are going: 421 to the next command or, when nothing is in hand, at once (RFC 5321 3.8).
 * Content that is on its way is received and asked for with EOM first. Called again: that is no
 * longer waited for; only the answer to a question in hand is. */
void smtp_server_shutdown(struct smtp_server *s, int64_t now_ms);

/* LMTP, ESMTP or SMTP; "" before any greeting. For the Received line's "with" and for logs.
 * UTF8SMTP and UTF8LMTP in a transaction with SMTPUTF8 (RFC 6531 4.3). */
const char *smtp_server_protocol(const struct smtp_server *s);

/* The client's EHLO, LHLO or HELO argument, filtered to letters, digits and ".-:[]_"; ""
 * before. */
const char *smtp_server_peer_name(const struct smtp_server *s);

#endif
