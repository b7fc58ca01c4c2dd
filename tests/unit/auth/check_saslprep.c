/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "saslprep.h"

#include <check.h>
#include <stdlib.h>

/* The first seven are RFC 4013 section 3's. */
static const struct {
    struct str text;
    const char *stored, *query; /* prepared; NULL: refused */
} texts[] = {
    {STR_LIT("I\xC2\xADX"), "IX", "IX"},
    {STR_LIT("user"), "user", "user"},
    {STR_LIT("USER"), "USER", "USER"},
    {STR_LIT("\xC2\xAA"), "a", "a"},
    {STR_LIT("\xE2\x85\xA8"), "IX", "IX"},
    {STR_LIT("\x07"), NULL, NULL},
    {STR_LIT("\xD8\xA7\x31"), NULL, NULL},
    {STR_LIT("p\xC3\xA8re"), "p\xC3\xA8re", "p\xC3\xA8re"},
    {STR_LIT("pe\xCC\x80re"), "p\xC3\xA8re", "p\xC3\xA8re"}, /* composed */
    {STR_LIT("a\xC2\xA0"
             "b"),
     "a b", "a b"}, /* no-break space */
    {STR_LIT(" a  b "), " a  b ", " a  b "},
    {STR_LIT("\xC2\xAD"), NULL, NULL}, /* nothing is left */
    {STR_LIT(""), NULL, NULL},
    {STR_LIT("a\0b"), NULL, NULL},
    {STR_LIT("a\0\xC3\xA8"), NULL, NULL},
    {STR_LIT("a\x7F"), NULL, NULL},
    {STR_LIT("a\tb"), NULL, NULL},
    {STR_LIT("\xE8"), NULL, NULL}, /* not UTF-8 */
    {STR_LIT("\xC3"), NULL, NULL},
    {STR_LIT("\xED\xA0\x80"), NULL, NULL},                   /* a surrogate */
    {STR_LIT("\xF0\x9F\x94\x91"), NULL, "\xF0\x9F\x94\x91"}, /* younger than Unicode 3.2 */
};

static void expect(struct str text, enum saslprep_use use, const char *prepared)
{
    struct buf out;
    buf_init(&out, 100);
    buf_puts(&out, "(");
    ck_assert_int_eq(saslprep(&out, text, use), prepared != NULL);
    buf_consume(&out, 1);
    ck_assert_msg(str_eq(buf_str(&out), str_of(prepared)), "%.*s", STR_FMT(buf_str(&out)));
    buf_release(&out);
}

START_TEST(texts_are_prepared_or_refused)
{
    expect(texts[_i].text, SASLPREP_STORED, texts[_i].stored);
    expect(texts[_i].text, SASLPREP_QUERY, texts[_i].query);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    struct buf out;
    buf_init(&out, 3);
    ck_assert(!saslprep(&out, STR_LIT("abcd"), SASLPREP_STORED));
    buf_clear(&out);
    ck_assert(!saslprep(&out, STR_LIT("ab\xC3\xA8"), SASLPREP_STORED));
    buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("saslprep");
    TCase *tc = tcase_create("saslprep");
    tcase_add_loop_test(tc, texts_are_prepared_or_refused, 0,
                        (int)(sizeof texts / sizeof texts[0]));
    tcase_add_test(tc, what_does_not_fit_is_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
