/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "visit.h"

#include "buf.h"
#include "schema.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    BUSY_MS = 5000 /* while a daemon that starts recovers the log */
};

/* Bytes of the log; 0 also where there is none. */
static off_t log_bytes(const struct spool *spool)
{
    struct stat st;
    bool there = fstatat(spool->directory_fd, "queue.db-wal", &st, AT_SYMLINK_NOFOLLOW) == 0;
    return there ? st.st_size : 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool visit_is_disturbed(const struct visit *v)
{
    struct stat now;
    if (!v->immutable)
        return false;
    return spool_is_locked(v->spool) || log_bytes(v->spool) > 0 ||
           stat(v->spool->database, &now) < 0 || !is_same(&now, &v->found);
}

/* The index of the log is what SQLite's locks are on, also where its content is of no use. A
 * power cut may have taken it. */
static int make_index(const struct visit *v, struct err *err)
{
    static const char name[] = "queue.db-shm";
    if (faccessat(v->spool->directory_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    int fd = -1;
    if (v->found.st_uid == geteuid())
        fd = openat(v->spool->directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    else
        errno = EACCES;
    if (fd < 0 && errno != EEXIST)
        return err_set(err, "%s has a log, whose index %s cannot be made: %s",
                       v->spool->database, name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return 0;
}

/* The path as a URI; only what ends or escapes there is escaped. */
static void put_uri(struct buf *uri, const struct visit *v)
{
    buf_puts(uri, "file:");
    for (const char *p = v->spool->database; *p; p++) {
        if (*p == '%' || *p == '?' || *p == '#')
            buf_printf(uri, "%%%02X", (unsigned char)*p);
        else
            buf_putc(uri, *p);
    }
    buf_puts(uri, v->immutable ? "?mode=ro&immutable=1" : "?mode=ro&readonly_shm=1");
    buf_putc(uri, '\0');
}

static int connect(const struct visit *v, sqlite3 **db)
{
    struct buf uri;
    buf_init(&uri, 64 * 1024);
    put_uri(&uri, v);
    int rc =
        sqlite3_open_v2(buf_str(&uri).p, db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    buf_release(&uri);
    if (rc == SQLITE_OK)
        rc = sqlite3_extended_result_codes(*db, 1);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(*db, BUSY_MS);
    return rc == SQLITE_OK
               ? sql_exec(*db, "PRAGMA query_only = ON; PRAGMA cell_size_check = ON;"
                               "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -1024")
               : rc;
}

static int check_version(const struct visit *v, sqlite3 *db, struct err *err)
{
    char words[256];
    int64_t version = 0;
    int rc = sql_exec_number(db, "PRAGMA user_version", &version);
    if (rc != SQLITE_OK) {
        sql_words(db, rc, words, sizeof words);
        return err_set(err, "cannot read the queue's database %s: %s", v->spool->database,
                       words);
    }
    if (schema_check_version(v->spool->database, version, err) < 0)
        return -1;
    if (version < SCHEMA_VERSION)
        return err_set(err,
                       "%s has the older format %d: tranterd brings it up to date when it "
                       "starts",
                       v->spool->database, (int)version);
    return 0;
}

int visit_open(struct visit *v, const struct spool *spool, sqlite3 **db, struct err *err)
{
    char words[256];
    *db = NULL;
    *v = (struct visit){.spool = spool};
    if (stat(spool->database, &v->found) < 0)
        return err_set(err, "cannot look at %s: %s", spool->database, strerror(errno));
    v->immutable = !spool_is_locked(spool) && log_bytes(spool) == 0;
    if (!v->immutable && make_index(v, err) < 0)
        return -1;
    int rc = connect(v, db);
    if (rc == SQLITE_OK && check_version(v, *db, err) == 0)
        return 0;
    sql_words(*db, rc, words, sizeof words);
    if (rc != SQLITE_OK)
        (void)err_set(err, "cannot open the queue's database %s: %s", spool->database, words);
    sqlite3_close(*db);
    *db = NULL;
    return -1;
}
