/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "token.h"

#include "secret.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    struct str output;
    const char *token; /* NULL: none */
    int64_t lifetime_s;
    const char *said;
} outputs[] = {
    {STR_LIT("ya29.a0AX\n"), "ya29.a0AX", -1, NULL},
    {STR_LIT("ya29.a0AX\r\nmore"), "ya29.a0AX", -1, NULL},
    {STR_LIT("{\"access_token\":\"t0ken\",\"expires_in\":3599}"), "t0ken", 3599, NULL},
    {STR_LIT("{ \"expires_in\" : 3599.5, "
             "\"token_type\":\"Bearer\",\n\"access_token\":\"a\\/b\"}\n"),
     "a/b", 3599, NULL},
    {STR_LIT("{\"access_token\":\"t0ken\"}"), "t0ken", -1, NULL},
    {STR_LIT("{\"access_token\":\"t0ken\",\"expires_in\":\"3599\"}"), "t0ken", -1, NULL},
    {STR_LIT("{\"access_token\":\"t0ken\",\"expires_in\":-1}"), "t0ken", -1, NULL},
    {STR_LIT("{\"access_token\":\"t0ken\",\"expires_in\":1e300}"), "t0ken",
     TOKEN_LIFETIME_MAX_S, NULL},
    {STR_LIT("{\"access_token\":\"t0ken\",\"expires_in\":0}"), "t0ken", 0, NULL},
    {STR_LIT(""), NULL, -1, "first line is empty"},
    {STR_LIT("\n"), NULL, -1, "first line is empty"},
    {STR_LIT("t0\tken\n"), NULL, -1, "control character"},
    {STR_LIT("{"), NULL, -1, "begins like JSON and is none (line 1"},
    {STR_LIT("{\"access_token\":\"t0ken\""), NULL, -1, "is none"},
    {STR_LIT("{\"access_token\":\"t0ken\"} t0ken"), NULL, -1, "is none"},
    {STR_LIT("{\"access_token\":\"t0ken\",\"access_token\":\"t0ken\"}"), NULL, -1, "is none"},
    {STR_LIT("{\"access_token\":\"t0\\u0000ken\"}"), NULL, -1, "is none"},
    {STR_LIT("{\"access_token\":\"t0\\nken\"}"), "t0", -1, NULL},
    {STR_LIT("{\"access_token\":\"\"}"), NULL, -1, "first line is empty"},
    {STR_LIT("{\"access_token\":7}"), NULL, -1, "without a text access_token"},
    {STR_LIT("{}"), NULL, -1, "without a text access_token"},
    {STR_LIT("{\"error\":\"invalid_grant\",\"error_description\":\"t0ken\"}"), NULL, -1,
     "gave no token: invalid_grant"},
    {STR_LIT("{\"error\":\"\\u001b[1m\"}"), NULL, -1, "gave no token: "},
    {STR_LIT("[\"t0ken\"]"), "[\"t0ken\"]", -1, NULL}, /* the server will say */
};

static void fill(struct buf *output, struct str text)
{
    buf_init(output, SECRET_MAX);
    output->secret = true;
    buf_put_str(output, text);
}

START_TEST(the_token_is_found_and_its_lifetime)
{
    struct buf output;
    struct err err;
    int64_t lifetime_s = 7;
    fill(&output, outputs[_i].output);
    int result = token_read(&output, &lifetime_s, &err);
    ck_assert_int_eq(result, outputs[_i].token ? 0 : -1);
    if (result == 0) {
        ck_assert_msg(str_eq(buf_str(&output), str_of(outputs[_i].token)), "%.*s",
                      STR_FMT(buf_str(&output)));
        ck_assert_int_eq(lifetime_s, outputs[_i].lifetime_s);
    } else {
        ck_assert_msg(strstr(err.text, outputs[_i].said) != NULL, "%s", err.text);
        ck_assert_ptr_null(strstr(err.text, "t0ken"));
        ck_assert_ptr_null(strchr(err.text, '\033'));
    }
    buf_release(&output);
}
END_TEST

START_TEST(nothing_is_found_in_what_is_cut)
{
    struct str whole = STR_LIT("{\"access_token\":\"t0ken\",\"expires_in\":3599}");
    for (size_t n = 1; n < whole.n; n++) {
        struct buf output;
        struct err err;
        int64_t lifetime_s;
        fill(&output, str_head(whole, n));
        ck_assert_msg(token_read(&output, &lifetime_s, &err) < 0, "%zu", n);
        buf_release(&output);
    }
}
END_TEST

START_TEST(others_may_use_jansson_as_before)
{
    json_malloc_t allocate;
    json_free_t give_back;
    struct buf output;
    struct err err;
    int64_t lifetime_s;
    fill(&output, STR_LIT("{\"access_token\":\"t0ken\"}"));
    ck_assert_int_eq(token_read(&output, &lifetime_s, &err), 0);
    json_get_alloc_funcs(&allocate, &give_back);
    ck_assert(give_back == free);
    buf_release(&output);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("token");
    TCase *tc = tcase_create("token");
    tcase_add_loop_test(tc, the_token_is_found_and_its_lifetime, 0,
                        (int)(sizeof outputs / sizeof outputs[0]));
    tcase_add_test(tc, nothing_is_found_in_what_is_cut);
    tcase_add_test(tc, others_may_use_jansson_as_before);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
