/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smarthost_inner_: what smarthost.c (one smarthost), smarthost_health.c (is it up, and how
 * much does it bear) and smarthost_link.c (its connections) share. */
#ifndef TRANTER_SMARTHOST_INNER_H
#define TRANTER_SMARTHOST_INNER_H

#include "credential.h"
#include "delivery.h"
#include "manner.h"
#include "mode.h"
#include "outage.h"
#include "rate.h"
#include "secret.h"
#include "smarthost.h"
#include "width.h"

#include <sys/queue.h>

struct smarthost {
    struct loop *loop;
    struct store *store;
    struct conf *owner_conf; /* holds conf */
    const struct conf_smarthost *conf;
    struct smarthost_owner owner;
    struct tls_context *tls;
    struct credential *credential;
    struct outage outage;
    int64_t up_since_ms;            /* wall clock */
    char spoken[80], mechanism[40]; /* of the last connection that was ready */
    struct secret_stamp stamp;      /* of the password file when the last connection was made */
    int64_t look_at;                /* when to look for a changed one, in monotonic ms */
    struct width width;
    struct rate rate;
    unsigned breaks;  /* connections in a row that broke in a transaction */
    store_id suspect; /* the message of the first of them, which was charged; 0: none */
    struct manner manner;
    struct mode mode;
    bool noted_ipv6;
    bool retired;
    TAILQ_HEAD(, link) links;
    unsigned n_links, n_dialling;
};

enum link_state {
    LINK_DIALLING,
    LINK_IDLE,
    LINK_BUSY,
    LINK_ANSWERED, /* the last verdict came; ready again or dead comes next */
    LINK_QUITTING
};

/* One connection as its smarthost sees it. */
struct link {
    TAILQ_ENTRY(link) entry;
    struct smarthost *smarthost;
    struct delivery *delivery;
    enum link_state state;
    struct attempt **attempts; /* in flight, a ring of conf->pipeline */
    unsigned first, n_attempts;
    struct fault fault; /* while BUSY or ANSWERED: what of the verdicts concerns the smarthost;
                           scope NONE where they were messages' */
    int64_t idle_since;
    unsigned messages; /* given to it so far */
    unsigned answered; /* of them, by the server */
};

/* smarthost.c */

/* The next message, where the rate lets one go; else NULL. */
struct attempt *smarthost_inner_next(struct smarthost *s);

/* smarthost_health.c */

/* It took mail, or is ready to. */
void smarthost_inner_recover(struct smarthost *s);

/* f came before a connection was ready; in answer to a message; and so that the connection
 * broke while it had messages. */
void smarthost_inner_not_connected(struct smarthost *s, const struct fault *f);
void smarthost_inner_refused(struct smarthost *s, const struct fault *f);
void smarthost_inner_broke(struct smarthost *s, const struct fault *f);

/* There is a new secret to try, after a fault of the account. */
bool smarthost_inner_has_new_secret(struct smarthost *s, int64_t now);

/* smarthost_link.c */

/* Make one more connection. */
void smarthost_inner_connect(struct smarthost *s);

/* Close it at once, and forget it. */
void smarthost_inner_drop(struct link *link);

void smarthost_inner_quit(struct link *link);

/* Give the link its next message, or a goodbye, or let it wait. */
void smarthost_inner_employ(struct link *link);

/* Give it a message, if one is due. */
void smarthost_inner_give(struct link *link);

/* May it have another message behind those in flight? A probe has one alone. */
bool smarthost_inner_has_room(const struct link *link);

#endif
