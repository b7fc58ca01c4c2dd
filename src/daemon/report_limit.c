/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report_limit.h"

#include "mem.h"
#include "str.h"

#include <stdlib.h>

enum {
    SETS = 512, /* an address belongs into one of them, */
    WAYS = 8,   /* which has room for so many */
    HOUR_MS = 3600 * 1000
};

struct hour {
    uint64_t address; /* its hash */
    int64_t since_ms;
    unsigned reports; /* 0: the place is free */
};

struct report_limit {
    struct hour hours[SETS][WAYS];
};

struct report_limit *report_limit_new(void)
{
    return mem_new(sizeof(struct report_limit));
}

void report_limit_free(struct report_limit *l)
{
    free(l);
}

/* FNV-1a. Who makes two addresses meet gains nothing: he could send under the other itself. */
static uint64_t hash(const char *address)
{
    uint64_t h = 0xcbf29ce484222325U;
    for (; *address; address++)
        h = (h ^ (unsigned char)str_lower(*address)) * 0x100000001b3U;
    return h;
}

static bool is_over(const struct hour *hour, int64_t now_ms)
{
    return hour->reports == 0 || now_ms - hour->since_ms >= HOUR_MS;
}

/* The place of address: its own, else a free one, else the oldest. */
static struct hour *place_of(struct report_limit *l, uint64_t address, int64_t now_ms)
{
    struct hour *set = l->hours[address % SETS];
    struct hour *place = set;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].reports && set[i].address == address)
            return &set[i];
        if (is_over(place, now_ms))
            continue;
        if (is_over(&set[i], now_ms) || set[i].since_ms < place->since_ms)
            place = &set[i];
    }
    return place;
}

bool report_limit_take(struct report_limit *l, const char *address, int64_t now_ms)
{
    uint64_t h = hash(address);
    struct hour *hour = place_of(l, h, now_ms);
    if (hour->address != h || is_over(hour, now_ms))
        *hour = (struct hour){.address = h, .since_ms = now_ms};
    if (hour->reports == REPORT_LIMIT_AN_HOUR)
        return false;
    hour->reports++;
    return true;
}
