/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop.h"

#include "buf.h"
#include "clock.h"
#include "turns.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* What happened, a letter each. */
static struct buf story;
static struct loop *loop;

static void setup(void)
{
    buf_init(&story, 1000);
    loop = loop_new();
}

static void teardown(void)
{
    loop_free(loop);
    buf_release(&story);
}

/* A letter as the argument of a call. */
static void *letter(char c)
{
    static char letters[128];
    letters[(unsigned char)c] = c;
    return &letters[(unsigned char)c];
}

static void tell(void *arg)
{
    buf_putc(&story, *(char *)arg);
}

static void tell_and_stop(void *arg)
{
    tell(arg);
    loop_stop(loop);
}

static void defer_twice(void *arg)
{
    tell(arg);
    loop_defer(loop, tell, letter('d'));
    loop_defer(loop, tell, letter('e'));
}

static void defer_another(void *arg)
{
    tell(arg);
    loop_defer(loop, tell, letter('f'));
}

START_TEST(deferred_objects_die_after_the_end_of_the_turn_in_order)
{
    struct loop_timer *timer = loop_timer_new(loop, defer_twice, letter('t'));
    loop_timer_set(timer, 0);
    loop_run(loop, tell_and_stop, letter('|'));
    ck_assert(str_eq(buf_str(&story), STR_LIT("t|de")));
    loop_timer_free(timer);
}
END_TEST

START_TEST(what_is_deferred_while_freeing_dies_too)
{
    loop_defer(loop, defer_another, letter('a'));
    struct loop_timer *timer = loop_timer_new(loop, tell, letter('t'));
    loop_timer_set(timer, 0);
    loop_run(loop, tell_and_stop, letter('|'));
    ck_assert(str_eq(buf_str(&story), STR_LIT("aft|")));
    loop_timer_free(timer);
}
END_TEST

START_TEST(freeing_the_loop_runs_what_was_deferred)
{
    loop_defer(loop, defer_another, letter('a'));
    loop_free(loop);
    ck_assert(str_eq(buf_str(&story), STR_LIT("af")));
    loop = loop_new();
}
END_TEST

START_TEST(timers_fire_once_in_order_and_never_early)
{
    int64_t now;
    struct loop_timer *first = loop_timer_new(loop, tell, letter('1'));
    struct loop_timer *second = loop_timer_new(loop, tell, letter('2'));
    struct loop_timer *never = loop_timer_new(loop, tell, letter('3'));
    struct loop_timer *last = loop_timer_new(loop, tell_and_stop, letter('4'));
    do { /* again where a busy machine took longer than the first timer: overdue ones have no
            order */
        now = clock_mono_ms();
        loop_timer_set(second, now + 8);
        loop_timer_set(first, now + 1000000);
        loop_timer_set(first, now + 4);
        loop_timer_set(never, now + 1);
        loop_timer_set(never, INT64_MAX);
        loop_timer_set(last, now + 2);
        loop_timer_set(last, now + 15);
    } while (clock_mono_ms() >= now + 4);
    loop_run(loop, NULL, NULL);
    ck_assert_int_ge(clock_mono_ms(), now + 15);
    ck_assert(str_eq(buf_str(&story), STR_LIT("124")));
    loop_timer_free(first);
    loop_timer_free(second);
    loop_timer_free(never);
    loop_timer_free(last);
}
END_TEST

static struct loop_timer *again;

static void set_again(void *arg)
{
    tell(arg);
    if (buf_len(&story) < 3)
        loop_timer_set(again, loop_now_ms(loop));
    else
        loop_stop(loop);
}

START_TEST(a_timer_may_be_set_again_by_its_own_call)
{
    again = loop_timer_new(loop, set_again, letter('t'));
    loop_timer_set(again, 0);
    loop_run(loop, NULL, NULL);
    ck_assert(str_eq(buf_str(&story), STR_LIT("ttt")));
    loop_timer_free(again);
}
END_TEST

static struct loop_timer *own;

static void free_own(void *arg)
{
    (void)arg;
    loop_timer_free(own);
    loop_stop(loop);
}

START_TEST(a_timer_may_free_itself)
{
    own = loop_timer_new(loop, free_own, NULL);
    loop_timer_set(own, 0);
    loop_run(loop, NULL, NULL);
}
END_TEST

static int fds[2];

static void read_one(void *arg)
{
    char c;
    ck_assert_int_eq(read(fds[0], &c, 1), 1);
    tell(arg);
    if (buf_len(&story) == 3)
        loop_stop(loop);
}

START_TEST(a_watch_calls_as_long_as_there_is_something)
{
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], "xyz", 3), 3);
    struct loop_watch *watch = loop_watch_new(loop, fds[0], read_one, letter('r'));
    loop_run(loop, NULL, NULL);
    loop_watch_free(watch);
    ck_assert(str_eq(buf_str(&story), STR_LIT("rrr")));
    close(fds[0]);
    close(fds[1]);
}
END_TEST

static void on_signal(int number, void *arg)
{
    ck_assert_int_eq(number, SIGUSR1);
    tell_and_stop(arg);
}

START_TEST(a_signal_comes_in_the_loop)
{
    loop_signal(loop, SIGUSR1, on_signal, letter('s'));
    raise(SIGUSR1);
    ck_assert_uint_eq(buf_len(&story), 0);
    loop_run(loop, NULL, NULL);
    ck_assert(str_eq(buf_str(&story), STR_LIT("s")));
}
END_TEST

static void keep_time(void *arg)
{
    int64_t *times = arg;
    times[0] = loop_now_ms(loop);
    while (clock_mono_ms() == times[0])
        ;
    times[1] = loop_now_ms(loop);
    loop_stop(loop);
}

START_TEST(time_stands_still_in_a_turn)
{
    int64_t times[2];
    struct loop_timer *timer = loop_timer_new(loop, keep_time, times);
    loop_timer_set(timer, 0);
    loop_run(loop, NULL, NULL);
    ck_assert_int_eq(times[0], times[1]);
    ck_assert_int_gt(loop_now_ms(loop), times[0]);
    loop_timer_free(timer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tc = tcase_create("loop");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, deferred_objects_die_after_the_end_of_the_turn_in_order);
    tcase_add_test(tc, what_is_deferred_while_freeing_dies_too);
    tcase_add_test(tc, freeing_the_loop_runs_what_was_deferred);
    tcase_add_test(tc, timers_fire_once_in_order_and_never_early);
    tcase_add_test(tc, a_timer_may_be_set_again_by_its_own_call);
    tcase_add_test(tc, a_timer_may_free_itself);
    tcase_add_test(tc, a_watch_calls_as_long_as_there_is_something);
    tcase_add_test(tc, a_signal_comes_in_the_loop);
    tcase_add_test(tc, time_stands_still_in_a_turn);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
