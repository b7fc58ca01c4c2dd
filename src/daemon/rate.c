/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rate.h"

#include <string.h>

enum {
    N = RATE_SLOTS + 1
};

static unsigned *at(struct rate *r, int64_t slot)
{
    return &r->spent[((slot % N) + N) % N];
}

/* Forget what is older than a period. */
static void roll(struct rate *r, int64_t now_ms)
{
    int64_t slot = now_ms / r->slot_ms;
    if (slot - r->slot >= N) {
        memset(r->spent, 0, sizeof r->spent);
        r->sum = 0;
        r->slot = slot;
    }
    while (r->slot < slot) {
        r->slot++;
        r->sum -= *at(r, r->slot);
        *at(r, r->slot) = 0;
    }
}

void rate_init(struct rate *r, unsigned most, int64_t period_ms, int64_t now_ms)
{
    *r = (struct rate){.most = most, .slot_ms = (period_ms + RATE_SLOTS - 1) / RATE_SLOTS};
    if (r->slot_ms < 1)
        r->slot_ms = 1;
    r->slot = now_ms / r->slot_ms;
}

unsigned rate_left(struct rate *r, int64_t now_ms)
{
    if (r->most == 0)
        return UINT32_MAX;
    roll(r, now_ms);
    return r->sum < r->most ? r->most - r->sum : 0;
}

void rate_spend(struct rate *r, int64_t now_ms)
{
    rate_remember(r, 1, now_ms, now_ms);
}

void rate_refund(struct rate *r)
{
    for (int64_t slot = r->slot; slot > r->slot - N; slot--) {
        if (*at(r, slot) == 0)
            continue;
        --*at(r, slot);
        r->sum--;
        return;
    }
}

void rate_remember(struct rate *r, unsigned n, int64_t at_ms, int64_t now_ms)
{
    roll(r, now_ms);
    int64_t slot = at_ms < now_ms ? at_ms / r->slot_ms : r->slot;
    if (r->slot - slot >= N)
        return;
    *at(r, slot) += n;
    r->sum += n;
}

void rate_inherit(struct rate *r, const struct rate *old, int64_t now_ms)
{
    for (int64_t slot = old->slot; slot > old->slot - N && slot >= 0; slot--)
        rate_remember(r, *at((struct rate *)old, slot), (slot + 1) * old->slot_ms - 1, now_ms);
}

int64_t rate_next_at(struct rate *r, int64_t now_ms)
{
    if (rate_left(r, now_ms))
        return now_ms;
    unsigned sum = r->sum;
    int64_t slot = r->slot - RATE_SLOTS;
    while (slot < r->slot && (sum -= *at(r, slot)) >= r->most)
        slot++;
    return (slot + N) * r->slot_ms;
}
