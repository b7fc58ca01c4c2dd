/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "credential.h"

#include "turns.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ANSWERS_MAX = 4,
    HOUR_MS = 3600 * 1000
};

/* What was answered, in order. */
struct answers {
    unsigned n;
    char *secrets[ANSWERS_MAX];
    struct fault faults[ANSWERS_MAX];
};

static struct loop *loop;
static struct answers answers;
static char folder[] = "/tmp/check_credential.XXXXXX";
static char file[64], counter[64];

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    snprintf(counter, sizeof counter, "%s/counter", folder);
    loop = loop_new();
    memset(&answers, 0, sizeof answers);
}

static void tear_down(void)
{
    for (unsigned i = 0; i < answers.n; i++)
        free(answers.secrets[i]);
    loop_free(loop);
    unlink(file);
    unlink(counter);
    rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void on_answer(void *owner, struct str secret, const struct fault *fault)
{
    struct answers *a = owner;
    ck_assert_uint_lt(a->n, ANSWERS_MAX);
    a->secrets[a->n] = strndup(secret.p ? secret.p : "", secret.n);
    if (fault)
        a->faults[a->n] = *fault;
    a->n++;
}

static unsigned wanted;

static bool has_answers(void *arg)
{
    (void)arg;
    return answers.n >= wanted;
}

/* Ask, and wait for the answer; it must be secret. */
static void expect_secret(struct credential *c, const char *secret)
{
    wanted = answers.n + 1;
    credential_ask(c, on_answer, &answers);
    ck_assert(turns_until(loop, has_answers, NULL));
    const struct fault *f = &answers.faults[answers.n - 1];
    ck_assert_msg(f->scope == FAULT_NONE, "%s", f->text);
    ck_assert_str_eq(answers.secrets[answers.n - 1], secret);
}

static void expect_fault(struct credential *c, const char *code, const char *said,
                         const char *fix)
{
    wanted = answers.n + 1;
    credential_ask(c, on_answer, &answers);
    ck_assert(turns_until(loop, has_answers, NULL));
    const struct fault *f = &answers.faults[answers.n - 1];
    ck_assert_msg(strcmp(f->code, code) == 0, "%s %s", f->code, f->text);
    ck_assert_int_eq(f->scope, FAULT_ACCOUNT);
    ck_assert_msg(strstr(f->text, said) != NULL, "%s", f->text);
    ck_assert_msg(strstr(f->fix, fix) != NULL, "%s", f->fix);
    ck_assert_msg(strstr(f->text, "s3cret") == NULL, "%s", f->text);
    ck_assert_str_eq(answers.secrets[answers.n - 1], "");
}

START_TEST(a_file_is_read_each_time)
{
    struct credential *c = credential_new(
        loop, &(struct credential_source){.account = "a", .password_file = file});
    ck_assert_int_eq(credential_kind(c), SASL_SECRET_PASSWORD);
    write_file("s3cret\n", 0600);
    ck_assert_ptr_null(credential_ask(c, on_answer, &answers));
    ck_assert_str_eq(answers.secrets[0], "s3cret");
    write_file("other\n", 0600);
    expect_secret(c, "other");
    write_file("s3cret\n", 0644);
    expect_fault(c, "CRED-FILE", "mode 0644", "password-file of smarthost \"a\"");
    credential_free(c);
    credential_free(NULL);
}
END_TEST

static struct credential *commanded(const char *script)
{
    static char line[512];
    snprintf(line, sizeof line, "/bin/sh -c '%s'", script);
    return credential_new(loop, &(struct credential_source){.account = "a",
                                                            .password_command = line,
                                                            .timeout_ms = 2000});
}

START_TEST(a_password_command_runs_for_each_login)
{
    char script[256];
    snprintf(script, sizeof script, "echo x >>%s; wc -l <%s", counter, counter);
    struct credential *c = commanded(script);
    ck_assert_int_eq(credential_kind(c), SASL_SECRET_PASSWORD);
    expect_secret(c, "1");
    expect_secret(c, "2");
    ck_assert(!credential_refused(c, 0));
    credential_free(c);
}
END_TEST

START_TEST(who_asks_while_it_runs_gets_the_same_answer)
{
    char script[256];
    snprintf(script, sizeof script, "echo x >>%s; wc -l <%s", counter, counter);
    struct credential *c = commanded(script);
    struct credential_request *first = credential_ask(c, on_answer, &answers);
    struct credential_request *second = credential_ask(c, on_answer, &answers);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    credential_cancel(first);
    credential_cancel(NULL);
    wanted = 1;
    ck_assert(turns_until(loop, has_answers, NULL));
    ck_assert_uint_eq(answers.n, 1);
    ck_assert_str_eq(answers.secrets[0], "1");
    credential_free(c);
}
END_TEST

static const struct {
    const char *script;
    bool token;
    const char *code, *said, *fix;
} failures[] = {
    {"exit 1", false, "AUTH-HELPER", "password-command /bin/sh failed with exit status 1",
     "mend password-command of smarthost \"a\""},
    {"echo no such key >&2; exit 2", false, "AUTH-HELPER", "exit status 2: no such key",
     "mend"},
    {"echo later >&2; exit 75", false, "AUTH-HELPER", "exit status 75, for now: later", "mend"},
    {"echo s3cret; echo bad s3cret >&2; exit 1", false, "AUTH-HELPER", "is left out", "mend"},
    {"echo \"{ \\\"x\\\": \\\"s3cret-of-16-byt\\\" }\"; echo s3cret-of-16-byt >&2; exit 1",
     true, "AUTH-HELPER", "is left out", "mend"},
    {"printf \"\\033[1mred\\n\" >&2; exit 1", false, "AUTH-HELPER", "[1mred", "mend"},
    {"kill -9 $$", false, "AUTH-HELPER", "was killed by signal 9", "mend"},
    {"exec /bin/sleep 1000", false, "AUTH-HELPER", "did not end within 2 s", "mend"},
    {"exec /usr/bin/yes", false, "AUTH-HELPER", "printed more than 16384 bytes", "mend"},
    {"true", false, "AUTH-HELPER", "/bin/sh: its first line is empty", "mend"},
    {"printf \"s3cret\\tx\"", false, "AUTH-HELPER", "byte 7 of the password", "mend"},
    {"echo failed: invalid_grant >&2; exit 1", true, "OAUTH-REFRESH-DEAD", "invalid_grant",
     "sign in again"},
    {"echo sign in >&2; exit 77", true, "OAUTH-REFRESH-DEAD", "exit status 77: sign in",
     "sign in again"},
    {"echo \"{\\\"error\\\":\\\"invalid_grant\\\"}\"", true, "OAUTH-REFRESH-DEAD",
     "token-command /bin/sh: gave no token: invalid_grant", "sign in again"},
    {"echo sign in >&2; exit 77", false, "AUTH-HELPER", "exit status 77", "mend"},
};

START_TEST(a_command_that_fails_is_named_with_its_complaint)
{
    char line[512];
    struct credential_source source = {.account = "a", .timeout_ms = 2000};
    snprintf(line, sizeof line, "/bin/sh -c '%s'", failures[_i].script);
    if (failures[_i].token)
        source.token_command = line;
    else
        source.password_command = line;
    struct credential *c = credential_new(loop, &source);
    expect_fault(c, failures[_i].code, failures[_i].said, failures[_i].fix);
    ck_assert_ptr_null(strchr(answers.faults[0].text, '\033'));
    credential_free(c);
}
END_TEST

START_TEST(a_command_that_cannot_be_started_is_told_at_once)
{
    struct credential *c = credential_new(
        loop,
        &(struct credential_source){.account = "a", .password_command = "/nowhere/x s3cret"});
    ck_assert_ptr_null(credential_ask(c, on_answer, &answers));
    ck_assert_uint_eq(answers.n, 1);
    ck_assert_str_eq(answers.faults[0].text,
                     "password-command /nowhere/x cannot be run: No such file or directory");
    credential_free(c);
}
END_TEST

/* Prints token 1, 2, 3 ..., with a lifetime where one is given. */
static struct credential *tokens(const char *lifetime, int64_t token_lifetime_ms)
{
    static char line[512];
    if (lifetime)
        snprintf(line, sizeof line,
                 "/bin/sh -c 'echo x >>%s; echo \"{\\\"access_token\\\":\\\"t$(wc -l "
                 "<%s)\\\",\\\"expires_in\\\":%s}\"'",
                 counter, counter, lifetime);
    else
        snprintf(line, sizeof line, "/bin/sh -c 'echo x >>%s; echo t$(wc -l <%s)'", counter,
                 counter);
    return credential_new(loop,
                          &(struct credential_source){.account = "a",
                                                      .token_command = line,
                                                      .token_lifetime_ms = token_lifetime_ms});
}

START_TEST(a_token_is_kept_for_its_lifetime)
{
    struct credential *c = tokens(NULL, HOUR_MS);
    ck_assert_int_eq(credential_kind(c), SASL_SECRET_TOKEN);
    expect_secret(c, "t1");
    expect_secret(c, "t1");
    credential_free(c);
    c = tokens(NULL, 0);
    expect_secret(c, "t2");
    expect_secret(c, "t3");
    credential_free(c);
}
END_TEST

/* What the token says of itself counts more, and a minute is left. */
START_TEST(a_token_may_tell_its_lifetime)
{
    struct credential *c = tokens("3600", 0);
    expect_secret(c, "t1");
    expect_secret(c, "t1");
    credential_free(c);
    c = tokens("60", HOUR_MS);
    expect_secret(c, "t2");
    expect_secret(c, "t3");
    credential_free(c);
}
END_TEST

START_TEST(a_refused_token_is_got_afresh_once)
{
    struct credential *c = tokens(NULL, HOUR_MS);
    expect_secret(c, "t1");
    unsigned first = credential_generation(c);
    ck_assert(credential_refused(c, first));
    ck_assert(credential_refused(c, first)); /* another connection had it, too */
    expect_secret(c, "t2");
    ck_assert(credential_refused(c, first)); /* and a third */
    expect_secret(c, "t2");
    ck_assert(!credential_refused(c, credential_generation(c)));
    expect_secret(c, "t3");
    ck_assert(!credential_refused(c, credential_generation(c)));
    credential_free(c);
}
END_TEST

START_TEST(an_accepted_token_has_its_second_chance_again)
{
    struct credential *c = tokens(NULL, HOUR_MS);
    expect_secret(c, "t1");
    ck_assert(credential_refused(c, credential_generation(c)));
    expect_secret(c, "t2");
    credential_accepted(c);
    ck_assert(credential_refused(c, credential_generation(c)));
    expect_secret(c, "t3");
    credential_free(c);
}
END_TEST

START_TEST(none_is_no_secret)
{
    struct credential *c = credential_new(loop, &(struct credential_source){.account = "a"});
    ck_assert_int_eq(credential_kind(c), SASL_SECRET_NONE);
    credential_free(c);
}
END_TEST

static int check(const char *command, struct err *err)
{
    return credential_check(
        &(struct credential_source){.account = "a", .token_command = command}, err);
}

START_TEST(what_can_be_known_beforehand_is_checked)
{
    struct err err;
    char line[128];
    write_file("#!/bin/sh\ntouch x\n", 0700);
    snprintf(line, sizeof line, "%s 'an argument'", file);
    ck_assert_msg(check(line, &err) == 0, "%s", err.text);
    ck_assert_msg(check("/bin/sh", &err) == 0, "%s", err.text);
    ck_assert_int_eq(check("/nowhere/x", &err), -1);
    ck_assert_str_eq(err.text, "token-command: /nowhere/x: No such file or directory");
    ck_assert_int_eq(check("/bin", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/bin is not a program"));
    ck_assert_int_eq(check("/etc/passwd", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be run by user"));
    ck_assert_int_eq(check("/bin/sh | x", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "token-command has a |"));
    ck_assert_int_eq(chmod(file, 0777), 0);
    ck_assert_int_eq(check(line, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "can be changed by others"));
    ck_assert_int_eq(
        credential_check(
            &(struct credential_source){.account = "a", .password_file = "/nowhere/x"}, &err),
        -1);
    ck_assert_int_eq(credential_check(&(struct credential_source){.account = "a"}, &err), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("credential");
    TCase *tc = tcase_create("credential");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_file_is_read_each_time);
    tcase_add_test(tc, a_password_command_runs_for_each_login);
    tcase_add_test(tc, who_asks_while_it_runs_gets_the_same_answer);
    tcase_add_loop_test(tc, a_command_that_fails_is_named_with_its_complaint, 0,
                        (int)(sizeof failures / sizeof failures[0]));
    tcase_add_test(tc, a_command_that_cannot_be_started_is_told_at_once);
    tcase_add_test(tc, a_token_is_kept_for_its_lifetime);
    tcase_add_test(tc, a_token_may_tell_its_lifetime);
    tcase_add_test(tc, a_refused_token_is_got_afresh_once);
    tcase_add_test(tc, an_accepted_token_has_its_second_chance_again);
    tcase_add_test(tc, none_is_no_secret);
    tcase_add_test(tc, what_can_be_known_beforehand_is_checked);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
