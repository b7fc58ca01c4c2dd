/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "date.h"

#include <stdio.h>

/* gmtime_r would read the zone file's leap seconds, and strftime the locale; so the calendar is
 * reckoned here, in eras of 400 years (146097 days) that begin on the 1st of March. */

enum {
    DAY_S = 24 * 60 * 60,
    ERA_DAYS = 146097,
    EPOCH_DAY = 719468,         /* 1970-01-01, counted from 0000-03-01 */
    ZONE_MAX_MINUTES = 99 * 60, /* what "+hhmm" can say */
};

static const int64_t first_s = -62167219200; /* 0000-01-01 */
static const int64_t last_s = 253402300799;  /* 9999-12-31 23:59:59 */

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

void date_rfc5322(char text[DATE_MAX], int64_t time_s, int32_t zone_minutes)
{
    static const char weekdays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                       "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"};
    int zone = (int)clamp(zone_minutes, -ZONE_MAX_MINUTES, ZONE_MAX_MINUTES);
    int64_t local_s = clamp(time_s, first_s, last_s);
    local_s = clamp(local_s + zone * 60, first_s, last_s);
    int64_t days = (local_s - first_s) / DAY_S + (first_s / DAY_S); /* since 1970, floored */
    int second = (int)((local_s - first_s) % DAY_S);
    int64_t march_day = days + EPOCH_DAY + ERA_DAYS; /* one era more: never negative */
    int era_day = (int)(march_day % ERA_DAYS);
    int era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
    int year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    int month = (5 * year_day + 2) / 153; /* from March */
    int day = year_day - (153 * month + 2) / 5 + 1;
    int year = (int)(march_day / ERA_DAYS - 1) * 400 + era_year + (month >= 10 ? 1 : 0);
    int weekday = (int)(days % 7 + 7 + 4) % 7; /* 1970 began on a Thursday */
    snprintf(text, DATE_MAX, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d", weekdays[weekday], day,
             months[month], year, second / 3600, second / 60 % 60, second % 60,
             zone < 0 ? '-' : '+', (zone < 0 ? -zone : zone) / 60,
             (zone < 0 ? -zone : zone) % 60);
}
