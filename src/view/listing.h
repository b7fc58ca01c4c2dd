/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listing_: the queue as people and programs read it: Postfix's mailq layout and postqueue -j's
 * objects. Pure but for the zone of local time. */
#ifndef TRANTER_LISTING_H
#define TRANTER_LISTING_H

#include "buf.h"
#include "queue_state.h"

/* What the listing says beyond the store's message. */
struct listing_view {
    bool active;                 /* being sent at this moment */
    bool hidden;                 /* the reader may not see addresses and reasons */
    const char *smarthost;       /* that the next attempt would go to */
    const struct fault *held_by; /* why mail waits that has no fault of its own, or NULL */
    const char *paced; /* why it waits although all is well, or NULL: a rate; not a delay */
};

/* Append the lines before the first message. */
void listing_head(struct buf *out, const char *spool, uint64_t messages);

/* The second of them alone, for a listing of a part. */
void listing_columns(struct buf *out);

/* Append one message. */
void listing_message(struct buf *out, const struct store_message *m,
                     const struct listing_view *view);

/* Append the last line; for an empty queue, the only one. whole: it is all there is. */
void listing_foot(struct buf *out, uint64_t messages, uint64_t bytes, bool whole);

/* Append one message as one line of JSON. */
void listing_json(struct buf *out, const struct store_message *m,
                  const struct listing_view *view);

/* Why r waits or failed: its own fault, else what holds all mail; or NULL. */
const struct fault *listing_fault(const struct store_recipient *r,
                                  const struct listing_view *view);

enum queue_state listing_state(const struct store_message *m, const struct listing_view *view);

#endif
