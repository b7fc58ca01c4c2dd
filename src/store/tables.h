/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tables_: what each operation does to the tables of queue.db. The writer thread's connection;
 * the caller begins and commits. Return values are SQLite's extended result codes. */
#ifndef TRANTER_TABLES_H
#define TRANTER_TABLES_H

#include "annex.h"
#include "history.h"
#include "operation.h"
#include "sql.h"

enum {
    TABLES_CHUNKS_AT_ONCE = 64,       /* removed in one transaction; more go in slices */
    TABLES_MESSAGES_AT_ONCE = 2000,   /* set to be retried in one transaction */
    TABLES_SUBMISSIONS_AT_ONCE = 256, /* forgotten in one transaction; looked at anew after
                                         half as many new ones */
    TABLES_STATEMENTS = 40
};

/* The row of table total. */
struct totals {
    int64_t last_id; /* no lower id is ever given again */
    int64_t queued;
    int64_t deferred;
    int64_t held;
    int64_t dead;
    int64_t bytes;
};

struct tables {
    sqlite3 *db;               /* owned */
    const struct annex *annex; /* borrowed: which contents have a file */
    sqlite3_stmt *statements[TABLES_STATEMENTS];
    struct history history;
    struct totals totals; /* as in the database, and with what the open transaction changed */
    struct totals saved;  /* as when it began */
    unsigned submissions; /* remembered since old ones were last looked for */
};

/* Prepare the statements on db (taken, also on failure) and read the totals. */
int tables_open(struct tables *t, sqlite3 *db, const struct annex *annex) ATTR_MUST_CHECK;
int tables_close(struct tables *t);

/* BEGIN IMMEDIATE; COMMIT with the totals; ROLLBACK, which also restores them. */
int tables_begin(struct tables *t) ATTR_MUST_CHECK;
int tables_commit(struct tables *t) ATTR_MUST_CHECK;
void tables_roll_back(struct tables *t);

/* Do what op says. It may be called again for the same op after a rollback. */
int tables_apply(struct tables *t, struct operation *op) ATTR_MUST_CHECK;

/* Message id was about to be sent for good when the daemon died: one ambiguous attempt more,
 * and the next one not before not_before_ms (S-089). */
int tables_interrupted(struct tables *t, store_id id, int64_t not_before_ms) ATTR_MUST_CHECK;

/* Whether there is a message id. */
int tables_has(struct tables *t, store_id id, bool *has) ATTR_MUST_CHECK;

/* The first id greater than after whose chunks are to be swept; 0: none. */
int tables_next_half(struct tables *t, store_id after, store_id *id) ATTR_MUST_CHECK;

#endif
