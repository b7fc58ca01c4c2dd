/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "printable.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    struct str raw, shown;
} cases[] = {
    {STR_LIT(""), STR_LIT("")},
    {STR_LIT("550 5.1.1 no such user"), STR_LIT("550 5.1.1 no such user")},
    {STR_LIT("\0"), STR_LIT("\\x00")},
    {STR_LIT("a\tb\033[31m"), STR_LIT("a\\x09b\\x1B[31m")},
    {STR_LIT("\x7F"), STR_LIT("\\x7F")},
    {STR_LIT("one\r\ntwo"), STR_LIT("one two")},
    {STR_LIT("one\n\r\n\ntwo"), STR_LIT("one two")},
    {STR_LIT("one\rtwo"), STR_LIT("one two")},
    {STR_LIT("one\r\n"), STR_LIT("one")},
    {STR_LIT("\r\n"), STR_LIT("")},
    {STR_LIT("gr\xC3\xBC\xC3\x9F"), STR_LIT("gr\xC3\xBC\xC3\x9F")},
    {STR_LIT("\xE2\x82\xAC \xF0\x9F\x93\xA7"), STR_LIT("\xE2\x82\xAC \xF0\x9F\x93\xA7")},
    {STR_LIT("latin \xFC!"), STR_LIT("latin \\xFC!")},
    {STR_LIT("cut \xE2\x82"), STR_LIT("cut \\xE2\\x82")},
    {STR_LIT("\xC2\x85"), STR_LIT("\\xC2\\x85")},
    {STR_LIT("\xC2\xA0"), STR_LIT("\xC2\xA0")},
    {STR_LIT("\xE2\x80\xA8\xE2\x80\xA9"), STR_LIT("\\xE2\\x80\\xA8\\xE2\\x80\\xA9")},
    {STR_LIT("\xE2\x80\xAE"
             "exe"),
     STR_LIT("\\xE2\\x80\\xAE"
             "exe")},
    {STR_LIT("\xE2\x80\x8E\xE2\x80\x8F"), STR_LIT("\\xE2\\x80\\x8E\\xE2\\x80\\x8F")},
    {STR_LIT("\xE2\x81\xA6\xE2\x81\xA9"), STR_LIT("\\xE2\\x81\\xA6\\xE2\\x81\\xA9")},
    {STR_LIT("\xE2\x80\x93"), STR_LIT("\xE2\x80\x93")},
};

START_TEST(what_could_harm_is_written_out)
{
    struct buf out;
    buf_init(&out, 1000);
    buf_puts(&out, "x");
    printable_put(&out, cases[_i].raw, 900);
    struct str shown = str_tail(buf_str(&out), 1);
    ck_assert_msg(str_eq(shown, cases[_i].shown), "%.*s", STR_FMT(shown));
    buf_release(&out);
}
END_TEST

START_TEST(every_single_byte_becomes_harmless)
{
    for (int i = 0; i < 256; i++) {
        char raw = (char)i, text[16];
        printable_cut(text, sizeof text, (struct str){&raw, 1});
        for (char *c = text; *c; c++)
            ck_assert_msg(*c >= 0x20 && *c < 0x7F, "byte %d", i);
    }
}
END_TEST

/* Never a half character or half an escape before the ellipsis. */
static const struct {
    const char *raw;
    size_t max;
    const char *shown;
} cuts[] = {
    {"abcdef", 6, "abcdef"},
    {"abcdefg", 6, "abc..."},
    {"a\xC3\xBC"
     "bcdef",
     6, "a\xC3\xBC..."},
    {"ab\xC3\xBC"
     "cdef",
     6, "ab..."},
    {"\001\002", 8, "\\x01\\x02"},
    {"\001\002", 7, "\\x01..."},
    {"\001\002", 6, "..."},
    {"abcd", 3, "..."},
    {"abcd", 2, ".."},
    {"abcd", 0, ""},
    {"abc", 3, "abc"},
};

START_TEST(a_cut_is_marked_and_keeps_characters_whole)
{
    char text[64];
    printable_cut(text, cuts[_i].max + 1, str_of(cuts[_i].raw));
    ck_assert_str_eq(text, cuts[_i].shown);
}
END_TEST

static const struct {
    struct str s;
    size_t n;
} characters[] = {
    {STR_LIT(""), 0},
    {STR_LIT("a"), 1},
    {STR_LIT("\0"), 1},
    {STR_LIT("\x7F"), 1},
    {STR_LIT("\x80"), 0},
    {STR_LIT("\xC1\xBF"), 0},
    {STR_LIT("\xC2\x80"), 2},
    {STR_LIT("\xDF\xBF"), 2},
    {STR_LIT("\xC2"), 0},
    {STR_LIT("\xC2"
             "a"),
     0},
    {STR_LIT("\xE0\x9F\xBF"), 0},
    {STR_LIT("\xE0\xA0\x80"), 3},
    {STR_LIT("\xED\x9F\xBF"), 3},
    {STR_LIT("\xED\xA0\x80"), 0},
    {STR_LIT("\xEF\xBF\xBF"), 3},
    {STR_LIT("\xF0\x8F\xBF\xBF"), 0},
    {STR_LIT("\xF0\x90\x80\x80"), 4},
    {STR_LIT("\xF4\x8F\xBF\xBF"), 4},
    {STR_LIT("\xF4\x90\x80\x80"), 0},
    {STR_LIT("\xF5\x80\x80\x80"), 0},
    {STR_LIT("\xF0\x90\x80"), 0},
};

START_TEST(characters_are_those_of_rfc_3629)
{
    ck_assert_uint_eq(printable_utf8(characters[_i].s), characters[_i].n);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("printable");
    TCase *tc = tcase_create("printable");
    tcase_add_loop_test(tc, what_could_harm_is_written_out, 0, COUNT(cases));
    tcase_add_test(tc, every_single_byte_becomes_harmless);
    tcase_add_loop_test(tc, a_cut_is_marked_and_keeps_characters_whole, 0, COUNT(cuts));
    tcase_add_loop_test(tc, characters_are_those_of_rfc_3629, 0, COUNT(characters));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
