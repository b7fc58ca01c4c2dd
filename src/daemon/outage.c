/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outage.h"

#include <stdio.h>

static bool was_told(const struct outage *o, const char *code)
{
    for (unsigned i = 0; i < o->n_told; i++)
        if (str_eq(str_of(o->told[i]), str_of(code)))
            return true;
    return o->n_told == OUTAGE_TOLD_MAX;
}

bool outage_failed(struct outage *o, const struct fault *f, bool late, struct outage_time time,
                   const struct schedule_pace *pace, uint32_t random)
{
    if (o->health.failures == 0)
        o->down_since_ms = time.wall_ms;
    o->fault = *f;
    o->late = late;
    schedule_failed(&o->health, time.now_ms, pace, random);
    if (was_told(o, f->code))
        return false;
    snprintf(o->told[o->n_told++], FAULT_CODE_MAX, "%s", f->code);
    return true;
}

void outage_over(struct outage *o)
{
    *o = (struct outage){.n_told = 0};
}
