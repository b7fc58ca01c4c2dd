/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_internal.h"

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    OPENING_BYTES = 1024 * 1024, /* of free disk, for the log and its index to begin with */
    BUSY_MS = 5000               /* for a person's sqlite3 on the same database */
};

/* What SQLite said, as a sentence. */
static int refuse(const struct store *s, sqlite3 *db, int rc, struct err *err)
{
    char words[256];
    sql_words(db, rc, words, sizeof words);
    if (sql_is_damage(rc))
        return spool_damaged(s->spool.database, words, err);
    return err_set(err, "cannot open the queue's database %s: %s", s->spool.database, words);
}

static int make_database(const struct store *s, const char *vfs, struct err *err)
{
    if (spool_make_draft(&s->spool, err) < 0 || schema_make(s->spool.draft, vfs, err) < 0)
        return -1;
    return spool_publish_draft(&s->spool, err);
}

/* Deleted mail is not overwritten with zeros: that would double the writing, and a file system
 * does not do it for deleted files either. */
static int set_up(sqlite3 *db, bool writer)
{
    static const char writer_pragmas[] = "PRAGMA synchronous = FULL;"
                                         "PRAGMA secure_delete = OFF;"
                                         "PRAGMA cell_size_check = ON;"
                                         "PRAGMA trusted_schema = OFF;"
                                         "PRAGMA temp_store = MEMORY;";
    static const char reader_pragmas[] = "PRAGMA query_only = ON;"
                                         "PRAGMA cell_size_check = ON;"
                                         "PRAGMA trusted_schema = OFF;"
                                         "PRAGMA cache_size = -1024;";
    sqlite3_busy_timeout(db, BUSY_MS);
    if (!writer)
        return sql_exec(db, reader_pragmas);
    char text[64];
    snprintf(text, sizeof text, "PRAGMA journal_size_limit = %d", WRITER_LOG_BYTES);
    int rc = sql_exec(db, writer_pragmas);
    return rc == SQLITE_OK ? sql_exec(db, text) : rc;
}

static int connect(const struct store *s, const char *vfs, bool writer, sqlite3 **db)
{
    int mode = writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    int rc = sqlite3_open_v2(s->spool.database, db, mode | SQLITE_OPEN_NOMUTEX, vfs);
    if (rc == SQLITE_OK)
        rc = sqlite3_extended_result_codes(*db, 1);
    /* Until it is known to be sound, closing it must not write to it. */
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return rc == SQLITE_OK ? set_up(*db, writer) : rc;
}

/* The version is the one that the log has, which may be newer than the one in the file's head.
 */
static int bring_up_to_date(const struct store *s, sqlite3 *db, struct err *err)
{
    int64_t version = 0;
    int rc = sql_exec_number(db, "PRAGMA user_version", &version);
    if (rc != SQLITE_OK)
        return refuse(s, db, rc, err);
    if (schema_check_version(s->spool.database, version, err) < 0)
        return -1;
    if (version == SCHEMA_VERSION)
        return 0;
    rc = schema_migrate(db, version);
    if (rc != SQLITE_OK)
        return refuse(s, db, rc, err);
    log_say(LOG_LEVEL_INFO, NULL, "%s was brought from format %d to %d", s->spool.database,
            (int)version, SCHEMA_VERSION);
    return 0;
}

/* The log must fit into the reserve twice, also where that is small. */
static int log_pages_max(const struct reserve *reserve, int wanted)
{
    off_t fit = reserve->bytes / 2 / SCHEMA_PAGE_BYTES;
    return reserve->fd < 0 || fit > wanted ? wanted : (int)fit;
}

static int open_writer(struct store *s, const struct store_options *options, struct err *err)
{
    sqlite3 *db = NULL;
    int rc = connect(s, options->vfs, true, &db);
    if (rc != SQLITE_OK || bring_up_to_date(s, db, err) < 0) {
        if (rc != SQLITE_OK)
            refuse(s, db, rc, err);
        sqlite3_close(db);
        return -1;
    }
    const struct writer_setup setup = {.event_fd = s->event_fd,
                                       .log_pages_max =
                                           log_pages_max(&s->reserve, options->log_pages_max),
                                       .annex = &s->annex,
                                       .reserve = &s->reserve};
    rc = writer_init(&s->writer, db, &setup);
    return rc == SQLITE_OK ? 0 : refuse(s, db, rc, err);
}

static int take_marks(struct store *s, int64_t now_ms)
{
    struct tables *t = &s->writer.tables;
    int64_t not_before_ms = now_ms + SCHEDULE_AMBIGUOUS_MIN_MS;
    for (unsigned i = 0; i < s->marks.n_slots; i++) {
        store_id id = s->marks.slots[i];
        int rc = id ? tables_interrupted(t, id, not_before_ms) : SQLITE_OK;
        if (rc != SQLITE_OK)
            return rc;
        char text[STORE_ID_MAX];
        store_id_format(text, id);
        if (id)
            log_say(LOG_LEVEL_WARNING, text,
                    "tranterd was stopped before the smarthost confirmed it; it may arrive "
                    "twice");
    }
    return SQLITE_OK;
}

/* The first transaction has made the log; its name must be as durable as the database's. */
static int recover(struct store *s, int64_t now_ms, struct err *err)
{
    struct tables *t = &s->writer.tables;
    int rc = tables_begin(t);
    if (rc == SQLITE_OK)
        rc = take_marks(s, now_ms);
    if (rc == SQLITE_OK)
        rc = tables_commit(t);
    if (rc != SQLITE_OK)
        return refuse(s, t->db, rc, err);
    s->last_id = t->totals.last_id;
    if (spool_sync(&s->spool, err) < 0)
        return -1;
    return marks_forget(&s->marks, err);
}

static int sweep_halves(struct store *s, struct err *err)
{
    struct tables *t = &s->writer.tables;
    store_id id = 0;
    for (;;) {
        int rc = tables_next_half(t, id, &id);
        if (rc != SQLITE_OK)
            return refuse(s, t->db, rc, err);
        if (id == 0)
            return 0;
        writer_add(&s->writer, operation_new(OPERATION_SWEEP, id, NULL));
    }
}

static int doom_orphan(void *owner, store_id id)
{
    struct store *s = owner;
    bool has;
    int rc = tables_has(&s->writer.tables, id, &has);
    if (rc == SQLITE_OK && !has)
        annex_doom(&s->annex, id);
    return rc;
}

/* Files that a killed daemon left. They go once the log is on the disk, which has why. */
static int sweep_annex(struct store *s, struct err *err)
{
    int rc = annex_list(&s->annex, doom_orphan, s, err);
    return rc <= 0 ? rc : refuse(s, s->writer.tables.db, rc, err);
}

static void forget_submissions(struct store *s, int64_t now_ms)
{
    struct operation *op = operation_new(OPERATION_FORGET, 0, NULL);
    op->now_ms = now_ms;
    writer_add(&s->writer, op);
}

static int open_reader(struct store *s, const char *vfs, struct err *err)
{
    sqlite3 *db = NULL;
    int rc = connect(s, vfs, false, &db);
    if (rc != SQLITE_OK) {
        refuse(s, db, rc, err);
        sqlite3_close(db);
        return -1;
    }
    rc = reader_open(&s->reader, db);
    return rc == SQLITE_OK ? 0 : refuse(s, db, rc, err);
}

static int start_writer(struct store *s, struct err *err)
{
    sqlite3_db_config(s->writer.tables.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    int code = writer_start(&s->writer);
    return code == 0 ? 0 : err_set(err, "cannot start the queue's writer: %s", strerror(code));
}

/* A full disk must not keep the daemon from starting: what is queued can still be sent. */
static void open_reserve(struct store *s, off_t bytes)
{
    reserve_open(&s->reserve, s->spool.directory_fd, bytes);
    if (spool_free_bytes(&s->spool) < OPENING_BYTES)
        reserve_release(&s->reserve);
    if (!s->reserve.held)
        log_say(
            LOG_LEVEL_ERROR, NULL,
            "the file system of %s is full: mail that is queued goes out, new mail is refused "
            "until there is room",
            s->spool.directory);
}

static int open_queue(struct store *s, const struct store_options *options, struct err *err)
{
    enum spool_content content = spool_inspect(&s->spool, err);
    if (content == SPOOL_REFUSED)
        return -1;
    open_reserve(s, options->reserve_bytes);
    if (content == SPOOL_MISSING && make_database(s, options->vfs, err) < 0)
        return -1;
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->event_fd < 0)
        return err_set(err, "cannot make an event descriptor: %s", strerror(errno));
    if (open_writer(s, options, err) < 0 ||
        marks_open(&s->marks, s->spool.directory_fd, err) < 0 ||
        annex_open(&s->annex, options->annex_from, s->spool.directory, s->spool.directory_fd,
                   err) < 0 ||
        recover(s, options->now_ms, err) < 0 || sweep_halves(s, err) < 0 ||
        sweep_annex(s, err) < 0 || open_reader(s, options->vfs, err) < 0)
        return -1;
    forget_submissions(s, options->now_ms);
    return start_writer(s, err);
}

struct store *store_open_with(const char *directory, const struct store_options *options,
                              struct err *err, pid_t *busy_pid)
{
    struct store *s = mem_new(sizeof *s);
    s->event_fd = -1;
    s->marks.fd = -1;
    s->annex.directory_fd = -1;
    s->reserve.fd = -1;
    if (spool_open(&s->spool, directory, err, busy_pid) < 0) {
        free(s);
        return NULL;
    }
    if (open_queue(s, options, err) < 0) {
        store_close(s);
        return NULL;
    }
    return s;
}

struct store *store_open(const char *directory, struct err *err, pid_t *busy_pid)
{
    const struct store_options options = {.now_ms = clock_wall_ms(),
                                          .log_pages_max = WRITER_LOG_PAGES,
                                          .annex_from = ANNEX_FROM,
                                          .reserve_bytes = RESERVE_BYTES};
    return store_open_with(directory, &options, err, busy_pid);
}

struct store *store_visit(const char *directory, struct err *err)
{
    sqlite3 *db;
    struct store *s = mem_new(sizeof *s);
    s->visiting = true;
    s->event_fd = s->marks.fd = s->annex.directory_fd = s->reserve.fd = -1;
    if (spool_visit(&s->spool, directory, err) < 0) {
        free(s);
        return NULL;
    }
    int rc = visit_open(&s->visit, &s->spool, &db, err) < 0 ? SQLITE_CANTOPEN
                                                            : reader_open(&s->reader, db);
    annex_visit(&s->annex, directory, s->spool.directory_fd);
    if (rc == SQLITE_OK)
        return s;
    if (s->reader.db)
        (void)refuse(s, db, rc, err);
    store_close(s);
    return NULL;
}

void store_finish(struct store *s)
{
    if (s->writer.started)
        writer_join(&s->writer);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    /* The reader first, so that the writer is the last one and the log ends up in the database.
     */
    store_finish(s);
    if (s->reader.db)
        reader_close(&s->reader);
    if (s->writer.tables.db)
        writer_close(&s->writer);
    marks_close(&s->marks);
    annex_close(&s->annex);
    reserve_close(&s->reserve);
    if (s->event_fd >= 0)
        close(s->event_fd);
    spool_close(&s->spool);
    free(s);
}
