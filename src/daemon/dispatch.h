/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dispatch_: one message on its way over one connection: its transaction, its content made to
 * fit the server, and the verdicts so far. A delivery has a queue of them. */
#ifndef TRANTER_DISPATCH_H
#define TRANTER_DISPATCH_H

#include "content.h"
#include "fault.h"
#include "smtp_client.h"

#include <sys/queue.h>

struct dispatch {
    TAILQ_ENTRY(dispatch) entry;
    store_id id;
    struct smtp_transaction transaction; /* body_bytes and body_8bit of what goes out */
    struct content *content;             /* until it is all read */
    struct fault *verdicts;              /* of each recipient; scope NONE: accepted so far */
    int64_t submitted_at;                /* to the client core; 0 before */
};

TAILQ_HEAD(dispatch_queue, dispatch);

/* What goes along of a message; t and its content are as stored. Owned by the caller. */
struct dispatch *dispatch_new(struct store *store, store_id id,
                              const struct smtp_transaction *t);
void dispatch_free(struct dispatch *d);

/* Make the content fit, and know its size: a step of what that takes. CONTENT_END: done. */
enum content_status dispatch_prepare(struct dispatch *d) ATTR_MUST_CHECK;

/* The end: those recipients that have no verdict yet have this one. */
void dispatch_judge(struct dispatch *d, const struct fault *fault);

/* Say in the log what had to be changed of the content for relay. */
void dispatch_log_changes(const struct dispatch *d, const char *relay, bool takes_8bit);

#endif
