/* SPDX-License-Identifier: GPL-3.0-or-later */
/* digest_: what the administrator is told of dead mail: once of each message, and once a day of
 * all that died since (N-008). Without an administrator only the log tells. */
#ifndef TRANTER_DIGEST_H
#define TRANTER_DIGEST_H

#include "settle.h"

enum {
    DIGEST_LISTED_MAX = 100, /* messages told of one by one; the others are counted */
    DIGEST_COUNTED_MAX = 10000
};

/* Write a digest of messages, the first n of n_dead that died, for conf->admin at now_ms (wall
 * clock): its whole content, in wire form. id is its own. Pure. */
void digest_write(struct buf *out, const struct conf *conf,
                  struct store_message *const *messages, unsigned n, unsigned n_dead,
                  const char *id, int64_t now_ms, int32_t zone_minutes);

/* Queue a digest, if there is somebody to tell and something to tell him, and none was sent
 * within the day. What is told is noted in the same transaction. True: it is on its way to the
 * store. */
bool digest_send(const struct settle_context *context);

#endif
