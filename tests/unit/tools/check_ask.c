/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ask.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *answer;
    enum ask_event event; /* at its end */
    const char *data;
    int exit_status;
    const char *sentence;
} rows[] = {
    {"end 0\n", ASK_END, "", 0, ""},
    {"end 67 no such message\n", ASK_END, "", 67, "no such message"},
    {"end 255 x\n", ASK_END, "", 255, "x"},
    {"end 0 \n", ASK_END, "", 0, ""},
    {"3\nabc"
     "end 0\n",
     ASK_END, "abc", 0, ""},
    {"3\nabc"
     "0\n2\n\n\n"
     "end 0\n",
     ASK_END, "abc\n\n", 0, ""},
    {"6\nend 0\nend 69 x\n", ASK_END, "end 0\n", 69, "x"},
    {"end 0\nend 1\n", ASK_END, "", 0, ""},
    {"at 5 100\n1\na"
     "at 7 100\nend 0\n",
     ASK_END, "[5/100]a[7/100]", 0, ""},
    {"at 5\n", ASK_BAD, "", 0, ""},
    {"at 5 \n", ASK_BAD, "", 0, ""},
    {"at x 7\n", ASK_BAD, "", 0, ""},
    {"at 5 7", ASK_MORE, "", 0, ""},
    {"", ASK_MORE, "", 0, ""},
    {"3", ASK_MORE, "", 0, ""},
    {"3\nab", ASK_MORE, "ab", 0, ""},
    {"3\nabc", ASK_MORE, "abc", 0, ""},
    {"end 0", ASK_MORE, "", 0, ""},
    {"1073741824\nx", ASK_MORE, "x", 0, ""},
    {"1073741825\n", ASK_BAD, "", 0, ""},
    {"99999999999999999999\n", ASK_BAD, "", 0, ""},
    {"\n", ASK_BAD, "", 0, ""},
    {"-1\n", ASK_BAD, "", 0, ""},
    {"3 \nabc", ASK_BAD, "", 0, ""},
    {"0x3\nabc", ASK_BAD, "", 0, ""},
    {"end\n", ASK_BAD, "", 0, ""},
    {"end \n", ASK_BAD, "", 0, ""},
    {"end 256\n", ASK_BAD, "", 0, ""},
    {"end -1\n", ASK_BAD, "", 0, ""},
    {"end x\n", ASK_BAD, "", 0, ""},
    {"220 localhost ESMTP\r\n", ASK_BAD, "", 0, ""},
};

static enum ask_event feed(struct ask_answer *a, struct buf *data, const char *bytes, size_t n)
{
    struct str input = {bytes, n};
    enum ask_event event;
    while ((event = ask_answer_next(a, &input)) == ASK_DATA || event == ASK_AT) {
        if (event == ASK_DATA)
            buf_put_str(data, a->data);
        else
            buf_printf(data, "[%d/%d]", (int)a->at, (int)a->of);
    }
    return event;
}

static void check_pieces(int row, size_t cut, size_t step)
{
    const char *answer = rows[row].answer;
    size_t n = strlen(answer);
    struct ask_answer a;
    struct buf data;
    ask_answer_init(&a);
    buf_init(&data, 100);
    enum ask_event event = feed(&a, &data, answer, cut);
    for (size_t at = cut; at < n && event == ASK_MORE; at += step)
        event = feed(&a, &data, answer + at, step < n - at ? step : n - at);
    ck_assert_msg(event == rows[row].event, "%s", answer);
    ck_assert_msg(str_eq(buf_str(&data), str_of(rows[row].data)), "%s", answer);
    if (event == ASK_END) {
        ck_assert_msg(a.exit_status == rows[row].exit_status, "%s", answer);
        ck_assert_msg(strcmp(a.sentence, rows[row].sentence) == 0, "%s", answer);
    }
    buf_release(&data);
}

START_TEST(an_answer_is_read_however_it_is_cut)
{
    for (size_t cut = 0; cut <= strlen(rows[_i].answer); cut++)
        check_pieces(_i, cut, 1000);
    check_pieces(_i, 0, 1);
}
END_TEST

START_TEST(a_line_has_at_most_1024_bytes)
{
    for (size_t n = ASK_LINE_MAX; n <= ASK_LINE_MAX + 1; n++) {
        struct ask_answer a;
        struct buf data;
        struct buf answer;
        ask_answer_init(&a);
        buf_init(&data, 100);
        buf_init(&answer, ASK_LINE_MAX * 2);
        buf_puts(&answer, "end 0 ");
        while (buf_len(&answer) < n)
            buf_putc(&answer, 'x');
        buf_putc(&answer, '\n');
        enum ask_event event = feed(&a, &data, buf_str(&answer).p, buf_len(&answer));
        ck_assert_int_eq(event, n == ASK_LINE_MAX ? ASK_END : ASK_BAD);
        buf_release(&answer);
        buf_release(&data);
    }
}
END_TEST

START_TEST(a_word_cannot_become_two)
{
    static const char *const bad[] = {"", " ", "a b", "a\nb", "a\tb", "\x7F"};
    struct buf question;
    buf_init(&question, 100);
    ck_assert(ask_put_word(&question, STR_LIT("retry")));
    ck_assert(ask_put_word(&question, STR_LIT("A1")));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert(!ask_put_word(&question, str_of(bad[i])));
    ck_assert(str_eq(buf_str(&question), STR_LIT("retry A1")));
    buf_release(&question);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ask");
    TCase *tc = tcase_create("ask");
    tcase_add_loop_test(tc, an_answer_is_read_however_it_is_cut, 0,
                        (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(tc, a_line_has_at_most_1024_bytes);
    tcase_add_test(tc, a_word_cannot_become_two);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
