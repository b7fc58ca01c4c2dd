/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem.h"

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    NO_MEMORY = 71,
    BUG = 70
};

/* The address sanitizer's allocator would end the program by itself. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void run_out(void)
{
    mem_array(SIZE_MAX / 4, 2);
}

static void be_wrong(void)
{
    BUG_ON(sizeof(char) == 1);
}

/* How a child ends that does this. */
static int end_of(void (*act)(void), bool with_status)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        if (with_status)
            mem_exit_as("check", NO_MEMORY, BUG);
        act();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(without_a_status_it_aborts)
{
    ck_assert_int_eq(WTERMSIG(end_of(run_out, false)), SIGABRT);
    ck_assert_int_eq(WTERMSIG(end_of(be_wrong, false)), SIGABRT);
}
END_TEST

START_TEST(with_a_status_it_exits)
{
    int status = end_of(run_out, true);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == NO_MEMORY);
    status = end_of(be_wrong, true);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == BUG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mem");
    TCase *tc = tcase_create("mem");
    tcase_add_test(tc, without_a_status_it_aborts);
    tcase_add_test(tc, with_a_status_it_exits);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
