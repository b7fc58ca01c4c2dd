/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "schedule.h"

#include <check.h>
#include <stdlib.h>

enum {
    MINUTE = 60 * 1000,
    HOUR = 60 * MINUTE
};

static const struct schedule_pace pace = {MINUTE, 2 * MINUTE, HOUR};

static const struct {
    const char *name;
    unsigned failures;
    int64_t min_ms;
    int64_t max_ms;
    int64_t longest; /* with random 0 */
} waits[] = {
    {"first", 1, MINUTE, HOUR, MINUTE},
    {"none counts as first", 0, MINUTE, HOUR, MINUTE},
    {"second doubles", 2, MINUTE, HOUR, 2 * MINUTE},
    {"sixth", 6, MINUTE, HOUR, 32 * MINUTE},
    {"seventh reaches the maximum", 7, MINUTE, HOUR, HOUR},
    {"ever after", 4000000000U, MINUTE, HOUR, HOUR},
    {"a maximum below the minimum wins", 1, HOUR, MINUTE, MINUTE},
    {"both alike", 3, MINUTE, MINUTE, MINUTE},
    {"one millisecond", 1, 1, 1, 1},
    {"no overflow", 100, 1, INT64_MAX, INT64_MAX},
};

START_TEST(the_wait_doubles_up_to_the_maximum)
{
    int64_t wait =
        schedule_backoff_ms(waits[_i].failures, waits[_i].min_ms, waits[_i].max_ms, 0);
    ck_assert_msg(wait == waits[_i].longest, "%s: %lld", waits[_i].name, (long long)wait);
}
END_TEST

START_TEST(chance_takes_off_a_quarter_at_most)
{
    int64_t longest = waits[_i].longest;
    int64_t least = longest;
    for (uint64_t random = 0; random <= UINT32_MAX; random += UINT32_MAX / 1000) {
        int64_t wait = schedule_backoff_ms(waits[_i].failures, waits[_i].min_ms,
                                           waits[_i].max_ms, (uint32_t)random);
        ck_assert_msg(wait <= least && wait >= longest - longest / 4, "%s: %lld after %lld",
                      waits[_i].name, (long long)wait, (long long)least);
        least = wait;
    }
    ck_assert_msg(least - (longest - longest / 4) <= longest / 1000, "%s: never below %lld",
                  waits[_i].name, (long long)least);
}
END_TEST

START_TEST(a_smarthost_that_is_up_takes_any_number)
{
    struct schedule_health h = {0};
    for (int i = 0; i < 100; i++) {
        ck_assert(schedule_may_connect(&h, i));
        schedule_connecting(&h);
    }
    ck_assert(!h.probing);
}
END_TEST

START_TEST(while_it_is_down_there_is_one_probe_at_a_time)
{
    struct schedule_health h = {0};
    schedule_failed(&h, 1000, &pace, 0);
    ck_assert_int_eq(h.down_since, 1000);
    ck_assert(!schedule_may_connect(&h, 1000));
    ck_assert(!schedule_may_connect(&h, 1000 + MINUTE - 1));
    ck_assert(schedule_may_connect(&h, 1000 + MINUTE));
    schedule_connecting(&h);
    ck_assert(!schedule_may_connect(&h, 1000 + MINUTE));
    ck_assert(!schedule_may_connect(&h, INT64_MAX));
    schedule_failed(&h, 2 * MINUTE, &pace, 0);
    ck_assert_uint_eq(h.failures, 2);
    ck_assert_int_eq(h.down_since, 1000);
    ck_assert(!schedule_may_connect(&h, 4 * MINUTE - 1));
    ck_assert(schedule_may_connect(&h, 4 * MINUTE));
}
END_TEST

START_TEST(connections_that_fail_together_are_one_failure)
{
    struct schedule_health h = {0};
    for (int i = 0; i < 4; i++)
        schedule_failed(&h, 1000 + i, &pace, 0);
    ck_assert_uint_eq(h.failures, 1);
    ck_assert_int_eq(h.next_probe_at, 1000 + MINUTE);
}
END_TEST

START_TEST(another_cause_begins_with_its_own_first_wait)
{
    static const struct schedule_pace slow = {MINUTE, 15 * MINUTE, HOUR};
    static const int64_t waits_ms[] = {MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, HOUR};
    struct schedule_health h = {0};
    int64_t now = 0;
    for (int i = 0; i < 3; i++) {
        schedule_failed(&h, now, &pace, 0);
        now = h.next_probe_at;
        schedule_connecting(&h);
    }
    for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
        schedule_failed(&h, now, &slow, 0);
        ck_assert_int_eq(h.next_probe_at - now, waits_ms[i]);
        now = h.next_probe_at;
        schedule_connecting(&h);
    }
    schedule_failed(&h, now, &pace, 0);
    ck_assert_int_eq(h.next_probe_at - now, MINUTE);
    ck_assert_uint_eq(h.failures, 9);
}
END_TEST

START_TEST(recovery_and_a_persons_wish_open_the_way)
{
    struct schedule_health h = {0};
    schedule_probe_now(&h, 5);
    ck_assert_uint_eq(h.failures, 0);
    schedule_failed(&h, 1000, &pace, 0);
    schedule_probe_now(&h, 2000);
    ck_assert(schedule_may_connect(&h, 2000));
    schedule_connecting(&h);
    ck_assert(!schedule_may_connect(&h, 2000));
    schedule_recovered(&h);
    ck_assert(schedule_may_connect(&h, 2000));
    ck_assert_uint_eq(h.failures, 0);
    ck_assert(!h.probing);
}
END_TEST

/* A smarthost is down for the first 300 days of a year, then up; a connection is wanted each
 * second. */
START_TEST(a_year_with_an_outage)
{
    const int64_t second = 1000;
    const int64_t day = 24 * (int64_t)HOUR;
    struct schedule_health h = {0};
    uint32_t random = 1;
    unsigned probes = 0;
    int64_t last = 0;
    int64_t up_at = 0;
    for (int64_t now = 0; now < 365 * day && !up_at; now += second) {
        if (!schedule_may_connect(&h, now))
            continue;
        schedule_connecting(&h);
        ck_assert_int_ge(now - last, probes ? MINUTE * 3 / 4 : 0);
        ck_assert_int_le(now - last, HOUR + second);
        last = now;
        probes++;
        random = random * 1664525 + 1013904223;
        if (now < 300 * day)
            schedule_failed(&h, now, &pace, random);
        else
            up_at = now;
    }
    /* Waits are 45 to 60 minutes, 52.5 on average: 8229 in 300 days. */
    ck_assert_uint_ge(probes, 8000);
    ck_assert_uint_le(probes, 8500);
    ck_assert_int_ge(up_at, 300 * day);
    ck_assert_int_le(up_at, 300 * day + HOUR + second);
}
END_TEST

int main(void)
{
    int n = (int)(sizeof waits / sizeof *waits);
    Suite *suite = suite_create("schedule");
    TCase *tc = tcase_create("schedule");
    tcase_add_loop_test(tc, the_wait_doubles_up_to_the_maximum, 0, n);
    tcase_add_loop_test(tc, chance_takes_off_a_quarter_at_most, 0, n);
    tcase_add_test(tc, a_smarthost_that_is_up_takes_any_number);
    tcase_add_test(tc, while_it_is_down_there_is_one_probe_at_a_time);
    tcase_add_test(tc, connections_that_fail_together_are_one_failure);
    tcase_add_test(tc, another_cause_begins_with_its_own_first_wait);
    tcase_add_test(tc, recovery_and_a_persons_wish_open_the_way);
    tcase_add_test(tc, a_year_with_an_outage);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
