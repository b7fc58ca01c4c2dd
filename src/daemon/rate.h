/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rate_: so many in any second, minute, hour or day, and not one more. Pure.
 *
 * What was spent is counted in slots of a 64th of the period; those of the last whole period
 * count, and the one that has begun. A token bucket that holds a period's worth would let twice
 * that go within one period, and a server counts just that. */
#ifndef TRANTER_RATE_H
#define TRANTER_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RATE_SLOTS = 64
};

struct rate {
    unsigned most;   /* in a period; 0: any number */
    int64_t slot_ms; /* length of a slot */
    int64_t slot;    /* number of the one that has begun: monotonic ms / slot_ms */
    unsigned spent[RATE_SLOTS + 1];
    unsigned sum; /* of spent */
};

void rate_init(struct rate *r, unsigned most, int64_t period_ms, int64_t now_ms);

/* How many may go now. */
unsigned rate_left(struct rate *r, int64_t now_ms);

/* One goes. */
void rate_spend(struct rate *r, int64_t now_ms);

/* The one that was to go did not. */
void rate_refund(struct rate *r);

/* n went at at_ms, which may be long ago, or in the future of a clock that was wrong: then they
 * count as of now. */
void rate_remember(struct rate *r, unsigned n, int64_t at_ms, int64_t now_ms);

/* What r has in mind of old, which may have had another period. */
void rate_inherit(struct rate *r, const struct rate *old, int64_t now_ms);

/* When the next may go; now_ms or sooner where one may go now. */
int64_t rate_next_at(struct rate *r, int64_t now_ms);

#endif
