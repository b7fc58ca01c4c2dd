/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_client_: the client's side of SMTP and LMTP, without I/O, clock or globals (RFC 5321,
 * 2033, 2920, 3030, 3207, 3461, 4954, 6152, 8689).
 *
 * The owner feeds it what came from the wire, takes what is to go out, and asks for the next
 * event until WAIT:
 *
 *     n = smtp_client_feed(c, bytes, n, now);          as often as bytes come
 *     while (smtp_client_next(c, &e) != SMTP_CLIENT_WAIT) ...
 *     write smtp_client_out(c); set a timer for smtp_client_deadline(c)
 *
 * The core never calls out, so its owner may free it at any point outside its functions. It
 * decides the order of things: greeting, EHLO, STARTTLS, EHLO, AUTH, and only then MAIL;
 * nothing that was learned in clear outlives STARTTLS. Times are monotonic milliseconds and
 * always the owner's.
 *
 * Several transactions may be in flight: once the last octet of one is in out and there is
 * ROOM, the commands of the next go out behind it, before the replies to the first. With BDAT
 * the content goes with its commands; with DATA it waits for the 354, so that two are in flight
 * at most. Their ends (DONE) come in the order in which they were submitted. A transaction that
 * is refused does not touch the next: RSET stands between them.
 *
 * Every reply is matched to its command in order and count. A reply that begins while its
 * command is still in out came too early and ends the dialogue, so the owner takes out before
 * it feeds. Once the dialogue has ended, or says goodbye, an answer of the owner's to what it
 * was asked before is without effect; any other call out of turn is a bug.
 *
 * A fault in step with the server is told when the server has answered QUIT, or 5 s later;
 * until then the state is "QUIT". Codes with a meaning to the owner are in smtp_fault.h:
 * RCPT-SPLIT (that recipient goes at once with another transaction), RECONNECT (the connection
 * was gone before the message was taken up: it goes at once over a fresh one), CHUNKING-REFUSED
 * (at once over a fresh one, without chunking). After PROTO-DESYNC and PROTO-GARBAGE that
 * server is better spoken to without pipelining and chunking. */
#ifndef TRANTER_SMTP_CLIENT_H
#define TRANTER_SMTP_CLIENT_H

#include "buf.h"
#include "fault.h"
#include "smtp_caps.h"
#include "smtp_dsn.h"

#include <stdint.h>

enum smtp_client_tls {
    SMTP_CLIENT_TLS_NONE,     /* plain text, by the administrator's word */
    SMTP_CLIENT_TLS_STARTTLS, /* demanded: without it the dialogue stops */
    SMTP_CLIENT_TLS_IMPLICIT /* the owner starts TLS before the first byte; the core starts when
                                told it is secured */
};

/* How long each state may take, in ms; 0 takes the default of protocol.md 1.8. */
struct smtp_client_timeouts {
    int64_t greeting_ms; /* 300 s */
    int64_t reply_ms;    /* 300 s: EHLO, MAIL, RCPT */
    int64_t starttls_ms; /* 60 s: the reply, and again the handshake */
    int64_t auth_ms;     /* 120 s a round */
    int64_t data_ms;     /* 120 s: the reply to DATA */
    int64_t block_ms;    /* 180 s without progress while content is sent */
    int64_t final_ms;    /* 600 s: the reply to the final dot */
    int64_t rset_ms;     /* 20 s */
    int64_t quit_ms;     /* 5 s */
};

/* All strings are borrowed while the client lives. */
struct smtp_client_conf {
    const char *ehlo_name;    /* FQDN or address literal */
    const char *ehlo_literal; /* "[192.0.2.1]", said where the server refuses ehlo_name; or NULL
                               */
    enum smtp_client_tls tls;
    bool lmtp;         /* LHLO, and a reply for each recipient after the dot */
    bool login;        /* credentials are configured: without AUTH the dialogue stops */
    bool pipelining;   /* may be used where it is offered */
    bool chunking;     /* may be used where it is offered: BDAT in place of DATA */
    unsigned pipeline; /* transactions in flight at most, with pipelining; 0 is 1 */
    bool tls_verified; /* TLS, once it is up, has proved whose server it is: REQUIRETLS asks,
                          and only there PLAIN may follow a SCRAM that was refused */
    struct smtp_client_timeouts timeouts;
};

struct smtp_recipient {
    const char *address; /* RFC 5321 mailbox */
    const char *orcpt;   /* ORCPT, as the sender gave it ("rfc822;" and xtext), or NULL */
    unsigned notify;     /* of enum smtp_notify */
};

/* What is to be delivered. Borrowed, it and what it points to, from smtp_client_submit() to its
 * SMTP_CLIENT_DONE.
 * Where the server does not offer DSN, what was asked of reports stays with the owner (RFC 3461
 * 5.2.2); see smtp_client_event.dsn. */
struct smtp_transaction {
    const char *sender; /* RFC 5321 mailbox, "" for the null sender */
    const struct smtp_recipient *recipients;
    unsigned n_recipients; /* 1 to SMTP_CLIENT_RECIPIENTS_MAX */
    uint64_t body_bytes;   /* octets of the content in wire form: CRLF, not dot-stuffed */
    bool body_8bit;        /* it has octets over 127 */
    const char *envid;     /* ENVID, as the sender gave it (xtext), or NULL */
    enum smtp_ret ret;
    bool alone; /* no other content is on its way together with its own: it may be what broke
                   a connection before, or have suffered from it */
    bool rehearsal;   /* MAIL and RCPT alone, then RSET: to hear whether they are taken */
    bool require_tls; /* only over verified TLS, to a server that sees to it likewise (RFC 8689)
                       */
};

enum {
    SMTP_CLIENT_RESPONSE_MAX = 12288 / 4 * 3, /* bytes of a response of AUTH, RFC 4954 section
                                                 4; more is a bug */
    SMTP_CLIENT_RECIPIENTS_MAX = 100,         /* a transaction's; the owner splits (S-084) */
    SMTP_CLIENT_OUT_MAX = 1024 * 1024         /* bytes that may wait in out; going over it with
                                                 smtp_client_body() is a bug */
};

enum smtp_client_event_type {
    SMTP_CLIENT_WAIT,      /* nothing to do until more bytes, room or time come */
    SMTP_CLIENT_STARTTLS,  /* start TLS now, unless feed left something over; feed takes no more
                              plain bytes; then smtp_client_secured() */
    SMTP_CLIENT_AUTH,      /* choose a mechanism from .caps->auth: smtp_client_auth(), or
                              smtp_client_auth_cancel(). Told again, without that mechanism,
                              when the server does not know it; without all of SCRAM when it
                              cannot do that for this user */
    SMTP_CLIENT_CHALLENGE, /* .challenge (decoded): smtp_client_auth_response() or
                              smtp_client_auth_cancel() */
    SMTP_CLIENT_IDLE,      /* ready, and nothing in flight: smtp_client_submit() or
                              smtp_client_quit(). After a DONE with scope server or account: quit */
    SMTP_CLIENT_ROOM, /* another may be submitted behind those in flight; the owner may leave
                         it, and come back to it while smtp_client_has_room() */
    SMTP_CLIENT_BODY, /* content of .transaction, the last submitted, is wanted:
                         smtp_client_body(), as often as out has room; told once a transaction.
                         With BDAT all of it must come, whatever else is told before */
    SMTP_CLIENT_RCPT, /* .recipient has its verdict in .fault (scope NONE: accepted so far, or
                         with .final delivered) */
    SMTP_CLIENT_DONE, /* .transaction ended with .fault for all recipients without a .final
                         verdict; scope NONE: delivered to them. .broke: because the dialogue
                         did, and DEAD follows; .fault.ambiguous then if its last octet was out
                         and no reply told what became of it */
    SMTP_CLIENT_DEAD  /* the dialogue is over: .fault (scope NONE after a QUIT, and when nothing
                         is lost). Close; out is empty. All transactions have had their DONE */
};

struct smtp_client_event {
    enum smtp_client_event_type type;
    const struct smtp_transaction *transaction; /* with BODY, RCPT, DONE: as submitted */
    unsigned recipient;                         /* index, with RCPT */
    bool final; /* with RCPT: DONE and DEAD change nothing for this recipient. It was
                   refused, or (LMTP) answered after the dot */
    bool broke; /* with DONE */
    bool dsn; /* with RCPT and DONE: the server offers DSN, and got what is asked of reports */
    struct fault fault; /* with RCPT, DONE, DEAD; .reply has the server's words also where scope
                           is NONE */
    struct str challenge; /* with CHALLENGE; valid until the next call */
    const struct smtp_caps
        *caps; /* with AUTH and IDLE: of the last EHLO; valid while the client lives */
};

struct smtp_client;

/* A dialogue that begins at now_ms. conf is copied, its strings borrowed. Free with
 * smtp_client_free(). */
struct smtp_client *smtp_client_new(const struct smtp_client_conf *conf, int64_t now_ms);
void smtp_client_free(struct smtp_client *c);

/* Consume n plain bytes from the server. Returns how many were taken; fewer than n only after
 * STARTTLS's 220 (what is left is an injection, which the core itself answers with DEAD at
 * secured(), S-033) or after DEAD. */
size_t smtp_client_feed(struct smtp_client *c, const void *bytes, size_t n, int64_t now_ms);

/* The next thing for the owner to do. */
enum smtp_client_event_type smtp_client_next(struct smtp_client *c,
                                             struct smtp_client_event *e);

/* What is to be written; the owner consumes it from the front. It holds secrets during AUTH and
 * is wiped. While content goes out the owner keeps it under its own watermark by calling
 * smtp_client_body() only when there is room. */
struct buf *smtp_client_out(struct smtp_client *c);

/* When smtp_client_tick() must be called at the latest, in monotonic ms; INT64_MAX for never.
 */
int64_t smtp_client_deadline(const struct smtp_client *c);
void smtp_client_tick(struct smtp_client *c, int64_t now_ms);

/* TLS is up and verified. left_over: plain bytes that had come behind the 220 of STARTTLS and
 * were not taken; any is fatal, and is to be told at once, without starting TLS (S-033). */
void smtp_client_secured(struct smtp_client *c, size_t left_over, int64_t now_ms);

/* The connection ended. why: what the transport knows ("connection reset by peer"), or NULL for
 * a plain end of file. */
void smtp_client_eof(struct smtp_client *c, const char *why);

/* After AUTH: try mechanism with an initial response (NULL: it has none; "" with n 0: an empty
 * one). The bytes are copied, sent in base64, and wiped. After CHALLENGE: answer it. */
void smtp_client_auth(struct smtp_client *c, const char *mechanism, const struct str *initial,
                      int64_t now_ms);
void smtp_client_auth_response(struct smtp_client *c, struct str response, int64_t now_ms);

/* No mechanism in common, or the challenge is not to be answered: fault says why. The dialogue
 * ends with it (DEAD). */
void smtp_client_auth_cancel(struct smtp_client *c, const struct fault *fault, int64_t now_ms);

/* Begin a transaction; only after IDLE, or while there is room. Its addresses and parameters
 * have no control octets: that is a bug here (S-114). DONE with a message's fault, and nothing
 * sent, where it is larger than the server takes, its sender needs SMTPUTF8 and that is not
 * offered, or it requires TLS and the server does not offer REQUIRETLS inside verified TLS (RFC
 * 8689 4.2.1); recipients that need SMTPUTF8 are told at once with RCPT, and are left out. */
void smtp_client_submit(struct smtp_client *c, const struct smtp_transaction *t,
                        int64_t now_ms);
bool smtp_client_has_room(const struct smtp_client *c);

/* After BODY: the next n bytes of the content, in wire form; dot-stuffed here. last: no more
 * follow (n may be 0). All in all they are body_bytes of the transaction. */
void smtp_client_body(struct smtp_client *c, const void *bytes, size_t n, bool last,
                      int64_t now_ms);

/* Some of out went to the wire just now: moves the deadline of a content block. */
void smtp_client_progress(struct smtp_client *c, int64_t now_ms);

/* Say goodbye; only after IDLE. DEAD with scope NONE follows at the 221, or 5 s later. */
void smtp_client_quit(struct smtp_client *c, int64_t now_ms);

/* What the server does that it should not, and that is put up with: a set. */
enum smtp_client_oddity {
    SMTP_CLIENT_BARE_LF = 1 << 0,     /* lines end with LF alone (S-136) */
    SMTP_CLIENT_MIXED_CODES = 1 << 1, /* codes differ within a reply; the last counts (S-134) */
    SMTP_CLIENT_NOT_354 = 1 << 2      /* DATA is answered with another 3yz (S-081) */
};

unsigned smtp_client_oddities(const struct smtp_client *c);

/* The server refused ehlo_name, and takes our address in its place: the name wants mending. */
bool smtp_client_says_literal(const struct smtp_client *c);

/* "greeting", "EHLO", "STARTTLS", ... for logs and status. */
const char *smtp_client_state(const struct smtp_client *c);

/* How far the connection got: it was ready for mail at least once. */
bool smtp_client_was_ready(const struct smtp_client *c);

#endif
