/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "race.h"

#include "mem.h"

#include <string.h>

void race_order(const int *families, unsigned n, unsigned *order)
{
    bool taken[RACE_MAX] = {false};
    BUG_ON(n > RACE_MAX);
    for (unsigned at = 0; at < n; at++) {
        unsigned first = n, other = n;
        for (unsigned i = n; i-- > 0;) {
            if (taken[i])
                continue;
            first = i;
            if (at > 0 && families[i] != families[order[at - 1]])
                other = i;
        }
        order[at] = other < n ? other : first;
        taken[order[at]] = true;
    }
}

void race_begin(struct race *r, unsigned n, int64_t timeout_ms)
{
    BUG_ON(n > RACE_MAX);
    memset(r, 0, sizeof *r);
    r->n = n;
    r->timeout_ms = timeout_ms;
    r->next_ms = INT64_MIN;
}

static int next_waiting(const struct race *r)
{
    for (unsigned i = 0; i < r->n; i++)
        if (r->runners[i].state == RACE_WAITING)
            return (int)i;
    return -1;
}

int race_start(struct race *r, int64_t now_ms)
{
    int i = next_waiting(r);
    if (i < 0 || now_ms < r->next_ms)
        return -1;
    r->runners[i].state = RACE_RUNNING;
    r->runners[i].began_ms = now_ms;
    r->next_ms = now_ms + RACE_STAGGER_MS;
    return i;
}

int race_expire(struct race *r, int64_t now_ms)
{
    for (unsigned i = 0; i < r->n; i++) {
        if (r->runners[i].state == RACE_RUNNING &&
            now_ms - r->runners[i].began_ms >= r->timeout_ms) {
            race_lose(r, i, now_ms);
            return (int)i;
        }
    }
    return -1;
}

void race_lose(struct race *r, unsigned i, int64_t now_ms)
{
    r->runners[i].state = RACE_LOST;
    r->next_ms = now_ms;
}

int64_t race_wake_ms(const struct race *r)
{
    int64_t wake_ms = next_waiting(r) >= 0 ? r->next_ms : INT64_MAX;
    for (unsigned i = 0; i < r->n; i++) {
        int64_t end_ms = r->runners[i].began_ms + r->timeout_ms;
        if (r->runners[i].state == RACE_RUNNING && end_ms < wake_ms)
            wake_ms = end_ms;
    }
    return wake_ms;
}

bool race_is_over(const struct race *r)
{
    unsigned lost = 0;
    for (unsigned i = 0; i < r->n; i++)
        lost += r->runners[i].state == RACE_LOST;
    return lost == r->n;
}
