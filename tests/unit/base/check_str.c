/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "str.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(one_byte_over_127_is_found_wherever_it_stands)
{
    char text[40];
    memset(text, 0x7F, sizeof text);
    for (size_t n = 0; n <= sizeof text; n++)
        ck_assert(str_is_ascii((struct str){text, n}));
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = '\x80';
        ck_assert(str_is_ascii((struct str){text, i}));
        for (size_t n = i + 1; n <= sizeof text; n++)
            ck_assert(!str_is_ascii((struct str){text, n}));
        text[i] = '\0';
    }
}
END_TEST

static struct str bytes(const char *text, size_t n)
{
    return (struct str){text, n};
}

START_TEST(the_view_of_nothing_is_empty)
{
    ck_assert_uint_eq(str_of(NULL).n, 0);
    ck_assert_uint_eq(str_of("").n, 0);
    ck_assert_uint_eq(str_of("abc").n, 3);
    ck_assert(str_eq(bytes(NULL, 0), STR_LIT("")));
}
END_TEST

/* a, b, and whether they are equal, equal but for letter case, and b the start of a. */
static const struct {
    struct str a, b;
    bool same, same_nocase, starts;
} comparisons[] = {
    {STR_LIT(""), STR_LIT(""), true, true, true},
    {STR_LIT("a"), STR_LIT(""), false, false, true},
    {STR_LIT(""), STR_LIT("a"), false, false, false},
    {STR_LIT("STARTTLS"), STR_LIT("starttls"), false, true, true},
    {STR_LIT("STARTTLS x"), STR_LIT("starttls"), false, false, true},
    {STR_LIT("abc"), STR_LIT("abd"), false, false, false},
    {STR_LIT("a\0b"), STR_LIT("a\0b"), true, true, true},
    {STR_LIT("a\0b"), STR_LIT("a\0c"), false, false, false},
    {STR_LIT("@"), STR_LIT("`"), false, false, false},
    {STR_LIT("["), STR_LIT("{"), false, false, false},
    {STR_LIT("\xC4"), STR_LIT("\xE4"), false, false, false},
};

START_TEST(letter_case_is_that_of_ascii_alone)
{
    ck_assert_int_eq(str_eq(comparisons[_i].a, comparisons[_i].b), comparisons[_i].same);
    ck_assert_int_eq(str_eq_nocase(comparisons[_i].a, comparisons[_i].b),
                     comparisons[_i].same_nocase);
    ck_assert_int_eq(str_starts_nocase(comparisons[_i].a, comparisons[_i].b),
                     comparisons[_i].starts);
}
END_TEST

START_TEST(classes_of_bytes_are_those_of_ascii)
{
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool upper = i >= 'A' && i <= 'Z', lower = i >= 'a' && i <= 'z';
        ck_assert_int_eq(str_is_digit(c), i >= '0' && i <= '9');
        ck_assert_int_eq(str_is_alpha(c), upper || lower);
        ck_assert_int_eq(str_lower(c), upper ? (char)(i + 32) : c);
    }
}
END_TEST

START_TEST(head_and_tail_stay_inside)
{
    struct str s = STR_LIT("abc");
    for (size_t n = 0; n < 6; n++) {
        size_t inside = n < 3 ? n : 3;
        ck_assert_uint_eq(str_head(s, n).n, inside);
        ck_assert_ptr_eq(str_head(s, n).p, s.p);
        ck_assert_uint_eq(str_tail(s, n).n, 3 - inside);
        ck_assert_ptr_eq(str_tail(s, n).p, s.p + inside);
    }
}
END_TEST

static const struct {
    struct str raw, trimmed;
} trims[] = {
    {STR_LIT(""), STR_LIT("")},           {STR_LIT(" \t\r\n"), STR_LIT("")},
    {STR_LIT("a"), STR_LIT("a")},         {STR_LIT(" a b\t"), STR_LIT("a b")},
    {STR_LIT("\r\na\r\n"), STR_LIT("a")}, {STR_LIT("\v\fa\0"), STR_LIT("\v\fa\0")},
};

START_TEST(blanks_are_trimmed_at_both_ends)
{
    ck_assert(str_eq(str_trim(trims[_i].raw), trims[_i].trimmed));
}
END_TEST

START_TEST(words_come_one_by_one_until_the_empty_one)
{
    static const char *const expected[] = {"a", "bc", "d\0e", ""};
    static const size_t n[] = {1, 2, 3, 0};
    struct str rest = STR_LIT("  a,bc , d\0e ,");
    for (size_t i = 0; i < 4; i++)
        ck_assert(str_eq(str_word(&rest, " ,"), bytes(expected[i], n[i])));
    ck_assert_uint_eq(rest.n, 0);
    ck_assert_uint_eq(str_word(&rest, " ,").n, 0);
    struct str whole = STR_LIT("a b");
    ck_assert(str_eq(str_word(&whole, ""), STR_LIT("a b")));
}
END_TEST

START_TEST(a_byte_is_found_or_the_end)
{
    ck_assert_uint_eq(str_find(STR_LIT("a@b@"), '@'), 1);
    ck_assert_uint_eq(str_find(STR_LIT("abc"), '@'), 3);
    ck_assert_uint_eq(str_find(STR_LIT("ab\0"), '\0'), 2);
    ck_assert_uint_eq(str_find(bytes(NULL, 0), 'a'), 0);
}
END_TEST

static const struct {
    const char *text;
    bool good;
    uint64_t value;
} numbers[] = {
    {"0", true, 0},
    {"007", true, 7},
    {"18446744073709551615", true, UINT64_MAX},
    {"18446744073709551616", false, 0},
    {"99999999999999999999999", false, 0},
    {"", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"1k", false, 0},
    {"0x10", false, 0},
};

START_TEST(a_number_fills_its_text_and_fits)
{
    uint64_t value = 42;
    ck_assert_int_eq(str_u64(str_of(numbers[_i].text), &value), numbers[_i].good);
    ck_assert_uint_eq(value, numbers[_i].good ? numbers[_i].value : 42);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("str");
    TCase *tc = tcase_create("str");
    tcase_add_test(tc, one_byte_over_127_is_found_wherever_it_stands);
    tcase_add_test(tc, the_view_of_nothing_is_empty);
    tcase_add_loop_test(tc, letter_case_is_that_of_ascii_alone, 0, COUNT(comparisons));
    tcase_add_test(tc, classes_of_bytes_are_those_of_ascii);
    tcase_add_test(tc, head_and_tail_stay_inside);
    tcase_add_loop_test(tc, blanks_are_trimmed_at_both_ends, 0, COUNT(trims));
    tcase_add_test(tc, words_come_one_by_one_until_the_empty_one);
    tcase_add_test(tc, a_byte_is_found_or_the_end);
    tcase_add_loop_test(tc, a_number_fills_its_text_and_fits, 0, COUNT(numbers));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
