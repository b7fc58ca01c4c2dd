/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "str.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(one_byte_over_127_is_found_wherever_it_stands)
{
    char text[40];
    memset(text, 0x7F, sizeof text);
    for (size_t n = 0; n <= sizeof text; n++)
        ck_assert(str_is_ascii((struct str){text, n}));
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = '\x80';
        ck_assert(str_is_ascii((struct str){text, i}));
        for (size_t n = i + 1; n <= sizeof text; n++)
            ck_assert(!str_is_ascii((struct str){text, n}));
        text[i] = '\0';
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("str");
    TCase *tc = tcase_create("str");
    tcase_add_test(tc, one_byte_over_127_is_found_wherever_it_stands);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
