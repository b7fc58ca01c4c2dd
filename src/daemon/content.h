/* SPDX-License-Identifier: GPL-3.0-or-later */
/* content_: the content of a stored message on its way out: the chunks of the store, made to
 * fit the line limit and the server where they do not. The queue keeps what came. */
#ifndef TRANTER_CONTENT_H
#define TRANTER_CONTENT_H

#include "fit.h"
#include "store.h"

enum content_status {
    CONTENT_MORE,
    CONTENT_END,
    CONTENT_BROKEN /* it cannot be read, or is not what the envelope says */
};

enum {
    CONTENT_PIECE_MAX = FIT_GROWTH_MAX * (STORE_CHUNK_BYTES + 1024) /* of content_read() */
};

struct content;

/* The content of message id, which has stored_bytes; is_8bit: some over 127. store is borrowed.
 * content_free(). */
struct content *content_new(struct store *store, store_id id, uint64_t stored_bytes,
                            bool is_8bit);
void content_free(struct content *c);

/* It has lines over 998 octets, or, to_7bit, octets over 127 for a server that takes none: make
 * it fit. Before all that follows. */
void content_fit(struct content *c, bool to_7bit);

/* Go a step on (half a MiB) with what must be known before it is sent. CONTENT_END: it is
 * known; at once, and nothing is read, where nothing has to fit. */
enum content_status content_measure(struct content *c) ATTR_MUST_CHECK;

/* After content_measure(): the octets that will go out; do some have more than 7 bits; what was
 * changed. */
uint64_t content_bytes(const struct content *c);
bool content_is_8bit(const struct content *c);
struct fit_changes content_changes(const struct content *c);

/* Append the next piece to out, which is empty and has room for CONTENT_PIECE_MAX. CONTENT_END:
 * it was the last. */
enum content_status content_read(struct content *c, struct buf *out) ATTR_MUST_CHECK;

#endif
