/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spools of older formats. What is here of them is as their version wrote it: it never changes.
 */
#include "fixture.h"

#include "mem.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char version_1[] =
    "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;"
    "PRAGMA application_id = 0x74726e71; PRAGMA user_version = 1;"
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY,"
    " state INTEGER NOT NULL,"
    " tried INTEGER NOT NULL,"
    " sender TEXT,"
    " body_bytes INTEGER NOT NULL,"
    " body_8bit INTEGER NOT NULL,"
    " long_lines INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " gid INTEGER NOT NULL,"
    " pid INTEGER NOT NULL,"
    " arrival_ms INTEGER NOT NULL,"
    " next_attempt_ms INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " ambiguous INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX due ON message (next_attempt_ms) WHERE state = 0;"
    "CREATE INDEX dead ON message (next_attempt_ms) WHERE state = 2;"
    "CREATE TABLE recipient ("
    " id INTEGER PRIMARY KEY,"
    " address TEXT,"
    " state INTEGER NOT NULL,"
    " scope INTEGER NOT NULL,"
    " permanent INTEGER NOT NULL,"
    " ambiguous INTEGER NOT NULL,"
    " status TEXT,"
    " code TEXT,"
    " text TEXT,"
    " fix TEXT,"
    " reply TEXT"
    ") STRICT;"
    "CREATE TABLE chunk (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;"
    "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE submission ("
    " message INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL,"
    " UNIQUE (id, uid)"
    ") STRICT;"
    "CREATE TABLE total ("
    " id INTEGER PRIMARY KEY CHECK (id = 1),"
    " last_id INTEGER NOT NULL,"
    " queued INTEGER NOT NULL,"
    " deferred INTEGER NOT NULL,"
    " held INTEGER NOT NULL,"
    " dead INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO total VALUES (1, 9, 0, 1, 0, 1, 30);"
    "INSERT INTO message VALUES"
    " (7, 0, 1, 'a@example.org', 10, 0, 0, 1000, 1001, 1002, 500, 600, 3, 1),"
    " (9, 2, 0, NULL, 20, 1, 1, 1000, 1001, 1003, 501, 601, 0, 0);"
    "INSERT INTO recipient VALUES"
    " (7 << 15, 'b@example.org', 0, 5, 0, 0, '4.2.2', 'RCPT-TEMP', 'full', NULL, '452 full'),"
    " (7 << 15 | 1, 'c@example.org', 1, 0, 0, 0, NULL, NULL, NULL, NULL, NULL),"
    " (9 << 15, 'd@example.org', 2, 5, 1, 0, '5.1.1', 'RCPT-REFUSED', 'no', NULL, '550 no');"
    "INSERT INTO chunk VALUES (7 << 15, x'30313233343536373839'),"
    " (9 << 15, zeroblob(20));"
    "PRAGMA journal_mode = WAL";

static void set_up(void)
{
    fixture_make();
}

static void tear_down(void)
{
    ck_assert_int_eq(fixture_sql_number("PRAGMA user_version"), SCHEMA_VERSION);
    ck_assert_str_eq(fixture_integrity(), "ok");
    fixture_remove();
}

static struct store *open_old(const char *text)
{
    int fd = open(fixture_path("queue.db"), O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    fixture_sql(text);
    return fixture_open();
}

static void has_deferred_message(struct store *s)
{
    struct store_message *m = store_load(s, 7);
    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(m->state, STORE_QUEUED);
    ck_assert_str_eq(m->sender, "a@example.org");
    ck_assert_uint_eq(m->attempts, 3);
    ck_assert_uint_eq(m->ambiguous, 1);
    ck_assert_int_eq(m->arrival_ms, 500);
    ck_assert_int_eq(m->next_attempt_ms, 600);
    ck_assert_ptr_null(m->envid);
    ck_assert_int_eq(m->ret, STORE_RET_UNSET);
    ck_assert(!m->require_tls && !m->warned && !m->told && !m->report);
    ck_assert_uint_eq(m->n_recipients, 2);
    ck_assert_str_eq(m->recipients[0].address, "b@example.org");
    ck_assert_str_eq(m->recipients[0].fault.reply, "452 full");
    ck_assert_uint_eq(m->recipients[0].notify, 0);
    ck_assert_ptr_null(m->recipients[0].orcpt);
    ck_assert_int_eq(m->recipients[1].state, STORE_SENT);
    store_message_free(m);
    struct buf content;
    buf_init(&content, STORE_CHUNK_BYTES);
    ck_assert_int_eq(store_read(s, 7, 0, &content), 10);
    ck_assert(str_eq(buf_str(&content), str_of("0123456789")));
    buf_release(&content);
}

static void has_dead_message(struct store *s)
{
    struct store_message *m = store_load(s, 9);
    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(m->state, STORE_DEAD);
    ck_assert_str_eq(m->sender, "");
    ck_assert(m->body_8bit && m->long_lines);
    store_message_free(m);
}

START_TEST(version_1_keeps_its_mail)
{
    struct store *s = open_old(version_1);
    has_deferred_message(s);
    has_dead_message(s);
    struct store_counts counts;
    store_count(s, &counts);
    ck_assert_uint_eq(counts.deferred, 1);
    ck_assert_uint_eq(counts.dead, 1);
    ck_assert_uint_eq(counts.bytes, 30);
    ck_assert_int_gt(store_begin(s, 0), 9);
    store_close(s);
    s = fixture_open();
    has_deferred_message(s);
    store_close(s);
}
END_TEST

START_TEST(version_1_takes_new_mail)
{
    struct store *s = open_old(version_1);
    store_id id = fixture_accept(s, 1, 100, 2);
    store_close(s);
    s = fixture_open();
    ck_assert(fixture_same_content(s, id, 1, 100));
    store_close(s);
}
END_TEST

START_TEST(what_the_submitter_asked_for_is_kept)
{
    struct store *s = fixture_open();
    struct store_message *m = fixture_message(store_begin(s, 0), 2);
    store_id id = m->id;
    m->envid = mem_strdup("QQ+2B1");
    m->ret = STORE_RET_HDRS;
    m->require_tls = true;
    m->report = true;
    m->recipients[1].notify = STORE_NOTIFY_SUCCESS | STORE_NOTIFY_DELAY;
    m->recipients[1].orcpt = mem_strdup("rfc822;a@example.org");
    struct buf none;
    buf_init(&none, 1);
    store_commit(s, m, 0, &none, NULL);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    m = store_load(s, id);
    m->warned = true;
    m->told = true;
    fixture_record(s, m);
    store_close(s);
    s = fixture_open();
    m = store_load(s, id);
    ck_assert_str_eq(m->envid, "QQ+2B1");
    ck_assert_int_eq(m->ret, STORE_RET_HDRS);
    ck_assert(m->require_tls && m->warned && m->told && m->report);
    ck_assert_uint_eq(m->recipients[0].notify, 0);
    ck_assert_ptr_null(m->recipients[0].orcpt);
    ck_assert_uint_eq(m->recipients[1].notify, STORE_NOTIFY_SUCCESS | STORE_NOTIFY_DELAY);
    ck_assert_str_eq(m->recipients[1].orcpt, "rfc822;a@example.org");
    store_message_free(m);
    store_close(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *tc = tcase_create("format");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, version_1_keeps_its_mail);
    tcase_add_test(tc, version_1_takes_new_mail);
    tcase_add_test(tc, what_the_submitter_asked_for_is_kept);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
