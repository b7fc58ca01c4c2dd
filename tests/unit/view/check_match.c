/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "match.h"

#include <check.h>
#include <stdlib.h>

static struct store_recipient recipients[] = {
    {.address = (char[]){"gone@example.org"}, .state = STORE_SENT},
    {.address = (char[]){"Bob@Example.net"}, .state = STORE_WAITING},
};

static const struct store_message message = {
    .id = 0x06CC8590AD87,
    .sender = (char[]){"App@example.com"},
    .recipients = recipients,
    .n_recipients = 2,
};

static const struct {
    const char *words;
    bool fits;
} rows[] = {
    {"R:bob", true},          {"R:EXAMPLE.NET", true}, {"R:@", true},
    {"R:alice", false},       {"R:gone", false},       {"!R:bob", false},
    {"!R:zz", true},          {"S:app@", true},        {"S:bob", false},
    {"!S:app", false},        {"S:m", true},           {"S:app@example.com.", false},
    {"I:06CC8590AD87", true}, {"I:cc85", true},        {"I:FFFF", false},
    {"!I:FFFF", true},        {"R:!bob", false},       {"S:a b", false},
};

static const char *const bad[] = {"",    "!",  "R",     "R:", "!R:", "X:a",
                                  "r:a", "Ra", "!!R:a", ":a", "RS:a"};

START_TEST(a_part_of_the_queue_is_found)
{
    struct match m;
    ck_assert_msg(match_read(&m, str_of(rows[_i].words)), "%s", rows[_i].words);
    ck_assert_msg(match_fits(&m, &message) == rows[_i].fits, "%s", rows[_i].words);
}
END_TEST

START_TEST(what_names_no_part_is_refused)
{
    struct match m;
    ck_assert_msg(!match_read(&m, str_of(bad[_i])), "%s", bad[_i]);
}
END_TEST

START_TEST(the_null_sender_has_no_text)
{
    struct store_message bounce = message;
    struct match m;
    bounce.sender = (char[]){""};
    ck_assert(match_read(&m, STR_LIT("S:a")));
    ck_assert(!match_fits(&m, &bounce));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("match");
    TCase *tc = tcase_create("match");
    tcase_add_loop_test(tc, a_part_of_the_queue_is_found, 0,
                        (int)(sizeof rows / sizeof rows[0]));
    tcase_add_loop_test(tc, what_names_no_part_is_refused, 0,
                        (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tc, the_null_sender_has_no_text);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
