/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_session_: what the parts of smtp_server share: the state of a session, and the few ways
 * to change it. Private to smtp_server.c and smtp_verbs.c. */
#ifndef TRANTER_SMTP_SESSION_H
#define TRANTER_SMTP_SESSION_H

#include "smtp_command.h"
#include "smtp_data.h"
#include "smtp_server.h"

enum {
    SMTP_SESSION_TEXT_MAX = 490, /* of a reply, with NUL, so that its line stays within the 512
                                    octets of RFC 5321 4.5.3.1.5 */
    SMTP_SESSION_RECIPIENTS_MAX = 32767,
    SMTP_SESSION_OUT_MAX = 32 << 20 /* more than so many replies, and those to all the commands
                                       that are not asked for */
};

enum smtp_session_mode {
    SMTP_SESSION_COMMAND,
    SMTP_SESSION_OVERLONG, /* within a command line that is over its limit */
    SMTP_SESSION_CONTENT,
    SMTP_SESSION_ENDED
};

enum smtp_session_protocol {
    SMTP_SESSION_NOT_GREETED,
    SMTP_SESSION_SMTP,
    SMTP_SESSION_ESMTP,
    SMTP_SESSION_LMTP
};

enum smtp_session_envelope {
    SMTP_SESSION_NO_SENDER,
    SMTP_SESSION_SENDER_REFUSED, /* what is pipelined behind MAIL is no bad command */
    SMTP_SESSION_OPEN            /* MAIL was accepted; EOM or ABORT is to come */
};

struct smtp_server {
    struct smtp_server_conf conf;
    struct buf in;
    struct buf out;
    enum smtp_session_mode mode;
    enum smtp_session_protocol protocol;
    struct smtp_server_event event;    /* to be told or asked next; WAIT: none yet */
    enum smtp_server_event_type asked; /* the question in hand; WAIT: none */
    bool abort_due;                    /* ABORT is to be told */
    bool close_due;                    /* CLOSE is to be told */
    bool eof;
    unsigned stopping; /* calls of smtp_server_shutdown() */

    enum smtp_session_envelope envelope;
    bool utf8;                   /* MAIL said SMTPUTF8 */
    unsigned recipients;         /* accepted */
    unsigned invalid_recipients; /* of those: with XINVALID */
    bool asks_invalid;           /* the recipient in question is one of them */
    unsigned refused_recipients; /* of the same transaction */
    struct smtp_data data;

    bool content_refused; /* by the answer to the last good command */
    size_t overlong;      /* octets of the line that were thrown away */
    unsigned errors;      /* bad commands, and */
    unsigned spare;       /* commands that move nothing, since the last message */

    int64_t since_ms; /* the client's time runs from here */
    int64_t fed_ms;   /* the last octets came then */
    bool restart;     /* its time begins afresh at the next sign of the clock */
    char peer_name[SMTP_SERVER_PEER_NAME_MAX + 1];
};

/* Put one reply line; text may hold anything. */
void smtp_session_reply(struct smtp_server *s, unsigned code, const char *status,
                        const char *text);
void smtp_session_say(struct smtp_server *s, unsigned code, const char *status, const char *fmt,
                      ...) ATTR_PRINTF(4, 5);

/* Ask the owner, with what .event already holds. */
void smtp_session_ask(struct smtp_server *s, enum smtp_server_event_type question);

/* Drop sender and recipients: the only way in which a transaction ends (L-034). */
void smtp_session_drop(struct smtp_server *s);

/* The session is over: ABORT, where a transaction is open, and CLOSE. */
void smtp_session_leave(struct smtp_server *s);

/* Count a bad command. True when that was one too many: 421 is said, the session is over. */
bool smtp_session_charge(struct smtp_server *s);

/* Count a command that is good, but moves nothing; true as above. */
bool smtp_session_charge_spare(struct smtp_server *s);

/* Refuse a command, and count it as a bad one or as a spare one. */
void smtp_session_refuse(struct smtp_server *s, const struct smtp_refusal *why);
void smtp_session_refuse_spare(struct smtp_server *s, const struct smtp_refusal *why);

/* Content was refused. A client that did not wait for the answer has sent it already: where
 * octets lie behind the command, the session is over. */
void smtp_session_expect_no_content(struct smtp_server *s);

/* 421, and over: content came although it was refused. */
void smtp_session_close_on_content(struct smtp_server *s);

/* 421, and over: we are going. */
void smtp_session_close_to_stop(struct smtp_server *s);

/* Obey a command (smtp_verbs.c). */
void smtp_verbs_obey(struct smtp_server *s, const struct smtp_command *c);

#endif
