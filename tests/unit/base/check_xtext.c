/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "xtext.h"

#include <check.h>
#include <stdlib.h>

static const struct row {
    struct str text;
    struct str octets;
} rows[] = {
    {STR_LIT(""), STR_LIT("")},
    {STR_LIT("a@b.example"), STR_LIT("a@b.example")},
    {STR_LIT("!~"), STR_LIT("!~")},
    {STR_LIT("+2B+3D"), STR_LIT("+=")},
    {STR_LIT("a+20b"), STR_LIT("a b")},
    {STR_LIT("+C3+A4+00+0D+0A+FF"), STR_LIT("\xc3\xa4\0\r\n\xff")},
    {STR_LIT("+41+42"), STR_LIT("AB")},
};

START_TEST(xtext_stands_for_its_octets)
{
    struct buf out;
    buf_init(&out, 100);
    ck_assert_msg(xtext_is_valid(rows[_i].text), "%s", rows[_i].text.p);
    xtext_decode(&out, rows[_i].text);
    ck_assert_msg(str_eq(buf_str(&out), rows[_i].octets), "%s", rows[_i].text.p);
    buf_release(&out);
}
END_TEST

START_TEST(octets_come_back_as_they_were)
{
    struct buf text, octets;
    buf_init(&text, 100);
    buf_init(&octets, 100);
    xtext_put(&text, rows[_i].octets);
    ck_assert_msg(xtext_is_valid(buf_str(&text)), "%s", rows[_i].text.p);
    xtext_decode(&octets, buf_str(&text));
    ck_assert_msg(str_eq(buf_str(&octets), rows[_i].octets), "%s", rows[_i].text.p);
    buf_release(&text);
    buf_release(&octets);
}
END_TEST

static const struct str bad[] = {
    STR_LIT(" "),    STR_LIT("a b"),  STR_LIT("a="),   STR_LIT("="),    STR_LIT("+"),
    STR_LIT("+4"),   STR_LIT("a+4"),  STR_LIT("+4g"),  STR_LIT("+g4"),  STR_LIT("+2b"),
    STR_LIT("\x7f"), STR_LIT("\xc3"), STR_LIT("a\tb"), STR_LIT("a\0b"), STR_LIT("++2B"),
};

START_TEST(what_is_not_xtext_is_told)
{
    ck_assert_msg(!xtext_is_valid(bad[_i]), "%s", bad[_i].p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("xtext");
    TCase *tc = tcase_create("xtext");
    tcase_add_loop_test(tc, xtext_stands_for_its_octets, 0, sizeof rows / sizeof rows[0]);
    tcase_add_loop_test(tc, octets_come_back_as_they_were, 0, sizeof rows / sizeof rows[0]);
    tcase_add_loop_test(tc, what_is_not_xtext_is_told, 0, sizeof bad / sizeof bad[0]);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
