/* SPDX-License-Identifier: GPL-3.0-or-later */
/* delivery_inner_: what delivery.c (messages over a connection, from the first to the goodbye)
 * and delivery_way.c (what is before that: dialling, TLS, login) share. */
#ifndef TRANTER_DELIVERY_INNER_H
#define TRANTER_DELIVERY_INNER_H

#include "conn.h"
#include "contact.h"
#include "delivery.h"
#include "dial.h"
#include "dispatch.h"
#include "login.h"

struct delivery {
    struct loop *loop;
    struct store *store;
    struct conf *conf;
    const struct conf_smarthost *smarthost;
    struct tls_context *context;   /* a reference; NULL where tls = "none" */
    struct credential *credential; /* borrowed from the owner */
    struct delivery_owner owner;
    struct manner manner;
    struct mode_trial trial;

    struct dial *dial;
    struct conn *conn;
    struct smtp_client *smtp;
    struct login *login;                   /* until it is accepted */
    bool secured;                          /* the handshake is done */
    size_t unsent_bytes;                   /* of conn's when last looked at */
    uint64_t recipients_max, messages_max; /* RFC 9422; 0: the server named none */
    bool takes_8bit;                       /* 8BITMIME is offered */
    bool takes_dsn;                        /* DSN is offered */
    bool idle;   /* the owner was told on_ready and has not answered */
    bool ending; /* on_dead was told, or the next connection is to be made */
    bool freed;  /* by the owner, who is told nothing more */
    char relay[320];
    char mechanism[32];
    int64_t dialled_at, connected_ms;
    int64_t slow_at; /* when a greeting that has not come yet is worth a line in the log */

    struct dispatch_queue queue; /* in flight, in order, and the last perhaps in preparation */
    struct dispatch *preparing;  /* it; NULL: all are submitted */
    struct dispatch *sending;    /* whose content goes out: the last, too */
    bool stuck;                  /* that content cannot be read any more */
    bool room;                   /* the core said ROOM since the owner was told */
    struct buf piece;            /* of the content */
    char literal[CONTACT_LITERAL_MAX];
    char alias[256];  /* the name that DNS has for host; "" none */
    bool missed_ipv6; /* it came first and did not work */
    enum smtp_advice_secret secret_look;
};

/* delivery.c */

/* It is over with this fault: tell the owner, and go. Does nothing to one that is ending. */
void delivery_inner_die(struct delivery *d, const struct fault *fault);

/* Bytes or a deadline came, or TLS is up: conn's callback; owner is the delivery. */
void delivery_inner_on_io(void *owner);

/* Until all that came is heard, and all that there is to say is said. */
void delivery_inner_pump(struct delivery *d);

/* delivery_way.c */

/* Connect; what follows comes by itself. */
void delivery_inner_dial(struct delivery *d);

/* Begin the handshake on the connection that there is. */
void delivery_inner_start_tls(struct delivery *d);

/* SMTP_CLIENT_AUTH came. */
void delivery_inner_log_in(struct delivery *d, const struct smtp_caps *caps);

/* The core is idle, and nothing in flight: the login, if there was one, is accepted; the owner
 * is told. */
void delivery_inner_become_ready(struct delivery *d);

/* The dialogue ended with *fault, to which is added what is known of the login. True: it is not
 * the end of us, since a token had run out, which a fresh one on a new connection mends. */
bool delivery_inner_survives(struct delivery *d, struct fault *fault);

/* The connection ended with *fault. True: the other mode of TLS is tried over a new one. */
bool delivery_inner_turns(struct delivery *d, const struct fault *fault);

bool delivery_inner_awaits_greeting(const struct delivery *d);

/* Log once a greeting that is long in coming. */
void delivery_inner_note_slow_greeting(struct delivery *d, int64_t now);

#endif
