/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_: the thread that owns the writing connection. It takes all operations that wait and
 * commits them together; while it waits for the disk, the next group gathers. */
#ifndef TRANTER_WRITER_H
#define TRANTER_WRITER_H

#include "annex.h"
#include "operation.h"
#include "reserve.h"
#include "tables.h"

#include <pthread.h>

enum {
    WRITER_LOG_PAGES = 2000,             /* the log is checkpointed from this size on: 8 MB */
    WRITER_LOG_BYTES = 16 * 1024 * 1024, /* what is kept of a log that grew beyond */
    WRITER_SYNC_MS = 1000,               /* an outcome is on the disk this soon */
    WRITER_RETRY_MS = 1000,              /* between attempts to record, and to find room */
    WRITER_IDLE_MS = 2000,               /* without work before tidying up */
    WRITER_FREE_PAGES = 1024             /* kept in the database for reuse when tidying up */
};

/* What the thread works with; borrowed, and its own while it runs. */
struct writer_setup {
    int event_fd;
    int log_pages_max; /* the log is checkpointed from this size on */
    struct annex *annex;
    struct reserve *reserve;
};

struct writer {
    pthread_t thread;
    bool started;
    int event_fd; /* this and the next three as set up */
    int log_pages_max;
    struct annex *annex;
    struct reserve *reserve;

    pthread_mutex_t mutex; /* guards from here to broken_result */
    pthread_cond_t wake;
    struct operation_list waiting;
    struct operation_list results;
    bool stopping;
    bool asleep; /* the thread waits for wake */
    bool told;   /* the loop was woken and has not looked since */
    struct store_latency latency;
    bool broken;
    struct operation *broken_result; /* comes after all results; NULL once it was taken */

    /* The thread's alone. */
    struct tables tables;
    struct operation_list finished; /* to be published */
    struct err breaking;            /* why the database failed; "": it did not */
    struct operation_list stalled;  /* outcomes that wait for room on the disk */
    int64_t reserve_tried_at;       /* mono ms, since it was released */
    int64_t stalled_at;             /* mono ms of the last attempt */
    bool stalled_told;              /* in the log */
    bool full_sync;                 /* PRAGMA synchronous, as set */
    bool unsynced;                  /* something committed may not be on the disk */
    int64_t unsynced_since;         /* mono ms */
    int log_pages;      /* in the log, also those that are in the database already */
    bool tidy;          /* nothing left to do while idle */
    int64_t idle_since; /* mono ms */
};

/* Ready to start on db, which the caller opened and set up (taken, also on failure). SQLite's
 * result code. */
int writer_init(struct writer *w, sqlite3 *db,
                const struct writer_setup *setup) ATTR_MUST_CHECK;

/* 0, or an errno. */
int writer_start(struct writer *w) ATTR_MUST_CHECK;

/* Hand in an operation (taken). */
void writer_add(struct writer *w, struct operation *op);

/* The next result, or NULL: the event descriptor is then no longer readable. The caller owns
 * it.
 */
struct operation *writer_next(struct writer *w);

/* As store_latency(). From any thread. */
void writer_latency(struct writer *w, struct store_latency *latency);

/* The database cannot be trusted any more. From any thread. */
void writer_break(struct writer *w, const char *reason);

/* One step of what the thread does when there is nothing to do: the log into the database,
 * pages that deleted mail left back to the file system, caches back to the system. True when
 * nothing is left. For the thread, and for tests once it has ended. */
bool writer_tidy_up(struct writer *w);

/* Finish all that waits, make it durable, end the thread. */
void writer_join(struct writer *w);

/* Close the connection; the thread is not running. A database that failed is left as it is, log
 * and all. Results that nobody took are dropped. */
void writer_close(struct writer *w);

#endif
