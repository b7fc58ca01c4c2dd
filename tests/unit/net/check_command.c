/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

#include "turns.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LONG_MS = 60 * 1000, /* longer than any test may take */
    OUTPUT_MAX = 4096
};

/* How a command ended. */
struct outcome {
    bool ended, timed_out, flooded;
    int status;
    struct buf output, complaint;
};

static struct loop *loop;
static struct outcome outcome;

static void set_up(void)
{
    loop = loop_new();
    memset(&outcome, 0, sizeof outcome);
    buf_init(&outcome.output, OUTPUT_MAX + 1);
    buf_init(&outcome.complaint, COMMAND_COMPLAINT_MAX);
}

/* Whatever was tried, no child is left. */
static void tear_down(void)
{
    loop_free(loop);
    buf_release(&outcome.output);
    buf_release(&outcome.complaint);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static void on_end(void *owner, const struct command_end *end)
{
    struct outcome *o = owner;
    ck_assert(!o->ended);
    o->ended = true;
    o->timed_out = end->timed_out;
    o->flooded = end->flooded;
    o->status = end->status;
    buf_put_str(&o->output, buf_str(end->output));
    buf_put_str(&o->complaint, end->complaint);
}

static bool has_ended(void *arg)
{
    struct outcome *o = arg;
    return o->ended;
}

static struct command *begin(const char *script, int64_t timeout_ms)
{
    char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, strdup(script), NULL};
    int error;
    struct command *c =
        command_new(loop, argv, OUTPUT_MAX, timeout_ms, on_end, &outcome, &error);
    ck_assert_msg(c != NULL, "%s", strerror(error));
    free(argv[2]);
    return c;
}

static void run(const char *script, int64_t timeout_ms)
{
    begin(script, timeout_ms);
    ck_assert(turns_until(loop, has_ended, &outcome));
}

static void expect_output(const char *text)
{
    ck_assert_msg(str_eq(buf_str(&outcome.output), str_of(text)), "%.*s",
                  STR_FMT(buf_str(&outcome.output)));
}

START_TEST(output_status_and_the_first_complaint_are_told)
{
    run("printf 'token\\nmore'; printf '\\n\\n no such key \\nmore\\n' >&2; exit 75", LONG_MS);
    expect_output("token\nmore");
    ck_assert(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 75);
    ck_assert(str_eq(buf_str(&outcome.complaint), STR_LIT("no such key")));
    ck_assert(!outcome.timed_out && !outcome.flooded);
}
END_TEST

START_TEST(nothing_is_nothing)
{
    run("exit 0", LONG_MS);
    expect_output("");
    ck_assert_int_eq(outcome.status, 0);
    ck_assert_uint_eq(buf_len(&outcome.complaint), 0);
}
END_TEST

START_TEST(the_environment_is_small)
{
    setenv("SECRET", "x", 1);
    setenv("LD_LIBRARY_PATH", "/nowhere", 1);
    setenv("HOME", "/home/x", 1);
    setenv("USER", "x", 1);
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
    unsetenv("LOGNAME");
    unsetenv("TZ");
    run("/usr/bin/env | /usr/bin/sort | /bin/grep -v '^\\(PWD\\|OLDPWD\\|SHLVL\\|_\\)='",
        LONG_MS);
    expect_output(
        "CREDENTIALS_DIRECTORY=/run/credentials/x\nHOME=/home/x\nLC_ALL=C.UTF-8\n"
        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\nUSER=x\n");
}
END_TEST

START_TEST(it_has_nothing_to_read_and_nothing_of_ours)
{
    int fd = dup(STDERR_FILENO); /* not close-on-exec */
    signal(SIGPIPE, SIG_IGN);
    run("cat; pwd; cd /proc/self/fd && echo *; i=$(/bin/sed -n 's/^SigIgn:\t//p' "
        "/proc/self/status); "
        "echo $((0x$i & 0x7fffffff)); "
        "test \"$(/usr/bin/cut -d' ' -f6 /proc/$$/stat)\" = $$ && echo own session",
        LONG_MS);
    close(fd);
    expect_output("/\n0 1 2 3\n0\nown session\n");
}
END_TEST

static bool has_no_child(void *arg)
{
    (void)arg;
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

START_TEST(too_long_is_the_end_of_it_and_its_children)
{
    run("echo begun; /bin/sleep 1000 & /bin/sleep 1000", 200);
    ck_assert(outcome.timed_out);
    ck_assert(turns_until(loop, has_no_child, NULL));
}
END_TEST

START_TEST(too_much_is_the_end_of_it)
{
    run("/usr/bin/yes", LONG_MS);
    ck_assert(outcome.flooded && !outcome.timed_out);
    ck_assert(WIFSIGNALED(outcome.status));
}
END_TEST

START_TEST(as_much_as_is_allowed_is_not_too_much)
{
    run("/usr/bin/head -c 4096 /dev/zero", LONG_MS);
    ck_assert(!outcome.flooded);
    ck_assert_uint_eq(buf_len(&outcome.output), OUTPUT_MAX);
    ck_assert_int_eq(outcome.status, 0);
}
END_TEST

START_TEST(complaints_without_end_do_not_hold_it_up)
{
    run("/usr/bin/head -c 1000000 /dev/zero >&2; echo done", LONG_MS);
    expect_output("done\n");
    ck_assert_uint_eq(buf_len(&outcome.complaint), COMMAND_COMPLAINT_MAX);
}
END_TEST

/* An agent that it leaves behind keeps the pipes; what was printed is all there is. */
START_TEST(what_stays_behind_is_not_waited_for)
{
    run("/bin/sleep 1000 & echo $!", LONG_MS);
    ck_assert_int_eq(outcome.status, 0);
    buf_putc(&outcome.output, '\0');
    pid_t left = (pid_t)atol(buf_str(&outcome.output).p);
    ck_assert_int_gt(left, 1);
    ck_assert_int_eq(kill(left, SIGKILL), 0);
}
END_TEST

START_TEST(what_closes_its_output_is_waited_for)
{
    run("exec >&- 2>&-; /bin/sleep 0.1; exit 3", LONG_MS);
    ck_assert(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 3);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_told_at_once)
{
    char *argv[] = {(char[]){"/nowhere/x"}, NULL};
    int error = 0;
    ck_assert(!command_new(loop, argv, OUTPUT_MAX, LONG_MS, on_end, &outcome, &error));
    ck_assert_int_eq(error, ENOENT);
    argv[0] = (char[]){"/etc/passwd"};
    ck_assert(!command_new(loop, argv, OUTPUT_MAX, LONG_MS, on_end, &outcome, &error));
    ck_assert_int_eq(error, EACCES);
}
END_TEST

START_TEST(an_owner_that_goes_kills_it_and_hears_nothing)
{
    command_free(begin("/bin/sleep 1000", LONG_MS));
    command_free(NULL);
    ck_assert(turns_until(loop, has_no_child, NULL));
    ck_assert(!outcome.ended);
}
END_TEST

/* The zombie is init's, when the program itself ends. */
START_TEST(a_loop_that_ends_kills_it)
{
    begin("/bin/sleep 1000", LONG_MS);
    loop_free(loop);
    loop = NULL;
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    ck_assert(!outcome.ended);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command");
    TCase *tc = tcase_create("command");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, output_status_and_the_first_complaint_are_told);
    tcase_add_test(tc, nothing_is_nothing);
    tcase_add_test(tc, the_environment_is_small);
    tcase_add_test(tc, it_has_nothing_to_read_and_nothing_of_ours);
    tcase_add_test(tc, too_long_is_the_end_of_it_and_its_children);
    tcase_add_test(tc, too_much_is_the_end_of_it);
    tcase_add_test(tc, as_much_as_is_allowed_is_not_too_much);
    tcase_add_test(tc, complaints_without_end_do_not_hold_it_up);
    tcase_add_test(tc, what_stays_behind_is_not_waited_for);
    tcase_add_test(tc, what_closes_its_output_is_waited_for);
    tcase_add_test(tc, a_program_that_is_not_there_is_told_at_once);
    tcase_add_test(tc, an_owner_that_goes_kills_it_and_hears_nothing);
    tcase_add_test(tc, a_loop_that_ends_kills_it);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
