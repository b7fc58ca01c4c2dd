/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session_: one submitter's session: its dialogue, and the way of its messages into the store.
 */
#ifndef TRANTER_SESSION_H
#define TRANTER_SESSION_H

#include "aliases.h"
#include "conf.h"
#include "loop.h"
#include "report_limit.h"
#include "store.h"
#include "tally.h"

#include <sys/socket.h>

enum {
    SESSION_HEADER_MAX = 1024 * 1024 /* bytes of a message's header block */
};

struct session;

/* What a session works with, and who is at its other end. */
struct session_setup {
    struct loop *loop; /* borrowed, as are */
    struct store *store;
    struct tally *tally;
    const struct aliases *aliases;
    struct report_limit *limit;
    struct conf *conf;           /* referenced */
    bool network;                /* TCP: cred tells nothing */
    struct ucred cred;           /* uid (uid_t)-1: not known */
    unsigned recipient_limit;    /* of a message; 0: none */
    void (*on_end)(void *owner); /* the session is over, and frees itself after this call */
    void *owner;
};

/* A session on the stream socket fd (taken). It says and hears nothing before session_begin. */
struct session *session_new(const struct session_setup *setup, int fd) ATTR_MUST_CHECK;

/* Greet. This call, too, may end the session. */
void session_begin(struct session *s);

/* 421 as soon as the transaction in hand is answered. Called again: what of it has not all come
 * is no longer waited for. May end the session. */
void session_stop(struct session *s);

/* End it now: the loop runs no more, so no answer of the store will come. Calls on_end. */
void session_free(struct session *s);

#endif
