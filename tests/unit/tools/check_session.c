/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *in, *out;
} rows[] = {
    {"CRLF goes through", "EHLO a\r\nQUIT\r\n", "EHLO a\r\nQUIT\r\n"},
    {"LF becomes CRLF", "EHLO a\nQUIT\n", "EHLO a\r\nQUIT\r\n"},
    {"a dot ends among LF", "DATA\nx\n.\nQUIT\n", "DATA\r\nx\r\n.\r\nQUIT\r\n"},
    {"a dot ends among CRLF", "DATA\r\nx\r\n.\r\nQUIT\r\n", "DATA\r\nx\r\n.\r\nQUIT\r\n"},
    {"stuffed dots stay", "DATA\r\n..x\r\n..\r\n.\r\n", "DATA\r\n..x\r\n..\r\n.\r\n"},
    {"LF . LF in text of a CRLF session ends nothing", "DATA\r\nx\n.\nMAIL\n\r\n.\r\n",
     "DATA\r\nx\r\n..\r\nMAIL\r\n\r\n.\r\n"},
    {"LF . CRLF ends nothing", "DATA\r\nx\n.\r\ny\r\n.\r\n", "DATA\r\nx\r\n..\r\ny\r\n.\r\n"},
    {"CRLF . LF ends nothing", "DATA\r\nx\r\n.\ny\r\n.\r\n", "DATA\r\nx\r\n..\r\ny\r\n.\r\n"},
    {"CR . CR ends nothing", "DATA\r\nx\r.\ry\r\n.\r\n", "DATA\r\nx\r\n..\r\ny\r\n.\r\n"},
    {"CRLF . CR ends nothing", "DATA\r\nx\r\n.\ry\r\n.\r\n", "DATA\r\nx\r\n..\r\ny\r\n.\r\n"},
    {"CRLF . CR CRLF ends nothing", "DATA\r\nx\r\n.\r\r\ny\r\n.\r\n",
     "DATA\r\nx\r\n..\r\n\r\ny\r\n.\r\n"},
    {"CR . CRLF ends nothing", "DATA\r\nx\r.\r\n.\r\n", "DATA\r\nx\r\n..\r\n.\r\n"},
    {"CR ends nothing among LF", "DATA\nx\r.\ny\n.\n", "DATA\r\nx\r\n..\r\ny\r\n.\r\n"},
    {"a line that a LF began keeps its dot", "DATA\r\nx\n.y\r\n.\r\n",
     "DATA\r\nx\r\n..y\r\n.\r\n"},
    {"8 bits and blanks stay", "A \xFF\xC3\t \r\n", "A \xFF\xC3\t \r\n"},
    {"an unfinished line is not finished", "QUI", "QUI"},
    {"an unfinished dot is not sent", "DATA\r\n.", "DATA\r\n"},
};

static void check_cut(size_t row, size_t cut, bool bytewise)
{
    struct session_filter f;
    struct buf out;
    size_t n = strlen(rows[row].in);
    session_filter_init(&f);
    buf_init(&out, 1000);
    session_filter_feed(&f, &out, rows[row].in, cut);
    for (size_t i = cut; bytewise && i < n; i++)
        session_filter_feed(&f, &out, rows[row].in + i, 1);
    if (!bytewise)
        session_filter_feed(&f, &out, rows[row].in + cut, n - cut);
    ck_assert_msg(str_eq(buf_str(&out), str_of(rows[row].out)), "%s: \"%.*s\"", rows[row].name,
                  STR_FMT(buf_str(&out)));
    buf_release(&out);
}

START_TEST(a_session_is_made_strict_however_it_is_cut)
{
    for (size_t cut = 0; cut <= strlen(rows[_i].in); cut++)
        check_cut((size_t)_i, cut, false);
    check_cut((size_t)_i, 0, true);
}
END_TEST

START_TEST(nuls_are_left_out)
{
    struct session_filter f;
    struct buf out;
    session_filter_init(&f);
    buf_init(&out, 100);
    session_filter_feed(&f, &out, "a\0b\r\0\n", 6);
    ck_assert(str_eq(buf_str(&out), STR_LIT("ab\r\n")));
    buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tc = tcase_create("session");
    tcase_add_loop_test(tc, a_session_is_made_strict_however_it_is_cut, 0,
                        (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(tc, nuls_are_left_out);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
