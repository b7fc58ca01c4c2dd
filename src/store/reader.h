/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reader_: the loop's read-only connection. Each call is a transaction of its own that ends
 * before it returns, so that no old snapshot holds the log back. Return values are SQLite's
 * extended result codes. */
#ifndef TRANTER_READER_H
#define TRANTER_READER_H

#include "sql.h"
#include "store.h"

enum {
    READER_STATEMENTS = 24
};

struct reader {
    sqlite3 *db; /* owned */
    sqlite3_stmt *statements[READER_STATEMENTS];
};

/* Prepare the statements on db (taken, also on failure). */
int reader_open(struct reader *r, sqlite3 *db) ATTR_MUST_CHECK;
int reader_close(struct reader *r);

/* As the functions of store.h that are named after them. */
int reader_due(struct reader *r, int64_t now_ms, const store_id *active, unsigned n_active,
               store_id *ids, unsigned *n_ids, unsigned max) ATTR_MUST_CHECK;
int reader_in_turn(struct reader *r, int64_t now_ms, const store_id *active, unsigned n_active,
                   int64_t *turn, store_id *id) ATTR_MUST_CHECK; /* *id 0: none */
int reader_spent(struct reader *r, const char *smarthost, int64_t since_ms,
                 struct store_spent *slots, unsigned *n_slots, unsigned max) ATTR_MUST_CHECK;
int reader_dead(struct reader *r, int64_t before_ms, bool untold, store_id *ids,
                unsigned *n_ids, unsigned max) ATTR_MUST_CHECK;
int reader_next_due(struct reader *r, int64_t now_ms, int64_t *due_ms) ATTR_MUST_CHECK;
int reader_count(struct reader *r, struct store_counts *counts) ATTR_MUST_CHECK;

/* Up to max messages with ids from first to last, in order, into page; *n_page of them. */
int reader_page(struct reader *r, store_id first, store_id last, struct store_message **page,
                unsigned *n_page, unsigned max) ATTR_MUST_CHECK;

int reader_search(struct reader *r, struct store_search *search, struct store_message **page,
                  unsigned *n_page, unsigned max) ATTR_MUST_CHECK;
int reader_events(struct reader *r, store_id id, struct store_event *events,
                  unsigned *n_events) ATTR_MUST_CHECK;

/* Append chunk n (0 to STORE_RECIPIENTS_MAX) to out; *bytes is 0 at the end. SQLITE_NOTFOUND
 * when there is no such message, SQLITE_EMPTY when the chunk is in no row, *bytes being what it
 * must have, SQLITE_MISMATCH when it is not as long as it must be, SQLITE_TOOBIG when out has
 * no room. */
int reader_chunk(struct reader *r, store_id id, unsigned n, struct buf *out,
                 size_t *bytes) ATTR_MUST_CHECK;

#endif
