/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steady.h"

void steady_begin(struct steady *s, int64_t mono_ms, int64_t wall_ms)
{
    *s = (struct steady){.since_ms = mono_ms, .offset_ms = wall_ms - mono_ms};
}

int64_t steady_look(struct steady *s, int64_t mono_ms, int64_t wall_ms, int64_t *jump_ms)
{
    int64_t change_ms = wall_ms - mono_ms - s->offset_ms;
    *jump_ms = change_ms > STEADY_JUMP_MS || change_ms < -STEADY_JUMP_MS ? change_ms : 0;
    if (*jump_ms)
        s->since_ms = mono_ms;
    s->offset_ms += change_ms;
    return mono_ms - s->since_ms;
}
