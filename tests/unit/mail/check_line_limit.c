/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "line_limit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* A text is a line of so many octets between what is before and behind it. */
static const struct {
    const char *before, *behind;
    size_t octets;
    bool exceeded;
} texts[] = {
    {"", "", 0, false},
    {"", "\r\n", 997, false},
    {"", "\r\n", 998, false},
    {"", "\r\n", 999, true},
    {"", "", 998, false},
    {"", "", 999, true},
    {"short\r\n", "\r\nshort\r\n", 998, false},
    {"short\r\n", "\r\nshort\r\n", 999, true},
    {"\r\n\r\n", "\r\n\r\n", 998, false},
    {"", "\r", 998, false},
    {"", "\rx", 996, false}, /* a CR or LF on its own is an octet like any other */
    {"", "\rx", 997, true},
    {"", "\r\r\n", 997, false},
    {"", "\r\r\n", 998, true},
    {"", "\nx", 996, false},
    {"", "\nx", 997, true},
    {"a\n", "\r\n", 997, true},
    {"a\r\n", "\r\n", 1048576, true},
};

START_TEST(a_line_of_998_octets_is_the_longest_however_it_is_cut)
{
    size_t before = strlen(texts[_i].before), behind = strlen(texts[_i].behind);
    size_t n = before + texts[_i].octets + behind;
    char *text = malloc(n + 1);
    memcpy(text, texts[_i].before, before);
    memset(text + before, 'x', texts[_i].octets);
    memcpy(text + before + texts[_i].octets, texts[_i].behind, behind);
    struct str whole = {text, n};
    ck_assert_int_eq(line_limit_exceeded(whole), texts[_i].exceeded);
    for (size_t first = 0; first <= n && n < 2000; first++) {
        struct line_limit l = {.line_bytes = 0};
        line_limit_watch(&l, str_head(whole, first));
        for (struct str rest = str_tail(whole, first); rest.n; rest = str_tail(rest, 1))
            line_limit_watch(&l, str_head(rest, 1));
        ck_assert_int_eq(l.exceeded, texts[_i].exceeded);
    }
    free(text);
}
END_TEST

/* Lines that are near the limit together, or one by one, ended in every way. */
START_TEST(many_lines_are_the_same_whole_and_byte_by_byte)
{
    static const char *const ends[] = {"\r\n", "\r\n",   "\r\n",   "\n",
                                       "\r",   "\r\r\n", "\n\r\n", "\r\n\r\n"};
    uint32_t seed = 1;
    unsigned n_exceeded = 0;
    for (unsigned round = 0; round < 1000; round++) {
        char text[8192];
        size_t n = 0;
        while (n < 4000) {
            seed = seed * 1664525 + 1013904223;
            size_t line = (seed >> 16) % (round % 2 ? 1010 : 330);
            memset(text + n, 'x', line);
            n += line;
            const char *end = ends[seed >> 29];
            memcpy(text + n, end, strlen(end));
            n += strlen(end);
        }
        struct line_limit whole = {.line_bytes = 0}, bytewise = {.line_bytes = 0};
        line_limit_watch(&whole, (struct str){text, n});
        for (size_t i = 0; i < n; i++)
            line_limit_watch(&bytewise, (struct str){text + i, 1});
        ck_assert_int_eq(whole.exceeded, bytewise.exceeded);
        ck_assert(whole.exceeded || whole.line_bytes == bytewise.line_bytes);
        n_exceeded += whole.exceeded;
    }
    ck_assert_uint_gt(n_exceeded, 100);
    ck_assert_uint_lt(n_exceeded, 900);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("line_limit");
    TCase *tc = tcase_create("line_limit");
    tcase_add_loop_test(tc, a_line_of_998_octets_is_the_longest_however_it_is_cut, 0,
                        COUNT(texts));
    tcase_add_test(tc, many_lines_are_the_same_whole_and_byte_by_byte);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
