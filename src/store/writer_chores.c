/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "writer_inner.h"

#include "clock.h"
#include "log.h"

void writer_inner_checkpoint(struct writer *w)
{
    int left = 0;
    int moved = 0;
    int rc =
        sqlite3_wal_checkpoint_v2(w->tables.db, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &moved);
    struct writer_verdict v = writer_inner_judge(w, rc, SQLITE_FCNTL_FILE_POINTER);
    if (rc != SQLITE_OK && v.fatal)
        writer_inner_break_off(w, &v);
    else if (rc == SQLITE_OK && left == moved)
        w->log_pages = 0;
}

/* Outcomes reach the disk without a transaction of their own. A sync that failed is never
 * repeated: the kernel forgets what it could not write. */
void writer_inner_sync_log(struct writer *w)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(w->tables.db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (rc == SQLITE_OK && file && file->pMethods)
        rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    w->unsynced = false;
    if (rc == SQLITE_OK)
        return;
    struct writer_verdict v = {.fatal = true};
    sql_words(w->tables.db, rc, v.words, sizeof v.words);
    writer_inner_break_off(w, &v);
}

void writer_inner_retry_stalled(struct writer *w)
{
    struct operation_list ops = w->stalled;
    w->stalled = (struct operation_list){0};
    writer_inner_run(w, &ops);
    writer_inner_finish_all(w, &ops, writer_inner_no_more);
    if (w->stalled.first || writer_inner_is_broken(w))
        return;
    w->stalled_told = false;
    log_say(LOG_LEVEL_NOTICE, NULL, "what became of mail is recorded again");
}

bool writer_tidy_up(struct writer *w)
{
    static const char free_pages[] = "PRAGMA freelist_count";
    static const char give_back[] = "PRAGMA incremental_vacuum(512)";
    if (w->log_pages > 0)
        writer_inner_checkpoint(w);
    int64_t before = 0;
    int64_t after = 0;
    int rc = sql_exec_number(w->tables.db, free_pages, &before);
    if (rc == SQLITE_OK && before > WRITER_FREE_PAGES) {
        rc = sql_exec(w->tables.db, give_back);
        writer_inner_committed(w);
        if (rc == SQLITE_OK)
            rc = sql_exec_number(w->tables.db, free_pages, &after);
        if (rc == SQLITE_OK && after < before)
            return false;
    }
    struct writer_verdict v = writer_inner_judge(w, rc, SQLITE_FCNTL_JOURNAL_POINTER);
    if (rc != SQLITE_OK && v.fatal)
        writer_inner_break_off(w, &v);
    sqlite3_db_release_memory(w->tables.db);
    return true;
}

/* What mail that went out has left goes back to the file system first. */
static void restore_reserve(struct writer *w)
{
    (void)writer_tidy_up(w);
    w->reserve_tried_at = clock_mono_ms();
    if (reserve_take(w->reserve))
        log_say(LOG_LEVEL_NOTICE, NULL,
                "there is room on the file system again: new mail is taken");
}

int64_t writer_inner_next_chore(const struct writer *w)
{
    int64_t at = w->tidy ? INT64_MAX : w->idle_since + WRITER_IDLE_MS;
    if (w->unsynced && w->unsynced_since + WRITER_SYNC_MS < at)
        at = w->unsynced_since + WRITER_SYNC_MS;
    if (w->stalled.first && w->stalled_at + WRITER_RETRY_MS < at)
        at = w->stalled_at + WRITER_RETRY_MS;
    if (!w->reserve->held && w->reserve_tried_at + WRITER_RETRY_MS < at)
        at = w->reserve_tried_at + WRITER_RETRY_MS;
    if (w->annex->n_doomed > 0 && !w->unsynced)
        at = 0;
    return at;
}

void writer_inner_attend(struct writer *w)
{
    int64_t now = clock_mono_ms();
    if (w->log_pages >= w->log_pages_max)
        writer_inner_checkpoint(w);
    if (w->unsynced && now >= w->unsynced_since + WRITER_SYNC_MS)
        writer_inner_sync_log(w);
    if (w->stalled.first && now >= w->stalled_at + WRITER_RETRY_MS)
        writer_inner_retry_stalled(w);
    if (!w->reserve->held && now >= w->reserve_tried_at + WRITER_RETRY_MS)
        restore_reserve(w);
    /* A power cut must not bring back a message whose file is gone. */
    if (!w->unsynced)
        (void)annex_reap(w->annex);
    if (!w->tidy && now >= w->idle_since + WRITER_IDLE_MS)
        w->tidy = writer_tidy_up(w);
}
