/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A submission that comes twice is kept once. */
#include "fixture.h"

#include "mem.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define XID "0123456789abcdef0123456789abcdef"
#define OTHER_XID "0123456789abcdef0123456789abcdee"

static const int64_t day_ms = 24 * 60 * 60 * 1000;
static const int64_t now_ms = 1800000000000;

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

static void open_at(int64_t at_ms)
{
    const struct store_options options = {
        .now_ms = at_ms, .log_pages_max = WRITER_LOG_PAGES, .annex_from = ANNEX_FROM};
    s = fixture_open_with(&options);
}

static void reopen_at(int64_t at_ms)
{
    store_close(s);
    open_at(at_ms);
}

/* Commit a message of n full chunks and a little under a submission id; its result. */
static struct store_result submit(const char *xid, uid_t uid, int64_t at_ms, unsigned n)
{
    struct buf chunk;
    struct store_message *m = fixture_message(store_begin(s, at_ms), 2);
    buf_init(&chunk, STORE_CHUNK_BYTES);
    for (unsigned i = 0; i < n; i++) {
        fixture_content(&chunk, 7, STORE_CHUNK_BYTES);
        store_append(s, m->id, i, &chunk, NULL);
        ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    }
    fixture_content(&chunk, 7, 100);
    m->uid = uid;
    m->arrival_ms = at_ms;
    snprintf(m->submission, sizeof m->submission, "%s", xid);
    store_commit(s, m, n, &chunk, &s);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_COMMITTED);
    ck_assert_msg(r.failure == STORE_OK, "%s", r.reason);
    return r;
}

static store_id submit_new(const char *xid, uid_t uid, int64_t at_ms)
{
    struct store_result r = submit(xid, uid, at_ms, 0);
    ck_assert_int_eq(r.first, 0);
    ck_assert(fixture_same_content(s, r.id, 7, 100));
    return r.id;
}

static uint64_t n_messages(void)
{
    struct store_counts counts;
    store_count(s, &counts);
    return counts.queued + counts.deferred;
}

/* Also with chunks in the database already, and after the message is gone. */
START_TEST(a_submission_that_comes_again_is_the_first_message)
{
    unsigned n_chunks = (unsigned)_i;
    store_id id = submit_new(XID, 1000, now_ms);
    struct store_result r = submit(XID, 1000, now_ms + 5, n_chunks);
    ck_assert_int_eq(r.first, id);
    ck_assert_int_ne(r.id, id);
    ck_assert_ptr_null(store_load(s, r.id));
    ck_assert_uint_eq(n_messages(), 1);
    reopen_at(now_ms);
    ck_assert_int_eq(submit(XID, 1000, now_ms, n_chunks).first, id);
    struct store_message *m = store_load(s, id);
    m->recipients[0].state = m->recipients[1].state = STORE_SENT;
    fixture_record(s, m);
    ck_assert_int_eq(submit(XID, 1000, now_ms, n_chunks).first, id);
    ck_assert_uint_eq(n_messages(), 0);
    store_close(s);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM chunk"), 0);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM half"), 0);
    s = fixture_open();
}
END_TEST

START_TEST(another_id_or_another_user_is_another_message)
{
    store_id id = submit_new(XID, 1000, now_ms);
    submit_new(OTHER_XID, 1000, now_ms);
    store_id of_root = submit_new(XID, 0, now_ms);
    submit_new(XID, (uid_t)-1, now_ms);
    submit_new("", 1000, now_ms);
    submit_new("", 1000, now_ms);
    ck_assert_int_eq(submit(XID, 0, now_ms, 0).first, of_root);
    ck_assert_int_eq(submit(XID, 1000, now_ms, 0).first, id);
    ck_assert_uint_eq(n_messages(), 6);
}
END_TEST

START_TEST(two_at_once_are_one)
{
    struct buf chunk;
    store_id ids[2];
    for (int i = 0; i < 2; i++) {
        struct store_message *m = fixture_message(store_begin(s, now_ms), 1);
        ids[i] = m->id;
        snprintf(m->submission, sizeof m->submission, XID);
        buf_init(&chunk, 100);
        fixture_content(&chunk, 7, 100);
        store_commit(s, m, 0, &chunk, NULL);
    }
    ck_assert_int_eq(fixture_result(s).first, 0);
    ck_assert_int_eq(fixture_result(s).first, ids[0]);
    ck_assert_uint_eq(n_messages(), 1);
}
END_TEST

static const struct {
    int64_t age_ms;
    bool remembered;
} ages[] = {
    {0, true},
    {STORE_SUBMISSION_DAYS * 24LL * 60 * 60 * 1000, true},
    {STORE_SUBMISSION_DAYS * 24LL * 60 * 60 * 1000 + 1, false},
    {-24LL * 60 * 60 * 1000, true}, /* the clock went back */
    {-24LL * 60 * 60 * 1000 - 1, false},
};

START_TEST(an_id_is_forgotten_at_open_when_it_is_over_its_days)
{
    store_id id = submit_new(XID, 1000, now_ms);
    reopen_at(now_ms + ages[_i].age_ms);
    struct store_result r = submit(XID, 1000, now_ms + ages[_i].age_ms, 0);
    ck_assert_msg(r.first == (ages[_i].remembered ? id : 0), "%d", _i);
}
END_TEST

START_TEST(what_is_asked_for_again_is_remembered_anew)
{
    store_id id = submit_new(XID, 1000, now_ms);
    ck_assert_int_eq(submit(XID, 1000, now_ms + 6 * day_ms, 0).first, id);
    reopen_at(now_ms + 12 * day_ms);
    ck_assert_int_eq(submit(XID, 1000, now_ms + 12 * day_ms, 0).first, id);
}
END_TEST

static void submit_many(unsigned first, unsigned n, int64_t at_ms)
{
    for (unsigned i = first; i < first + n; i++) {
        struct buf chunk;
        struct store_message *m = fixture_message(store_begin(s, at_ms), 1);
        m->arrival_ms = at_ms;
        snprintf(m->submission, sizeof m->submission, "%032x", i);
        buf_init(&chunk, 1);
        store_commit(s, m, 0, &chunk, NULL);
    }
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(fixture_result(s).first, 0);
}

START_TEST(a_daemon_that_runs_for_long_forgets_too)
{
    enum {
        MANY = 3 * TABLES_SUBMISSIONS_AT_ONCE
    };
    submit_many(0, MANY, now_ms);
    submit_many(MANY, MANY, now_ms + 8 * day_ms);
    store_close(s);
    /* All are looked at once, but the last few. */
    ck_assert_int_le(fixture_sql_number("SELECT count(*) FROM submission"),
                     MANY + TABLES_SUBMISSIONS_AT_ONCE);
    ck_assert_int_ge(fixture_sql_number("SELECT count(*) FROM submission"), MANY);
    s = fixture_open();
    reopen_at(now_ms + 30 * day_ms);
    store_close(s);
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM submission"), 0);
    s = fixture_open();
}
END_TEST

/* The daemon knows that the message is committed, and dies before it can say so. */
static void die_between_commit_and_reply(void)
{
    open_at(now_ms);
    submit_new(XID, 1000, now_ms);
    raise(SIGKILL);
}

START_TEST(a_kill_between_commit_and_reply_yields_one_message)
{
    store_close(s);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        die_between_commit_and_reply();
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    open_at(now_ms);
    struct store_message *m = store_after(s, 0);
    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(submit(XID, 1000, now_ms, 0).first, m->id);
    store_message_free(m);
    ck_assert_uint_eq(n_messages(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("submission_id");
    TCase *tc = tcase_create("submission_id");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_submission_that_comes_again_is_the_first_message, 0, 3);
    tcase_add_test(tc, another_id_or_another_user_is_another_message);
    tcase_add_test(tc, two_at_once_are_one);
    tcase_add_loop_test(tc, an_id_is_forgotten_at_open_when_it_is_over_its_days, 0,
                        (int)(sizeof ages / sizeof *ages));
    tcase_add_test(tc, what_is_asked_for_again_is_remembered_anew);
    tcase_add_test(tc, a_daemon_that_runs_for_long_forgets_too);
    tcase_add_test(tc, a_kill_between_commit_and_reply_yields_one_message);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
