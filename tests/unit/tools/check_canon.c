/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "canon.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const char *name, *in, *out;
    bool dots;   /* dot_ends */
    bool header; /* CR alone is a blank */
    bool ends;   /* by a dot */
};

static const struct row rows[] = {
    {"nothing", "", .out = ""},
    {"LF", "a\nb\n", .out = "a\r\nb\r\n"},
    {"CRLF", "a\r\nb\r\n", .out = "a\r\nb\r\n"},
    {"mixed", "a\r\nb\nc\r\n", .out = "a\r\nb\r\nc\r\n"},
    {"no final newline", "a\nb", .out = "a\r\nb\r\n"},
    {"final CR", "a\r", .out = "a\r\n"},
    {"empty lines", "\n\r\n\n", .out = "\r\n\r\n\r\n"},
    {"a CR alone breaks the line", "1%\r2%\r3%\n", .out = "1%\r\n2%\r\n3%\r\n"},
    {"two CRs", "a\r\rb\n", .out = "a\r\n\r\nb\r\n"},
    {"CR CR LF", "a\r\r\n", .out = "a\r\n\r\n"},
    {"a CR alone is a blank in the header", "a\rb\r\n", "a b\r\n", .header = true},
    {"CR before the end of a header", "a\r\r\n", "a \r\n", .header = true},
    {"8 bits", "\xFF\xC3\xA4\n", .out = "\xFF\xC3\xA4\r\n"},
    {"dots with -i", ".\n..\n.a\na.\n", .out = "..\r\n...\r\n..a\r\na.\r\n"},
    {"a dot at the end with -i", "a\n.", .out = "a\r\n..\r\n"},
    {"a dot ends", "a\n.\nb\n", "a\r\n", .dots = true, .ends = true},
    {"a dot with CRLF ends", "a\r\n.\r\nb\r\n", "a\r\n", .dots = true, .ends = true},
    {"a dot at the end of file ends", "a\n.", "a\r\n", .dots = true, .ends = true},
    {"a dot and CR at the end of file end", "a\n.\r", "a\r\n", .dots = true, .ends = true},
    {"a dot first ends", ".\na\n", "", .dots = true, .ends = true},
    {"two dots do not end", "..\n..x\n", "...\r\n...x\r\n", .dots = true},
    {"dot and blank do not end", ". \n.a\n", ".. \r\n..a\r\n", .dots = true},
    {"a dot behind text does not end", "a.\n", "a.\r\n", .dots = true},
    {"a dot before a CR alone does not end", "a\n.\rb\n", "a\r\n..\r\nb\r\n", .dots = true},
    {"a dot behind a CR alone is at a line's start", "a\r.b\n", "a\r\n..b\r\n", .dots = true},
    {"dot CR CR LF does not end", "\n.\r\r\n", "\r\n..\r\n\r\n", .dots = true},
    {"a header line with a dot", ".x: y\n", "..x: y\r\n", .dots = true, .header = true},
};

static void start(struct canon *c, struct buf *out, const struct row *row)
{
    buf_init(out, 4096);
    canon_init(c, row->dots);
    c->header = row->header;
}

static void check_end(struct canon *c, struct buf *out, const struct row *row, const char *how)
{
    if (!c->ended)
        canon_end(c, out);
    ck_assert_msg(str_eq(buf_str(out), str_of(row->out)), "%s, %s: \"%.*s\"", row->name, how,
                  STR_FMT(buf_str(out)));
    ck_assert_msg(c->ended == row->ends, "%s, %s", row->name, how);
    buf_release(out);
}

START_TEST(lines_and_dots_become_wire_form_however_they_are_cut)
{
    const struct row *row = &rows[_i];
    size_t n = strlen(row->in);
    struct canon c;
    struct buf out;
    for (size_t cut = 0; cut <= n; cut++) {
        start(&c, &out, row);
        size_t taken = canon_feed(&c, &out, row->in, cut);
        ck_assert(taken == cut || c.ended);
        taken = canon_feed(&c, &out, row->in + cut, n - cut);
        ck_assert(taken == n - cut || c.ended);
        check_end(&c, &out, row, "cut");
    }
    start(&c, &out, row);
    for (size_t i = 0; i < n; i++)
        canon_feed(&c, &out, row->in + i, 1);
    check_end(&c, &out, row, "byte by byte");
}
END_TEST

START_TEST(what_follows_the_dot_is_not_taken)
{
    struct canon c;
    struct buf out;
    buf_init(&out, 100);
    canon_init(&c, true);
    ck_assert_uint_eq(canon_feed(&c, &out, "a\n.\nbcd", 7), 4);
    ck_assert(c.ended);
    buf_release(&out);
}
END_TEST

/* Many lines at once, of which some begin with a dot, hold a CR or are empty. */
START_TEST(many_lines_are_the_same_whole_and_byte_by_byte)
{
    static const char *const lines[] = {
        "a line\n", ".dot\n", "\n",    "CR\r\n",
        "a\rb\n",   "x\n",    ".\n\n", "another, longer line\n"};
    uint32_t seed = 1;
    for (unsigned round = 0; round < 2000; round++) {
        char in[512] = "";
        for (unsigned i = 0; i < 20; i++, seed = seed * 1664525 + 1013904223)
            strcat(in, lines[seed >> 29]);
        struct canon whole, bytewise;
        struct buf out, slow;
        buf_init(&out, 2048);
        buf_init(&slow, 2048);
        canon_init(&whole, false);
        canon_init(&bytewise, false);
        size_t n = strlen(in);
        ck_assert_uint_eq(canon_feed(&whole, &out, in, n), n);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(canon_feed(&bytewise, &slow, in + i, 1), 1);
        ck_assert(str_eq(buf_str(&out), buf_str(&slow)));
        ck_assert_int_eq(whole.start, bytewise.start);
        buf_release(&out);
        buf_release(&slow);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("canon");
    TCase *tc = tcase_create("canon");
    tcase_add_loop_test(tc, lines_and_dots_become_wire_form_however_they_are_cut, 0,
                        (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(tc, what_follows_the_dot_is_not_taken);
    tcase_add_test(tc, many_lines_are_the_same_whole_and_byte_by_byte);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
