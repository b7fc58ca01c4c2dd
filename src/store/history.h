/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history_: what happened to each message: table event, at most STORE_EVENTS_MAX rows a
 * message. Part of the writer's tables. Return values are SQLite's extended result codes. */
#ifndef TRANTER_HISTORY_H
#define TRANTER_HISTORY_H

#include "sql.h"
#include "store.h"

enum {
    HISTORY_STATEMENTS = 6
};

struct history {
    sqlite3_stmt *statements[HISTORY_STATEMENTS];
};

int history_open(struct history *h, sqlite3 *db) ATTR_MUST_CHECK;
void history_close(struct history *h);

/* Note event of message id as its last one, or count the last one again where it is the same,
 * and forget the oldest beyond STORE_EVENTS_MAX. */
int history_add(struct history *h, store_id id,
                const struct store_event *event) ATTR_MUST_CHECK;

/* Forget all of message id. */
int history_drop(struct history *h, store_id id) ATTR_MUST_CHECK;

#endif
