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

static void fill(struct buf *b, size_t max, const char *text)
{
    buf_init(b, max);
    buf_puts(b, text);
}

START_TEST(what_is_moved_is_in_one_place_and_in_order)
{
    struct buf to, from;
    fill(&to, 10, "");
    fill(&from, 100, "_abc");
    buf_consume(&from, 1);
    const char *memory = from.memory;
    ck_assert_uint_eq(buf_move(&to, &from), 3);
    ck_assert_ptr_eq(to.memory, memory);
    ck_assert_uint_eq(buf_len(&from), 0);
    ck_assert_uint_eq(to.max, 10);
    ck_assert_uint_eq(from.max, 100);
    buf_puts(&from, "defghijklmn");
    ck_assert_uint_eq(buf_move(&to, &from), 7);
    ck_assert(str_eq(buf_str(&to), STR_LIT("abcdefghij")));
    ck_assert(str_eq(buf_str(&from), STR_LIT("klmn")));
    ck_assert_uint_eq(buf_move(&to, &from), 0);
    ck_assert(!to.failed);
    buf_release(&to);
    fill(&to, 3, "");
    ck_assert_uint_eq(buf_move(&to, &from), 3);
    ck_assert(str_eq(buf_str(&to), STR_LIT("klm")));
    ck_assert(str_eq(buf_str(&from), STR_LIT("n")));
    buf_release(&to);
    buf_release(&from);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buf");
    TCase *tc = tcase_create("buf");
    tcase_add_test(tc, over_the_limit_nothing_is_added);
    tcase_add_test(tc, used_up_from_the_front_memory_stays_small);
    tcase_add_test(tc, what_is_moved_is_in_one_place_and_in_order);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
