/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rate.h"
#include "width.h"

#include <check.h>
#include <stdlib.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
    WENT_MAX = 20000
};

static const struct {
    unsigned most;
    int64_t period_ms;
    int64_t begin_ms; /* of the monotonic clock: soon after boot, too */
} rates[] = {
    {1, SECOND, 0},        {14, SECOND, 12345}, {5, SECOND, 3},
    {300, MINUTE, 999999}, {100, HOUR, 1},      {2000, DAY, 77},
    {1, DAY, 1234567890},  {63, MINUTE, 5},     {1000, SECOND, 0},
};

/* What wants to go goes as soon as it may; in no period there are more than there may be, and
 * over many periods hardly fewer. */
START_TEST(no_period_has_more_and_few_have_less)
{
    static int64_t went[WENT_MAX];
    struct rate r;
    int64_t begin = rates[_i].begin_ms, now = begin, period_ms = rates[_i].period_ms;
    unsigned n = 0, most = rates[_i].most;
    rate_init(&r, most, period_ms, now);
    while (n < WENT_MAX && n < 9 * most) {
        if (rate_left(&r, now) == 0) {
            int64_t next = rate_next_at(&r, now);
            ck_assert_int_gt(next, now);
            ck_assert_uint_eq(rate_left(&(struct rate){0}, now), UINT32_MAX);
            struct rate before = r;
            ck_assert_uint_eq(rate_left(&before, next - 1), 0);
            now = next;
            continue;
        }
        rate_spend(&r, now);
        went[n++] = now;
    }
    for (unsigned i = 0; i + most < n; i++)
        ck_assert_msg(went[i + most] - went[i] >= period_ms, "%u/%lld: %u", most,
                      (long long)period_ms, i);
    int64_t longest = (period_ms + period_ms / 16 + 3 * RATE_SLOTS) * (n / most);
    ck_assert_msg(now - begin <= longest, "%u/%lld took %lld ms", most, (long long)period_ms,
                  (long long)(now - begin));
}
END_TEST

START_TEST(a_restart_does_not_begin_anew)
{
    struct rate r;
    int64_t now = 5000; /* booted five seconds ago */
    rate_init(&r, 2000, DAY, now);
    rate_remember(&r, 1500, now - 2 * HOUR, now);
    rate_remember(&r, 400, now + HOUR, now); /* the clock was wrong */
    rate_remember(&r, 700, now - 2 * (int64_t)DAY, now);
    ck_assert_uint_eq(rate_left(&r, now), 100);
    for (unsigned i = 0; i < 100; i++)
        rate_spend(&r, now);
    int64_t next = rate_next_at(&r, now);
    ck_assert_int_ge(next, now + 22 * HOUR);
    ck_assert_int_le(next, now + 23 * HOUR);
    ck_assert_uint_eq(rate_left(&r, next), 1500);
    ck_assert_uint_eq(rate_left(&r, next + 3 * (int64_t)DAY), 2000);
}
END_TEST

START_TEST(a_reload_goes_on_with_another_rate)
{
    struct rate old, r;
    int64_t now = 100 * (int64_t)DAY;
    rate_init(&old, 300, MINUTE, now);
    for (unsigned i = 0; i < 200; i++)
        rate_spend(&old, now + i * 100);
    now += 20 * SECOND;
    rate_init(&r, 250, HOUR, now);
    rate_inherit(&r, &old, now);
    ck_assert_uint_eq(rate_left(&r, now), 50);
    rate_init(&r, 100, HOUR, now);
    rate_inherit(&r, &old, now);
    ck_assert_uint_eq(rate_left(&r, now), 0);
    ck_assert_int_gt(rate_next_at(&r, now), now + 50 * MINUTE);
    ck_assert_int_le(rate_next_at(&r, now), now + 62 * MINUTE);
}
END_TEST

START_TEST(what_did_not_go_may_go_again)
{
    struct rate r;
    rate_init(&r, 3, MINUTE, 0);
    rate_refund(&r);
    ck_assert_uint_eq(rate_left(&r, 0), 3);
    rate_spend(&r, 0);
    rate_spend(&r, 1000);
    rate_spend(&r, 1000);
    ck_assert_uint_eq(rate_left(&r, 5000), 0);
    rate_refund(&r);
    rate_refund(&r);
    ck_assert_uint_eq(rate_left(&r, 5000), 2);
    rate_refund(&r);
    rate_refund(&r);
    ck_assert_uint_eq(rate_left(&r, 5000), 3);
}
END_TEST

START_TEST(a_refusal_narrows_and_time_widens)
{
    struct width w;
    width_init(&w, 4);
    ck_assert_uint_eq(width_at(&w, 0), 4);
    ck_assert(width_refused(&w, 2, 0));
    ck_assert_uint_eq(width_at(&w, 0), 2);
    ck_assert_uint_eq(width_at(&w, MINUTE - 1), 2);
    ck_assert_uint_eq(width_at(&w, MINUTE), 3);
    ck_assert(!width_refused(&w, 2, MINUTE)); /* known */
    ck_assert_uint_eq(width_at(&w, 3 * MINUTE - 1), 2);
    ck_assert_uint_eq(width_at(&w, 3 * MINUTE), 3);
    ck_assert_uint_eq(width_at(&w, 5 * MINUTE), 4);
    ck_assert_uint_eq(width_at(&w, 7 * MINUTE), 4);
    ck_assert_int_eq(w.wait_ms, 0); /* forgiven */
    ck_assert(width_refused(&w, 0, 8 * MINUTE));
    ck_assert_uint_eq(width_at(&w, 8 * MINUTE), 1);
}
END_TEST

START_TEST(a_hard_limit_is_tried_once_an_hour)
{
    struct width w;
    unsigned refusals = 0;
    width_init(&w, 10);
    for (int64_t now = 0; now < DAY; now += SECOND) {
        if (width_at(&w, now) > 3) {
            width_refused(&w, 3, now);
            refusals++;
        }
    }
    ck_assert_uint_ge(refusals, 24);
    ck_assert_uint_le(refusals, 30);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate");
    TCase *tc = tcase_create("rate");
    tcase_add_loop_test(tc, no_period_has_more_and_few_have_less, 0,
                        (int)(sizeof rates / sizeof *rates));
    tcase_add_test(tc, a_restart_does_not_begin_anew);
    tcase_add_test(tc, a_reload_goes_on_with_another_rate);
    tcase_add_test(tc, what_did_not_go_may_go_again);
    tcase_add_test(tc, a_refusal_narrows_and_time_widens);
    tcase_add_test(tc, a_hard_limit_is_tried_once_an_hour);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
