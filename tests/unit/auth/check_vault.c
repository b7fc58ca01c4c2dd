/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vault.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(what_is_put_is_kept_until_the_next)
{
    struct vault *v = vault_new(10);
    ck_assert_uint_eq(vault_str(v).n, 0);
    vault_put(v, STR_LIT("0123456789"));
    ck_assert(str_eq(vault_str(v), STR_LIT("0123456789")));
    const char *at = vault_str(v).p;
    vault_put(v, STR_LIT("ab"));
    ck_assert(str_eq(vault_str(v), STR_LIT("ab")));
    ck_assert_int_eq(memcmp(at, "ab\0\0\0\0\0\0\0\0", 10), 0);
    vault_put(v, STR_LIT(""));
    ck_assert_uint_eq(vault_str(v).n, 0);
    ck_assert_int_eq(memcmp(at, "\0\0", 2), 0);
    vault_free(v);
    vault_free(NULL);
}
END_TEST

/* "dd" among the flags of the mapping that has address. */
static bool is_left_out_of_cores(const void *address)
{
    char line[512];
    bool inside = false, found = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to, at = (unsigned long)address;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = at >= from && at < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, " dd") != NULL;
    }
    fclose(maps);
    return found;
}

START_TEST(no_core_has_it)
{
    struct vault *v = vault_new(16 * 1024);
    char *ordinary = malloc(16 * 1024);
    vault_put(v, STR_LIT("s3cret"));
    ck_assert(is_left_out_of_cores(vault_str(v).p));
    ck_assert(!is_left_out_of_cores(ordinary));
    free(ordinary);
    vault_free(v);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vault");
    TCase *tc = tcase_create("vault");
    tcase_add_test(tc, what_is_put_is_kept_until_the_next);
    tcase_add_test(tc, no_core_has_it);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
