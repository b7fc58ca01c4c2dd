/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule_: when to try again. Pure: told the time and a random number. */
#ifndef TRANTER_SCHEDULE_H
#define TRANTER_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* The wait before the next attempt after failures (1 or more) in a row: min doubled each time,
 * at most max, less up to a quarter by chance (random is any 32 bits). */
int64_t schedule_backoff_ms(unsigned failures, int64_t min_ms, int64_t max_ms, uint32_t random);

enum {
    SCHEDULE_AMBIGUOUS_MIN_MS = 15 * 60 * 1000, /* S-089 */
    SCHEDULE_AMBIGUOUS_MAX = 3
};

/* How often one tries what is down: after first_ms; then after then_ms, doubled each time, at
 * most max_ms; less up to a quarter by chance. */
struct schedule_pace {
    int64_t first_ms, then_ms, max_ms;
};

/* A smarthost's health: while it is down, one probe at a time, all else waits. Times are
 * monotonic ms. */
struct schedule_health {
    unsigned failures; /* in a row; 0: it is up */
    unsigned waits;    /* of the pace that is kept now */
    struct schedule_pace pace;
    int64_t down_since; /* meaningful when failures > 0 */
    int64_t next_probe_at;
    bool probing;
};

/* May a connection be made now? When the smarthost is down, at most one probe, not before
 * next_probe_at. */
bool schedule_may_connect(const struct schedule_health *h, int64_t now_ms);

/* A connection is being made: while the smarthost is down, that is the probe. */
void schedule_connecting(struct schedule_health *h);

/* It failed for the server's or the account's fault; the cause sets the pace, and a new pace
 * begins with its first wait. */
void schedule_failed(struct schedule_health *h, int64_t now_ms,
                     const struct schedule_pace *pace, uint32_t random);

/* It became ready for mail, or is to be tried at once (retry, reload). */
void schedule_recovered(struct schedule_health *h);
void schedule_probe_now(struct schedule_health *h, int64_t now_ms);

/* The probe ended without a verdict, for there was nothing to send: the next may be made. */
void schedule_probe_void(struct schedule_health *h);

#endif
