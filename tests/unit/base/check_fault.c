/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err and fault: sentences by value. */
#include "err.h"
#include "fault.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(an_error_is_a_sentence_and_minus_one)
{
    struct err err;
    ck_assert_int_eq(err_set(&err, "%s:%d: %s", "tranter.conf", 3, "unknown key"), -1);
    ck_assert_str_eq(err.text, "tranter.conf:3: unknown key");
    ck_assert_int_eq(err_set(NULL, "nobody asked"), -1);
}
END_TEST

START_TEST(a_long_error_is_cut_at_its_end)
{
    struct err err;
    err_set(&err, "%0600d", 7);
    ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
}
END_TEST

START_TEST(every_scope_has_its_name)
{
    static const char *const names[] = {"none",   "server",  "account",
                                        "sender", "message", "recipient"};
    for (int scope = FAULT_NONE; scope <= FAULT_RECIPIENT; scope++)
        ck_assert_str_eq(fault_scope_name((enum fault_scope)scope), names[scope]);
}
END_TEST

START_TEST(a_fault_is_filled_afresh)
{
    struct fault f;
    memset(&f, 0x5A, sizeof f);
    fault_set(&f, FAULT_RECIPIENT, "5.1.1", "RCPT-UNKNOWN", "%s does not exist", "a@b");
    ck_assert_int_eq(f.scope, FAULT_RECIPIENT);
    ck_assert(f.permanent && !f.ambiguous);
    ck_assert_str_eq(f.status, "5.1.1");
    ck_assert_str_eq(f.code, "RCPT-UNKNOWN");
    ck_assert_str_eq(f.text, "a@b does not exist");
    ck_assert_str_eq(f.fix, "");
    ck_assert_str_eq(f.reply, "");
    fault_set(&f, FAULT_SERVER, "4.4.1", "TCP-REFUSED", "refused");
    ck_assert(!f.permanent);
}
END_TEST

START_TEST(what_others_said_is_made_harmless_and_cut)
{
    struct fault f;
    char words[2000];
    memset(words, 'x', sizeof words);
    fault_set(&f, FAULT_MESSAGE, "5.7.1", "CONTENT-REJECT", "it said \"%s\"", "a\r\nb\033[2J");
    fault_fix(&f, "see %s", "c\nd\xFF");
    fault_reply(&f, STR_LIT("550-one\r\n550 two\0\r\n"));
    ck_assert_str_eq(f.text, "it said \"a b\\x1B[2J\"");
    ck_assert_str_eq(f.fix, "see c d\\xFF");
    ck_assert_str_eq(f.reply, "550-one 550 two\\x00");
    fault_reply(&f, (struct str){words, sizeof words});
    ck_assert_uint_eq(strlen(f.reply), FAULT_TEXT_MAX - 1);
    ck_assert_str_eq(f.reply + FAULT_TEXT_MAX - 5, "x...");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fault");
    TCase *tc = tcase_create("fault");
    tcase_add_test(tc, an_error_is_a_sentence_and_minus_one);
    tcase_add_test(tc, a_long_error_is_cut_at_its_end);
    tcase_add_test(tc, every_scope_has_its_name);
    tcase_add_test(tc, a_fault_is_filled_afresh);
    tcase_add_test(tc, what_others_said_is_made_harmless_and_cut);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
