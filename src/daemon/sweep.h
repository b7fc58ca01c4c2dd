/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep_: what happens to mail because time goes by, whether or not it is tried: it outlives
 * its lifetime, is late so that its sender is told, is dead so that the administrator is, or
 * has been dead for long enough. */
#ifndef TRANTER_SWEEP_H
#define TRANTER_SWEEP_H

#include "settle.h"

struct sweep;

enum sweep_claim {
    SWEEP_CLAIMED, /* nobody else works on the message until context's on_recorded */
    SWEEP_ACTIVE,  /* somebody does */
    SWEEP_FULL     /* too much is under way */
};

/* What a sweep is told. Borrowed for the call. */
struct sweep_facts {
    const struct settle_context *context;
    const struct fault *held_by; /* why mail waits that is not at fault itself; NULL: it goes */
    enum sweep_claim (*claim)(void *self, store_id id); /* self as in context */
};

/* now_ms is monotonic, as in all of these. Owned by the caller. */
struct sweep *sweep_new(int64_t now_ms);
void sweep_free(struct sweep *s);

/* Do what has become due, if it is time to look again. */
void sweep_run(struct sweep *s, const struct sweep_facts *facts, int64_t now_ms);

/* The clock has been steady for long enough to give up a message by its age. */
bool sweep_may_expire(struct sweep *s, const struct settle_context *context, int64_t now_ms);

/* When it is to be run at the latest. */
int64_t sweep_next_at(const struct sweep *s);

#endif
