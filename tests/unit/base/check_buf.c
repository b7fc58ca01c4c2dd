/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "buf.h"

#include <check.h>
#include <stdlib.h>

START_TEST(over_the_limit_nothing_is_added)
{
    struct buf b;
    buf_init(&b, 4);
    buf_puts(&b, "abc");
    buf_puts(&b, "de");
    ck_assert(b.failed);
    ck_assert(str_eq(buf_str(&b), STR_LIT("abc")));
    buf_puts(&b, "d");
    ck_assert_uint_eq(buf_len(&b), 3);
    buf_release(&b);
}
END_TEST

START_TEST(used_up_from_the_front_memory_stays_small)
{
    struct buf b;
    buf_init(&b, 4096);
    for (int i = 0; i < 10000; i++) {
        buf_printf(&b, "%05d", i);
        if (buf_len(&b) > 500)
            buf_consume(&b, 250);
    }
    ck_assert_uint_le(b.room, 1024);
    ck_assert_uint_eq(buf_len(&b) % 5, 0);
    ck_assert(str_eq(str_tail(buf_str(&b), buf_len(&b) - 5), STR_LIT("09999")));
    buf_release(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buf");
    TCase *tc = tcase_create("buf");
    tcase_add_test(tc, over_the_limit_nothing_is_added);
    tcase_add_test(tc, used_up_from_the_front_memory_stays_small);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
