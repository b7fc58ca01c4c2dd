/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base64.h"
#include "sasl.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_RFC "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
#define TOKEN_GOOGLE "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"

/* RFC 7628 section 4.1 and Google's description of XOAUTH2, as they print them. */
static const struct {
    const char *mechanism;
    struct sasl_identity identity;
    const char *initial;
} messages[] = {
    {"OAUTHBEARER",
     {.user = "user@example.com",
      .kind = SASL_SECRET_TOKEN,
      .secret = STR_LIT(TOKEN_RFC),
      .host = "server.example.com",
      .port = 143},
     "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVy"
     "IHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"},
    {"XOAUTH2",
     {.user = "someuser@example.com",
      .kind = SASL_SECRET_TOKEN,
      .secret = STR_LIT(TOKEN_GOOGLE)},
     "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhk"
     "SFJoZG1semRHRXVZMjl0Q2cBAQ=="},
};

static struct sasl *begin(const char *mechanism, const struct sasl_identity *identity,
                          struct buf *out)
{
    struct fault f;
    struct sasl *s = sasl_new(NULL, mechanism, identity, &f);
    ck_assert_msg(s != NULL, "%s", f.text);
    ck_assert_str_eq(sasl_mechanism(s), mechanism);
    buf_init(out, 1000);
    out->secret = true;
    ck_assert(sasl_initial(s, out));
    return s;
}

START_TEST(the_message_is_that_of_the_specification)
{
    struct buf out, text;
    struct fault f;
    struct sasl *s = begin(messages[_i].mechanism, &messages[_i].identity, &out);
    buf_init(&text, 1000);
    base64_encode(&text, buf_str(&out));
    ck_assert_msg(str_eq(buf_str(&text), str_of(messages[_i].initial)), "%.*s",
                  STR_FMT(buf_str(&text)));
    ck_assert(sasl_satisfied(s, &f));
    sasl_free(s);
    buf_release(&text);
    buf_release(&out);
}
END_TEST

static const struct sasl_identity identity = {
    .user = "a,b=c", .kind = SASL_SECRET_TOKEN, .secret = STR_LIT("t0ken")};

START_TEST(a_name_is_written_as_gs2_has_it)
{
    struct buf out;
    struct sasl *s = begin("OAUTHBEARER", &identity, &out);
    ck_assert(str_eq(buf_str(&out), STR_LIT("n,a=a=2Cb=3Dc,\001auth=Bearer t0ken\001\001")));
    sasl_free(s);
    buf_release(&out);
}
END_TEST

/* The error that comes before the refusal, and what it adds to the sentence. */
static const struct {
    struct str challenge;
    const char *said;
} errors[] = {
    {STR_LIT(
         "{\"status\":\"invalid_token\",\"scope\":\"example_scope\",\"openid-configuration\":"
         "\"https://example.com/.well-known/openid-config\"}"),
     "refuses the token (status invalid_token, scope example_scope)"},
    {STR_LIT(
         "{\"status\":\"400\",\"schemes\":\"Bearer\",\"scope\":\"https://mail.google.com/\"}"),
     "refuses the token (status 400, scope https://mail.google.com/)"},
    {STR_LIT("{\"status\":401}"), "refuses the token ({\"status\":401})"},
    {STR_LIT("{\"status\":\"a\\u001bb\"}"), "refuses the token (status a"},
    {STR_LIT("{\"status\":\"bad t0ken\"}"), "refuses the token (it repeats the token)"},
    {STR_LIT("{\"status\":\"401\",\"scope\":\"dDBrZW4=\"}"), "(it repeats the token)"},
    {STR_LIT("t0ken?"), "(it repeats the token)"},
    {STR_LIT("not json \033[1m"), "refuses the token (not json"},
    {STR_LIT("{\"status\":\"401\""), "refuses the token ({\"status\":\"401\")"},
    {STR_LIT("[[[["), "refuses the token ([[[[)"},
    {STR_LIT(""), "refuses the token"},
    {STR_LIT("\0"), "refuses the token"},
};

static void refuse(const char *mechanism, const char *answer, struct str challenge,
                   const char *said)
{
    struct buf out;
    struct fault f;
    struct sasl *s = begin(mechanism, &identity, &out);
    buf_clear(&out);
    ck_assert(sasl_step(s, challenge, &out, &f));
    ck_assert(str_eq(buf_str(&out), str_of(answer)));
    ck_assert(!sasl_satisfied(s, &f));
    ck_assert_str_eq(f.code, "AUTH-BADSERVER");
    fault_set(&f, FAULT_ACCOUNT, "5.7.8", "AUTH-REJECTED", "the server rejects");
    fault_reply(&f, STR_LIT("535 5.7.8 no"));
    ck_assert(sasl_refused(s, &f));
    ck_assert_str_eq(f.code, "AUTH-TOKEN-EXPIRED");
    ck_assert_int_eq(f.scope, FAULT_ACCOUNT);
    ck_assert_str_eq(f.status, "5.7.8");
    ck_assert_str_eq(f.reply, "535 5.7.8 no");
    ck_assert_msg(strstr(f.text, said) != NULL, "%s", f.text);
    ck_assert_ptr_null(strchr(f.text, '\033'));
    ck_assert_ptr_null(strstr(f.text, "t0ken"));
    ck_assert_ptr_nonnull(strstr(f.fix, "token-command"));
    ck_assert(!sasl_step(s, challenge, &out, &f));
    ck_assert_str_eq(f.code, "AUTH-BADSERVER");
    sasl_free(s);
    buf_release(&out);
}

START_TEST(the_servers_error_is_answered_and_told)
{
    refuse("OAUTHBEARER", "\001", errors[_i].challenge, errors[_i].said);
    refuse("XOAUTH2", "", errors[_i].challenge, errors[_i].said);
}
END_TEST

START_TEST(a_refusal_for_another_reason_stays)
{
    struct buf out;
    struct fault f;
    struct sasl *s = begin("XOAUTH2", &identity, &out);
    fault_set(&f, FAULT_ACCOUNT, "5.7.8", "AUTH-BASICOFF", "switched off");
    ck_assert(!sasl_refused(s, &f));
    ck_assert_str_eq(f.text, "switched off");
    sasl_free(s);
    buf_release(&out);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("sasl_oauth");
    TCase *tc = tcase_create("sasl_oauth");
    tcase_add_loop_test(tc, the_message_is_that_of_the_specification, 0, COUNT(messages));
    tcase_add_test(tc, a_name_is_written_as_gs2_has_it);
    tcase_add_loop_test(tc, the_servers_error_is_answered_and_told, 0, COUNT(errors));
    tcase_add_test(tc, a_refusal_for_another_reason_stays);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
