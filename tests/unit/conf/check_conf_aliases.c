/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_aliases.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/tranter.XXXXXX";

static void make_directory(void)
{
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}

/* The path of a file of that name, valid until the next call; with text and mode, unless NULL.
 */
static const char *file(const char *name, const char *text, mode_t mode)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (text) {
        FILE *f = fopen(path, "w");
        ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, mode) == 0);
    }
    return path;
}

static struct alias_table *load(const char *aliases, struct err *err)
{
    struct conf conf = {.file = (char[]){"F"},
                        .hostname = (char[]){"web1.example.com"},
                        .domain = (char[]){"example.com"},
                        .aliases = (char *)(uintptr_t)aliases,
                        .aliases_line = 7};
    return conf_aliases_load(&conf, err);
}

static void check_refused(const char *path, const char *why)
{
    struct err err;
    ck_assert_ptr_null(load(path, &err));
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

START_TEST(a_file_that_is_named_must_be_one_that_can_be_read)
{
    char expected[300];
    snprintf(expected, sizeof expected,
             "F:7: the alias file %s cannot be read: No such file or directory; mend that, or "
             "take it out",
             file("a", NULL, 0));
    check_refused(file("a", NULL, 0), expected);
    check_refused(directory, "it is not a regular file");
    ck_assert_int_eq(mkfifo(file("fifo", NULL, 0), 0600), 0);
    check_refused(file("fifo", NULL, 0), "it is not a regular file");
    check_refused("/dev/zero", "it is not a regular file");
}
END_TEST

START_TEST(no_file_and_the_default_that_may_be_away_are_good)
{
    struct err err;
    struct alias_table *t = load("", &err);
    ck_assert_ptr_nonnull(t);
    ck_assert_uint_eq(t->names.n, 0);
    alias_table_free(t);
    bool there = access(CONF_ALIASES_FILE, F_OK) == 0;
    t = load(NULL, &err);
    ck_assert_msg(t != NULL, "%s", err.text);
    ck_assert_uint_eq(t->n_files, there);
    alias_table_free(t);
}
END_TEST

START_TEST(too_large_a_file_is_refused)
{
    file("a", "root: a@b\n", 0644);
    ck_assert_int_eq(truncate(file("a", NULL, 0), ALIAS_FILE_MAX + 1), 0);
    check_refused(file("a", NULL, 0), "alias files have more than 16 MiB in all");
}
END_TEST

START_TEST(what_everybody_may_read_is_included_and_nothing_else)
{
    char text[500];
    struct err err;
    int n = 0;
    file("good", "a@b, :include:", 0644);
    file("secret", "hunter2\n", 0640);
    ck_assert_int_eq(mkdir(file("d", NULL, 0), 0755), 0);
    static const char *const names[] = {"good", "secret", "d", "away"};
    for (int i = 0; i < 4; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s: :include:%s/%s\n", names[i],
                      directory, names[i]);
    struct alias_table *t = load(file("a", text, 0600), &err);
    ck_assert_msg(t != NULL, "%s", err.text);
    static const char *const told[] = {"good:1: :include: takes an absolute path",
                                       "a:2: ",
                                       "not everybody may read it; chmod o+r",
                                       "a:3: ",
                                       "it is not a regular file",
                                       "a:4: ",
                                       "No such file or directory"};
    const char *problem = t->problems[0].sentence;
    ck_assert_msg(strstr(problem, told[0]) != NULL, "%s", problem);
    for (int i = 1; i < 4; i++) {
        problem = t->problems[i].sentence;
        ck_assert_msg(t->problems[i].grave && strstr(problem, told[2 * i - 1]) &&
                          strstr(problem, told[2 * i]),
                      "%s", problem);
    }
    for (size_t i = 0; i < t->n_targets; i++)
        ck_assert_ptr_null(strstr(t->targets[i].text, "hunter2"));
    alias_table_free(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf_aliases");
    TCase *tc = tcase_create("conf_aliases");
    tcase_add_checked_fixture(tc, make_directory, remove_directory);
    tcase_add_test(tc, a_file_that_is_named_must_be_one_that_can_be_read);
    tcase_add_test(tc, no_file_and_the_default_that_may_be_away_are_good);
    tcase_add_test(tc, too_large_a_file_is_refused);
    tcase_add_test(tc, what_everybody_may_read_is_included_and_nothing_else);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
