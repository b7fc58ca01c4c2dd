/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_limit_: how many reports an address may get in an hour, so that mail under a forged
 * sender is not turned against its owner. Pure. */
#ifndef TRANTER_REPORT_LIMIT_H
#define TRANTER_REPORT_LIMIT_H

#include "attr.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    REPORT_LIMIT_AN_HOUR = 100 /* the hour begins with the first of them */
};

struct report_limit;

/* Of fixed size: among more addresses than it has room for, those whose hour began the longest
 * ago are forgotten. Owned by the caller. */
struct report_limit *report_limit_new(void);
void report_limit_free(struct report_limit *l);

/* May address, whatever its letters' case, get one more at now_ms (monotonic)? Counts it. */
bool report_limit_take(struct report_limit *l, const char *address,
                       int64_t now_ms) ATTR_MUST_CHECK;

#endif
