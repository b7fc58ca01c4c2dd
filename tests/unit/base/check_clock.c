/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "clock.h"

#include <check.h>
#include <stdlib.h>

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const struct {
    const char *name;
    int64_t wait_ms; /* asked for */
    int64_t expected_ms;
} waits[] = {
    {"past", -5000, 0},
    {"now", 0, 0},
    {"second", 1000, 1000},
    {"day", 86400 * 1000, 86400 * 1000},
    {"a day at most", INT64_C(86400) * 1000 * 1000, 86400 * 1000},
    {"never", INT64_MAX / 2, 86400 * 1000},
};

START_TEST(a_deadline_is_as_far_off_as_asked)
{
    int64_t before = monotonic_ms();
    struct timespec at = clock_wait_deadline(clock_mono_ms() + waits[_i].wait_ms);
    int64_t after = monotonic_ms();
    int64_t at_ms = (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
    ck_assert_int_ge(at.tv_nsec, 0);
    ck_assert_int_lt(at.tv_nsec, 1000000000);
    ck_assert_msg(at_ms >= before + waits[_i].expected_ms - 2 &&
                      at_ms <= after + waits[_i].expected_ms + 2,
                  "%s", waits[_i].name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *tc = tcase_create("clock");
    tcase_add_loop_test(tc, a_deadline_is_as_far_off_as_asked, 0,
                        (int)(sizeof waits / sizeof *waits));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
