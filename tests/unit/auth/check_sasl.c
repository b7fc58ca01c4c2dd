/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sasl.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "s3cret pass"

static const struct sasl_identity identity = {"web1@example.com", {SECRET, sizeof SECRET - 1}};

/* What is allowed and offered, and what is chosen or the fault's code with words of it. */
static const struct {
    const char *allowed, *offered;
    const char *chosen;
    const char *code, *said, *fix;
} choices[] = {
    {NULL, "PLAIN LOGIN", "PLAIN", NULL, NULL, NULL},
    {NULL, "LOGIN PLAIN", "PLAIN", NULL, NULL, NULL},
    {NULL, "LOGIN", "LOGIN", NULL, NULL, NULL},
    {NULL, "GSSAPI  NTLM LOGIN XOAUTH2", "LOGIN", NULL, NULL, NULL},
    {"LOGIN PLAIN", "PLAIN LOGIN", "LOGIN", NULL, NULL, NULL},
    {"SCRAM-SHA-256 PLAIN", "PLAIN", "PLAIN", NULL, NULL, NULL},
    {"login", "PLAIN LOGIN", "LOGIN", NULL, NULL, NULL},
    {"PLAIN", "PLAIN-CLIENTTOKEN PLAIN", "PLAIN", NULL, NULL, NULL},
    {NULL, "PLAIN-CLIENTTOKEN", NULL, "AUTH-NOMECH", "only the login mechanisms PLAIN-CLIENT",
     "PLAIN or LOGIN"},
    {NULL, "DIGEST-MD5 NTLM", NULL, "AUTH-NOMECH",
     "DIGEST-MD5 NTLM, of which there is none in auth (PLAIN LOGIN)", "PLAIN or LOGIN"},
    {NULL, "", NULL, "AUTH-NOMECH", "names no mechanism", "port"},
    {NULL, " ", NULL, "AUTH-NOMECH", "names no mechanism", "port"},
    {NULL, "XOAUTH2 OAUTHBEARER", NULL, "AUTH-OAUTH-ONLY", "token (XOAUTH2 OAUTHBEARER)",
     "provider"},
    {"LOGIN", "PLAIN", NULL, "AUTH-POLICY-FILTER",
     "mechanisms PLAIN, but auth allows only LOGIN", "leave auth out"},
    {"SCRAM-SHA-256", "LOGIN XOAUTH2", NULL, "AUTH-POLICY-FILTER",
     "LOGIN XOAUTH2, but auth allows only SCRAM-SHA-256", "leave auth out"},
    {"", "PLAIN", NULL, "AUTH-POLICY-FILTER", "PLAIN, but auth allows only", "leave auth out"},
};

START_TEST(the_first_allowed_that_is_offered_is_chosen)
{
    struct fault f = {0};
    struct sasl *s = sasl_new(choices[_i].allowed, choices[_i].offered, &identity, &f);
    if (choices[_i].chosen) {
        ck_assert_msg(s != NULL, "%s", f.text);
        ck_assert_str_eq(sasl_mechanism(s), choices[_i].chosen);
        sasl_free(s);
        return;
    }
    ck_assert(s == NULL);
    ck_assert_str_eq(f.code, choices[_i].code);
    ck_assert_int_eq(f.scope, FAULT_ACCOUNT);
    ck_assert(!f.permanent);
    ck_assert_msg(strstr(f.text, choices[_i].said) != NULL, "%s", f.text);
    ck_assert_msg(strstr(f.fix, choices[_i].fix) != NULL, "%s", f.fix);
}
END_TEST

static const struct {
    struct sasl_identity identity;
    const char *said;
} unfit[] = {
    {{NULL, STR_LIT("p")}, "no user"},   {{"", STR_LIT("p")}, "no user"},
    {{"u", STR_LIT("")}, "no password"}, {{"u", STR_LIT("p\0q")}, "NUL"},
    {{"u", STR_LIT("\0")}, "NUL"},
};

START_TEST(an_identity_that_cannot_be_sent_is_refused)
{
    struct fault f;
    ck_assert(sasl_new(NULL, "LOGIN PLAIN", &unfit[_i].identity, &f) == NULL);
    ck_assert_str_eq(f.code, "CRED-FILE");
    ck_assert_int_eq(f.scope, FAULT_ACCOUNT);
    ck_assert_msg(strstr(f.text, unfit[_i].said) != NULL, "%s", f.text);
}
END_TEST

static struct sasl *begin(const char *mechanism, struct buf *out)
{
    struct fault f;
    struct sasl *s = sasl_new(NULL, mechanism, &identity, &f);
    ck_assert_msg(s != NULL, "%s", f.text);
    buf_init(out, 1000);
    out->secret = true;
    return s;
}

static void expect_refused_step(struct sasl *s, struct buf *out, const char *challenge)
{
    struct fault f;
    size_t before = buf_len(out);
    ck_assert(!sasl_step(s, str_of(challenge), out, &f));
    ck_assert_uint_eq(buf_len(out), before);
    ck_assert_str_eq(f.code, "AUTH-BADSERVER");
    ck_assert_int_eq(f.scope, FAULT_SERVER);
    ck_assert_ptr_nonnull(strstr(f.text, sasl_mechanism(s)));
    ck_assert_ptr_null(strstr(f.text, SECRET));
}

START_TEST(plain_is_one_message_without_an_authorization_identity)
{
    struct buf out;
    struct sasl *s = begin("PLAIN", &out);
    ck_assert(sasl_initial(s, &out));
    ck_assert(str_eq(buf_str(&out), STR_LIT("\0web1@example.com\0" SECRET)));
    expect_refused_step(s, &out, "");
    expect_refused_step(s, &out, "more?");
    sasl_free(s);
    buf_release(&out);
}
END_TEST

/* Whatever the prompts say, also nothing or the wrong way round. */
static const char *const prompts[][2] = {
    {"Username:", "Password:"}, {"", ""}, {"Password:", "Username:"}, {"User Name\0", "Pass"},
    {"Benutzer", "\xFF"},
};

START_TEST(login_answers_user_then_password_whatever_is_asked)
{
    struct buf out;
    struct fault f;
    struct sasl *s = begin("LOGIN", &out);
    ck_assert(!sasl_initial(s, &out));
    ck_assert_uint_eq(buf_len(&out), 0);
    ck_assert(sasl_step(s, str_of(prompts[_i][0]), &out, &f));
    ck_assert(str_eq(buf_str(&out), STR_LIT("web1@example.com")));
    buf_clear(&out);
    ck_assert(sasl_step(s, str_of(prompts[_i][1]), &out, &f));
    ck_assert(str_eq(buf_str(&out), STR_LIT(SECRET)));
    expect_refused_step(s, &out, "Username:");
    sasl_free(s);
    buf_release(&out);
}
END_TEST

START_TEST(the_identitys_owner_may_forget_its_struct)
{
    struct buf out;
    struct fault f;
    struct sasl_identity passing = identity;
    struct sasl *s = sasl_new(NULL, "PLAIN", &passing, &f);
    memset(&passing, 0x5A, sizeof passing);
    buf_init(&out, 100);
    ck_assert(sasl_initial(s, &out));
    ck_assert_uint_eq(buf_len(&out), 2 + strlen("web1@example.com") + strlen(SECRET));
    sasl_free(s);
    sasl_free(NULL);
    buf_release(&out);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("sasl");
    TCase *tc = tcase_create("sasl");
    tcase_add_loop_test(tc, the_first_allowed_that_is_offered_is_chosen, 0, COUNT(choices));
    tcase_add_loop_test(tc, an_identity_that_cannot_be_sent_is_refused, 0, COUNT(unfit));
    tcase_add_test(tc, plain_is_one_message_without_an_authorization_identity);
    tcase_add_loop_test(tc, login_answers_user_then_password_whatever_is_asked, 0,
                        COUNT(prompts));
    tcase_add_test(tc, the_identitys_owner_may_forget_its_struct);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
