/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control_walk_: a client's way through the messages that its question selects, in order of id
 * or as they were named. A turn of the loop looks at a bounded number of them, so that a
 * million hold nobody up. */
#ifndef TRANTER_CONTROL_WALK_H
#define TRANTER_CONTROL_WALK_H

#include "store.h"

struct client;

enum {
    WALK_PAGE = 64
};

struct walk {
    struct store_search search;
    struct store_message *page[WALK_PAGE]; /* from at on, owned */
    unsigned n_page, at;
    unsigned n_named; /* of the ids: done */
    unsigned share;   /* steps that are left in this turn */
    bool over;
};

/* Begin, by c->question. */
void control_walk_begin(struct client *c);

/* The next message, owned by the caller. NULL: there is none, as c->walk.over tells, or the
 * turn's share is used up. An id that names nothing, or what is not the client's, is noted. */
struct store_message *control_walk_next(struct client *c);

/* A new turn, a new share. */
void control_walk_turn(struct client *c);

void control_walk_end(struct walk *w);

#endif
