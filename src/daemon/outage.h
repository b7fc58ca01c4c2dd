/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outage_: what a smarthost remembers while it is down: why, since when, what was told. Pure.
 */
#ifndef TRANTER_OUTAGE_H
#define TRANTER_OUTAGE_H

#include "fault.h"
#include "schedule.h"

enum {
    OUTAGE_TOLD_MAX = 4 /* causes of one outage that are logged */
};

struct outage {
    struct schedule_health health;
    struct fault fault;    /* the last one */
    int64_t down_since_ms; /* wall clock */
    bool late; /* it failed after it was ready: only a whole transaction proves it up
                  again */
    char told[OUTAGE_TOLD_MAX][FAULT_CODE_MAX];
    unsigned n_told;
};

/* One moment by both clocks: monotonic, and wall. */
struct outage_time {
    int64_t now_ms, wall_ms;
};

/* It failed for the server's or the account's fault f. True when that is news: it was up, or it
 * is down for a cause that this outage did not have yet. */
bool outage_failed(struct outage *o, const struct fault *f, bool late, struct outage_time time,
                   const struct schedule_pace *pace, uint32_t random) ATTR_MUST_CHECK;

/* It took mail: all is forgotten. */
void outage_over(struct outage *o);

#endif
