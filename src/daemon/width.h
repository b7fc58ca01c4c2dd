/* SPDX-License-Identifier: GPL-3.0-or-later */
/* width_: how many connections a smarthost bears at once, learned from its refusals. It comes
 * back one by one, and the slower the more often one more was one too many. Pure; times are
 * monotonic ms. */
#ifndef TRANTER_WIDTH_H
#define TRANTER_WIDTH_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WIDTH_WAIT_MIN_MS = 60 * 1000,
    WIDTH_WAIT_MAX_MS = 60 * 60 * 1000
};

struct width {
    unsigned most;   /* as configured */
    unsigned now;    /* as learned */
    unsigned told;   /* the refusal at this width was logged; 0: none was */
    int64_t wait_ms; /* between two steps back; 0: it was never refused */
    int64_t wider_at;
};

void width_init(struct width *w, unsigned most);

/* How many there may be now. */
unsigned width_at(struct width *w, int64_t now_ms);

/* It bore this many (at least one is assumed) and refused one more. True where that is news. */
bool width_refused(struct width *w, unsigned bore, int64_t now_ms);

#endif
