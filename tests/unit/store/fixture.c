/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "clock.h"
#include "mem.h"

#include <check.h>
#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

static const char *make(const char *template)
{
    snprintf(directory, sizeof directory, "%s", template);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    return directory;
}

const char *fixture_make(void)
{
    return make("spool-XXXXXX");
}

const char *fixture_make_in_memory(void)
{
    return make(access("/dev/shm", W_OK) == 0 ? "/dev/shm/tranter-XXXXXX" : "spool-XXXXXX");
}

static void remove_directory(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        unlink(file);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

void fixture_remove(void)
{
    remove_directory(fixture_path("content"));
    remove_directory(directory);
}

const char *fixture_path(const char *name)
{
    static char path[sizeof directory + 256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

struct store *fixture_open(void)
{
    const struct store_options options = {
        .now_ms = clock_wall_ms(), .log_pages_max = WRITER_LOG_PAGES, .annex_from = ANNEX_FROM};
    return fixture_open_with(&options);
}

struct store *fixture_open_with(const struct store_options *options)
{
    struct err err = {""};
    pid_t busy_pid;
    struct store *s = store_open_with(directory, options, &err, &busy_pid);
    ck_assert_msg(s != NULL, "%s", err.text);
    return s;
}

struct store_message *fixture_message(store_id id, unsigned n_recipients)
{
    struct store_message *m = mem_new(sizeof *m);
    m->id = id;
    m->sender = mem_strdup("sender@example.com");
    m->recipients = mem_array(n_recipients, sizeof *m->recipients);
    m->n_recipients = n_recipients;
    for (unsigned i = 0; i < n_recipients; i++) {
        char address[64];
        snprintf(address, sizeof address, "recipient-%u@example.org", i);
        m->recipients[i].address = mem_strdup(address);
    }
    m->uid = 1000;
    m->gid = 100;
    m->pid = 4321;
    m->arrival_ms = 1000000;
    m->next_attempt_ms = 1000000;
    return m;
}

static char content_byte(uint64_t n, size_t at)
{
    return (char)((n * 7919 + at * 31 + at / 257) & 0xff);
}

static void put_content(struct buf *out, uint64_t n, size_t from, size_t bytes)
{
    char *p = buf_reserve(out, bytes);
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < bytes; i++)
        p[i] = content_byte(n, from + i);
    buf_added(out, bytes);
}

void fixture_content(struct buf *out, uint64_t n, size_t bytes)
{
    put_content(out, n, 0, bytes);
}

bool fixture_same_content(struct store *s, store_id id, uint64_t n, size_t bytes)
{
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    size_t at = 0;
    bool same = true;
    ssize_t got = 1;
    for (unsigned number = 0; same && got > 0; number++) {
        buf_clear(&chunk);
        got = store_read(s, id, number, &chunk);
        same = got == (ssize_t)buf_len(&chunk);
        struct str bytes_read = buf_str(&chunk);
        for (size_t i = 0; same && i < bytes_read.n; i++)
            same = bytes_read.p[i] == content_byte(n, at++);
    }
    buf_release(&chunk);
    return same && at == bytes;
}

struct store_result fixture_result(struct store *s)
{
    struct store_result r;
    struct pollfd wait = {.fd = store_event_fd(s), .events = POLLIN};
    while (store_next(s, &r) == STORE_NOTHING)
        ck_assert_int_eq(poll(&wait, 1, FIXTURE_WAIT_MS), 1);
    return r;
}

struct store_result fixture_store(struct store *s, store_id id, uint64_t n, size_t bytes,
                                  unsigned n_recipients)
{
    static int owner;
    struct buf chunk;
    unsigned number = 0;
    size_t at = 0;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    for (; bytes - at > STORE_CHUNK_BYTES; at += STORE_CHUNK_BYTES) {
        put_content(&chunk, n, at, STORE_CHUNK_BYTES);
        store_append(s, id, number++, &chunk, &owner);
        ck_assert_uint_eq(buf_len(&chunk), 0);
        struct store_result r = fixture_result(s);
        ck_assert_ptr_eq(r.owner, &owner);
        if (r.type != STORE_APPENDED || r.failure != STORE_OK)
            return r;
    }
    put_content(&chunk, n, at, bytes - at);
    store_commit(s, fixture_message(id, n_recipients), number, &chunk, &owner);
    struct store_result r = fixture_result(s);
    ck_assert_ptr_eq(r.owner, r.type == STORE_BROKEN ? NULL : &owner);
    return r;
}

store_id fixture_accept(struct store *s, uint64_t n, size_t bytes, unsigned n_recipients)
{
    store_id id = store_begin(s, clock_wall_ms());
    struct store_result r = fixture_store(s, id, n, bytes, n_recipients);
    ck_assert_int_eq(r.type, STORE_COMMITTED);
    ck_assert_msg(r.failure == STORE_OK, "%s", r.reason);
    ck_assert_int_eq(r.id, id);
    return id;
}

void fixture_record(struct store *s, struct store_message *m)
{
    store_id id = m->id;
    struct store_outcome outcome = {.message = m};
    store_record(s, &outcome, &outcome);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_RECORDED);
    ck_assert_msg(r.failure == STORE_OK, "%s", r.reason);
    ck_assert_int_eq(r.id, id);
    ck_assert_ptr_eq(r.owner, &outcome);
}

static sqlite3 *open_database(void)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(fixture_path("queue.db"), &db), SQLITE_OK);
    return db;
}

static const char totals_are_right[] =
    "SELECT queued = (SELECT count(*) FROM message WHERE state = 0 AND tried = 0)"
    " AND deferred = (SELECT count(*) FROM message WHERE state = 0 AND tried = 1)"
    " AND held = (SELECT count(*) FROM message WHERE state = 1)"
    " AND dead = (SELECT count(*) FROM message WHERE state = 2)"
    " AND bytes = (SELECT ifnull(sum(body_bytes), 0) FROM message)"
    " AND last_id >= (SELECT ifnull(max(id), 0) FROM message)"
    " AND 0 = (SELECT count(*) FROM recipient WHERE id >> 15 NOT IN (SELECT id FROM message))"
    " AND 0 = (SELECT count(*) FROM event WHERE id >> 15 NOT IN (SELECT id FROM message))"
    " AND 0 = (SELECT count(*) FROM chunk WHERE id >> 15 NOT IN (SELECT id FROM message)"
    "  AND id >> 15 NOT IN (SELECT id FROM half))"
    " AND 0 = (SELECT count(*) FROM half WHERE id IN (SELECT id FROM message))"
    " FROM total";

/* Whether message id, whose content is so long, may have a file of that size. */
static bool belongs(store_id id, int64_t size)
{
    char text[128];
    snprintf(text, sizeof text,
             "SELECT count(*) FROM message WHERE id = %lld AND body_bytes = %lld",
             (long long)id, (long long)size);
    return fixture_sql_number(text) == 1;
}

/* Each file is a message's, and each message that needs one has it. */
static bool annex_is_right(void)
{
    static const char needed[] = "SELECT count(*) FROM message AS m WHERE body_bytes > (SELECT"
                                 " ifnull(sum(length(content)), 0) FROM chunk WHERE id BETWEEN "
                                 "m.id << 15 AND m.id << 15 | 32767)";
    int64_t n = 0;
    bool right = true;
    DIR *d = opendir(fixture_path("content"));
    ck_assert_ptr_nonnull(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        struct stat st;
        store_id id;
        if (!store_id_parse(str_of(entry->d_name), &id))
            continue;
        ck_assert_int_eq(fstatat(dirfd(d), entry->d_name, &st, 0), 0);
        right = right && belongs(id, st.st_size);
        n++;
    }
    closedir(d);
    return right && n == fixture_sql_number(needed);
}

const char *fixture_integrity(void)
{
    static char words[256];
    sqlite3 *db = open_database();
    sqlite3_stmt *st = NULL;
    ck_assert_int_eq(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
    sql_column_copy(st, 0, words, sizeof words);
    sqlite3_finalize(st);
    int64_t right = 0;
    ck_assert_int_eq(sql_exec_number(db, totals_are_right, &right), SQLITE_OK);
    sqlite3_close(db);
    if (!right)
        return "totals or orphans";
    return annex_is_right() ? words : "the files of contents";
}

void fixture_sql(const char *text)
{
    sqlite3 *db = open_database();
    ck_assert_msg(sql_exec(db, text) == SQLITE_OK, "%s: %s", text, sqlite3_errmsg(db));
    sqlite3_close(db);
}

int64_t fixture_sql_number(const char *text)
{
    sqlite3 *db = open_database();
    int64_t value = -1;
    ck_assert_int_eq(sql_exec_number(db, text, &value), SQLITE_OK);
    sqlite3_close(db);
    return value;
}
