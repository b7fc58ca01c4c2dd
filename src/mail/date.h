/* SPDX-License-Identifier: GPL-3.0-or-later */
/* date_: times as mail writes them. */
#ifndef TRANTER_DATE_H
#define TRANTER_DATE_H

#include <stddef.h>
#include <stdint.h>

enum {
    DATE_MAX = 40 /* with NUL */
};

/* "Tue, 24 Nov 2026 02:29:43 +0000" (RFC 5322 3.3) of time_s since 1970, in a zone zone_minutes
 * east of UTC. Pure. */
void date_rfc5322(char text[DATE_MAX], int64_t time_s, int32_t zone_minutes);

#endif
