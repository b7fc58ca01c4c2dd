/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "identity.h"
#include "say.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *login, *gecos, *fallback;
    const char *expected_login, *expected_name;
} people[] = {
    {"alice", "Alice Liddell,Room 1,,", NULL, "alice", "Alice Liddell"},
    {"alice", "& Liddell", NULL, "alice", "Alice Liddell"},
    {"alice", "", NULL, "alice", ""},
    {"alice", NULL, "bob", "alice", ""},
    {"DOM\\al", "Al", NULL, "\"DOM\\\\al\"", "Al"},
    {"two words", "", NULL, "\"two words\"", ""},
    {"al@dom", "", NULL, "\"al@dom\"", ""},
    {NULL, NULL, "app.user_1-x", "app.user_1-x", ""},
    {NULL, NULL, "evil\nBcc: x", "uid-4242", ""},
    {NULL, NULL, "a b", "uid-4242", ""},
    {NULL, NULL, "", "uid-4242", ""},
    {NULL, NULL, NULL, "uid-4242", ""},
    {"", "", "bob", "bob", ""},
};

START_TEST(who_calls_is_an_address_and_a_name)
{
    struct identity who;
    identity_set(&who, 4242, people[_i].login, people[_i].gecos, people[_i].fallback);
    ck_assert_str_eq(who.login, people[_i].expected_login);
    ck_assert_str_eq(who.name, people[_i].expected_name);
}
END_TEST

static const struct {
    const char *name, *field;
} names[] = {
    {"", "From: a@b\r\n"},
    {"  ", "From: a@b\r\n"},
    {"Alice Liddell", "From: Alice Liddell <a@b>\r\n"},
    {"Bob B.", "From: \"Bob B.\" <a@b>\r\n"},
    {"Last, First", "From: \"Last, First\" <a@b>\r\n"},
    {"a \"b\" \\c", "From: \"a \\\"b\\\" \\\\c\" <a@b>\r\n"},
    {"x\r\nBcc: y@z", "From: \"x  Bcc: y@z\" <a@b>\r\n"},
    {"=?utf-8?Q?x?=", "From: =?utf-8?Q?x?= <a@b>\r\n"},
    {"J\xC3\xB6rg", "From: =?utf-8?B?SsO2cmc=?= <a@b>\r\n"},
    {"J\xF6rg", "From: =?unknown-8bit?B?SvZyZw==?= <a@b>\r\n"},
    {"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
     "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4x\xC3\xA4\xC3\xA4",
     "From: =?utf-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpHg=?=\r\n"
     " =?utf-8?B?w6TDpA==?=\r\n <a@b>\r\n"},
};

START_TEST(a_name_is_written_as_its_bytes_demand)
{
    struct buf out;
    buf_init(&out, 1000);
    identity_put_field(&out, "From", names[_i].name, STR_LIT("a@b"));
    ck_assert_msg(str_eq(buf_str(&out), str_of(names[_i].field)), "%.*s",
                  STR_FMT(buf_str(&out)));
    buf_release(&out);
}
END_TEST

START_TEST(a_long_name_is_cut_between_characters)
{
    char name[1001];
    struct buf out;
    for (size_t i = 0; i < 1000; i += 2)
        memcpy(name + i, "\xC3\xA4", 2);
    name[1000] = '\0';
    buf_init(&out, 4096);
    identity_put_field(&out, "From", name, STR_LIT("a@b"));
    ck_assert(!out.failed);
    ck_assert_ptr_null(memmem(buf_str(&out).p, buf_len(&out), "unknown", 7));
    ck_assert_uint_lt(buf_len(&out), 800);
    buf_release(&out);
}
END_TEST

static const struct {
    const char *words, *line;
} lines[] = {
    {"plain", "sendmail: plain\n"},
    {"two\nlines", "sendmail: two lines\n"},
    {"J\xC3\xB6rg \xFF\x1B[1m", "sendmail: J\\xC3\\xB6rg \\xFF\\x1B[1m\n"},
    {"", "sendmail: \n"},
};

START_TEST(what_is_said_is_one_line_of_ascii)
{
    struct buf out;
    buf_init(&out, SAY_LINE_MAX);
    say_line(&out, "sendmail", str_of(lines[_i].words));
    ck_assert_msg(str_eq(buf_str(&out), str_of(lines[_i].line)), "%.*s",
                  STR_FMT(buf_str(&out)));
    buf_release(&out);
}
END_TEST

START_TEST(what_is_said_has_an_end)
{
    char words[5001];
    struct buf out;
    memset(words, '\xFF', 5000);
    words[5000] = '\0';
    buf_init(&out, SAY_LINE_MAX);
    say_line(&out, "sendmail", str_of(words));
    ck_assert(!out.failed);
    ck_assert_int_eq(buf_str(&out).p[buf_len(&out) - 1], '\n');
    buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tc = tcase_create("identity");
    tcase_add_loop_test(tc, who_calls_is_an_address_and_a_name, 0,
                        (int)(sizeof people / sizeof people[0]));
    tcase_add_loop_test(tc, a_name_is_written_as_its_bytes_demand, 0,
                        (int)(sizeof names / sizeof names[0]));
    tcase_add_test(tc, a_long_name_is_cut_between_characters);
    tcase_add_loop_test(tc, what_is_said_is_one_line_of_ascii, 0,
                        (int)(sizeof lines / sizeof lines[0]));
    tcase_add_test(tc, what_is_said_has_an_end);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
