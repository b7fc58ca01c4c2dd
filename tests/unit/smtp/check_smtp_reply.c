/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_reply.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct good {
    const char *wire;
    unsigned code, n_lines;
    const char *status;
    const char *words;
} goods[] = {
    {"250 ok\r\n", 250, 1, "", "250 ok"},
    {"250\r\n", 250, 1, "", "250"},
    {"250 \r\n", 250, 1, "", "250"},
    {"250 ok\n", 250, 1, "", "250 ok"},
    {"200 \r\n", 200, 1, "", "200"},
    {"559 x\r\n", 559, 1, "", "559 x"},
    {"250-a\r\n250-b\r\n250 c\r\n", 250, 3, "", "250 a b c"},
    {"250-\r\n250-\n250\r\n", 250, 3, "", "250"},
    {"250-a\r\n251 b\r\n", 251, 2, "", "251 a b"},
    {"550 5.1.1 who\r\n", 550, 1, "5.1.1", "550 5.1.1 who"},
    {"550 5.1.1\r\n", 550, 1, "5.1.1", "550 5.1.1"},
    {"550-5.7.1 a\r\n550 5.7.2 b\r\n", 550, 2, "5.7.1", "550 5.7.1 a 5.7.2 b"},
    {"550-see\r\n550 5.7.2 b\r\n", 550, 2, "5.7.2", "550 see 5.7.2 b"},
    {"550 4.1.1 who\r\n", 550, 1, "", "550 4.1.1 who"},
    {"550 5.123.123 x\r\n", 550, 1, "5.123.123", "550 5.123.123 x"},
    {"550 5.1234.1 x\r\n", 550, 1, "", "550 5.1234.1 x"},
    {"550 5.1.1234 x\r\n", 550, 1, "", "550 5.1.1234 x"},
    {"550 5.1.1x\r\n", 550, 1, "", "550 5.1.1x"},
    {"550 5..1 x\r\n", 550, 1, "", "550 5..1 x"},
    {"550 5.1. x\r\n", 550, 1, "", "550 5.1. x"},
    {"550 5.1\r\n", 550, 1, "", "550 5.1"},
    {"334 3.1.1 x\r\n", 334, 1, "", "334 3.1.1 x"},
    {"250 a\rb\r\n", 250, 1, "", "250 a\rb"},
    {"250 a\r\r\n", 250, 1, "", "250 a\r"},
};

static const char *const bads[] = {
    "\r\n",
    "\n",
    " 250 ok\r\n",
    "25 ok\r\n",
    "2500 ok\r\n",
    "250ok\r\n",
    "250\tok\r\n",
    "250_ok\r\n",
    "5.2.1 Subject is Mandatory\r\n",
    "+OK\r\n",
    "* OK\r\n",
    "199 x\r\n",
    "560 x\r\n",
    "600 x\r\n",
    "100 x\r\n",
    "000 x\r\n",
    "250-a\r\n550 b\r\n",
    "250-a\r\n\r\n",
    "250-a\r\nok\r\n",
    "\x15\x03\x03",
    "\xff",
    "\x7f",
};

static enum smtp_reply_result feed_in_pieces(struct smtp_reply *r, struct str wire,
                                             size_t first, size_t each)
{
    enum smtp_reply_result result = SMTP_REPLY_MORE;
    size_t piece = first, taken = 0;
    while (wire.n > 0 && result == SMTP_REPLY_MORE) {
        result = smtp_reply_feed(r, str_head(wire, piece), &taken, NULL);
        ck_assert(taken > 0 || result == SMTP_REPLY_BAD);
        wire = str_tail(wire, taken);
        piece = each;
    }
    ck_assert(result != SMTP_REPLY_GOOD || wire.n == 0);
    return result;
}

static void check_good(const struct good *g, size_t first, size_t each)
{
    struct smtp_reply r;
    struct buf words;
    smtp_reply_init(&r, SMTP_REPLY_LINE_MAX);
    buf_init(&words, 4096);
    for (int again = 0; again < 2; again++) {
        ck_assert_msg(feed_in_pieces(&r, str_of(g->wire), first, each) == SMTP_REPLY_GOOD, "%s",
                      g->wire);
        buf_clear(&words);
        smtp_reply_words(&r, &words);
        ck_assert_msg(r.code == g->code && r.n_lines == g->n_lines &&
                          strcmp(r.status, g->status) == 0 &&
                          str_eq(buf_str(&words), str_of(g->words)),
                      "%s: %u %u %s %.*s", g->wire, r.code, r.n_lines, r.status,
                      STR_FMT(buf_str(&words)));
        ck_assert_uint_eq(smtp_reply_pending(&r).n, 0);
    }
    smtp_reply_release(&r);
    buf_release(&words);
}

START_TEST(a_reply_is_read_the_same_however_it_is_cut)
{
    const struct good *g = &goods[_i];
    size_t n = strlen(g->wire);
    for (size_t cut = 1; cut <= n; cut++)
        check_good(g, cut, n);
    check_good(g, 1, 1);
}
END_TEST

START_TEST(what_is_no_reply_is_bad_however_it_is_cut_and_for_good)
{
    struct str wire = str_of(bads[_i]);
    for (size_t cut = 1; cut <= wire.n; cut++) {
        struct smtp_reply r;
        struct err err = {""};
        size_t taken = 0;
        smtp_reply_init(&r, SMTP_REPLY_LINE_MAX);
        ck_assert_msg(feed_in_pieces(&r, wire, cut, wire.n) == SMTP_REPLY_BAD, "%s", wire.p);
        ck_assert_int_eq(smtp_reply_feed(&r, STR_LIT("250 ok\r\n"), &taken, &err),
                         SMTP_REPLY_BAD);
        ck_assert_uint_eq(taken, 0);
        ck_assert(err.text[0]);
        smtp_reply_release(&r);
    }
}
END_TEST

START_TEST(a_nul_in_the_code_is_bad_and_in_the_text_is_text)
{
    struct smtp_reply r;
    size_t taken = 0;
    smtp_reply_init(&r, SMTP_REPLY_LINE_MAX);
    ck_assert_int_eq(smtp_reply_feed(&r, STR_LIT("250 a\0b\r\n"), &taken, NULL),
                     SMTP_REPLY_GOOD);
    ck_assert_uint_eq(buf_len(&r.text), 3);
    ck_assert_int_eq(smtp_reply_feed(&r, STR_LIT("25\0 ok\r\n"), &taken, NULL), SMTP_REPLY_BAD);
    smtp_reply_release(&r);
}
END_TEST

START_TEST(nothing_behind_the_reply_is_taken)
{
    struct smtp_reply r;
    size_t taken = 0;
    smtp_reply_init(&r, SMTP_REPLY_LINE_MAX);
    ck_assert_int_eq(smtp_reply_feed(&r, STR_LIT("250-a\r\n250 b\r\n354 go\r\n"), &taken, NULL),
                     SMTP_REPLY_GOOD);
    ck_assert_uint_eq(taken, 14);
    ck_assert(!r.mixed && !r.bare_lf);
    ck_assert_int_eq(smtp_reply_feed(&r, STR_LIT("354-go\n353 x\r\n"), &taken, NULL),
                     SMTP_REPLY_GOOD);
    ck_assert(r.mixed && r.bare_lf);
    smtp_reply_release(&r);
}
END_TEST

/* n_lines lines, each of line_bytes with its CRLF. */
static enum smtp_reply_result feed_long(size_t n_lines, size_t line_bytes, size_t each)
{
    struct smtp_reply r;
    struct buf wire;
    buf_init(&wire, 1 << 20);
    for (size_t i = 0; i < n_lines; i++) {
        buf_puts(&wire, i + 1 < n_lines ? "250-" : "250 ");
        for (size_t k = 6; k < line_bytes; k++)
            buf_putc(&wire, 'x');
        buf_puts(&wire, "\r\n");
    }
    smtp_reply_init(&r, SMTP_REPLY_LINE_MAX);
    enum smtp_reply_result result = feed_in_pieces(&r, buf_str(&wire), each, each);
    smtp_reply_release(&r);
    buf_release(&wire);
    return result;
}

START_TEST(the_limits_hold_to_the_octet)
{
    static const struct {
        size_t n_lines, line_bytes;
        enum smtp_reply_result result;
    } cases[] = {
        {1, 4095, SMTP_REPLY_GOOD}, {1, 4096, SMTP_REPLY_GOOD},  {1, 4097, SMTP_REPLY_BAD},
        {2, 4096, SMTP_REPLY_GOOD}, {2, 4097, SMTP_REPLY_BAD},   {16, 4096, SMTP_REPLY_GOOD},
        {17, 4096, SMTP_REPLY_BAD}, {255, 10, SMTP_REPLY_GOOD},  {256, 10, SMTP_REPLY_GOOD},
        {257, 10, SMTP_REPLY_BAD},  {256, 256, SMTP_REPLY_GOOD}, {256, 257, SMTP_REPLY_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const size_t pieces[] = {1, 1000, 4096, 1 << 20};
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++)
            ck_assert_msg(feed_long(cases[i].n_lines, cases[i].line_bytes, pieces[k]) ==
                              cases[i].result,
                          "%zu lines of %zu in pieces of %zu", cases[i].n_lines,
                          cases[i].line_bytes, pieces[k]);
    }
}
END_TEST

START_TEST(memory_is_bounded_by_the_limits)
{
    struct smtp_reply r;
    char block[8192];
    size_t taken = 0;
    memset(block, '2', sizeof block);
    smtp_reply_init(&r, SMTP_REPLY_LINE_MAX);
    ck_assert_int_eq(smtp_reply_feed(&r, (struct str){block, sizeof block}, &taken, NULL),
                     SMTP_REPLY_BAD);
    ck_assert_uint_le(r.line.room, 8192);
    smtp_reply_release(&r);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
    struct buf wire, long_line;
    struct smtp_reply r;
    size_t taken = 0, at = 0;
    struct str line;
    buf_init(&wire, 65536);
    buf_init(&long_line, 65536);
    smtp_reply_format(&wire, 550, "5.1.1", STR_LIT("no \x1b such\nuser"));
    ck_assert(str_eq(buf_str(&wire), STR_LIT("550-5.1.1 no \\x1B such\r\n550 5.1.1 user\r\n")));
    buf_clear(&wire);
    smtp_reply_format(&wire, 220, NULL, STR_LIT(""));
    ck_assert(str_eq(buf_str(&wire), STR_LIT("220 \r\n")));
    buf_clear(&wire);
    for (int i = 0; i < 1000; i++)
        buf_putc(&long_line, 'x');
    smtp_reply_format(&wire, 250, "2.0.0", buf_str(&long_line));
    ck_assert_uint_eq(buf_len(&wire), SMTP_REPLY_OUR_LINE_MAX);
    smtp_reply_init(&r, SMTP_REPLY_OUR_LINE_MAX);
    ck_assert_int_eq(smtp_reply_feed(&r, buf_str(&wire), &taken, NULL), SMTP_REPLY_GOOD);
    ck_assert(smtp_reply_line(&r, &at, &line));
    ck_assert_uint_eq(line.n, 512 - 6);
    ck_assert(!smtp_reply_line(&r, &at, &line));
    smtp_reply_release(&r);
    buf_release(&wire);
    buf_release(&long_line);
}
END_TEST

START_TEST(empty_lines_are_lines)
{
    struct smtp_reply r;
    size_t taken = 0, at = 0;
    struct str line;
    smtp_reply_init(&r, SMTP_REPLY_LINE_MAX);
    ck_assert_int_eq(smtp_reply_feed(&r, STR_LIT("250-\r\n250-a\r\n250\r\n"), &taken, NULL),
                     SMTP_REPLY_GOOD);
    ck_assert(smtp_reply_line(&r, &at, &line) && line.n == 0);
    ck_assert(smtp_reply_line(&r, &at, &line) && str_eq(line, STR_LIT("a")));
    ck_assert(smtp_reply_line(&r, &at, &line) && line.n == 0);
    ck_assert(!smtp_reply_line(&r, &at, &line));
    smtp_reply_release(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_reply");
    TCase *tc = tcase_create("smtp_reply");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_reply_is_read_the_same_however_it_is_cut, 0,
                        (int)(sizeof goods / sizeof goods[0]));
    tcase_add_loop_test(tc, what_is_no_reply_is_bad_however_it_is_cut_and_for_good, 0,
                        (int)(sizeof bads / sizeof bads[0]));
    tcase_add_test(tc, a_nul_in_the_code_is_bad_and_in_the_text_is_text);
    tcase_add_test(tc, nothing_behind_the_reply_is_taken);
    tcase_add_test(tc, the_limits_hold_to_the_octet);
    tcase_add_test(tc, memory_is_bounded_by_the_limits);
    tcase_add_test(tc, what_is_written_is_read_again);
    tcase_add_test(tc, empty_lines_are_lines);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
