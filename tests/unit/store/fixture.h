/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fixture_: a spool to throw away, and messages whose content follows from their number. */
#ifndef TRANTER_FIXTURE_H
#define TRANTER_FIXTURE_H

#include "store_internal.h"

enum {
    FIXTURE_WAIT_MS = 20000 /* for a result that must come */
};

/* A directory of its own; its removal with all the store keeps in it. */
const char *fixture_make(void);

/* The same on a file system in memory, where there is one: for tests that bring their own disk.
 */
const char *fixture_make_in_memory(void);
void fixture_remove(void);

/* The path of a file in it; valid until the next call. */
const char *fixture_path(const char *name);

/* Open it, or fail the test. */
struct store *fixture_open(void);
struct store *fixture_open_with(const struct store_options *options);

/* A message to n_recipients, queued, due at once. */
struct store_message *fixture_message(store_id id, unsigned n_recipients);

/* bytes of content number n, appended to out. */
void fixture_content(struct buf *out, uint64_t n, size_t bytes);

/* Whether message id has just that content. */
bool fixture_same_content(struct store *s, store_id id, uint64_t n, size_t bytes);

/* The next result; it fails the test when none comes. */
struct store_result fixture_result(struct store *s);

/* Store message number n of the given size to the end, in chunks that wait for each other. The
 * result is the commit's. */
struct store_result fixture_store(struct store *s, store_id id, uint64_t n, size_t bytes,
                                  unsigned n_recipients);

/* As fixture_store, for a message that must be accepted. */
store_id fixture_accept(struct store *s, uint64_t n, size_t bytes, unsigned n_recipients);

/* Record m (taken), which must succeed. */
void fixture_record(struct store *s, struct store_message *m);

/* "ok", or what PRAGMA integrity_check says of the closed spool's database, and whether its
 * totals are those of its rows, and the files those that its messages need. */
const char *fixture_integrity(void);

/* Run a statement on the closed spool's database. */
void fixture_sql(const char *text);
int64_t fixture_sql_number(const char *text);

#endif
