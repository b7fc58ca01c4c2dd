/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "argv.h"

#include "buf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A line, and its words with a | behind each, or why it is refused. */
static const struct {
    const char *line, *words, *refusal;
} lines[] = {
    {"/bin/pass", "/bin/pass|", NULL},
    {"/bin/pass show  mail\tx ", "/bin/pass|show|mail|x|", NULL},
    {" /bin/pass", "/bin/pass|", NULL},
    {"/bin/x 'a b' \"c d\"", "/bin/x|a b|c d|", NULL},
    {"/bin/x a' b'c", "/bin/x|a bc|", NULL},
    {"/bin/x '' \"\"", "/bin/x|||", NULL},
    {"/bin/x 'a\\b' \"a\\b\" \"\\\"\\\\\"", "/bin/x|a\\b|a\\b|\"\\|", NULL},
    {"/bin/x '\"' \"'\"", "/bin/x|\"|'|", NULL},
    {"/bin/x a\\ b \\'", "/bin/x|a b|'|", NULL},
    {"/bin/x \\$HOME \\~", "/bin/x|$HOME|~|", NULL},
    {"/bin/x '$HOME' \"`id`\" '|'", "/bin/x|$HOME|`id`|||", NULL},
    {"/bin/x a~ '~' * ? [a] {b} # ! =", "/bin/x|a~|~|*|?|[a]|{b}|#|!|=|", NULL},
    {"/bin/x \xC3\xA8", "/bin/x|\xC3\xA8|", NULL},
    {"'/bin/a b'", "/bin/a b|", NULL},
    {"/bin/x 'a", NULL, "quote (') that does not end"},
    {"/bin/x \"a", NULL, "quote (\") that does not end"},
    {"/bin/x \"a\\", NULL, "quote (\") that does not end"},
    {"/bin/x \"a\\\"", NULL, "quote (\") that does not end"},
    {"/bin/x a\\", NULL, "ends in a backslash"},
    {"/bin/x | head", NULL, "has a |, which only a shell"},
    {"/bin/x a|b", NULL, "has a |"},
    {"/bin/x & y", NULL, "has a &"},
    {"/bin/x; y", NULL, "has a ;"},
    {"/bin/x <y", NULL, "has a <"},
    {"/bin/x 2>/dev/null", NULL, "has a >"},
    {"/bin/x (y)", NULL, "has a ("},
    {"/bin/x $HOME", NULL, "has a $"},
    {"/bin/x `id`", NULL, "has a `"},
    {"/bin/x ~/y", NULL, "has a ~"},
    {"~/x", NULL, "has a ~"},
    {"", NULL, "absolute path"},
    {"  ", NULL, "absolute path"},
    {"pass show", NULL, "absolute path"},
    {"./x", NULL, "absolute path"},
    {"''", NULL, "absolute path"},
};

START_TEST(a_line_is_cut_as_documented)
{
    struct argv argv;
    struct err err;
    struct buf words;
    buf_init(&words, 1000);
    int result = argv_split(&argv, lines[_i].line, &err);
    ck_assert_int_eq(result, lines[_i].words ? 0 : -1);
    if (result == 0) {
        for (char **word = argv.words; *word; word++)
            buf_printf(&words, "%s|", *word);
        ck_assert_msg(str_eq(buf_str(&words), str_of(lines[_i].words)), "%.*s",
                      STR_FMT(buf_str(&words)));
    } else {
        ck_assert_msg(strstr(err.text, lines[_i].refusal) != NULL, "%s", err.text);
        ck_assert_ptr_null(argv.memory);
    }
    argv_release(&argv);
    buf_release(&words);
}
END_TEST

START_TEST(the_arguments_have_a_limit)
{
    struct buf line;
    struct argv argv;
    struct err err;
    buf_init(&line, 1000);
    buf_puts(&line, "/x");
    for (int i = 1; i < ARGV_MAX; i++)
        buf_puts(&line, " a");
    char *most = buf_strdup(&line);
    buf_puts(&line, " a");
    char *too_many = buf_strdup(&line);
    ck_assert_int_eq(argv_split(&argv, most, &err), 0);
    ck_assert_ptr_nonnull(argv.words[ARGV_MAX - 1]);
    ck_assert_ptr_null(argv.words[ARGV_MAX]);
    argv_release(&argv);
    ck_assert_int_eq(argv_split(&argv, too_many, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "more than 32"));
    free(most);
    free(too_many);
    buf_release(&line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("argv");
    TCase *tc = tcase_create("argv");
    tcase_add_loop_test(tc, a_line_is_cut_as_documented, 0,
                        (int)(sizeof lines / sizeof lines[0]));
    tcase_add_test(tc, the_arguments_have_a_limit);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
