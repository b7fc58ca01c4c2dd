/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "question.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const int64_t now_ms = 1000000;

START_TEST(all_words_are_understood_in_any_order)
{
    static const char *const orders[] = {
        "json raw count progress all 06CC8590AD87 06CC8590AD88 from=a+20b+2B@x to=* "
        "older=400000 "
        "user=1000 state=held,dead match=!R: a b",
        "  state=hold  to=*  06CC8590AD87 user=1000 all raw json state=dead 06CC8590AD88 "
        "older=400000 progress count from=a+20b+2B@x match=!R: a b",
    };
    struct question q;
    struct err err;
    ck_assert_int_eq(question_read(&q, str_of(orders[_i]), now_ms, &err), EX_OK);
    const struct selection *s = &q.selection;
    ck_assert(q.json && q.raw && q.count && q.progress && s->all);
    ck_assert_uint_eq(s->n_ids, 2);
    ck_assert_int_eq(s->ids[0], 0x06CC8590AD87);
    ck_assert_int_eq(s->ids[1], 0x06CC8590AD88);
    ck_assert_str_eq(s->from, "a b+@x");
    ck_assert_str_eq(s->to, "*");
    ck_assert_int_eq(s->before_ms, 600000);
    ck_assert(s->has_uid && s->uid == 1000);
    ck_assert_uint_eq(s->states, 1U << QUEUE_HELD | 1U << QUEUE_DEAD);
    ck_assert(s->match.no && s->match.field == 'R' && str_eq(s->match.text, STR_LIT(" a b")));
    ck_assert(selection_has_condition(s));
    question_release(&q);
}
END_TEST

START_TEST(nothing_is_a_question_as_well)
{
    struct question q;
    struct err err;
    ck_assert_int_eq(question_read(&q, STR_LIT(""), now_ms, &err), EX_OK);
    ck_assert(!q.json && !q.raw && !q.count && !q.progress && !q.selection.all);
    ck_assert(!selection_has_condition(&q.selection));
    question_release(&q);
    ck_assert_int_eq(question_read(&q, STR_LIT("all"), now_ms, &err), EX_OK);
    ck_assert(q.selection.all && !selection_has_condition(&q.selection));
    question_release(&q);
}
END_TEST

static const struct {
    const char *words;
    int exit_status;
} bad[] = {
    {"A1", EX_NOUSER},
    {"json 06cc8590ad87", EX_NOUSER},
    {"all fly", EX_NOUSER},
    {"from=+ZZ", EX_USAGE},
    {"from=a+00b", EX_USAGE},
    {"to=a=b", EX_USAGE},
    {"older=soon", EX_USAGE},
    {"older=-1", EX_USAGE},
    {"older=9223372036854775808", EX_USAGE},
    {"user=root", EX_USAGE},
    {"user=4294967296", EX_USAGE},
    {"state=asleep", EX_USAGE},
    {"state=held,asleep", EX_USAGE},
    {"fly=1", EX_USAGE},
    {"=", EX_USAGE},
    {"match=X:a", EX_USAGE},
    {"06CC8590AD87 match=R:", EX_USAGE},
};

START_TEST(what_makes_no_sense_is_refused)
{
    struct question q;
    struct err err = {.text = ""};
    ck_assert_int_eq(question_read(&q, str_of(bad[_i].words), now_ms, &err),
                     bad[_i].exit_status);
    ck_assert_str_ne(err.text, "");
}
END_TEST

START_TEST(a_pattern_has_its_limit)
{
    char words[400] = "from=";
    struct question q;
    struct err err;
    memset(words + 5, 'a', 320);
    ck_assert_int_eq(question_read(&q, str_of(words), now_ms, &err), EX_OK);
    question_release(&q);
    memset(words + 5, 'a', 321);
    ck_assert_int_eq(question_read(&q, str_of(words), now_ms, &err), EX_USAGE);
}
END_TEST

START_TEST(what_is_put_is_read)
{
    struct question q;
    struct err err;
    struct buf words;
    buf_init(&words, 100);
    question_put(&words, "from", "\"a b\"+=\xC3\xA4@x");
    question_put(&words, "to", "");
    ck_assert_int_eq(question_read(&q, buf_str(&words), now_ms, &err), EX_OK);
    ck_assert_str_eq(q.selection.from, "\"a b\"+=\xC3\xA4@x");
    ck_assert_str_eq(q.selection.to, "");
    question_release(&q);
    buf_release(&words);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("question");
    TCase *tc = tcase_create("question");
    tcase_add_loop_test(tc, all_words_are_understood_in_any_order, 0, 2);
    tcase_add_test(tc, nothing_is_a_question_as_well);
    tcase_add_loop_test(tc, what_makes_no_sense_is_refused, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(tc, a_pattern_has_its_limit);
    tcase_add_test(tc, what_is_put_is_read);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
