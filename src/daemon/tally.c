/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tally.h"

#include <stdio.h>

static const char other[] = "other";

const char *tally_submission_name(enum tally_submission answer)
{
    static const char *const names[TALLY_SUBMISSIONS] = {
        [TALLY_ACCEPTED] = "accepted",
        [TALLY_DEFERRED] = "deferred",
        [TALLY_REFUSED] = "refused",
    };
    return names[answer];
}

void tally_submission(struct tally *t, enum tally_submission answer, uint64_t body_bytes)
{
    t->submissions[answer]++;
    if (answer == TALLY_ACCEPTED)
        t->accepted_bytes += body_bytes;
}

static struct tally_outcome *find(struct tally *t, enum outcome_event event,
                                  enum fault_scope scope, const char *status)
{
    for (unsigned i = 0; i < t->n_outcomes; i++) {
        struct tally_outcome *o = &t->outcomes[i];
        if (o->event == event && o->scope == scope && str_eq(str_of(o->status), str_of(status)))
            return o;
    }
    return NULL;
}

/* The last places are for "other" of each event and scope. */
static struct tally_outcome *add(struct tally *t, enum outcome_event event,
                                 enum fault_scope scope, const char *status)
{
    enum {
        SHARED = (OUTCOME_EXPIRED + 1) * (FAULT_RECIPIENT + 1)
    };
    _Static_assert((int)SHARED < (int)TALLY_OUTCOMES_MAX, "room");
    if (t->n_outcomes >= TALLY_OUTCOMES_MAX - SHARED) {
        status = other;
        struct tally_outcome *shared = find(t, event, scope, status);
        if (shared)
            return shared;
    }
    struct tally_outcome *o = &t->outcomes[t->n_outcomes++];
    *o = (struct tally_outcome){.event = event, .scope = scope};
    snprintf(o->status, sizeof o->status, "%s", status);
    return o;
}

void tally_outcome(struct tally *t, enum outcome_event event, enum fault_scope scope,
                   const char *status)
{
    struct tally_outcome *o = find(t, event, scope, status);
    if (!o)
        o = add(t, event, scope, status);
    o->n++;
}
