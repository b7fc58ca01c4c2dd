/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "clock.h"

static int64_t now_us(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return now_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_mono_us(void)
{
    return now_us(CLOCK_BOOTTIME);
}

struct timespec clock_wait_deadline(int64_t mono_ms)
{
    static const int64_t day_us = INT64_C(86400) * 1000000;
    int64_t now_ms = clock_mono_ms();
    int64_t wait_us = 0;
    if (mono_ms > now_ms)
        wait_us = mono_ms - now_ms < day_us / 1000 ? (mono_ms - now_ms) * 1000 : day_us;
    int64_t at_us = now_us(CLOCK_MONOTONIC) + wait_us;
    return (struct timespec){.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
}

int64_t clock_wall_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_wall_us(void)
{
    return now_us(CLOCK_REALTIME);
}

int32_t clock_zone_minutes(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    return localtime_r(&seconds, &local) ? (int32_t)(local.tm_gmtoff / 60) : 0;
}
