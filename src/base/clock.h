/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock_: the only callers of clock_gettime. Everything else is told the time. */
#ifndef TRANTER_CLOCK_H
#define TRANTER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds that only go forward, also through suspend; for deadlines. */
int64_t clock_mono_ms(void);

/* The instant clock_mono_ms() == mono_ms, at most a day from now, as CLOCK_MONOTONIC tells it:
 * for pthread_cond_timedwait. */
struct timespec clock_wait_deadline(int64_t mono_ms);

/* The same in microseconds, for what is measured. */
int64_t clock_mono_us(void);

/* Milliseconds and microseconds since 1970, for what people read and what outlives a restart.
 * It may jump. */
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);

/* How far local time is east of UTC at wall_ms, in minutes. */
int32_t clock_zone_minutes(int64_t wall_ms);

#endif
