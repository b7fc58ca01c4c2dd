/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "queue_state.h"

static const struct {
    const char *name, *postfix_name;
} names[QUEUE_STATES] = {
    [QUEUE_QUEUED] = {"queued", "incoming"},
    [QUEUE_ACTIVE] = {"active", "active"},
    [QUEUE_DEFERRED] = {"deferred", "deferred"},
    [QUEUE_HELD] = {"held", "hold"},
    [QUEUE_DEAD] = {"dead", "dead"},
};

static bool has_fault(const struct store_message *m)
{
    for (unsigned i = 0; i < m->n_recipients; i++) {
        if (m->recipients[i].state == STORE_WAITING &&
            m->recipients[i].fault.scope != FAULT_NONE)
            return true;
    }
    return false;
}

enum queue_state queue_state_of(const struct store_message *m, bool active, bool waits)
{
    if (m->state == STORE_DEAD)
        return QUEUE_DEAD;
    if (active)
        return QUEUE_ACTIVE;
    if (m->state == STORE_HELD)
        return QUEUE_HELD;
    return waits || has_fault(m) ? QUEUE_DEFERRED : QUEUE_QUEUED;
}

const char *queue_state_name(enum queue_state state)
{
    return names[state].name;
}

const char *queue_state_postfix_name(enum queue_state state)
{
    return names[state].postfix_name;
}

bool queue_state_parse(struct str name, enum queue_state *state)
{
    for (int i = 0; i < QUEUE_STATES; i++) {
        if (str_eq(name, str_of(names[i].name)) ||
            str_eq(name, str_of(names[i].postfix_name))) {
            *state = (enum queue_state)i;
            return true;
        }
    }
    return false;
}
