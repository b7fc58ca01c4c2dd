/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "date.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct {
    int64_t time_s;
    int32_t zone_minutes;
    const char *text;
} dates[] = {
    {1795487383, 0, "Tue, 24 Nov 2026 02:29:43 +0000"},
    {1795487383, 60, "Tue, 24 Nov 2026 03:29:43 +0100"},
    {1795487383, -210, "Mon, 23 Nov 2026 22:59:43 -0330"},
    {1795487383, 345, "Tue, 24 Nov 2026 08:14:43 +0545"},
    {0, 0, "Thu, 1 Jan 1970 00:00:00 +0000"},
    {-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000"},
    {0, -1, "Wed, 31 Dec 1969 23:59:00 -0001"},
    {951782400, 0, "Tue, 29 Feb 2000 00:00:00 +0000"},
    {951868800, 0, "Wed, 1 Mar 2000 00:00:00 +0000"},
    {4107542400, 0, "Mon, 1 Mar 2100 00:00:00 +0000"},
    {4107542399, 0, "Sun, 28 Feb 2100 23:59:59 +0000"},
    {253402300799, 0, "Fri, 31 Dec 9999 23:59:59 +0000"},
    {253402300799, 60, "Fri, 31 Dec 9999 23:59:59 +0100"},
    {INT64_MAX, INT32_MAX, "Fri, 31 Dec 9999 23:59:59 +9900"},
    {INT64_MIN, INT32_MIN, "Sat, 1 Jan 0000 00:00:00 -9900"},
};

START_TEST(a_time_is_written_as_rfc_5322_wants_it)
{
    char text[DATE_MAX];
    date_rfc5322(text, dates[_i].time_s, dates[_i].zone_minutes);
    ck_assert_str_eq(text, dates[_i].text);
}
END_TEST

START_TEST(the_calendar_is_the_c_librarys)
{
    int64_t step = 86400 * 13 + 3607;
    for (int64_t time_s = -5000000000; time_s < 20000000000; time_s += step) {
        char text[DATE_MAX];
        char wanted[DATE_MAX];
        time_t t = (time_t)time_s;
        struct tm tm;
        ck_assert_ptr_nonnull(gmtime_r(&t, &tm));
        ck_assert(strftime(wanted, sizeof wanted, "%a, %-d %b %Y %H:%M:%S +0000", &tm));
        date_rfc5322(text, time_s, 0);
        ck_assert_str_eq(text, wanted);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("date");
    TCase *tc = tcase_create("date");
    tcase_add_loop_test(tc, a_time_is_written_as_rfc_5322_wants_it, 0, COUNT(dates));
    tcase_add_test(tc, the_calendar_is_the_c_librarys);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
