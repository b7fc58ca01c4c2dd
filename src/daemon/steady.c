/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steady.h"

void steady_begin(struct steady *s, int64_t mono_ms, int64_t wall_ms)
{
    *s = (struct steady){.since_ms = mono_ms, .offset_ms = wall_ms - mono_ms};
}

int64_t steady_look(struct steady *s, int64_t mono_ms, int64_t wall_ms)
{
    int64_t jump_ms = wall_ms - mono_ms - s->offset_ms;
    if (jump_ms > STEADY_JUMP_MS || jump_ms < -STEADY_JUMP_MS)
        s->since_ms = mono_ms;
    s->offset_ms += jump_ms;
    return mono_ms - s->since_ms;
}
