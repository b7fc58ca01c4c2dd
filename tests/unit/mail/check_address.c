/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "address.h"

#include "address_set.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A16 "aaaaaaaaaaaaaaaa"
#define A63 A16 A16 A16 "aaaaaaaaaaaaaaa"

static const char *const mailboxes[] = {
    "root",
    "a@b",
    "a.b+c@d.example",
    "!#$%&'*+-/=?^_`{|}~@d",
    "-f@d",
    "|cmd",
    "/file",
    "\"john doe\"@d",
    "\"\"@d",
    "\"a@b\"@d",
    "\"a\\\"b\\\\\"@d",
    "\"john doe\"",
    "u@[192.0.2.1]",
    "u@[IPv6:2001:db8::1]",
    "u@[ipv6:::1]",
    "b\xC3\xB6"
    "b@d",
    "a@b\xC3\xBC.example",
    "\"b\xC3\xB6 b\"@d",
    "a@under_score.example",
    "a@1.2.3.4",
    A63 "a@d",
    "a@" A63,
    "a@b\xC3\xBC" A63,
    "a@" A63 "." A63 "." A63 "." A63,
};

static const char *const no_mailboxes[] = {
    "",
    "@",
    "@d",
    "a@",
    "a@b@c",
    "<a@b>",
    "a b@c",
    "a@b c",
    ".a@d",
    "a.@d",
    "a..b@d",
    "a@.b",
    "a@b.",
    "a@b..c",
    "a@-b",
    "a@b-",
    "a\n@d",
    "a@d\r",
    "a\t@d",
    "\"a\tb\"@d",
    "\"a\nb\"@d",
    "\"a\x7F\"@d",
    "\"a",
    "\"a\"b@d",
    "\"a\\\"@d",
    "\"a\\",
    "a\"b\"@d",
    "a@\"d\"",
    "b\xF6"
    "b@d",
    "a\xC2\x80@d",
    "a@d\xC2\x9F",
    "u@[192.0.2.256]",
    "u@[192.0.2]",
    "u@[IPv6:192.0.2.1]",
    "u@[2001:db8::1]",
    "u@[IPv6:2001:db8:::1]",
    "u@[]",
    "u@[",
    "u@[192.0.2.1",
    "u@[192.0.2.1]x",
    "u@[IPv6:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]",
    "a,b@d",
    "a;b@d",
    "a(b)@d",
    "a\\b@d",
    ":include:/x",
    A63 "aa@d",
    "a@" A63 "a",
    "a@" A63 "." A63 "." A63 "." A63 ".a",
};

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

START_TEST(a_mailbox_is_taken)
{
    const char *text = mailboxes[_i];
    ck_assert_msg(address_is_mailbox(str_of(text)), "%s", text);
}
END_TEST

START_TEST(anything_else_is_refused)
{
    const char *text = no_mailboxes[_i];
    ck_assert_msg(!address_is_mailbox(str_of(text)), "%s", text);
}
END_TEST

START_TEST(a_nul_is_refused_everywhere)
{
    static const char text[] = "\"ab\"@d.e";
    for (size_t i = 0; i <= strlen(text); i++) {
        char with_nul[16];
        memcpy(with_nul, text, i);
        with_nul[i] = '\0';
        memcpy(with_nul + i + 1, text + i, strlen(text) - i);
        ck_assert(!address_is_mailbox((struct str){with_nul, strlen(text) + 1}));
    }
    ck_assert(!address_is_mailbox((struct str){"u@[1.2.3.4\0]", 12}));
}
END_TEST

static const struct {
    const char *mailbox, *local, *domain;
} halves[] = {
    {"a@b", "a", "b"},
    {"root", "root", ""},
    {"\"a@b\"@c", "\"a@b\"", "c"},
    {"\"a\\\"@b\"@c", "\"a\\\"@b\"", "c"},
    {"\"a@b\"", "\"a@b\"", ""},
    {"", "", ""},
};

START_TEST(the_domain_begins_at_the_last_at_sign_outside_quotes)
{
    struct str mailbox = str_of(halves[_i].mailbox);
    ck_assert(str_eq(address_local(mailbox), str_of(halves[_i].local)));
    ck_assert(str_eq(address_domain(mailbox), str_of(halves[_i].domain)));
}
END_TEST

START_TEST(only_the_domain_ignores_letter_case)
{
    ck_assert(address_same(STR_LIT("a@B.c"), STR_LIT("a@b.C")));
    ck_assert(!address_same(STR_LIT("A@b.c"), STR_LIT("a@b.c")));
    ck_assert(!address_same(STR_LIT("a"), STR_LIT("a@b")));
    ck_assert(address_same(STR_LIT("root"), STR_LIT("root")));
    ck_assert(!address_same(STR_LIT("root"), STR_LIT("Root")));
}
END_TEST

START_TEST(a_missing_domain_is_completed)
{
    static const char *const cases[][2] = {
        {"root", "root@m"}, {"a@b", "a@b"}, {"\"a@b\"", "\"a@b\"@m"}};
    struct buf out;
    buf_init(&out, 100);
    for (int i = 0; i < COUNT(cases); i++) {
        buf_clear(&out);
        address_complete(&out, str_of(cases[i][0]), STR_LIT("m"));
        ck_assert(str_eq(buf_str(&out), str_of(cases[i][1])));
    }
    buf_release(&out);
}
END_TEST

START_TEST(one_octet_over_127_makes_it_utf8)
{
    ck_assert(!address_is_utf8(STR_LIT("a\x7F@b")));
    ck_assert(address_is_utf8(STR_LIT("a@b\xC3\xBC")));
}
END_TEST

START_TEST(a_set_has_each_address_once_in_the_order_they_came)
{
    struct address_set set = {.n = 0};
    char text[40];
    ck_assert_uint_eq(address_set_find(&set, STR_LIT("a@d")), SIZE_MAX);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "user%d@example.com", i);
        ck_assert(address_set_add(&set, str_of(text)));
        snprintf(text, sizeof text, "user%d@EXAMPLE.com", i / 2);
        ck_assert(!address_set_add(&set, str_of(text)));
    }
    ck_assert(address_set_add(&set, STR_LIT("User7@example.com")));
    ck_assert_uint_eq(set.n, 5001);
    ck_assert_str_eq(set.texts[4999], "user4999@example.com");
    ck_assert_uint_eq(address_set_find(&set, STR_LIT("user7@Example.Com")), 7);
    ck_assert_uint_eq(address_set_find(&set, STR_LIT("user7")), SIZE_MAX);
    address_set_release(&set);
    ck_assert_uint_eq(set.n, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("address");
    TCase *tc = tcase_create("mailbox");
    tcase_add_loop_test(tc, a_mailbox_is_taken, 0, COUNT(mailboxes));
    tcase_add_loop_test(tc, anything_else_is_refused, 0, COUNT(no_mailboxes));
    tcase_add_test(tc, a_nul_is_refused_everywhere);
    tcase_add_loop_test(tc, the_domain_begins_at_the_last_at_sign_outside_quotes, 0,
                        COUNT(halves));
    tcase_add_test(tc, only_the_domain_ignores_letter_case);
    tcase_add_test(tc, a_missing_domain_is_completed);
    tcase_add_test(tc, one_octet_over_127_makes_it_utf8);
    tcase_add_test(tc, a_set_has_each_address_once_in_the_order_they_came);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
