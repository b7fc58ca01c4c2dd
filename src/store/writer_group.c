/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "writer_inner.h"

#include "clock.h"
#include "log.h"
#include "spool.h"

#include <errno.h>
#include <stdio.h>

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

struct writer_verdict writer_inner_judge(struct writer *w, int rc, int which)
{
    struct writer_verdict v = {.failure = STORE_ERROR, .damaged = sql_is_damage(rc)};
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

void writer_inner_break_off(struct writer *w, const struct writer_verdict *v)
{
    const char *database = sqlite3_db_filename(w->tables.db, "main");
    if (v->damaged)
        spool_damaged(database, v->words, &w->breaking);
    else
        err_set(&w->breaking, "the queue's database %s failed: %s", database, v->words);
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

void writer_inner_committed(struct writer *w)
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
    bool acceptance = any_acceptance(ops);
    int64_t began_us = clock_mono_us();
    int rc = set_sync(w, acceptance);
    if (rc != SQLITE_OK)
        return rc;
    rc = tables_begin(&w->tables);
    for (struct operation *op = ops; rc == SQLITE_OK && op; op = op->next)
        rc = tables_apply(&w->tables, op);
    if (rc == SQLITE_OK)
        rc = tables_commit(&w->tables);
    if (rc == SQLITE_OK && acceptance)
        writer_inner_took(w, clock_mono_us() - began_us);
    if (rc == SQLITE_OK)
        writer_inner_committed(w);
    else
        tables_roll_back(&w->tables);
    return rc;
}

/* One that is in the database now. */
static void finish_applied(struct writer *w, struct operation *op)
{
    if (op->type == OPERATION_COMMIT && !op->first)
        annex_settle(w->annex, op->id);
    if (op->drops_annex)
        annex_doom(w->annex, op->id);
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
    writer_inner_finish(w, op, STORE_OK, "");
}

void writer_inner_finish_all(struct writer *w, struct operation_list *ops, const char *failed)
{
    for (struct operation *op; (op = operation_take(ops));)
        if (failed)
            writer_inner_finish(w, op, STORE_ERROR, failed);
        else
            finish_applied(w, op);
}

/* It is the asker's to repeat. */
static void give_back(struct writer *w, struct operation *op, enum store_failure failure,
                      const char *words)
{
    if (op->type == OPERATION_COMMIT && op->n > 0)
        writer_add(w, operation_new(OPERATION_SWEEP, op->id, NULL));
    writer_inner_finish(w, op, failure, words);
}

/* One that failed by itself. What became of mail must not be forgotten for want of room, or
 * that mail is sent twice: it waits. All else is the asker's to repeat. */
static void refuse(struct writer *w, struct operation *op, const struct writer_verdict *v,
                   int rc)
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
    give_back(w, op, v->failure, v->words);
}

static bool is_new_mail(const struct operation *op)
{
    return op->type == OPERATION_APPEND || op->type == OPERATION_COMMIT;
}

/* What the reserve was given up for is not taken by mail that can wait elsewhere. */
static bool refuse_new_mail(struct writer *w, struct operation *op)
{
    if (w->reserve->held || !is_new_mail(op))
        return false;
    give_back(w, op, STORE_FULL, "the file system is full");
    return true;
}

/* True when there may be room now for what had none. */
static bool make_room(struct writer *w, const struct operation *op, int rc)
{
    struct writer_verdict v = writer_inner_judge(w, rc, SQLITE_FCNTL_JOURNAL_POINTER);
    if (v.failure != STORE_FULL || is_new_mail(op) || !reserve_release(w->reserve))
        return false;
    log_say(LOG_LEVEL_ERROR, NULL,
            "the file system of %s is full: mail that is queued goes out, new mail is refused "
            "until "
            "there is room",
            sqlite3_db_filename(w->tables.db, "main"));
    w->reserve_tried_at = clock_mono_ms();
    writer_inner_checkpoint(w);
    return true;
}

static void run_one(struct writer *w, struct operation *op)
{
    op->next = NULL;
    if (refuse_new_mail(w, op))
        return;
    int rc = transact(w, op);
    if (rc != SQLITE_OK && make_room(w, op, rc))
        rc = transact(w, op);
    if (rc == SQLITE_OK) {
        finish_applied(w, op);
        return;
    }
    struct writer_verdict v = writer_inner_judge(w, rc, SQLITE_FCNTL_JOURNAL_POINTER);
    if (v.fatal)
        writer_inner_break_off(w, &v);
    if (v.fatal)
        writer_inner_finish(w, op, STORE_ERROR, v.words);
    else
        refuse(w, op, &v, rc);
}

/* Another program has the database locked: each would wait as long in vain. */
static void refuse_all(struct writer *w, struct operation_list *ops,
                       const struct writer_verdict *v, int rc)
{
    for (struct operation *op; (op = operation_take(ops));)
        refuse(w, op, v, rc);
}

/* A group that failed is taken apart, so that each fails for its own reason alone. The
 * checkpoint lets the log begin again at its start, which needs no room. */
static void run_one_by_one(struct writer *w, struct operation_list *ops)
{
    writer_inner_checkpoint(w);
    for (struct operation *op; !writer_inner_is_broken(w) && (op = operation_take(ops));)
        run_one(w, op);
}

/* A message is made visible with all of its file, and that on the disk. */
static enum store_failure complete_annex(struct annex *a, const struct operation *op,
                                         struct err *err)
{
    struct str last = buf_str(&op->content);
    enum store_failure failure = STORE_OK;
    if (!annex_has(a, op->message->body_bytes))
        return STORE_OK;
    if (last.n > 0)
        failure = annex_append(a, op->id, op->n, last, err);
    return failure == STORE_OK ? annex_sync(a, op->id, op->n + (last.n > 0), err) : failure;
}

/* What op does outside of the database. */
static enum store_failure write_annex(struct annex *a, const struct operation *op,
                                      struct err *err)
{
    if (op->type == OPERATION_APPEND && op->n >= a->from)
        return annex_append(a, op->id, op->n, buf_str(&op->content), err);
    if (op->type == OPERATION_COMMIT)
        return complete_annex(a, op, err);
    if (op->type == OPERATION_SWEEP)
        annex_doom(a, op->id);
    return STORE_OK;
}

/* Before the transaction, which may be made more than once. Leaves in ops what has to do with
 * the database. */
static void write_annexes(struct writer *w, struct operation_list *ops)
{
    struct operation_list rest = {0};
    struct err err;
    for (struct operation *op; (op = operation_take(ops));) {
        if (refuse_new_mail(w, op))
            continue;
        enum store_failure failure = write_annex(w->annex, op, &err);
        if (failure != STORE_OK)
            give_back(w, op, failure, err.text);
        else if (op->type == OPERATION_APPEND && op->n >= w->annex->from)
            writer_inner_finish(w, op, STORE_OK, "");
        else
            operation_add(&rest, op);
    }
    *ops = rest;
}

void writer_inner_run(struct writer *w, struct operation_list *ops)
{
    if (writer_inner_is_broken(w))
        return;
    write_annexes(w, ops);
    if (!ops->first)
        return;
    int rc = transact(w, ops->first);
    if (rc == SQLITE_OK) {
        writer_inner_finish_all(w, ops, NULL);
        return;
    }
    struct writer_verdict v = writer_inner_judge(w, rc, SQLITE_FCNTL_JOURNAL_POINTER);
    if (v.fatal)
        writer_inner_break_off(w, &v);
    else if ((rc & 0xff) == SQLITE_BUSY)
        refuse_all(w, ops, &v, rc);
    else
        run_one_by_one(w, ops);
}
