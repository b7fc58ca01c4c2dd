/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdict_: how an attempt ended, in a line for the message's history. Pure. */
#ifndef TRANTER_VERDICT_H
#define TRANTER_VERDICT_H

#include "buf.h"
#include "outcome.h"

enum {
    VERDICT_MAX = 1024 /* bytes */
};

/* Append "1 sent, 2 deferred: <a@b> recipient: 450 4.2.1 Busy": what became of the n recipients
 * index of m, and of the first that was not sent, why. m is as the attempt left it. */
void verdict_put(struct buf *out, const struct store_message *m, const unsigned *index,
                 const enum outcome_event *events, unsigned n);

#endif
