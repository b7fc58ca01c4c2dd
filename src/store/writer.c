/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "writer.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char no_more[] = "the queue's database has failed";

static int note_log_pages(void *owner, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct writer *)owner)->log_pages = pages;
    return SQLITE_OK;
}

int writer_init(struct writer *w, sqlite3 *db, int event_fd, int log_pages_max)
{
    *w = (struct writer){
        .event_fd = event_fd, .log_pages_max = log_pages_max, .full_sync = true};
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    w->broken_result = operation_new(OPERATION_SWEEP, 0, NULL);
    w->broken_result->result.type = STORE_BROKEN;
    sqlite3_wal_hook(db, note_log_pages, w);
    return tables_open(&w->tables, db);
}

/* With the mutex held. It fails only where the counter is full, and then it is readable as it
 * is. */
static void wake_loop(const struct writer *w)
{
    static const uint64_t one = 1;
    (void)!write(w->event_fd, &one, sizeof one);
}

/* With the mutex held. */
static void set_broken(struct writer *w, const char *reason)
{
    if (w->broken)
        return;
    w->broken = true;
    struct store_result *result = &w->broken_result->result;
    snprintf(result->reason, sizeof result->reason, "%s", reason);
    wake_loop(w);
}

void writer_break(struct writer *w, const char *reason)
{
    pthread_mutex_lock(&w->mutex);
    set_broken(w, reason);
    pthread_mutex_unlock(&w->mutex);
}

static bool is_broken(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    bool broken = w->broken || w->breaking[0];
    pthread_mutex_unlock(&w->mutex);
    return broken;
}

/* Keep the result until publish, or nothing for what has none. */
static void finish(struct writer *w, struct operation *op, enum store_failure failure,
                   const char *reason)
{
    static const enum store_result_type types[] = {
        [OPERATION_APPEND] = STORE_APPENDED, [OPERATION_COMMIT] = STORE_COMMITTED,
        [OPERATION_RECORD] = STORE_RECORDED, [OPERATION_RETRY] = STORE_RECORDED,
        [OPERATION_REMOVE] = STORE_RECORDED, [OPERATION_SWEEP] = STORE_NOTHING,
        [OPERATION_FORGET] = STORE_NOTHING,
    };
    operation_release(op);
    op->result.type = types[op->type];
    if (op->result.type == STORE_NOTHING) {
        operation_free(op);
        return;
    }
    op->result.failure = failure;
    op->result.first = failure == STORE_OK ? op->first : 0;
    snprintf(op->result.reason, sizeof op->result.reason, "%s", reason);
    operation_add(&w->finished, op);
}

/* Tell the loop of a whole group at once. What was committed while the loop found the database
 * damaged is not acknowledged. */
static void publish(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    for (struct operation *op = w->broken ? w->finished.first : NULL; op; op = op->next)
        if (op->result.failure == STORE_OK) {
            op->result.failure = STORE_ERROR;
            snprintf(op->result.reason, sizeof op->result.reason, "%s", no_more);
        }
    if (w->finished.first) {
        operation_append(&w->results, &w->finished);
        wake_loop(w);
    }
    if (w->breaking[0])
        set_broken(w, w->breaking);
    pthread_mutex_unlock(&w->mutex);
}

void writer_add(struct writer *w, struct operation *op)
{
    pthread_mutex_lock(&w->mutex);
    operation_add(&w->waiting, op);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
}

struct operation *writer_next(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    struct operation *op = operation_take(&w->results);
    uint64_t posted;
    if (!op && w->broken) {
        op = w->broken_result;
        w->broken_result = NULL;
    }
    if (!op)
        (void)!read(w->event_fd, &posted, sizeof posted);
    pthread_mutex_unlock(&w->mutex);
    return op;
}

/* How an SQLite error is told. */
struct verdict {
    bool fatal;
    enum store_failure failure;
    char words[256];
};

/* Why writing to the file that which names failed last (SQLITE_FCNTL_). At the end of a
 * transaction SQLite itself forgets it. */
static int write_errno(struct writer *w, int which)
{
    sqlite3_file *file = NULL;
    int system = 0;
    if (sqlite3_file_control(w->tables.db, "main", which, &file) == SQLITE_OK && file &&
        file->pMethods)
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &system);
    return system;
}

static struct verdict judge(struct writer *w, int rc, int which)
{
    struct verdict v = {.failure = STORE_ERROR};
    int system = write_errno(w, which);
    bool no_room = system == ENOSPC || system == EDQUOT || system == EFBIG;
    sql_words(w->tables.db, rc, v.words, sizeof v.words);
    switch (rc & 0xff) {
    case SQLITE_FULL:
        v.failure = STORE_FULL;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        break;
    case SQLITE_CONSTRAINT:
        snprintf(v.words, sizeof v.words,
                 "a part of the message is not in the queue, or its id is taken");
        break;
    case SQLITE_IOERR:
        /* A quota, and the index of the log, do not say SQLITE_FULL. */
        if (rc == SQLITE_IOERR_SHMSIZE || (rc == SQLITE_IOERR_WRITE && no_room))
            v.failure = STORE_FULL;
        else
            v.fatal = true;
        break;
    default:
        v.fatal = true;
    }
    return v;
}

static void break_off(struct writer *w, const struct verdict *v)
{
    snprintf(w->breaking, sizeof w->breaking, "the queue's database %s failed: %s",
             sqlite3_db_filename(w->tables.db, "main"), v->words);
}

/* What is accepted must be on the disk before it is told, and before the loop can see it, which
 * is what FULL does. The pragma takes effect outside a transaction alone. */
static int set_sync(struct writer *w, bool full)
{
    if (full == w->full_sync)
        return SQLITE_OK;
    int rc = sql_exec(w->tables.db,
                      full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (rc == SQLITE_OK)
        w->full_sync = full;
    return rc;
}

static bool any_acceptance(const struct operation *ops)
{
    for (; ops; ops = ops->next)
        if (ops->type == OPERATION_COMMIT)
            return true;
    return false;
}

static void committed(struct writer *w)
{
    if (w->full_sync) {
        w->unsynced = false;
    } else if (!w->unsynced) {
        w->unsynced = true;
        w->unsynced_since = clock_mono_ms();
    }
}

/* All of ops in one transaction, or nothing. */
static int transact(struct writer *w, struct operation *ops)
{
    int rc = set_sync(w, any_acceptance(ops));
    if (rc != SQLITE_OK)
        return rc;
    rc = tables_begin(&w->tables);
    for (struct operation *op = ops; rc == SQLITE_OK && op; op = op->next)
        rc = tables_apply(&w->tables, op);
    if (rc == SQLITE_OK)
        rc = tables_commit(&w->tables);
    if (rc == SQLITE_OK)
        committed(w);
    else
        tables_roll_back(&w->tables);
    return rc;
}

/* One that is in the database now. */
static void finish_applied(struct writer *w, struct operation *op)
{
    switch (op->rest) {
    case OPERATION_AGAIN:
        op->after = op->after_next;
        writer_add(w, op);
        return;
    case OPERATION_LITTER:
        writer_add(w, operation_new(OPERATION_SWEEP, op->id, NULL));
        break;
    case OPERATION_DONE:
        break;
    }
    finish(w, op, STORE_OK, "");
}

static void finish_all(struct writer *w, struct operation_list *ops, const char *failed)
{
    for (struct operation *op; (op = operation_take(ops));)
        if (failed)
            finish(w, op, STORE_ERROR, failed);
        else
            finish_applied(w, op);
}

/* One that failed by itself. What became of mail must not be forgotten for want of room, or
 * that mail is sent twice: it waits. All else is the asker's to repeat. */
static void refuse(struct writer *w, struct operation *op, const struct verdict *v, int rc)
{
    bool outcome = op->type == OPERATION_RECORD || op->type == OPERATION_SWEEP;
    if (outcome && (rc & 0xff) != SQLITE_CONSTRAINT) {
        if (!w->stalled_told)
            log_say(LOG_LEVEL_ERROR, NULL,
                    "what became of mail cannot be recorded, and is tried again each second: "
                    "%s",
                    v->words);
        w->stalled_told = true;
        operation_add(&w->stalled, op);
        w->stalled_at = clock_mono_ms();
        return;
    }
    if (op->type == OPERATION_COMMIT && op->n > 0)
        writer_add(w, operation_new(OPERATION_SWEEP, op->id, NULL));
    finish(w, op, v->failure, v->words);
}

static void checkpoint(struct writer *w)
{
    int left = 0;
    int moved = 0;
    int rc =
        sqlite3_wal_checkpoint_v2(w->tables.db, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &moved);
    struct verdict v = judge(w, rc, SQLITE_FCNTL_FILE_POINTER);
    if (rc != SQLITE_OK && v.fatal)
        break_off(w, &v);
    else if (rc == SQLITE_OK && left == moved)
        w->log_pages = 0;
}

static void run_one(struct writer *w, struct operation *op)
{
    op->next = NULL;
    int rc = transact(w, op);
    if (rc == SQLITE_OK) {
        finish_applied(w, op);
        return;
    }
    struct verdict v = judge(w, rc, SQLITE_FCNTL_JOURNAL_POINTER);
    if (v.fatal)
        break_off(w, &v);
    if (v.fatal)
        finish(w, op, STORE_ERROR, v.words);
    else
        refuse(w, op, &v, rc);
}

/* Another program has the database locked: each would wait as long in vain. */
static void refuse_all(struct writer *w, struct operation_list *ops, const struct verdict *v,
                       int rc)
{
    for (struct operation *op; (op = operation_take(ops));)
        refuse(w, op, v, rc);
}

/* A group that failed is taken apart, so that each fails for its own reason alone. The
 * checkpoint lets the log begin again at its start, which needs no room. */
static void run_one_by_one(struct writer *w, struct operation_list *ops)
{
    checkpoint(w);
    for (struct operation *op; !is_broken(w) && (op = operation_take(ops));)
        run_one(w, op);
}

static void run(struct writer *w, struct operation_list *ops)
{
    if (!ops->first || is_broken(w))
        return;
    int rc = transact(w, ops->first);
    if (rc == SQLITE_OK) {
        finish_all(w, ops, NULL);
        return;
    }
    struct verdict v = judge(w, rc, SQLITE_FCNTL_JOURNAL_POINTER);
    if (v.fatal)
        break_off(w, &v);
    else if ((rc & 0xff) == SQLITE_BUSY)
        refuse_all(w, ops, &v, rc);
    else
        run_one_by_one(w, ops);
}

/* Outcomes reach the disk without a transaction of their own. A sync that failed is never
 * repeated: the kernel forgets what it could not write. */
static void sync_log(struct writer *w)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(w->tables.db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (rc == SQLITE_OK && file && file->pMethods)
        rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    w->unsynced = false;
    if (rc == SQLITE_OK)
        return;
    struct verdict v = {.fatal = true};
    sql_words(w->tables.db, rc, v.words, sizeof v.words);
    break_off(w, &v);
}

static void retry_stalled(struct writer *w)
{
    struct operation_list ops = w->stalled;
    w->stalled = (struct operation_list){0};
    run(w, &ops);
    finish_all(w, &ops, no_more);
    if (w->stalled.first || is_broken(w))
        return;
    w->stalled_told = false;
    log_say(LOG_LEVEL_NOTICE, NULL, "what became of mail is recorded again");
}

bool writer_tidy_up(struct writer *w)
{
    static const char free_pages[] = "PRAGMA freelist_count";
    static const char give_back[] = "PRAGMA incremental_vacuum(512)";
    if (w->log_pages > 0)
        checkpoint(w);
    int64_t before = 0;
    int64_t after = 0;
    int rc = sql_exec_number(w->tables.db, free_pages, &before);
    if (rc == SQLITE_OK && before > WRITER_FREE_PAGES) {
        rc = sql_exec(w->tables.db, give_back);
        committed(w);
        if (rc == SQLITE_OK)
            rc = sql_exec_number(w->tables.db, free_pages, &after);
        if (rc == SQLITE_OK && after < before)
            return false;
    }
    struct verdict v = judge(w, rc, SQLITE_FCNTL_JOURNAL_POINTER);
    if (rc != SQLITE_OK && v.fatal)
        break_off(w, &v);
    sqlite3_db_release_memory(w->tables.db);
    return true;
}

/* The mono ms at which something is to be done without new operations; INT64_MAX: never. */
static int64_t next_chore(const struct writer *w)
{
    int64_t at = w->tidy ? INT64_MAX : w->idle_since + WRITER_IDLE_MS;
    if (w->unsynced && w->unsynced_since + WRITER_SYNC_MS < at)
        at = w->unsynced_since + WRITER_SYNC_MS;
    if (w->stalled.first && w->stalled_at + WRITER_RETRY_MS < at)
        at = w->stalled_at + WRITER_RETRY_MS;
    return at;
}

static void attend_chores(struct writer *w)
{
    int64_t now = clock_mono_ms();
    if (w->log_pages >= w->log_pages_max)
        checkpoint(w);
    if (w->unsynced && now >= w->unsynced_since + WRITER_SYNC_MS)
        sync_log(w);
    if (w->stalled.first && now >= w->stalled_at + WRITER_RETRY_MS)
        retry_stalled(w);
    if (!w->tidy && now >= w->idle_since + WRITER_IDLE_MS)
        w->tidy = writer_tidy_up(w);
}

/* Wait for operations or the next chore. False: all is done and the thread is to stop. */
static bool take_waiting(struct writer *w, struct operation_list *ops)
{
    pthread_mutex_lock(&w->mutex);
    int64_t chore = w->broken ? INT64_MAX : next_chore(w);
    struct timespec deadline = clock_wait_deadline(chore);
    int late = 0;
    while (!w->waiting.first && !w->stopping && late != ETIMEDOUT) {
        if (chore == INT64_MAX)
            pthread_cond_wait(&w->wake, &w->mutex);
        else
            late = pthread_cond_timedwait(&w->wake, &w->mutex, &deadline);
    }
    *ops = w->waiting;
    w->waiting = (struct operation_list){0};
    bool more = ops->first || !w->stopping;
    pthread_mutex_unlock(&w->mutex);
    return more;
}

static void *write_until_stopped(void *owner)
{
    struct writer *w = owner;
    struct operation_list ops;
    while (take_waiting(w, &ops)) {
        if (ops.first) {
            w->tidy = false;
            run(w, &ops);
            finish_all(w, &ops, no_more);
            w->idle_since = clock_mono_ms();
            publish(w);
        }
        if (!is_broken(w))
            attend_chores(w);
        publish(w);
    }
    if (!is_broken(w) && w->stalled.first)
        retry_stalled(w);
    if (!is_broken(w) && w->unsynced)
        sync_log(w);
    return NULL;
}

int writer_start(struct writer *w)
{
    sigset_t all, before;
    sigfillset(&all);
    w->idle_since = clock_mono_ms();
    /* What a killed daemon left in the log may not be on the disk. */
    w->unsynced = true;
    w->unsynced_since = w->idle_since;
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int code = pthread_create(&w->thread, NULL, write_until_stopped, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->started = code == 0;
    return code;
}

static void drop(struct operation_list *ops)
{
    for (struct operation *op; (op = operation_take(ops));)
        operation_free(op);
}

void writer_join(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    w->started = false;
    if (w->stalled.first)
        log_say(
            LOG_LEVEL_ERROR, NULL,
            "what became of mail could not be recorded before the end: it may be sent twice");
}

void writer_close(struct writer *w)
{
    if (is_broken(w))
        sqlite3_db_config(w->tables.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int rc = tables_close(&w->tables);
    if (rc != SQLITE_OK)
        log_say(LOG_LEVEL_ERROR, NULL, "closing the queue's database: %s", sqlite3_errstr(rc));
    drop(&w->waiting);
    drop(&w->stalled);
    drop(&w->results);
    operation_free(w->broken_result);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
}
