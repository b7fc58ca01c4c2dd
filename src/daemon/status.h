/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status_: what tranterctl status says: is it running, the queue by state, each smarthost, the
 * last reload. */
#ifndef TRANTER_STATUS_H
#define TRANTER_STATUS_H

#include "buf.h"
#include "err.h"
#include "relay.h"
#include "store.h"

struct status_configuration {
    char file[4096];
    int64_t loaded_ms;          /* wall clock */
    char failure[ERR_TEXT_MAX]; /* of the last reload; "" where it went well */
};

/* Append it, as text for people or as one JSON object and a newline. Times are wall clock. */
void status_put(struct buf *out, bool json, struct store *store, const struct relay *relay,
                const struct status_configuration *configuration, int64_t started_ms,
                int64_t now_ms);

#endif
