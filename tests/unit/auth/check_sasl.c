/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sasl.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "s3cret pass"

#define PASSWORD(name, text)                                                                   \
    {                                                                                          \
        .user = (name), .kind = SASL_SECRET_PASSWORD, .secret = STR_LIT(text)                  \
    }

static const struct sasl_identity identity = PASSWORD("web1@example.com", SECRET);
static const struct sasl_identity token = {
    .user = "web1@example.com", .kind = SASL_SECRET_TOKEN, .secret = STR_LIT("ya29.a0AX")};
static const struct sasl_identity certificate = {.user = "web1", .has_certificate = true};
static const struct sasl_identity nothing = {.user = "web1"};
static const struct sasl_identity bound = {.user = "web1",
                                           .kind = SASL_SECRET_PASSWORD,
                                           .secret = STR_LIT(SECRET),
                                           .has_certificate = true,
                                           .binding_name = "tls-exporter",
                                           .binding = STR_LIT("0123")};

#define ALL                                                                                    \
    "CRAM-MD5 LOGIN PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS "      \
    "XOAUTH2 OAUTHBEARER EXTERNAL"

/* What is allowed and offered, and what is chosen or the fault's code with words of it. */
static const struct {
    const struct sasl_identity *identity;
    const char *allowed, *offered;
    const char *chosen;
    const char *code, *said, *fix;
} choices[] = {
    {&identity, NULL, "PLAIN LOGIN", "PLAIN", NULL, NULL, NULL},
    {&identity, NULL, "LOGIN PLAIN", "PLAIN", NULL, NULL, NULL},
    {&identity, NULL, "LOGIN", "LOGIN", NULL, NULL, NULL},
    {&identity, NULL, "GSSAPI  NTLM LOGIN XOAUTH2", "LOGIN", NULL, NULL, NULL},
    {&identity, "LOGIN PLAIN", "PLAIN LOGIN", "LOGIN", NULL, NULL, NULL},
    {&identity, "SCRAM-SHA-256 PLAIN", "PLAIN", "PLAIN", NULL, NULL, NULL},
    {&identity, "login", "PLAIN LOGIN", "LOGIN", NULL, NULL, NULL},
    {&identity, "PLAIN", "PLAIN-CLIENTTOKEN PLAIN", "PLAIN", NULL, NULL, NULL},
    /* Our order, and what each needs. */
    {&identity, NULL, ALL, "SCRAM-SHA-256", NULL, NULL, NULL},
    {&bound, NULL, ALL, "EXTERNAL", NULL, NULL, NULL},
    {&bound, "SCRAM-SHA-1 SCRAM-SHA-256-PLUS", ALL, "SCRAM-SHA-1", NULL, NULL, NULL},
    {&bound, NULL, "PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS",
     "SCRAM-SHA-256-PLUS", NULL, NULL, NULL},
    {&bound, NULL, "PLAIN SCRAM-SHA-256 SCRAM-SHA-1-PLUS", "SCRAM-SHA-1-PLUS", NULL, NULL,
     NULL},
    {&bound, NULL, "PLAIN SCRAM-SHA-1 SCRAM-SHA-256", "SCRAM-SHA-256", NULL, NULL, NULL},
    {&bound, NULL, "LOGIN PLAIN SCRAM-SHA-1", "SCRAM-SHA-1", NULL, NULL, NULL},
    {&token, NULL, ALL, "OAUTHBEARER", NULL, NULL, NULL},
    {&token, NULL, "PLAIN XOAUTH2", "XOAUTH2", NULL, NULL, NULL},
    {&token, "XOAUTH2 OAUTHBEARER", ALL, "XOAUTH2", NULL, NULL, NULL},
    {&certificate, NULL, ALL, "EXTERNAL", NULL, NULL, NULL},
    /* CRAM-MD5 is never used unasked. */
    {&identity, "CRAM-MD5", ALL, "CRAM-MD5", NULL, NULL, NULL},
    {&identity, NULL, "CRAM-MD5", NULL, "AUTH-POLICY-FILTER",
     "mechanisms CRAM-MD5, but auth allows only EXTERNAL OAUTHBEARER XOAUTH2 "
     "SCRAM-SHA-256-PLUS "
     "SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN",
     "add one"},
    /* Nothing in common: both lists are named, and what there is to log in with. */
    {&identity, NULL, "PLAIN-CLIENTTOKEN", NULL, "AUTH-NOMECH",
     "the server offers PLAIN-CLIENTTOKEN, auth allows EXTERNAL OAUTHBEARER", "PLAIN or SCRAM"},
    {&identity, "PLAIN LOGIN", "DIGEST-MD5 NTLM", NULL, "AUTH-NOMECH",
     "the server offers DIGEST-MD5 NTLM, auth allows PLAIN LOGIN, and a password is configured",
     "PLAIN or SCRAM"},
    {&identity, NULL, "SCRAM-SHA-256-PLUS", NULL, "AUTH-NOMECH", "offers SCRAM-SHA-256-PLUS",
     "PLAIN or SCRAM"},
    {&identity, NULL, "EXTERNAL", NULL, "AUTH-NOMECH", "offers EXTERNAL", "PLAIN or SCRAM"},
    {&identity, NULL, "", NULL, "AUTH-NOMECH", "names no mechanism", "port"},
    {&identity, NULL, " ", NULL, "AUTH-NOMECH", "names no mechanism", "port"},
    {&identity, NULL, "XOAUTH2 OAUTHBEARER", NULL, "AUTH-OAUTH-ONLY",
     "the server offers XOAUTH2 OAUTHBEARER, auth allows", "token-command"},
    {&token, NULL, "PLAIN LOGIN SCRAM-SHA-1", NULL, "AUTH-NOMECH",
     "the server offers PLAIN LOGIN SCRAM-SHA-1, auth allows", "password-file instead of"},
    {&nothing, NULL, "EXTERNAL PLAIN", NULL, "AUTH-NOMECH", "certificate is all there is",
     "PLAIN"},
    {&identity, "LOGIN", "PLAIN", NULL, "AUTH-POLICY-FILTER",
     "mechanisms PLAIN, but auth allows only LOGIN", "leave auth out"},
    {&identity, "SCRAM-SHA-256", "LOGIN XOAUTH2", NULL, "AUTH-POLICY-FILTER",
     "LOGIN XOAUTH2, but auth allows only SCRAM-SHA-256", "leave auth out"},
    {&identity, "", "PLAIN", NULL, "AUTH-POLICY-FILTER", "PLAIN, but auth allows only",
     "leave auth out"},
};

START_TEST(the_first_allowed_that_is_offered_is_chosen)
{
    struct fault f = {0};
    struct sasl *s =
        sasl_new(choices[_i].allowed, choices[_i].offered, choices[_i].identity, &f);
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
    const char *offered;
    struct sasl_identity identity;
    const char *said;
} unfit[] = {
    {"LOGIN PLAIN", PASSWORD(NULL, "p"), "no user"},
    {"LOGIN PLAIN", PASSWORD("", "p"), "no user"},
    {"LOGIN PLAIN", PASSWORD("u", ""), "password is empty"},
    {"LOGIN PLAIN", PASSWORD("u", "p\0q"), "NUL"},
    {"LOGIN PLAIN", PASSWORD("u", "\0"), "NUL"},
    {"SCRAM-SHA-1", PASSWORD("u", "p\0q"), "NUL"},
    {"SCRAM-SHA-1", PASSWORD("u", "p\x07q"), "password has letters that SCRAM cannot"},
    {"SCRAM-SHA-256", PASSWORD("u", "p\xE8q"), "password has letters that SCRAM cannot"},
    {"SCRAM-SHA-256", PASSWORD("u\xE8", "p"), "user has letters that SCRAM cannot"},
    {"XOAUTH2", {.kind = SASL_SECRET_TOKEN, .secret = STR_LIT("t")}, "no user"},
    {"XOAUTH2",
     {.user = "u", .kind = SASL_SECRET_TOKEN, .secret = STR_LIT("a b")},
     "token is empty, or has blanks"},
    {"OAUTHBEARER",
     {.user = "u", .kind = SASL_SECRET_TOKEN, .secret = STR_LIT("a\001b")},
     "token is empty, or has blanks"},
    {"OAUTHBEARER",
     {.user = "u", .kind = SASL_SECRET_TOKEN, .secret = STR_LIT("")},
     "token is empty"},
};

START_TEST(an_identity_that_cannot_be_sent_is_refused)
{
    struct fault f;
    ck_assert(sasl_new(NULL, unfit[_i].offered, &unfit[_i].identity, &f) == NULL);
    ck_assert_str_eq(f.code, "CRED-FILE");
    ck_assert_int_eq(f.scope, FAULT_ACCOUNT);
    ck_assert_msg(strstr(f.text, unfit[_i].said) != NULL, "%s", f.text);
}
END_TEST

/* A password that SCRAM cannot carry may still go by PLAIN. */
START_TEST(an_objection_leads_to_the_next_mechanism)
{
    struct fault f;
    const struct sasl_identity latin1 = PASSWORD("u", "p\xE8q");
    struct sasl *s = sasl_new(NULL, "PLAIN SCRAM-SHA-256", &latin1, &f);
    ck_assert_msg(s != NULL, "%s", f.text);
    ck_assert_str_eq(sasl_mechanism(s), "PLAIN");
    sasl_free(s);
}
END_TEST

static struct sasl *begin_as(const struct sasl_identity *who, const char *mechanism,
                             struct buf *out)
{
    struct fault f;
    struct sasl *s = sasl_new(mechanism, mechanism, who, &f);
    ck_assert_msg(s != NULL, "%s", f.text);
    buf_init(out, 1000);
    out->secret = true;
    return s;
}

static struct sasl *begin(const char *mechanism, struct buf *out)
{
    return begin_as(&identity, mechanism, out);
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

/* RFC 2195 section 2 */
START_TEST(cram_md5_is_that_of_the_rfc)
{
    struct buf out;
    struct fault f;
    const struct sasl_identity tim = PASSWORD("tim", "tanstaaftanstaaf");
    struct sasl *s = begin_as(&tim, "CRAM-MD5", &out);
    ck_assert(!sasl_initial(s, &out));
    ck_assert(sasl_step(s, STR_LIT("<1896.697170952@postoffice.reston.mci.net>"), &out, &f));
    ck_assert(str_eq(buf_str(&out), STR_LIT("tim b913a602c7eda7a495b4e6e7334d3890")));
    expect_refused_step(s, &out, "<1@x>");
    ck_assert(sasl_satisfied(s, &f));
    sasl_free(s);
    buf_release(&out);
    s = begin_as(&tim, "CRAM-MD5", &out);
    ck_assert(!sasl_step(s, STR_LIT(""), &out, &f));
    ck_assert_str_eq(f.code, "AUTH-BADSERVER");
    sasl_free(s);
    buf_release(&out);
}
END_TEST

/* A user without a secret is an authorization identity; beside one it is the secret's. */
START_TEST(external_names_the_user_where_that_is_all_there_is)
{
    struct buf out;
    struct fault f;
    struct sasl *s = begin_as(&certificate, "EXTERNAL", &out);
    ck_assert(sasl_initial(s, &out));
    ck_assert(str_eq(buf_str(&out), STR_LIT("web1")));
    buf_clear(&out);
    ck_assert(sasl_step(s, STR_LIT(""), &out, &f));
    ck_assert(str_eq(buf_str(&out), STR_LIT("web1")));
    expect_refused_step(s, &out, "");
    sasl_free(s);
    buf_release(&out);
    s = begin_as(&bound, "EXTERNAL", &out);
    ck_assert(sasl_initial(s, &out));
    ck_assert_uint_eq(buf_len(&out), 0);
    expect_refused_step(s, &out, "who?");
    ck_assert(sasl_satisfied(s, &f));
    sasl_free(s);
    buf_release(&out);
    const struct sasl_identity anonymous = {.has_certificate = true};
    s = begin_as(&anonymous, "EXTERNAL", &out);
    ck_assert(sasl_initial(s, &out));
    ck_assert_uint_eq(buf_len(&out), 0);
    sasl_free(s);
    buf_release(&out);
}
END_TEST

/* What the rules of the dialogue found stays, where the exchange knows no better. */
START_TEST(a_refused_password_is_what_it_was)
{
    struct buf out;
    struct fault f;
    struct sasl *s = begin("PLAIN", &out);
    fault_set(&f, FAULT_ACCOUNT, "5.7.8", "AUTH-REJECTED", "as it was");
    ck_assert(!sasl_refused(s, &f));
    ck_assert_str_eq(f.text, "as it was");
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
    tcase_add_test(tc, an_objection_leads_to_the_next_mechanism);
    tcase_add_test(tc, cram_md5_is_that_of_the_rfc);
    tcase_add_test(tc, external_names_the_user_where_that_is_all_there_is);
    tcase_add_test(tc, a_refused_password_is_what_it_was);
    tcase_add_test(tc, the_identitys_owner_may_forget_its_struct);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
