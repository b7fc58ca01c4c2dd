/* SPDX-License-Identifier: GPL-3.0-or-later */
/* queue_state_: what people call the state of a message. Pure. */
#ifndef TRANTER_QUEUE_STATE_H
#define TRANTER_QUEUE_STATE_H

#include "store.h"

enum queue_state {
    QUEUE_QUEUED, /* not tried yet */
    QUEUE_ACTIVE, /* being sent at this moment */
    QUEUE_DEFERRED,
    QUEUE_HELD,
    QUEUE_DEAD,
    QUEUE_STATES
};

/* The state of m. active: it is being sent; waits: nothing can be sent at this moment. */
enum queue_state queue_state_of(const struct store_message *m, bool active, bool waits);

/* "queued", "active", "deferred", "held", "dead". */
const char *queue_state_name(enum queue_state state);

/* As postqueue -j has it: "incoming", "active", "deferred", "hold"; and "dead". */
const char *queue_state_postfix_name(enum queue_state state);

/* Read either name. */
bool queue_state_parse(struct str name, enum queue_state *state) ATTR_MUST_CHECK;

#endif
