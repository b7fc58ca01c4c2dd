/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report_limit.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HOUR_MS = 3600 * 1000
};

static struct report_limit *l;

static void set_up(void)
{
    l = report_limit_new();
}

static void tear_down(void)
{
    report_limit_free(l);
}

/* How many of n go to address. */
static unsigned take(const char *address, unsigned n, int64_t now_ms)
{
    unsigned taken = 0;
    while (n--)
        taken += report_limit_take(l, address, now_ms);
    return taken;
}

START_TEST(an_address_gets_so_many_an_hour)
{
    ck_assert_uint_eq(take("a@b", 60, 5), 60);
    ck_assert_uint_eq(take("a@b", 60, 5 + HOUR_MS / 2), 40);
    ck_assert_uint_eq(take("a@b", 60, 4 + HOUR_MS), 0);
    ck_assert_uint_eq(take("a@b", 999, 5 + HOUR_MS), REPORT_LIMIT_AN_HOUR);
}
END_TEST

START_TEST(the_case_of_letters_is_no_way_round)
{
    ck_assert_uint_eq(take("a@b.example", 999, 0), REPORT_LIMIT_AN_HOUR);
    ck_assert_uint_eq(take("A@B.Example", 999, 0), 0);
}
END_TEST

START_TEST(others_have_their_own)
{
    ck_assert_uint_eq(take("a@b", 999, 0), REPORT_LIMIT_AN_HOUR);
    ck_assert_uint_eq(take("b@b", 999, 0), REPORT_LIMIT_AN_HOUR);
    ck_assert_uint_eq(take("", 999, 0), REPORT_LIMIT_AN_HOUR);
    ck_assert_uint_eq(take("a@b", 1, 1), 0);
}
END_TEST

/* A hundred at once have room wherever they meet; of a hundred thousand each still gets one. */
START_TEST(many_addresses_find_room)
{
    char address[32];
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(address, sizeof address, "user%u@example.com", i);
        ck_assert_uint_eq(take(address, 1, i), 1);
    }
    for (unsigned i = 0; i < 100; i++) {
        snprintf(address, sizeof address, "one%u@example.com", i);
        ck_assert_uint_eq(take(address, 999, 100000), REPORT_LIMIT_AN_HOUR);
    }
    for (unsigned i = 0; i < 100; i++) {
        snprintf(address, sizeof address, "one%u@example.com", i);
        ck_assert_uint_eq(take(address, 999, 100000), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_limit");
    TCase *tc = tcase_create("report_limit");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, an_address_gets_so_many_an_hour);
    tcase_add_test(tc, the_case_of_letters_is_no_way_round);
    tcase_add_test(tc, others_have_their_own);
    tcase_add_test(tc, many_addresses_find_room);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
