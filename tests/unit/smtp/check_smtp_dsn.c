/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_dsn.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *value;
    unsigned notify; /* 0: refused */
} notifies[] = {
    {"NEVER", SMTP_NOTIFY_NEVER},
    {"never", SMTP_NOTIFY_NEVER},
    {"SUCCESS", SMTP_NOTIFY_SUCCESS},
    {"failure", SMTP_NOTIFY_FAILURE},
    {"Delay", SMTP_NOTIFY_DELAY},
    {"SUCCESS,FAILURE", SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE},
    {"delay,failure,success", SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY},
    {"FAILURE,FAILURE", SMTP_NOTIFY_FAILURE},
    {"", 0},
    {",", 0},
    {"NEVER,FAILURE", 0},
    {"FAILURE,NEVER", 0},
    {"NEVER,", 0},
    {",NEVER", 0},
    {"SUCCESS,", 0},
    {"SUCCESS,,DELAY", 0},
    {"SUCCESS;DELAY", 0},
    {"SUCCES", 0},
    {"SUCCESSS", 0},
    {"ALWAYS", 0},
};

START_TEST(notify_is_never_or_a_list)
{
    unsigned notify = 77;
    bool good = smtp_dsn_notify(str_of(notifies[_i].value), &notify);
    ck_assert_msg(good == (notifies[_i].notify != 0), "%s", notifies[_i].value);
    ck_assert_uint_eq(notify, good ? notifies[_i].notify : 77);
}
END_TEST

START_TEST(ret_is_full_or_hdrs)
{
    enum smtp_ret ret = SMTP_RET_UNSET;
    ck_assert(!smtp_dsn_ret(STR_LIT(""), &ret) && !smtp_dsn_ret(STR_LIT("FULLY"), &ret) &&
              !smtp_dsn_ret(STR_LIT("FUL"), &ret));
    ck_assert_int_eq(ret, SMTP_RET_UNSET);
    ck_assert(smtp_dsn_ret(STR_LIT("full"), &ret));
    ck_assert_int_eq(ret, SMTP_RET_FULL);
    ck_assert(smtp_dsn_ret(STR_LIT("HDRS"), &ret));
    ck_assert_int_eq(ret, SMTP_RET_HDRS);
}
END_TEST

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
    struct str value;
    bool good;
} envids[] = {
    {STR_LIT("QQ314159"), true},
    {STR_LIT("a+20b+2B+3D"), true},
    {STR_LIT(HUNDRED), true},
    {STR_LIT("+20+20+20" TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456"), true},
    {STR_LIT(HUNDRED "x"), false},
    {STR_LIT(""), false},
    {STR_LIT("+0D+0A"), false},
    {STR_LIT("a+00"), false},
    {STR_LIT("+7F"), false},
    {STR_LIT("+C3+A4"), false},
    {STR_LIT("a b"), false},
    {STR_LIT("a=b"), false},
    {STR_LIT("a+2"), false},
    {STR_LIT("a+2b"), false},
    {STR_LIT("\xc3\xa4"), false},
};

START_TEST(an_envelope_id_is_printable)
{
    ck_assert_msg(smtp_dsn_is_envid(envids[_i].value) == envids[_i].good, "%s",
                  envids[_i].value.p);
}
END_TEST

static const struct {
    const char *value;
    bool good, good_utf8;
    const char *ascii; /* NULL: as it is */
} orcpts[] = {
    {"rfc822;a@example.com", true, true, NULL},
    {"RFC822;a+2Bb@example.com", true, true, NULL},
    {"x-x400;/c=us/", false, false, NULL},
    {"x-x400;/c+3Dus/", true, true, NULL},
    {"utf-8;a\\x{E4}@example.com", true, true, NULL},
    {"utf-8;a\xc3\xa4@example.com", false, true, "utf-8;a\\x{E4}@example.com"},
    {"UTF-8;\xe2\x82\xac\xf0\x9f\x93\xa7@x", false, true, "UTF-8;\\x{20AC}\\x{1F4E7}@x"},
    {"rfc822;a\xc3\xa4@example.com", false, false, NULL},
    {"utf-8;a\xc3@example.com", false, false, NULL},
    {"utf-8;\xc3\xa4+20@x", false, false, NULL},
    {"utf-8;\xc3\xa4=@x", false, false, NULL},
    {"rfc822", false, false, NULL},
    {"rfc822;", false, false, NULL},
    {";a@example.com", false, false, NULL},
    {"rfc 822;a@example.com", false, false, NULL},
    {"rfc+822;a@example.com", false, false, NULL},
    {"rfc822@;a@example.com", false, false, NULL},
    {"a@example.com", false, false, NULL},
    {"rfc822;a+4", false, false, NULL},
};

START_TEST(an_original_recipient_has_a_type_and_an_address)
{
    struct str value = str_of(orcpts[_i].value);
    struct buf out;
    ck_assert_msg(smtp_dsn_is_orcpt(value, false) == orcpts[_i].good, "%s", value.p);
    ck_assert_msg(smtp_dsn_is_orcpt(value, true) == orcpts[_i].good_utf8, "%s", value.p);
    if (!orcpts[_i].good_utf8)
        return;
    buf_init(&out, 4 * SMTP_DSN_ORCPT_MAX);
    smtp_dsn_put_orcpt(&out, value);
    ck_assert(str_eq(buf_str(&out), orcpts[_i].ascii ? str_of(orcpts[_i].ascii) : value));
    ck_assert(smtp_dsn_is_orcpt(buf_str(&out), false));
    buf_release(&out);
}
END_TEST

START_TEST(an_original_recipient_has_a_limit)
{
    char value[SMTP_DSN_ORCPT_MAX + 1];
    memset(value, 'a', sizeof value);
    memcpy(value, "rfc822;", 7);
    ck_assert(smtp_dsn_is_orcpt((struct str){value, SMTP_DSN_ORCPT_MAX}, true));
    ck_assert(!smtp_dsn_is_orcpt((struct str){value, SMTP_DSN_ORCPT_MAX + 1}, true));
}
END_TEST

/* Whatever is cut off, nothing behind the end is looked at. */
START_TEST(values_are_cut_at_every_point)
{
    static const char *const whole[] = {"SUCCESS,FAILURE,DELAY", "a+20b+2B",
                                        "utf-8;a\xc3\xa4+\\x{20AC}@x"};
    for (size_t n = 0; n <= strlen(whole[_i]); n++) {
        char *exact = malloc(n + 1);
        memcpy(exact, whole[_i], n);
        struct str value = {exact, n};
        unsigned notify;
        enum smtp_ret ret;
        bool read[] = {smtp_dsn_notify(value, &notify), smtp_dsn_ret(value, &ret),
                       smtp_dsn_is_envid(value), smtp_dsn_is_orcpt(value, true)};
        ck_assert(n > 0 || !(read[0] || read[1] || read[2] || read[3]));
        free(exact);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_dsn");
    TCase *tc = tcase_create("smtp_dsn");
    tcase_add_loop_test(tc, notify_is_never_or_a_list, 0, COUNT(notifies));
    tcase_add_test(tc, ret_is_full_or_hdrs);
    tcase_add_loop_test(tc, an_envelope_id_is_printable, 0, COUNT(envids));
    tcase_add_loop_test(tc, an_original_recipient_has_a_type_and_an_address, 0, COUNT(orcpts));
    tcase_add_test(tc, an_original_recipient_has_a_limit);
    tcase_add_loop_test(tc, values_are_cut_at_every_point, 0, 3);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
