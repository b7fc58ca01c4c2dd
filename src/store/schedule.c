/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "schedule.h"

#include <limits.h>

int64_t schedule_backoff_ms(unsigned failures, int64_t min_ms, int64_t max_ms, uint32_t random)
{
    int64_t wait = min_ms < max_ms ? min_ms : max_ms;
    for (unsigned i = 1; i < failures && wait < max_ms; i++)
        wait = wait > max_ms / 2 ? max_ms : wait * 2;
    /* quarter * random / 2^32, in two parts so that no wait overflows. */
    int64_t quarter = wait / 4;
    int64_t less = (quarter >> 16) * (random >> 16) + (((quarter & 0xffff) * random) >> 32);
    return wait - less;
}

bool schedule_may_connect(const struct schedule_health *h, int64_t now_ms)
{
    return h->failures == 0 || (!h->probing && now_ms >= h->next_probe_at);
}

void schedule_connecting(struct schedule_health *h)
{
    if (h->failures > 0)
        h->probing = true;
}

static bool is_same(const struct schedule_pace *a, const struct schedule_pace *b)
{
    return a->first_ms == b->first_ms && a->then_ms == b->then_ms && a->max_ms == b->max_ms;
}

void schedule_failed(struct schedule_health *h, int64_t now_ms,
                     const struct schedule_pace *pace, uint32_t random)
{
    /* Connections that were made while it was up and fail one after another are one failure. */
    if (h->failures > 0 && !h->probing)
        return;
    if (h->failures == 0)
        h->down_since = now_ms;
    if (h->failures < UINT_MAX)
        h->failures++;
    if (!is_same(&h->pace, pace))
        h->waits = 0;
    if (h->waits < UINT_MAX)
        h->waits++;
    h->pace = *pace;
    h->probing = false;
    h->next_probe_at =
        now_ms + (h->waits == 1
                      ? schedule_backoff_ms(1, pace->first_ms, pace->max_ms, random)
                      : schedule_backoff_ms(h->waits - 1, pace->then_ms, pace->max_ms, random));
}

void schedule_recovered(struct schedule_health *h)
{
    *h = (struct schedule_health){0};
}

void schedule_probe_now(struct schedule_health *h, int64_t now_ms)
{
    if (h->failures > 0)
        h->next_probe_at = now_ms;
}

void schedule_probe_void(struct schedule_health *h)
{
    h->probing = false;
}
