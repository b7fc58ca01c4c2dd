/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control_client_: one who asks on the control socket, and the answer. A client asks once and
 * is answered in frames. Long answers are paged: the next page is read from the store when the
 * connection has room for it, so that a million messages pass through little memory and nobody
 * else waits. Of the control_*.c alone. */
#ifndef TRANTER_CONTROL_CLIENT_H
#define TRANTER_CONTROL_CLIENT_H

#include "conn.h"
#include "control.h"
#include "control_walk.h"
#include "listing.h"
#include "question.h"
#include "status.h"
#include "waiter.h"

#include <sys/queue.h>

struct control {
    struct control_facts facts;
    struct listener *listener;
    TAILQ_HEAD(, client) clients;
    unsigned n_clients;
    struct status_configuration configuration;
    char spool[4096];
    bool opens_listing; /* to everyone: queue-listing = "all" */
};

struct client {
    struct waiter waiter; /* first */
    TAILQ_ENTRY(client) entry;
    struct control *control;
    struct conn *conn; /* NULL once closed */
    uid_t uid;
    bool privileged; /* may do everything */
    bool asked;
    int64_t give_up_at; /* when no whole request came */
    struct question question;
    struct walk walk;

    /* What goes on with the answer when there is room, or when the store has answered and
     * nothing is pending; NULL: nothing is left to do. */
    void (*go_on)(struct client *c);
    const struct change *change;
    uint64_t listed, listed_bytes;
    uint64_t done, left; /* messages that were changed, and that were not */
    uint64_t total;      /* messages in the queue, for the progress */
    int64_t told_at;     /* how far it has come */
    unsigned chunk;      /* of the content: the next one to be sent */
    unsigned pending;    /* operations in the store, whose owner is waiter */
    int code;
    char sentence[ERR_TEXT_MAX];
};

/* Take over fd, and answer the request that comes. */
void control_client_new(struct control *control, int fd, uid_t uid, bool privileged);

/* Close without a word. */
void control_client_end(struct client *c);

/* Send payload to standard output over there; nothing where it is empty. */
void control_client_put(struct client *c, const struct buf *payload);

/* The exit status, and the sentence for standard error. The first one counts. */
void control_client_note(struct client *c, int code, const char *fmt, ...) ATTR_PRINTF(3, 4);

/* Read the words of a question about messages into c->question. False, and finished, where they
 * make no sense. */
bool control_client_read(struct client *c, struct str words) ATTR_MUST_CHECK;

/* Are the addresses and reasons of m none of the client's business? */
bool control_client_hides(const struct client *c, const struct store_message *m);

/* How m is to be listed to the client. */
struct listing_view control_client_view(const struct client *c, const struct store_message *m);

/* The message, owned by the caller; NULL, and noted, where there is none, or it is not the
 * client's. */
struct store_message *control_client_find(struct client *c, store_id id) ATTR_MUST_CHECK;

/* Tell over there that so many messages of c->total were looked at, where that was asked for
 * and enough time has passed. */
void control_client_progress(struct client *c, uint64_t looked);

/* Only root and tranterd's own user may do what. False, and noted, for anyone else. */
bool control_client_may(struct client *c, const char *what) ATTR_MUST_CHECK;

/* The answer is whole. */
void control_client_finish(struct client *c);

/* Call go_on in the next turn. */
void control_client_yield(struct client *c);

/* Answer a request's words after its verb. They are the caller's; what is needed after return
 * is copied. */
typedef void control_verb(struct client *c, struct str words);

/* control_queue.c */
control_verb control_ask_queue;

/* control_show.c */
control_verb control_ask_show;

/* control_change.c */
control_verb control_ask_retry, control_ask_hold, control_ask_release, control_ask_remove,
    control_ask_return;

/* control_daemon.c */
control_verb control_ask_status, control_ask_metrics, control_ask_reload;

/* control_alias.c */
control_verb control_ask_aliases, control_ask_verify;

#endif
