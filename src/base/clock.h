/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock_: the only callers of clock_gettime. Everything else is told the time. */
#ifndef TRANTER_CLOCK_H
#define TRANTER_CLOCK_H

#include <stdint.h>

/* Milliseconds that only go forward, also through suspend; for deadlines. */
int64_t clock_mono_ms(void);

/* Milliseconds and microseconds since 1970, for what people read and what outlives a restart.
 * It may jump. */
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);

#endif
