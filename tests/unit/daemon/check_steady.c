/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steady.h"

#include <check.h>
#include <stdlib.h>

enum {
    HOUR_MS = 3600 * 1000
};

static const struct {
    const char *name;
    int64_t jump_ms;
    int64_t steady_ms; /* an hour after it */
} jumps[] = {
    {"none", 0, 2 * HOUR_MS},
    {"a correction", STEADY_JUMP_MS, 2 * HOUR_MS},
    {"a correction back", -STEADY_JUMP_MS, 2 * HOUR_MS},
    {"ahead", STEADY_JUMP_MS + 1, HOUR_MS},
    {"back", -STEADY_JUMP_MS - 1, HOUR_MS},
    {"a year ahead", INT64_C(365) * 24 * HOUR_MS, HOUR_MS},
    {"to 1970", -1795487383042, HOUR_MS},
};

START_TEST(a_jump_is_told_from_a_correction)
{
    struct steady s;
    int64_t wall_ms = 1795487383042;
    int64_t jump_ms;
    steady_begin(&s, 5, wall_ms);
    ck_assert_int_eq(steady_look(&s, 5 + HOUR_MS / 2, wall_ms + HOUR_MS / 2, &jump_ms),
                     HOUR_MS / 2);
    ck_assert_int_eq(jump_ms, 0);
    wall_ms += jumps[_i].jump_ms;
    steady_look(&s, 5 + HOUR_MS, wall_ms + HOUR_MS, &jump_ms);
    ck_assert_int_eq(jump_ms, jumps[_i].steady_ms == HOUR_MS ? jumps[_i].jump_ms : 0);
    ck_assert_msg(steady_look(&s, 5 + 2 * HOUR_MS, wall_ms + 2 * HOUR_MS, &jump_ms) ==
                      jumps[_i].steady_ms,
                  "%s", jumps[_i].name);
}
END_TEST

START_TEST(a_clock_that_is_slewed_is_steady)
{
    struct steady s;
    int64_t jump_ms;
    steady_begin(&s, 0, 0);
    for (int64_t i = 1; i < 1000; i++)
        ck_assert_int_eq(steady_look(&s, i * 60000, i * 60000 + i * 30000, &jump_ms),
                         i * 60000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steady");
    TCase *tc = tcase_create("steady");
    tcase_add_loop_test(tc, a_jump_is_told_from_a_correction, 0,
                        sizeof jumps / sizeof jumps[0]);
    tcase_add_test(tc, a_clock_that_is_slewed_is_steady);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
