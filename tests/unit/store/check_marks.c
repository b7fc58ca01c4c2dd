/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "mem.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    QUARTER_HOUR_MS = 15 * 60 * 1000
};

static const int64_t now_ms = 1800000000000;
static struct store *s;

/* Open as after a kill: what was marked stays marked. */
static void open_now(void)
{
    const struct store_options options = {
        .now_ms = now_ms, .log_pages_max = WRITER_LOG_PAGES, .annex_from = ANNEX_FROM};
    s = fixture_open_with(&options);
}

static void reopen(void)
{
    store_close(s);
    open_now();
}

static void set_up(void)
{
    fixture_make();
    open_now();
}

static void tear_down(void)
{
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
    fixture_remove();
}

static void expect(store_id id, unsigned ambiguous, int64_t next_attempt_ms)
{
    struct store_message *m = store_load(s, id);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(m->ambiguous, ambiguous);
    ck_assert_int_eq(m->next_attempt_ms, next_attempt_ms);
    store_message_free(m);
}

START_TEST(what_was_being_sent_waits_a_quarter_of_an_hour_and_says_why)
{
    store_id quiet = fixture_accept(s, 1, 10, 1);
    store_id id = fixture_accept(s, 2, 10, 2);
    struct store_message *m = store_load(s, id);
    m->recipients[0].state = STORE_SENT;
    fixture_record(s, m);
    store_mark_sending(s, id);
    store_mark_sending(s, id);
    reopen();
    expect(id, 1, now_ms + QUARTER_HOUR_MS);
    expect(quiet, 0, 1000000);
    m = store_load(s, id);
    ck_assert_int_eq(m->recipients[0].fault.scope, FAULT_NONE);
    ck_assert(m->recipients[1].fault.ambiguous);
    ck_assert(!m->recipients[1].fault.permanent);
    ck_assert_int_eq(m->recipients[1].fault.scope, FAULT_SERVER);
    ck_assert_str_eq(m->recipients[1].fault.code, "LOST-AFTERDOT");
    ck_assert_str_ne(m->recipients[1].fault.text, "");
    store_message_free(m);
    reopen();
    expect(id, 1, now_ms + QUARTER_HOUR_MS);
}
END_TEST

START_TEST(a_later_attempt_stays_later)
{
    store_id id = fixture_accept(s, 1, 10, 1);
    struct store_message *m = store_load(s, id);
    m->next_attempt_ms = now_ms + 2 * QUARTER_HOUR_MS;
    fixture_record(s, m);
    store_mark_sending(s, id);
    reopen();
    expect(id, 1, now_ms + 2 * QUARTER_HOUR_MS);
}
END_TEST

START_TEST(an_outcome_takes_the_mark_away)
{
    store_id id = fixture_accept(s, 1, 10, 1);
    store_mark_sending(s, id);
    struct store_message *m = store_load(s, id);
    m->attempts = 1;
    fixture_record(s, m);
    reopen();
    expect(id, 0, 1000000);
}
END_TEST

START_TEST(marks_of_what_is_gone_are_without_effect)
{
    store_id id = fixture_accept(s, 1, 10, 1);
    store_mark_sending(s, id + 1);
    reopen();
    expect(id, 0, 1000000);
    ck_assert_ptr_null(store_load(s, id + 1));
}
END_TEST

START_TEST(many_marks_keep_apart)
{
    enum {
        MANY = 100
    };
    store_id ids[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        ids[i] = fixture_accept(s, i, 10, 1);
        store_mark_sending(s, ids[i]);
    }
    for (unsigned i = 0; i < MANY; i += 2)
        fixture_record(s, store_load(s, ids[i]));
    for (unsigned i = 0; i < MANY; i += 4)
        store_mark_sending(s, ids[i]);
    reopen();
    for (unsigned i = 0; i < MANY; i++) {
        bool marked = i % 2 == 1 || i % 4 == 0;
        expect(ids[i], marked ? 1 : 0, marked ? now_ms + QUARTER_HOUR_MS : 1000000);
    }
}
END_TEST

static const struct {
    const char *name;
    const char *text;
} contents[] = {
    {"empty", ""},
    {"short line", "06CC6E63"},
    {"no id", "some other text\n"},
    {"blank lines", "               \n               \n"},
    {"zero", "000000000000   \n"},
};

START_TEST(a_file_that_says_nothing_is_taken_for_empty)
{
    store_id id = fixture_accept(s, 1, 10, 1);
    store_close(s);
    int fd = open(fixture_path("sending"), O_WRONLY | O_TRUNC);
    struct str text = str_of(contents[_i].text);
    ck_assert_int_eq(write(fd, text.p, text.n), (ssize_t)text.n);
    close(fd);
    open_now();
    expect(id, 0, 1000000);
    store_mark_sending(s, id);
    reopen();
    expect(id, 1, now_ms + QUARTER_HOUR_MS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("marks");
    TCase *tc = tcase_create("marks");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, what_was_being_sent_waits_a_quarter_of_an_hour_and_says_why);
    tcase_add_test(tc, a_later_attempt_stays_later);
    tcase_add_test(tc, an_outcome_takes_the_mark_away);
    tcase_add_test(tc, marks_of_what_is_gone_are_without_effect);
    tcase_add_test(tc, many_marks_keep_apart);
    tcase_add_loop_test(tc, a_file_that_says_nothing_is_taken_for_empty, 0,
                        (int)(sizeof contents / sizeof *contents));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
