/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pattern.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *pattern, *address;
    bool fits;
} cases[] = {
    {"a@example.org", "a@example.org", true},
    {"a@Example.ORG", "a@eXample.org", true},
    {"A@example.org", "a@example.org", false},
    {"a@example.org", "A@example.org", false},
    {"*@example.org", "any.body@example.org", true},
    {"*@example.org", "a@sub.example.org", false},
    {"*example.ORG", "Bob@sub.EXAMPLE.org", true},
    {"Bob*", "Bob@example.org", true},
    {"bob*", "Bob@example.org", false},
    {"BOB*", "bob@example.org", false},
    {"*b*ORG", "Bob@example.org", true},
    {"*B*org", "Bob@example.org", true},
    {"*B*org", "bob@example.org", false},
    {"b?B.org", "b@b.org", true},
    {"B?b.org", "b@b.org", false},
    {"[*?]*", "bob@example.org", false},
    {"[]*]*ORG", "*ob@example.org", true},
    {"[ob*", "[ob@example.org", true},
    {"*\\?", "a@x?", true},
    {"postmaster", "postmaster", true},
    {"Postmaster", "postmaster", false},
    {"a?c@*", "abc@example.org", true},
    {"[!a-c]*@*", "bob@example.org", false},
    {"[a-c]*@*", "bob@example.org", true},
    {"\\*@x.org", "*@x.org", true},
    {"\\*@x.org", "a@x.org", false},
    {"*", "a/b@example.org", true},
    {"*", ".a@example.org", true},
    {"*", "", true},
    {"<>", "", true},
    {"", "", true},
    {"<>", "a@example.org", false},
    {"?*", "", false},
    {"example.org", "a@example.org", false},
    {"\"a@b\"@Example.org", "\"a@b\"@example.org", true},
    {"\"A@b\"@example.org", "\"a@b\"@example.org", false},
};

START_TEST(a_pattern_fits_the_whole_address)
{
    ck_assert_msg(pattern_fits(cases[_i].pattern, cases[_i].address) == cases[_i].fits,
                  "\"%s\" and %s", cases[_i].pattern, cases[_i].address);
}
END_TEST

START_TEST(what_is_too_long_fits_nothing)
{
    char text[PATTERN_MAX + 2];
    memset(text, '*', sizeof text);
    text[PATTERN_MAX] = '\0';
    ck_assert(pattern_fits(text, "a@example.org"));
    text[PATTERN_MAX] = '*';
    text[PATTERN_MAX + 1] = '\0';
    ck_assert(!pattern_fits(text, "a@example.org"));
    ck_assert(!pattern_fits("*", text));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pattern");
    TCase *tc = tcase_create("pattern");
    tcase_add_loop_test(tc, a_pattern_fits_the_whole_address, 0,
                        sizeof cases / sizeof cases[0]);
    tcase_add_test(tc, what_is_too_long_fits_nothing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
