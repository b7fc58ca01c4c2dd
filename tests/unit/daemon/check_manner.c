/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manner.h"
#include "smtp_client.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static void learn(struct manner *m, const char *code)
{
    struct fault f;
    fault_set(&f, FAULT_SERVER, "4.5.0", code, "it happened");
    manner_learn(m, "main", &f);
}

static const struct row {
    const char *codes[3];
    unsigned configured, pipeline;
    bool chunking;
} rows[] = {
    {{NULL}, 4, 4, true},
    {{NULL}, 1, 1, false},
    {{"LOST-STAGE", "RECONNECT", "MSG-TEMP"}, 4, 4, true},
    {{"CHUNKING-REFUSED"}, 4, 4, false},
    {{"PROTO-DESYNC"}, 4, 1, false},
    {{"PROTO-GARBAGE"}, 4, 1, false},
    {{"CHUNKING-REFUSED", "PROTO-DESYNC", "PROTO-DESYNC"}, 4, 1, false},
    {{"PROTO-DESYNC"}, 1, 1, false},
};

START_TEST(what_confused_a_server_is_not_asked_of_it_again)
{
    const struct row *row = &rows[_i];
    struct manner m;
    manner_init(&m, row->configured);
    for (int i = 0; i < 3 && row->codes[i]; i++)
        learn(&m, row->codes[i]);
    ck_assert_uint_eq(m.pipeline, row->pipeline);
    ck_assert(m.chunking == row->chunking);
    ck_assert_uint_eq(m.messages_max, UINT_MAX);
}
END_TEST

START_TEST(only_the_same_number_twice_in_a_row_is_a_habit)
{
    struct manner m;
    manner_init(&m, 4);
    manner_lost(&m, "main", 10);
    manner_lost(&m, "main", 7);
    manner_lost(&m, "main", 10);
    ck_assert_uint_eq(m.messages_max, UINT_MAX);
    manner_lost(&m, "main", 10);
    ck_assert_uint_eq(m.messages_max, 10);
    manner_lost(&m, "main", 4);
    manner_lost(&m, "main", 4);
    ck_assert_uint_eq(m.messages_max, 4);
    manner_lost(&m, "main", 9);
    manner_lost(&m, "main", 9);
    ck_assert_uint_eq(m.messages_max, 4);
}
END_TEST

START_TEST(oddities_are_news_once)
{
    struct manner m;
    manner_init(&m, 4);
    manner_note(&m, "main", SMTP_CLIENT_BARE_LF);
    ck_assert_uint_eq(m.oddities, SMTP_CLIENT_BARE_LF);
    manner_note(&m, "main", SMTP_CLIENT_NOT_354);
    ck_assert_uint_eq(m.oddities, SMTP_CLIENT_BARE_LF | SMTP_CLIENT_NOT_354);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("manner");
    TCase *tc = tcase_create("manner");
    tcase_add_loop_test(tc, what_confused_a_server_is_not_asked_of_it_again, 0,
                        (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(tc, only_the_same_number_twice_in_a_row_is_a_habit);
    tcase_add_test(tc, oddities_are_news_once);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
