/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_: what tranterctl status says: is it running, the queue by state, each smarthost, the
 * last reload. */
#ifndef TRANTER_STATUS_H
#define TRANTER_STATUS_H

#include "alarm.h"
#include "buf.h"
#include "err.h"
#include "relay.h"
#include "store.h"

struct status_configuration {
    char file[4096];
    int64_t loaded_ms; /* wall clock */
    uint64_t minimum_free_bytes;
    char failure[ERR_TEXT_MAX]; /* of the last reload; "" where it went well */
};

/* Borrowed for the call; times are wall clock. */
struct status_source {
    struct store *store;
    const struct relay *relay;
    const struct status_configuration *configuration;
    const char *alias_problem; /* of the aliases in force, or NULL */
    int64_t started_ms, now_ms;
};

/* Append it, as text for people, whose first line is the verdict, or as one JSON object and a
 * newline. Returns the verdict. */
enum alarm_level status_put(struct buf *out, bool json, const struct status_source *source,
                            const struct alarm_limits *limits);

/* Append what is wrong for a service manager's one line; "running" where nothing is. */
void status_put_line(struct buf *out, const struct status_source *source);

#endif
