/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "selection.h"

#include "pattern.h"

#include <stdlib.h>

void selection_release(struct selection *s)
{
    free(s->ids);
    free(s->from);
    free(s->to);
    *s = (struct selection){.all = false};
}

bool selection_has_condition(const struct selection *s)
{
    return s->n_ids || s->from || s->to || s->before_ms || s->has_uid || s->states ||
           s->match.field;
}

unsigned selection_store_states(const struct selection *s)
{
    static const unsigned queued =
        1U << QUEUE_QUEUED | 1U << QUEUE_ACTIVE | 1U << QUEUE_DEFERRED;
    unsigned states = 0;
    if (s->states & queued)
        states |= 1U << STORE_QUEUED;
    /* One that was put on hold while it is being sent. */
    if (s->states & (1U << QUEUE_HELD | 1U << QUEUE_ACTIVE))
        states |= 1U << STORE_HELD;
    if (s->states & 1U << QUEUE_DEAD)
        states |= 1U << STORE_DEAD;
    return states;
}

bool selection_may_fit(const struct selection *s, const struct store_message *m)
{
    if (s->has_uid && m->uid != s->uid)
        return false;
    if (s->before_ms && m->arrival_ms >= s->before_ms)
        return false;
    return !s->from || pattern_fits(s->from, m->sender);
}

/* Those that a listing shows. */
static bool fits_recipient(const char *pattern, const struct store_message *m)
{
    for (unsigned i = 0; i < m->n_recipients; i++) {
        const struct store_recipient *r = &m->recipients[i];
        if (r->state == (m->state == STORE_DEAD ? STORE_FAILED : STORE_WAITING) &&
            pattern_fits(pattern, r->address))
            return true;
    }
    return false;
}

bool selection_fits(const struct selection *s, const struct store_message *m,
                    const struct selection_view *view)
{
    if (view->hidden && (s->from || s->to || s->match.field))
        return false;
    if (s->states && !(s->states & 1U << queue_state_of(m, view->active, view->waits)))
        return false;
    if (!selection_may_fit(s, m) || (s->to && !fits_recipient(s->to, m)))
        return false;
    return !s->match.field || match_fits(&s->match, m);
}
