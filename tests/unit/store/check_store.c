/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "clock.h"
#include "mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct store *s;

/* How much the peak of memory may grow while 50 MB pass. A sanitizer keeps what was freed. */
#if defined(__SANITIZE_ADDRESS__)
enum {
    PEAK_KB = 512 * 1024
};
#else
enum {
    PEAK_KB = 16 * 1024
};
#endif

static void set_up(void)
{
    fixture_make();
    s = fixture_open();
}

static void tear_down(void)
{
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
    fixture_remove();
}

static void reopen(void)
{
    store_close(s);
    s = fixture_open();
}

START_TEST(a_committed_message_comes_back_whole)
{
    store_id id = fixture_accept(s, 1, 4096, 3);
    for (int round = 0; round < 2; round++) {
        struct store_message *m = store_load(s, id);
        ck_assert_ptr_nonnull(m);
        ck_assert_int_eq(m->id, id);
        ck_assert_int_eq(m->state, STORE_QUEUED);
        ck_assert_str_eq(m->sender, "sender@example.com");
        ck_assert_uint_eq(m->n_recipients, 3);
        ck_assert_str_eq(m->recipients[2].address, "recipient-2@example.org");
        ck_assert_int_eq(m->recipients[2].state, STORE_WAITING);
        ck_assert_int_eq(m->recipients[2].fault.scope, FAULT_NONE);
        ck_assert_uint_eq(m->body_bytes, 4096);
        ck_assert(!m->body_8bit);
        ck_assert(!m->long_lines);
        ck_assert_uint_eq(m->uid, 1000);
        ck_assert_uint_eq(m->gid, 100);
        ck_assert_int_eq(m->pid, 4321);
        ck_assert_int_eq(m->arrival_ms, 1000000);
        ck_assert_int_eq(m->next_attempt_ms, 1000000);
        ck_assert_uint_eq(m->attempts, 0);
        store_message_free(m);
        ck_assert(fixture_same_content(s, id, 1, 4096));
        reopen();
    }
}
END_TEST

START_TEST(the_null_sender_and_an_unknown_submitter_come_back)
{
    struct store_message *m = fixture_message(store_begin(s, clock_wall_ms()), 1);
    store_id id = m->id;
    m->sender[0] = '\0';
    m->uid = (uid_t)-1;
    m->gid = (gid_t)-1;
    m->body_8bit = true;
    m->long_lines = true;
    struct buf chunk;
    buf_init(&chunk, 10);
    store_commit(s, m, 0, &chunk, NULL);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    m = store_load(s, id);
    ck_assert_str_eq(m->sender, "");
    ck_assert_uint_eq(m->uid, (uid_t)-1);
    ck_assert_uint_eq(m->gid, (gid_t)-1);
    ck_assert(m->body_8bit);
    ck_assert(m->long_lines);
    ck_assert_uint_eq(m->body_bytes, 0);
    ck_assert(fixture_same_content(s, id, 1, 0));
    store_message_free(m);
}
END_TEST

static const size_t sizes[] = {
    1,
    STORE_CHUNK_BYTES - 1,
    STORE_CHUNK_BYTES,
    STORE_CHUNK_BYTES + 1,
    2 * STORE_CHUNK_BYTES,
    ANNEX_FROM *STORE_CHUNK_BYTES,
    ANNEX_FROM *STORE_CHUNK_BYTES + 1,
    (ANNEX_FROM + 1) * STORE_CHUNK_BYTES,
    (TABLES_CHUNKS_AT_ONCE + 3) * STORE_CHUNK_BYTES + 17,
};

START_TEST(content_of_any_size_is_cut_up_read_and_removed)
{
    size_t bytes = sizes[_i];
    store_id id = fixture_accept(s, 5, bytes, 1);
    ck_assert(fixture_same_content(s, id, 5, bytes));
    struct store_message *m = store_load(s, id);
    ck_assert_uint_eq(m->body_bytes, bytes);
    m->recipients[0].state = STORE_SENT;
    fixture_record(s, m);
    ck_assert_ptr_null(store_load(s, id));
    store_close(s);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM chunk"), 0);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM half"), 0);
    s = fixture_open();
}
END_TEST

static long resident_kb(const char *what)
{
    char line[128];
    long kb = -1;
    size_t n = strlen(what);
    FILE *f = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, what, n) == 0)
            kb = strtol(line + n, NULL, 10);
    fclose(f);
    return kb;
}

START_TEST(fifty_megabytes_pass_through_bounded_memory)
{
    size_t bytes = 50 * 1000 * 1000;
    fixture_accept(s, 1, 4 * STORE_CHUNK_BYTES, 1);
    long before = resident_kb("VmHWM:");
    store_id id = fixture_accept(s, 9, bytes, 1);
    ck_assert(fixture_same_content(s, id, 9, bytes));
    long grown = resident_kb("VmHWM:") - before;
    ck_assert_msg(grown < PEAK_KB, "the peak grew by %ld kB", grown);
}
END_TEST

START_TEST(a_message_is_invisible_before_its_commit)
{
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    store_id id = store_begin(s, clock_wall_ms());
    fixture_content(&chunk, 1, STORE_CHUNK_BYTES);
    store_append(s, id, 0, &chunk, &chunk);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_APPENDED);
    ck_assert_int_eq(r.id, id);
    struct store_counts counts;
    store_id due;
    ck_assert_ptr_null(store_load(s, id));
    ck_assert_ptr_null(store_after(s, 0));
    ck_assert_uint_eq(store_due(s, INT64_MAX, NULL, 0, &due, 1), 0);
    store_count(s, &counts);
    ck_assert_uint_eq(counts.queued + counts.bytes, 0);
    ck_assert_int_eq(store_read(s, id, 0, &chunk), -1);
}
END_TEST

START_TEST(halves_are_swept_by_abort_and_at_the_next_start)
{
    for (unsigned i = 0; i < 3; i++) {
        store_id id = store_begin(s, clock_wall_ms());
        for (unsigned n = 0; n < TABLES_CHUNKS_AT_ONCE + 2; n++) {
            struct buf chunk;
            buf_init(&chunk, STORE_CHUNK_BYTES);
            fixture_content(&chunk, n, STORE_CHUNK_BYTES);
            store_append(s, id, n, &chunk, NULL);
            ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
        }
        if (i == 0)
            store_abort(s, id);
    }
    store_close(s);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM half"), 2);
    s = fixture_open();
    store_close(s);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM half"), 0);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM chunk"), 0);
    s = fixture_open();
}
END_TEST

START_TEST(a_message_with_a_part_missing_is_not_accepted)
{
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    store_id id = store_begin(s, clock_wall_ms());
    fixture_content(&chunk, 1, STORE_CHUNK_BYTES);
    store_append(s, id, 1, &chunk, NULL);
    fixture_content(&chunk, 1, 10);
    store_commit(s, fixture_message(id, 1), 2, &chunk, NULL);
    store_id good = store_begin(s, clock_wall_ms());
    store_commit(s, fixture_message(good, 1), 0, &chunk, NULL);
    ck_assert_int_eq(fixture_result(s).type, STORE_APPENDED);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_COMMITTED);
    ck_assert_int_eq(r.id, id);
    ck_assert_int_eq(r.failure, STORE_ERROR);
    ck_assert_str_ne(r.reason, "");
    r = fixture_result(s);
    ck_assert_int_eq(r.id, good);
    ck_assert_int_eq(r.failure, STORE_OK);
    store_close(s);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM chunk"), 0);
    s = fixture_open();
    ck_assert_ptr_null(store_load(s, id));
}
END_TEST

START_TEST(results_come_in_order_and_many_at_once)
{
    enum {
        MANY = 300
    };
    static int owners[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        struct buf chunk;
        buf_init(&chunk, 4096);
        fixture_content(&chunk, i, 4096);
        store_commit(s, fixture_message(store_begin(s, 0), 1), 0, &chunk, &owners[i]);
    }
    for (unsigned i = 0; i < MANY; i++) {
        struct store_result r = fixture_result(s);
        ck_assert_int_eq(r.type, STORE_COMMITTED);
        ck_assert_int_eq(r.failure, STORE_OK);
        ck_assert_ptr_eq(r.owner, &owners[i]);
        ck_assert(fixture_same_content(s, r.id, i, 4096));
    }
    struct store_result r;
    ck_assert_int_eq(store_next(s, &r), STORE_NOTHING);
}
END_TEST

START_TEST(ids_ascend_whatever_the_clock_does)
{
    static const int64_t clock_ms[] = {1800000000000, 1800000000000, 1700000000000, 0, -5,
                                       INT64_MIN,     INT64_MAX,     1800000000001};
    store_id last = 0;
    for (size_t i = 0; i < sizeof clock_ms / sizeof *clock_ms; i++) {
        store_id id = store_begin(s, clock_ms[i]);
        ck_assert_int_gt(id, last);
        last = id;
    }
}
END_TEST

START_TEST(no_id_is_given_twice_though_clock_and_daemon_go_back)
{
    store_id id = store_begin(s, 1900000000000);
    ck_assert_int_eq(fixture_store(s, id, 1, 10, 1).failure, STORE_OK);
    reopen();
    store_remove(s, id, NULL);
    ck_assert_int_eq(fixture_result(s).type, STORE_RECORDED);
    reopen();
    ck_assert_int_gt(store_begin(s, 1800000000000), id);
}
END_TEST

static const struct {
    const char *text;
    int64_t id; /* 0: refused */
} id_texts[] = {
    {"06CC6E6399DA", 0x06CC6E6399DA},
    {"000000000001", 1},
    {"FFFFFFFFFFFF", 0xFFFFFFFFFFFF},
    {"000000000000", 0},
    {"06CC6E6399D", 0},
    {"006CC6E6399DA", 0},
    {"1000000000000", 0},
    {"FFFFFFFFFFFFFFFF", 0},
    {"FFFFFFFFFFFFFFFFF", 0},
    {"06cc6e6399da", 0},
    {"06CC6E6399DG", 0},
    {"06CC6E6399D ", 0},
    {"-6CC6E6399DA", 0},
    {"", 0},
};

START_TEST(an_id_is_read_in_the_one_form_it_is_shown_in)
{
    store_id id = 77;
    char text[STORE_ID_MAX];
    bool good = store_id_parse(str_of(id_texts[_i].text), &id);
    ck_assert_msg(good == (id_texts[_i].id != 0), "%s", id_texts[_i].text);
    ck_assert_int_eq(id, good ? id_texts[_i].id : 77);
    if (!good)
        return;
    store_id_format(text, id);
    ck_assert_str_eq(text, id_texts[_i].text);
}
END_TEST

START_TEST(a_missing_chunk_is_an_error_and_not_the_end)
{
    store_id id = fixture_accept(s, 1, STORE_CHUNK_BYTES + 10, 1);
    store_close(s);
    fixture_sql("DELETE FROM chunk WHERE id & 32767 = 1");
    s = fixture_open();
    struct buf out;
    buf_init(&out, STORE_CHUNK_BYTES);
    ck_assert_int_eq(store_read(s, id, 1, &out), -1);
    ck_assert_uint_eq(buf_len(&out), 0);
    ck_assert_int_eq(store_read(s, id, 0, &out), STORE_CHUNK_BYTES);
    buf_clear(&out);
    ck_assert_int_eq(store_read(s, id, 2, &out), 0);
    ck_assert_int_eq(store_read(s, id, UINT32_MAX, &out), -1);
    buf_release(&out);
    store_remove(s, id, s);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
}
END_TEST

START_TEST(while_another_program_writes_mail_is_refused_and_outcomes_wait)
{
    store_id id = fixture_accept(s, 1, 100, 1);
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(fixture_path("queue.db"), &db), SQLITE_OK);
    ck_assert_int_eq(sql_exec(db, "BEGIN IMMEDIATE"), SQLITE_OK);
    sqlite3_busy_timeout(s->writer.tables.db, 1); /* idle now; so that it gives up at once */
    struct buf chunk;
    buf_init(&chunk, 1);
    struct store_outcome outcome = {.message = store_load(s, id)};
    outcome.message->recipients[0].state = STORE_SENT;
    store_record(s, &outcome, &outcome);
    store_commit(s, fixture_message(store_begin(s, 0), 1), 0, &chunk, &chunk);
    struct store_result r = fixture_result(s);
    ck_assert_ptr_eq(r.owner, &chunk);
    ck_assert_int_eq(r.failure, STORE_ERROR);
    ck_assert_int_eq(sql_exec(db, "ROLLBACK"), SQLITE_OK);
    sqlite3_close(db);
    r = fixture_result(s);
    ck_assert_ptr_eq(r.owner, &outcome);
    ck_assert_int_eq(r.failure, STORE_OK);
    ck_assert_ptr_null(store_load(s, id));
}
END_TEST

static off_t database_bytes(void)
{
    struct stat st;
    ck_assert_int_eq(stat(fixture_path("queue.db"), &st), 0);
    return st.st_size;
}

START_TEST(space_goes_back_to_the_file_system_when_idle)
{
    enum {
        MANY = 25
    };
    store_id ids[MANY];
    for (unsigned i = 0; i < MANY; i++)
        ids[i] = fixture_accept(s, i, 1000 * 1000, 1);
    store_id stays = fixture_accept(s, 2, 5000, 1);
    writer_join(&s->writer);
    while (!writer_tidy_up(&s->writer))
        ;
    ck_assert_int_gt(database_bytes(), 20 * 1000 * 1000);
    reopen();
    for (unsigned i = 0; i < MANY; i++) {
        store_remove(s, ids[i], NULL);
        ck_assert_int_eq(fixture_result(s).type, STORE_RECORDED);
    }
    writer_join(&s->writer);
    unsigned steps = 0;
    while (!writer_tidy_up(&s->writer))
        steps++;
    ck_assert_uint_gt(steps, 1);
    ck_assert_int_lt(database_bytes(), (WRITER_FREE_PAGES + 100) * 4096);
    reopen();
    ck_assert(fixture_same_content(s, stays, 2, 5000));
}
END_TEST

static TCase *content_tests(void)
{
    TCase *tc = tcase_create("content");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_committed_message_comes_back_whole);
    tcase_add_test(tc, the_null_sender_and_an_unknown_submitter_come_back);
    tcase_add_loop_test(tc, content_of_any_size_is_cut_up_read_and_removed, 0,
                        (int)(sizeof sizes / sizeof *sizes));
    tcase_add_test(tc, fifty_megabytes_pass_through_bounded_memory);
    tcase_add_test(tc, a_message_is_invisible_before_its_commit);
    tcase_add_test(tc, halves_are_swept_by_abort_and_at_the_next_start);
    tcase_add_test(tc, a_message_with_a_part_missing_is_not_accepted);
    tcase_add_test(tc, results_come_in_order_and_many_at_once);
    tcase_add_test(tc, while_another_program_writes_mail_is_refused_and_outcomes_wait);
    tcase_add_test(tc, space_goes_back_to_the_file_system_when_idle);
    tcase_add_test(tc, a_missing_chunk_is_an_error_and_not_the_end);
    return tc;
}

static TCase *id_tests(void)
{
    TCase *tc = tcase_create("id");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, ids_ascend_whatever_the_clock_does);
    tcase_add_test(tc, no_id_is_given_twice_though_clock_and_daemon_go_back);
    tcase_add_loop_test(tc, an_id_is_read_in_the_one_form_it_is_shown_in, 0,
                        (int)(sizeof id_texts / sizeof *id_texts));
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("store");
    suite_add_tcase(suite, content_tests());
    suite_add_tcase(suite, id_tests());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
