/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contents that have a file of their own. */
#include "fixture.h"

#include "clock.h"
#include "mem.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LARGE = ANNEX_FROM * STORE_CHUNK_BYTES + 3 * STORE_CHUNK_BYTES + 77
};

static struct store *s;

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

static const char *file_of(store_id id)
{
    char name[STORE_ID_MAX + sizeof "content/"] = "content/";
    store_id_format(name + strlen(name), id);
    return fixture_path(name);
}

/* -1: there is none. */
static off_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void append_chunks(store_id id, unsigned n)
{
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    for (unsigned i = 0; i < n; i++) {
        fixture_content(&chunk, 1, STORE_CHUNK_BYTES);
        store_append(s, id, i, &chunk, &chunk);
        ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    }
}

START_TEST(a_large_content_has_a_file_as_long_as_it_lives)
{
    store_id small = fixture_accept(s, 1, ANNEX_FROM * STORE_CHUNK_BYTES, 1);
    store_id large = fixture_accept(s, 2, LARGE, 1);
    ck_assert_int_eq(size_of(file_of(small)), -1);
    ck_assert_int_eq(size_of(file_of(large)), LARGE);
    struct stat st;
    ck_assert_int_eq(stat(file_of(large), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    reopen();
    ck_assert(fixture_same_content(s, large, 2, LARGE));
    struct store_message *m = store_load(s, large);
    m->recipients[0].state = STORE_SENT;
    fixture_record(s, m);
    reopen();
    ck_assert_int_eq(size_of(file_of(large)), -1);
    ck_assert(fixture_same_content(s, small, 1, ANNEX_FROM * STORE_CHUNK_BYTES));
}
END_TEST

START_TEST(the_file_of_a_message_that_is_dropped_goes_at_once)
{
    store_id id = store_begin(s, clock_wall_ms());
    append_chunks(id, ANNEX_FROM + 2);
    ck_assert_int_gt(size_of(file_of(id)), 0);
    store_abort(s, id);
    store_retry(s, 1, 0, s);
    ck_assert_ptr_eq(fixture_result(s).owner, s);
    store_close(s);
    ck_assert_int_eq(size_of(file_of(id)), -1);
    s = fixture_open();
}
END_TEST

START_TEST(a_start_sweeps_files_without_a_message_and_no_others)
{
    store_id stays = fixture_accept(s, 1, LARGE, 1);
    store_id half = store_begin(s, clock_wall_ms());
    append_chunks(half, ANNEX_FROM + 2);
    store_id later = store_begin(s, clock_wall_ms());
    write_file(file_of(later), "left by a kill");
    write_file(fixture_path("content/notes"), "not ours");
    reopen();
    /* Its number comes from a clock that went back. */
    struct store_message *m = fixture_message(later, 1);
    s->last_id = later - 1;
    ck_assert_int_eq(store_begin(s, 0), later);
    store_message_free(m);
    ck_assert_int_eq(fixture_store(s, later, 3, LARGE, 1).failure, STORE_OK);
    store_close(s);
    ck_assert_int_eq(size_of(file_of(half)), -1);
    ck_assert_int_eq(size_of(fixture_path("content/notes")), 8);
    s = fixture_open();
    ck_assert(fixture_same_content(s, stays, 1, LARGE));
    ck_assert(fixture_same_content(s, later, 3, LARGE));
}
END_TEST

START_TEST(a_repeated_submission_leaves_no_second_file)
{
    store_id ids[2];
    for (unsigned i = 0; i < 2; i++) {
        struct buf chunk;
        buf_init(&chunk, STORE_CHUNK_BYTES);
        ids[i] = store_begin(s, clock_wall_ms());
        append_chunks(ids[i], ANNEX_FROM + 1);
        struct store_message *m = fixture_message(ids[i], 1);
        m->arrival_ms = clock_wall_ms();
        snprintf(m->submission, sizeof m->submission, "%032x", 5);
        store_commit(s, m, ANNEX_FROM + 1, &chunk, s);
        ck_assert_int_eq(fixture_result(s).first, i ? ids[0] : 0);
    }
    reopen();
    ck_assert_int_gt(size_of(file_of(ids[0])), 0);
    ck_assert_int_eq(size_of(file_of(ids[1])), -1);
}
END_TEST

START_TEST(a_message_with_a_part_of_its_file_missing_is_not_accepted)
{
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    store_id id = store_begin(s, clock_wall_ms());
    append_chunks(id, ANNEX_FROM + 1);
    store_commit(s, fixture_message(id, 1), ANNEX_FROM + 2, &chunk, s);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.failure, STORE_ERROR);
    ck_assert_ptr_nonnull(strstr(r.reason, "a part of the message"));
    id = store_begin(s, clock_wall_ms());
    append_chunks(id, ANNEX_FROM);
    store_commit(s, fixture_message(id, 1), ANNEX_FROM + 1, &chunk, s);
    ck_assert_int_eq(fixture_result(s).failure, STORE_ERROR);
    ck_assert_ptr_null(store_after(s, 0));
}
END_TEST

START_TEST(a_file_that_cannot_grow_fails_its_message_alone)
{
    struct rlimit limit, before;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    store_id other = fixture_accept(s, 1, 3000, 1);
    limit = before;
    limit.rlim_cur = (ANNEX_FROM + 2) * STORE_CHUNK_BYTES - 1;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    store_id id = store_begin(s, clock_wall_ms());
    struct store_result r = fixture_store(s, id, 2, LARGE, 1);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(r.type, STORE_APPENDED);
    ck_assert_int_eq(r.failure, STORE_FULL);
    ck_assert_ptr_nonnull(strstr(r.reason, "content/"));
    store_abort(s, id);
    ck_assert(fixture_same_content(s, other, 1, 3000));
    fixture_accept(s, 3, LARGE, 1);
}
END_TEST

static void lose(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

static void cut_off(const char *path)
{
    ck_assert_int_eq(truncate(path, LARGE - 100), 0);
}

static void replace_by_link(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/dev/zero", path), 0);
}

static void (*const damages[])(const char *path) = {lose, cut_off, replace_by_link};

/* What is damaged is told, and is never taken for the content. */
START_TEST(a_damaged_file_is_an_error_of_its_message)
{
    store_id id = fixture_accept(s, 1, LARGE, 1);
    store_id other = fixture_accept(s, 2, LARGE, 1);
    damages[_i](file_of(id));
    reopen();
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    ck_assert_int_eq(store_read(s, id, ANNEX_FROM - 1, &chunk), STORE_CHUNK_BYTES);
    buf_clear(&chunk);
    ck_assert_int_eq(store_read(s, id, LARGE / STORE_CHUNK_BYTES, &chunk), -1);
    ck_assert_uint_eq(buf_len(&chunk), 0);
    buf_release(&chunk);
    struct store_message *m = store_load(s, id);
    ck_assert(!store_is_whole(s, m));
    store_message_free(m);
    m = store_load(s, other);
    ck_assert(store_is_whole(s, m));
    store_message_free(m);
    ck_assert(fixture_same_content(s, other, 2, LARGE));
    store_remove(s, id, s);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
}
END_TEST

/* As format 1 had it. */
START_TEST(a_large_content_all_in_rows_is_read_and_removed)
{
    size_t bytes = (size_t)(ANNEX_FROM + 1) * STORE_CHUNK_BYTES;
    store_id id = fixture_accept(s, 1, bytes, 1);
    store_close(s);
    lose(file_of(id));
    char text[128];
    snprintf(text, sizeof text, "INSERT INTO chunk VALUES (%lld, zeroblob(65536))",
             (long long)schema_row(id, ANNEX_FROM));
    fixture_sql(text);
    s = fixture_open();
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    ck_assert_int_eq(store_read(s, id, ANNEX_FROM, &chunk), STORE_CHUNK_BYTES);
    ck_assert_int_eq(buf_str(&chunk).p[100], 0);
    buf_release(&chunk);
    store_remove(s, id, s);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
}
END_TEST

START_TEST(a_directory_that_others_may_write_to_is_refused)
{
    store_close(s);
    s = NULL;
    ck_assert_int_eq(chmod(fixture_path("content"), 0770), 0);
    struct err err = {""};
    pid_t busy_pid;
    ck_assert_ptr_null(store_open(fixture_path("."), &err, &busy_pid));
    ck_assert_ptr_nonnull(strstr(err.text, "/content must belong to"));
    ck_assert_int_eq(chmod(fixture_path("content"), 0700), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("annex");
    TCase *tc = tcase_create("annex");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_large_content_has_a_file_as_long_as_it_lives);
    tcase_add_test(tc, the_file_of_a_message_that_is_dropped_goes_at_once);
    tcase_add_test(tc, a_start_sweeps_files_without_a_message_and_no_others);
    tcase_add_test(tc, a_repeated_submission_leaves_no_second_file);
    tcase_add_test(tc, a_message_with_a_part_of_its_file_missing_is_not_accepted);
    tcase_add_test(tc, a_file_that_cannot_grow_fails_its_message_alone);
    tcase_add_loop_test(tc, a_damaged_file_is_an_error_of_its_message, 0,
                        (int)(sizeof damages / sizeof *damages));
    tcase_add_test(tc, a_large_content_all_in_rows_is_read_and_removed);
    tcase_add_test(tc, a_directory_that_others_may_write_to_is_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    signal(SIGXFSZ, SIG_IGN);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
