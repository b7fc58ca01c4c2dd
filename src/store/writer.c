/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "writer_inner.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char writer_inner_no_more[] = "the queue's database has failed";

static int note_log_pages(void *owner, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct writer *)owner)->log_pages = pages;
    return SQLITE_OK;
}

int writer_init(struct writer *w, sqlite3 *db, const struct writer_setup *setup)
{
    *w = (struct writer){.event_fd = setup->event_fd,
                         .log_pages_max = setup->log_pages_max,
                         .annex = setup->annex,
                         .reserve = setup->reserve,
                         .full_sync = true};
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    w->broken_result = operation_new(OPERATION_SWEEP, 0, NULL);
    w->broken_result->result.type = STORE_BROKEN;
    sqlite3_wal_hook(db, note_log_pages, w);
    return tables_open(&w->tables, db, w->annex);
}

/* With the mutex held. It fails only where the counter is full, and then it is readable as it
 * is. */
static void wake_loop(struct writer *w)
{
    static const uint64_t one = 1;
    if (!w->told)
        (void)!write(w->event_fd, &one, sizeof one);
    w->told = true;
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

const int64_t store_latency_bounds_us[STORE_LATENCY_BUCKETS] = {
    100,   200,    500,    1000,   2000,    5000,    10000,    20000,
    50000, 100000, 200000, 500000, 1000000, 5000000, INT64_MAX};

void writer_inner_took(struct writer *w, int64_t us)
{
    unsigned i = 0;
    while (us > store_latency_bounds_us[i])
        i++;
    pthread_mutex_lock(&w->mutex);
    w->latency.n[i]++;
    w->latency.sum_us += (uint64_t)us;
    pthread_mutex_unlock(&w->mutex);
}

void writer_latency(struct writer *w, struct store_latency *latency)
{
    pthread_mutex_lock(&w->mutex);
    *latency = w->latency;
    pthread_mutex_unlock(&w->mutex);
}

bool writer_inner_is_broken(struct writer *w)
{
    pthread_mutex_lock(&w->mutex);
    bool broken = w->broken || w->breaking.text[0];
    pthread_mutex_unlock(&w->mutex);
    return broken;
}

/* Keep the result until publish, or nothing for what has none. */
void writer_inner_finish(struct writer *w, struct operation *op, enum store_failure failure,
                         const char *reason)
{
    static const enum store_result_type types[] = {
        [OPERATION_APPEND] = STORE_APPENDED, [OPERATION_COMMIT] = STORE_COMMITTED,
        [OPERATION_RECORD] = STORE_RECORDED, [OPERATION_RETRY] = STORE_RECORDED,
        [OPERATION_HOLD] = STORE_RECORDED,   [OPERATION_RELEASE] = STORE_RECORDED,
        [OPERATION_REMOVE] = STORE_RECORDED, [OPERATION_SWEEP] = STORE_NOTHING,
        [OPERATION_FORGET] = STORE_NOTHING,  [OPERATION_TELL] = STORE_RECORDED,
        [OPERATION_SPEND] = STORE_NOTHING,   [OPERATION_SHIFT] = STORE_NOTHING,
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
            snprintf(op->result.reason, sizeof op->result.reason, "%s", writer_inner_no_more);
        }
    if (w->finished.first) {
        operation_append(&w->results, &w->finished);
        wake_loop(w);
    }
    if (w->breaking.text[0])
        set_broken(w, w->breaking.text);
    pthread_mutex_unlock(&w->mutex);
}

void writer_add(struct writer *w, struct operation *op)
{
    pthread_mutex_lock(&w->mutex);
    operation_add(&w->waiting, op);
    bool asleep = w->asleep;
    pthread_mutex_unlock(&w->mutex);
    if (asleep)
        pthread_cond_signal(&w->wake);
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
    if (!op && w->told) {
        (void)!read(w->event_fd, &posted, sizeof posted);
        w->told = false;
    }
    pthread_mutex_unlock(&w->mutex);
    return op;
}

/* Wait for operations or the next chore. False: all is done and the thread is to stop. */
static bool take_waiting(struct writer *w, struct operation_list *ops)
{
    pthread_mutex_lock(&w->mutex);
    int64_t chore = w->broken ? INT64_MAX : writer_inner_next_chore(w);
    struct timespec deadline = clock_wait_deadline(chore);
    int late = 0;
    w->asleep = true;
    while (!w->waiting.first && !w->stopping && late != ETIMEDOUT) {
        if (chore == INT64_MAX)
            pthread_cond_wait(&w->wake, &w->mutex);
        else
            late = pthread_cond_timedwait(&w->wake, &w->mutex, &deadline);
    }
    w->asleep = false;
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
            writer_inner_run(w, &ops);
            writer_inner_finish_all(w, &ops, writer_inner_no_more);
            w->idle_since = clock_mono_ms();
            publish(w);
        }
        if (!writer_inner_is_broken(w))
            writer_inner_attend(w);
        publish(w);
    }
    if (!writer_inner_is_broken(w) && w->stalled.first)
        writer_inner_retry_stalled(w);
    if (!writer_inner_is_broken(w) && w->unsynced)
        writer_inner_sync_log(w);
    while (!writer_inner_is_broken(w) && !annex_reap(w->annex))
        continue;
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
    if (writer_inner_is_broken(w))
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
