/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base64.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4648 section 10, and bytes that use all of the alphabet. */
static const struct {
    struct str raw, text;
} pairs[] = {
    {STR_LIT(""), STR_LIT("")},
    {STR_LIT("f"), STR_LIT("Zg==")},
    {STR_LIT("fo"), STR_LIT("Zm8=")},
    {STR_LIT("foo"), STR_LIT("Zm9v")},
    {STR_LIT("foob"), STR_LIT("Zm9vYg==")},
    {STR_LIT("fooba"), STR_LIT("Zm9vYmE=")},
    {STR_LIT("foobar"), STR_LIT("Zm9vYmFy")},
    {STR_LIT("\0user\0pass"), STR_LIT("AHVzZXIAcGFzcw==")},
    {STR_LIT("\xFB\xFF\xBF"), STR_LIT("+/+/")},
    {STR_LIT("\x00\x10\x83\x10\x51\x87\x20\x92\x8B\x30\xD3\x8F"), STR_LIT("ABCDEFGHIJKLMNOP")},
};

START_TEST(encoded_and_decoded_it_is_the_same)
{
    struct buf out;
    buf_init(&out, 100);
    base64_encode(&out, pairs[_i].raw);
    ck_assert(str_eq(buf_str(&out), pairs[_i].text));
    buf_clear(&out);
    ck_assert(base64_decode(&out, pairs[_i].text));
    ck_assert(str_eq(buf_str(&out), pairs[_i].raw));
    buf_release(&out);
}
END_TEST

START_TEST(every_byte_value_survives)
{
    struct buf text, raw;
    char all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)(i * 149);
    for (size_t n = 0; n <= sizeof all; n++) {
        buf_init(&text, 1000);
        buf_init(&raw, n);
        base64_encode(&text, (struct str){all, n});
        ck_assert_uint_eq(buf_len(&text), (n + 2) / 3 * 4);
        ck_assert(base64_decode(&raw, buf_str(&text)));
        ck_assert(str_eq(buf_str(&raw), (struct str){all, n}));
        buf_release(&text);
        buf_release(&raw);
    }
}
END_TEST

static const struct str bad[] = {
    STR_LIT("Z"),        STR_LIT("Zg"),       STR_LIT("Zg="),       STR_LIT("Zg==="),
    STR_LIT("===="),     STR_LIT("Z==="),     STR_LIT("=AAA"),      STR_LIT("Zg=a"),
    STR_LIT("Zh=="),     STR_LIT("Zm9="),     STR_LIT("Zg==Zg=="),  STR_LIT("Zm9v\n"),
    STR_LIT(" Zm9v"),    STR_LIT("Zm 9v"),    STR_LIT("Zm9v Zm9v"), STR_LIT("Zm9\0"),
    STR_LIT("Zm9v\r\n"), STR_LIT("Zm9-"),     STR_LIT("Zm9_"),      STR_LIT("Zm9\xFF"),
    STR_LIT("!AAA"),     STR_LIT("AAAAA==="),
};

START_TEST(what_is_not_base64_leaves_no_trace)
{
    struct buf out;
    buf_init(&out, 100);
    buf_puts(&out, "kept");
    ck_assert(!base64_decode(&out, bad[_i]));
    ck_assert(str_eq(buf_str(&out), STR_LIT("kept")));
    ck_assert(!out.failed);
    buf_release(&out);
}
END_TEST

/* "foobar" into every room. */
START_TEST(what_does_not_fit_leaves_no_trace)
{
    for (size_t max = 0; max < 10; max++) {
        struct buf out;
        buf_init(&out, max);
        ck_assert_int_eq(base64_decode(&out, STR_LIT("Zm9vYmFy")), max >= 6);
        ck_assert_uint_eq(buf_len(&out), max >= 6 ? 6 : 0);
        ck_assert(!out.failed);
        buf_release(&out);
    }
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("base64");
    TCase *tc = tcase_create("base64");
    tcase_add_loop_test(tc, encoded_and_decoded_it_is_the_same, 0, COUNT(pairs));
    tcase_add_test(tc, every_byte_value_survives);
    tcase_add_loop_test(tc, what_is_not_base64_leaves_no_trace, 0, COUNT(bad));
    tcase_add_test(tc, what_does_not_fit_leaves_no_trace);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
