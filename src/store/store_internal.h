/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the store's own files and its tests share. */
#ifndef TRANTER_STORE_INTERNAL_H
#define TRANTER_STORE_INTERNAL_H

#include "annex.h"
#include "marks.h"
#include "reader.h"
#include "reserve.h"
#include "schema.h"
#include "spool.h"
#include "store.h"
#include "visit.h"
#include "writer.h"

struct store {
    struct spool spool;
    struct marks marks;
    struct annex annex;
    struct reserve reserve;
    struct writer writer;
    struct reader reader;
    bool visiting; /* there is no writer, and nothing is written */
    struct visit visit;
    struct err visit_err; /* why the first read failed */
    int event_fd;
    store_id last_id; /* given by store_begin, or found in the database */
};

/* What a test sets. */
struct store_options {
    const char *vfs;     /* SQLite's name for the file system layer; NULL: the system's */
    int64_t now_ms;      /* wall clock, for S-089 */
    int log_pages_max;   /* the log is checkpointed from this size on */
    unsigned annex_from; /* chunks that lie in rows */
    off_t reserve_bytes; /* kept for a full disk; 0: none */
};

struct store *store_open_with(const char *directory, const struct store_options *options,
                              struct err *err, pid_t *busy_pid) ATTR_MUST_CHECK;

/* The id for a message that arrives at now_ms: greater than last. */
store_id store_id_next(store_id last, int64_t now_ms);

#endif
