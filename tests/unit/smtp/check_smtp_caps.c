/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_caps.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct offer {
    const char *lines; /* separated by '|' */
    unsigned set;
    uint64_t size_bytes;
    const char *auth;
} offers[] = {
    {"PIPELINING|8BITMIME", SMTP_CAP_PIPELINING | SMTP_CAP_8BITMIME, 0, ""},
    {"pipelining|StartTls", SMTP_CAP_PIPELINING | SMTP_CAP_STARTTLS, 0, ""},
    {"STARTTLSX|XSTARTTLS|START TLS|STARTTLS-NOT", 0, 0, ""},
    {"STARTTLS \t", SMTP_CAP_STARTTLS, 0, ""},
    {" STARTTLS", SMTP_CAP_STARTTLS, 0, ""},
    {"", 0, 0, ""},
    {"ENHANCEDSTATUSCODES|DSN|CHUNKING|REQUIRETLS",
     SMTP_CAP_ENHANCEDSTATUSCODES | SMTP_CAP_DSN | SMTP_CAP_CHUNKING | SMTP_CAP_REQUIRETLS, 0,
     ""},
    {"XTRANTER RCPTMAX=9", SMTP_CAP_XTRANTER, 0, ""},
    {"SIZE 1000", SMTP_CAP_SIZE, 1000, ""},
    {"SIZE", SMTP_CAP_SIZE, 0, ""},
    {"SIZE 0", SMTP_CAP_SIZE, 0, ""},
    {"SIZE many", SMTP_CAP_SIZE, 0, ""},
    {"SIZE -1", SMTP_CAP_SIZE, 0, ""},
    {"SIZE 18446744073709551615", SMTP_CAP_SIZE, UINT64_MAX, ""},
    {"SIZE 18446744073709551616", SMTP_CAP_SIZE, 0, ""},
    {"SIZE 99999999999999999999999", SMTP_CAP_SIZE, 0, ""},
    {"SIZE=1000", 0, 0, ""},
    {"SMTPUTF8", SMTP_CAP_SMTPUTF8 | SMTP_CAP_8BITMIME, 0, ""},
    {"AUTH PLAIN LOGIN", SMTP_CAP_AUTH, 0, "PLAIN LOGIN"},
    {"AUTH=PLAIN LOGIN", SMTP_CAP_AUTH, 0, "PLAIN LOGIN"},
    {"auth plain|AUTH=LOGIN|AUTH Plain SCRAM-SHA-256-PLUS", SMTP_CAP_AUTH, 0,
     "PLAIN LOGIN SCRAM-SHA-256-PLUS"},
    {"AUTH  PLAIN\tLOGIN ", SMTP_CAP_AUTH, 0, "PLAIN LOGIN"},
    {"AUTH", SMTP_CAP_AUTH, 0, ""},
    {"AUTH=", SMTP_CAP_AUTH, 0, ""},
    {"AUTH PL\xc3\xa4IN P=A 123456789012345678901 12345678901234567890", SMTP_CAP_AUTH, 0,
     "12345678901234567890"},
    {"AUTHX PLAIN", 0, 0, ""},
    {"XXXXXXXA", SMTP_CAP_MASKED, 0, ""},
    {"XXXX", SMTP_CAP_MASKED, 0, ""},
    {"XXX|X|XCLIENT NAME|X-EXPS LOGIN|XFORWARD", 0, 0, ""},
};

static void add_lines(struct smtp_caps *caps, const char *lines)
{
    struct str rest = str_of(lines);
    for (bool more = true; more;) {
        size_t n = str_find(rest, '|');
        smtp_caps_add(caps, str_head(rest, n));
        more = n < rest.n;
        rest = str_tail(rest, n + 1);
    }
}

START_TEST(an_offer_is_read_for_what_it_says_and_no_more)
{
    const struct offer *o = &offers[_i];
    struct smtp_caps caps;
    smtp_caps_clear(&caps);
    add_lines(&caps, o->lines);
    ck_assert_msg(caps.set == o->set && caps.size_bytes == o->size_bytes &&
                      strcmp(caps.auth, o->auth) == 0,
                  "%s: %x %llu %s", o->lines, caps.set, (unsigned long long)caps.size_bytes,
                  caps.auth);
}
END_TEST

START_TEST(limits_are_read)
{
    struct smtp_caps caps;
    smtp_caps_clear(&caps);
    add_lines(&caps, "LIMITS RCPTMAX=50 mailmax=7 OTHER=1 RCPTMAX=x");
    ck_assert(smtp_caps_has(&caps, SMTP_CAP_LIMITS));
    ck_assert_uint_eq(caps.limit_rcpt, 50);
    ck_assert_uint_eq(caps.limit_mail, 7);
}
END_TEST

START_TEST(a_list_of_mechanisms_that_is_too_long_is_cut_between_words)
{
    struct smtp_caps caps;
    smtp_caps_clear(&caps);
    for (char a = 'A'; a <= 'Z'; a++) {
        char line[64] = "AUTH x-SEVENTEEN-LETTER";
        line[5] = a;
        smtp_caps_add(&caps, str_of(line));
    }
    size_t n = strlen(caps.auth);
    ck_assert_uint_lt(n, SMTP_CAPS_AUTH_MAX);
    ck_assert_str_eq(caps.auth + n - 17, "-SEVENTEEN-LETTER");
}
END_TEST

START_TEST(a_mechanism_is_found_whole_and_can_be_dropped)
{
    struct smtp_caps caps;
    smtp_caps_clear(&caps);
    smtp_caps_add(&caps, STR_LIT("AUTH SCRAM-SHA-1-PLUS SCRAM-SHA-1 PLAIN"));
    ck_assert(smtp_caps_has_auth(&caps, STR_LIT("SCRAM-SHA-1")));
    ck_assert(!smtp_caps_has_auth(&caps, STR_LIT("SCRAM-SHA")));
    ck_assert(!smtp_caps_has_auth(&caps, STR_LIT("")));
    smtp_caps_drop_auth(&caps, STR_LIT("SCRAM-SHA-1"));
    ck_assert_str_eq(caps.auth, "SCRAM-SHA-1-PLUS PLAIN");
    smtp_caps_drop_auth(&caps, STR_LIT("LOGIN"));
    smtp_caps_drop_auth(&caps, STR_LIT("PLAIN"));
    ck_assert_str_eq(caps.auth, "SCRAM-SHA-1-PLUS");
    smtp_caps_drop_auth(&caps, STR_LIT("SCRAM-SHA-1-PLUS"));
    ck_assert_str_eq(caps.auth, "");
}
END_TEST

START_TEST(nothing_is_left_after_clear)
{
    struct smtp_caps caps;
    smtp_caps_clear(&caps);
    add_lines(&caps, "AUTH PLAIN|SIZE 9|LIMITS RCPTMAX=1");
    smtp_caps_clear(&caps);
    ck_assert(caps.set == 0 && caps.size_bytes == 0 && caps.limit_rcpt == 0 && !caps.auth[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_caps");
    TCase *tc = tcase_create("smtp_caps");
    tcase_add_loop_test(tc, an_offer_is_read_for_what_it_says_and_no_more, 0,
                        (int)(sizeof offers / sizeof offers[0]));
    tcase_add_test(tc, limits_are_read);
    tcase_add_test(tc, a_list_of_mechanisms_that_is_too_long_is_cut_between_words);
    tcase_add_test(tc, a_mechanism_is_found_whole_and_can_be_dropped);
    tcase_add_test(tc, nothing_is_left_after_clear);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
