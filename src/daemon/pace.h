/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pace_: how often a smarthost that is down is tried again. Pure.
 *
 * Mail is to go out within seconds of the mend, and nobody is to be worn out by us. What a
 * probe costs the other side depends on how far it gets, so that the cause decides. */
#ifndef TRANTER_PACE_H
#define TRANTER_PACE_H

#include "fault.h"
#include "schedule.h"

enum {
    PACE_QUICK_MS = 10 * 1000,       /* at most, where nothing answered or it was busy */
    PACE_STEADY_MS = 30 * 1000,      /* at most, where it answered, and not what we need */
    PACE_COUNTED_MS = 5 * 60 * 1000, /* at most, where it counts what we do */
    PACE_SECRET_MS = 15 * 60 * 1000  /* at least, where it refused a secret again (S-050) */
};

/* The pace for what brought the smarthost down; late: in a transaction, so that a probe is a
 * message. retry_max_ms is never exceeded. */
struct schedule_pace pace_of(const struct fault *f, bool late, int64_t retry_min_ms,
                             int64_t retry_max_ms);

#endif
