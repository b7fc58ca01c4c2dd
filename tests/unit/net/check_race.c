/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "race.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMEOUT_MS = 30000
};

/* Families by a letter each, in getaddrinfo's order; the indices in the order of the race. */
static const struct {
    const char *families, *order;
} orders[] = {
    {"", ""},
    {"4", "0"},
    {"6", "0"},
    {"444", "0 1 2"},
    {"64", "0 1"},
    {"46", "0 1"},
    {"6664", "0 3 1 2"},
    {"664466", "0 2 1 3 4 5"},
    {"444466", "0 4 1 5 2 3"},
    {"6666666666664444", "0 12 1 13 2 14 3 15 4 5 6 7 8 9 10 11"},
};

START_TEST(families_take_turns_and_keep_their_order)
{
    int families[RACE_MAX] = {0};
    unsigned order[RACE_MAX];
    char got[100] = "";
    unsigned n = (unsigned)strlen(orders[_i].families);
    for (unsigned i = 0; i < n; i++)
        families[i] = orders[_i].families[i];
    race_order(families, n, order);
    for (unsigned i = 0; i < n; i++) {
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%u", i ? " " : "", order[i]);
    }
    ck_assert_str_eq(got, orders[_i].order);
}
END_TEST

START_TEST(the_next_starts_a_quarter_of_a_second_later)
{
    struct race r;
    race_begin(&r, 3, TIMEOUT_MS);
    ck_assert_int_eq(race_start(&r, 1000), 0);
    ck_assert_int_eq(race_start(&r, 1000), -1);
    ck_assert_int_eq(race_wake_ms(&r), 1250);
    ck_assert_int_eq(race_start(&r, 1249), -1);
    ck_assert_int_eq(race_start(&r, 1250), 1);
    ck_assert_int_eq(race_wake_ms(&r), 1500);
    ck_assert_int_eq(race_start(&r, 1600), 2);
    ck_assert_int_eq(race_start(&r, 9000), -1);
    ck_assert_int_eq(race_wake_ms(&r), 1000 + TIMEOUT_MS);
}
END_TEST

START_TEST(a_failure_lets_the_next_start_at_once)
{
    struct race r;
    race_begin(&r, 3, TIMEOUT_MS);
    ck_assert_int_eq(race_start(&r, 0), 0);
    race_lose(&r, 0, 3);
    ck_assert_int_eq(race_wake_ms(&r), 3);
    ck_assert_int_eq(race_start(&r, 3), 1);
    ck_assert_int_eq(race_start(&r, 3), -1);
    ck_assert_int_eq(race_wake_ms(&r), 253);
    ck_assert(!race_is_over(&r));
}
END_TEST

START_TEST(each_has_its_own_time)
{
    struct race r;
    race_begin(&r, 2, 1000);
    ck_assert_int_eq(race_start(&r, 0), 0);
    ck_assert_int_eq(race_start(&r, 250), 1);
    ck_assert_int_eq(race_expire(&r, 999), -1);
    ck_assert_int_eq(race_expire(&r, 1000), 0);
    ck_assert_int_eq(race_expire(&r, 1000), -1);
    ck_assert(!race_is_over(&r));
    ck_assert_int_eq(race_wake_ms(&r), 1250);
    ck_assert_int_eq(race_expire(&r, 5000), 1);
    ck_assert(race_is_over(&r));
    ck_assert_int_eq(race_wake_ms(&r), INT64_MAX);
}
END_TEST

/* Sixteen addresses that swallow everything cost one timeout and not sixteen. */
START_TEST(many_dead_addresses_cost_little_more_than_one)
{
    struct race r;
    int64_t now = 0;
    race_begin(&r, RACE_MAX, TIMEOUT_MS);
    while (!race_is_over(&r)) {
        while (race_expire(&r, now) >= 0)
            continue;
        while (race_start(&r, now) >= 0)
            continue;
        ck_assert(race_wake_ms(&r) > now);
        now = race_is_over(&r) ? now : race_wake_ms(&r);
    }
    ck_assert_int_eq(now, TIMEOUT_MS + (RACE_MAX - 1) * RACE_STAGGER_MS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("race");
    TCase *tc = tcase_create("race");
    tcase_add_loop_test(tc, families_take_turns_and_keep_their_order, 0,
                        (int)(sizeof orders / sizeof orders[0]));
    tcase_add_test(tc, the_next_starts_a_quarter_of_a_second_later);
    tcase_add_test(tc, a_failure_lets_the_next_start_at_once);
    tcase_add_test(tc, each_has_its_own_time);
    tcase_add_test(tc, many_dead_addresses_cost_little_more_than_one);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
