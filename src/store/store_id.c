/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_internal.h"

#include <stdio.h>

enum {
    ID_DIGITS_MIN = 12
};

/* Wall time in an id: units of 8 microseconds since 2025-01-01. */
static const int64_t epoch_us = INT64_C(1735689600) * 1000000;

/* Clocks may say anything; an id from one stops short of the end, so that there are always
 * more.
 */
static const store_id last_from_clock = SCHEMA_ID_LAST - (INT64_C(1) << 40);

store_id store_id_next(store_id last, int64_t now_ms)
{
    store_id id = 1;
    if (now_ms > epoch_us / 1000)
        id = now_ms < INT64_MAX / 1000 ? (now_ms * 1000 - epoch_us) >> 3 : last_from_clock;
    if (id > last_from_clock)
        id = last_from_clock;
    return id > last ? id : last + 1;
}

void store_id_format(char text[STORE_ID_MAX], store_id id)
{
    snprintf(text, STORE_ID_MAX, "%012llX", (unsigned long long)id);
}

static int digit_value(char c)
{
    if (str_is_digit(c))
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool store_id_parse(struct str text, store_id *id)
{
    if (text.n < ID_DIGITS_MIN || text.n >= STORE_ID_MAX ||
        (text.n > ID_DIGITS_MIN && text.p[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.n; i++) {
        int digit = digit_value(text.p[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    if (value == 0 || value > SCHEMA_ID_LAST)
        return false;
    *id = (store_id)value;
    return true;
}

unsigned store_id_place(store_id id, const store_id *ids, unsigned n)
{
    unsigned begin = 0;
    while (begin < n) {
        unsigned middle = begin + (n - begin) / 2;
        if (ids[middle] < id)
            begin = middle + 1;
        else
            n = middle;
    }
    return begin;
}
