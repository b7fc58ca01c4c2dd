/* SPDX-License-Identifier: GPL-3.0-or-later */
/* steady_: for how long the wall clock has gone as the monotonic one does. What a message's age
 * decides waits until that is so, lest a clock that jumped return or report it. Pure. */
#ifndef TRANTER_STEADY_H
#define TRANTER_STEADY_H

#include <stdint.h>

enum {
    STEADY_JUMP_MS = 60 * 1000 /* less between two looks is a clock being corrected */
};

struct steady {
    int64_t since_ms;  /* monotonic */
    int64_t offset_ms; /* of the wall clock at the last look */
};

/* It is as steady as can be known: from now on. */
void steady_begin(struct steady *s, int64_t mono_ms, int64_t wall_ms);

/* Look at both clocks. Returns for how long the wall clock has been steady; *jump_ms is how far
 * it jumped since the last look, 0 where it did not. */
int64_t steady_look(struct steady *s, int64_t mono_ms, int64_t wall_ms, int64_t *jump_ms);

#endif
