/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake.h"

#include "mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
    const char *name, *in, *out;
    const char *to; /* whom the header names, each with a blank behind */
    bool dots;      /* a dot ends */
    bool has_from, has_resent, has_resent_from;
    unsigned n_bad;
} rows[] = {
    {"a message", "To: a@b\nFrom: c@d\n\nhello\n", "To: a@b\r\nFrom: c@d\r\n\r\nhello\r\n",
     "a@b ", .has_from = true},
    {"CRLF", "To: a@b\r\n\r\nhello\r\n", "To: a@b\r\n\r\nhello\r\n", .to = "a@b "},
    {"CRLF header, LF body", "To: a@b\r\n\r\nx\ny\n\r\n", "To: a@b\r\n\r\nx\r\ny\r\n\r\n",
     .to = "a@b "},
    {"To, Cc, Bcc in any case, several", "tO: a@b\nCC: c@d\nbcc: e@f\nTo: g@h\n\n",
     "tO: a@b\r\nCC: c@d\r\nbcc: e@f\r\nTo: g@h\r\n\r\n", .to = "a@b c@d e@f g@h "},
    {"folded", "To: a@b,\n c@d,\n\te@f\n\n", "To: a@b,\r\n c@d,\r\n\te@f\r\n\r\n",
     .to = "a@b c@d e@f "},
    {"names, comments, a group", "To: \"a, b\" <x@y>, C D <z@y> (e@f)\nCc: g: h@i, j@k;\n\n",
     "To: \"a, b\" <x@y>, C D <z@y> (e@f)\r\nCc: g: h@i, j@k;\r\n\r\n",
     .to = "x@y z@y h@i j@k "},
    {"twice the same", "To: a@b, A@b\nCc: a@B\n\n", "To: a@b, A@b\r\nCc: a@B\r\n\r\n",
     .to = "a@b A@b "},
    {"no domain", "To: root\n\n", "To: root\r\n\r\n", .to = "root "},
    {"blank before the colon", "To : a@b\n\n", "To : a@b\r\n\r\n", .to = "a@b "},
    {"empty and undisclosed", "To: undisclosed-recipients:;\nCc:\nBcc: a@b,\n\n",
     "To: undisclosed-recipients:;\r\nCc:\r\nBcc: a@b,\r\n\r\n", .to = "a@b "},
    {"one is bad", "To: a@b@c, d@e\n\n", "To: a@b@c, d@e\r\n\r\n", "d@e ", .n_bad = 1},
    {"not in the body", "Subject: x\n\nTo: a@b\n", "Subject: x\r\n\r\nTo: a@b\r\n", .to = ""},
    {"a resend", "Resent-To: r@s\nResent-From: q\nTo: a@b\nFrom: c@d\n\n",
     "Resent-To: r@s\r\nResent-From: q\r\nTo: a@b\r\nFrom: c@d\r\n\r\n", "r@s ",
     .has_from = true, .has_resent = true, .has_resent_from = true},
    {"Resent-From alone", "Resent-From: q\nTo: a@b\n\n", "Resent-From: q\r\nTo: a@b\r\n\r\n",
     "a@b ", .has_resent = true, .has_resent_from = true},
    {"a resend of a resend", "Resent-To: r@s\nReceived: x\nResent-To: o@p\nResent-From: q\n\n",
     "Resent-To: r@s\r\nReceived: x\r\nResent-To: o@p\r\nResent-From: q\r\n\r\n", "r@s ",
     .has_resent = true},
    {"a line of an mbox", "From a@b Tue Nov 24 02:29:43 2026\nTo: a@b\n\n", "To: a@b\r\n\r\n",
     .to = "a@b "},
    {"a quoted line of an mbox", ">From a@b Tue Nov 24 02:29:43 2026\r\nTo: a@b\n\n",
     "To: a@b\r\n\r\n", .to = "a@b "},
    {"two lines of an mbox", "From a\n>From b\nTo: a@b\n\n", "To: a@b\r\n\r\n", .to = "a@b "},
    {"a line of an mbox and no more", "From a", "\r\n", .to = ""},
    {"nearly a line of an mbox", "From: a\n\n", "From: a\r\n\r\n", "", .has_from = true},
    {"no header", "hello\nTo: a@b\n", "\r\nhello\r\nTo: a@b\r\n", .to = ""},
    {"no header, and a dot", ".hello\n", "\r\n..hello\r\n", "", .dots = true},
    {"the header stops at a line that is none", "To: a@b\nhello there\nCc: c@d\n",
     "To: a@b\r\n\r\nhello there\r\nCc: c@d\r\n", .to = "a@b "},
    {"progress in a body without a header", "1%\r2%\n", "\r\n1%\r\n2%\r\n", .to = ""},
    {"a header that has no end", "To: a@b\nSubject: t", "To: a@b\r\nSubject: t\r\n\r\n",
     .to = "a@b "},
    {"nothing", "", "\r\n", .to = ""},
    {"a blank line", "\n", "\r\n", .to = ""},
    {"a dot alone", ".\n", "\r\n", "", .dots = true},
    {"a dot ends the header", "To: a@b\n.\nx\n", "To: a@b\r\n\r\n", "a@b ", .dots = true},
    {"a dot ends the body", "To: a@b\n\nx\n.\ny\n", "To: a@b\r\n\r\nx\r\n", "a@b ",
     .dots = true},
    {"dots are text with -i", "To: a@b\n\n.\ny\n", "To: a@b\r\n\r\n..\r\ny\r\n", .to = "a@b "},
    {"a CR alone in an address", "To: a@b,\rc@d\n\n", "To: a@b, c@d\r\n\r\n", .to = "a@b c@d "},
    {"a CR alone makes no field", "Subject: x\rBcc: a@b\n\n", "Subject: x Bcc: a@b\r\n\r\n",
     .to = ""},
};

static void check_row(const struct row *row, size_t cut, size_t step)
{
    size_t n = strlen(row->in);
    struct intake in;
    struct buf to;
    buf_init(&to, 1000);
    intake_init(&in, row->dots);
    intake_feed(&in, row->in, cut);
    for (size_t at = cut; at < n; at += step)
        intake_feed(&in, row->in + at, step < n - at ? step : n - at);
    ck_assert_int_eq(intake_eof(&in), INTAKE_END);
    const struct recipients *r = intake_recipients(&in);
    for (size_t i = 0; i < r->good.n; i++)
        buf_printf(&to, "%s ", r->good.texts[i]);
    ck_assert_msg(str_eq(buf_str(&in.out), str_of(row->out)), "%s, cut at %zu: \"%.*s\"",
                  row->name, cut, STR_FMT(buf_str(&in.out)));
    ck_assert_msg(str_eq(buf_str(&to), str_of(row->to)), "%s: %.*s", row->name,
                  STR_FMT(buf_str(&to)));
    ck_assert_msg(in.has_from == row->has_from && in.has_resent == row->has_resent &&
                      in.has_resent_from == row->has_resent_from && r->n_bad == row->n_bad,
                  "%s", row->name);
    buf_release(&to);
    intake_release(&in);
}

START_TEST(a_message_is_taken_in_however_it_is_cut)
{
    for (size_t cut = 0; cut <= strlen(rows[_i].in); cut++)
        check_row(&rows[_i], cut, 1000);
    check_row(&rows[_i], 0, 1);
}
END_TEST

START_TEST(nuls_are_left_out)
{
    static const char text[] = "T\0o: a@\0b\n\0\nx\0\0y\0\n\0";
    struct intake in;
    intake_init(&in, true);
    intake_feed(&in, text, sizeof text);
    ck_assert_int_eq(intake_eof(&in), INTAKE_END);
    ck_assert(str_eq(buf_str(&in.out), STR_LIT("To: a@b\r\n\r\nxy\r\n")));
    ck_assert_uint_eq(intake_recipients(&in)->good.n, 1);
    intake_release(&in);
}
END_TEST

/* A header of exactly bytes, its blank line not counted. */
static enum intake_state state_after_header(size_t bytes)
{
    struct intake in;
    char *text = mem_array(bytes + 1, 1);
    memset(text, 'x', bytes);
    memcpy(text, "X: ", 3);
    for (size_t i = 79; i < bytes; i += 80)
        memcpy(text + i - 1, "\n ", 2);
    text[bytes - 1] = '\n';
    text[bytes] = '\n';
    intake_init(&in, true);
    for (size_t at = 0; at <= bytes; at += 65536)
        intake_feed(&in, text + at, bytes + 1 - at < 65536 ? bytes + 1 - at : 65536);
    enum intake_state state = in.state;
    intake_release(&in);
    free(text);
    return state;
}

START_TEST(a_header_has_at_most_one_mebibyte)
{
    ck_assert_int_eq(state_after_header(INTAKE_HEADER_MAX - 8), INTAKE_BODY);
    ck_assert_int_eq(state_after_header(INTAKE_HEADER_MAX + 8), INTAKE_LARGE);
}
END_TEST

START_TEST(ten_thousand_recipients_stay_in_order_and_once)
{
    struct intake in;
    intake_init(&in, true);
    char text[64];
    intake_feed(&in, "To: ", 4);
    for (int i = 0; i < 20000; i++) {
        int n = snprintf(text, sizeof text, "user%d@example.com,\n ", i % 10000);
        intake_feed(&in, text, (size_t)n);
    }
    intake_feed(&in, "last\n\n", 6);
    const struct recipients *r = intake_recipients(&in);
    ck_assert_uint_eq(r->good.n, 10001);
    ck_assert_str_eq(r->good.texts[9999], "user9999@example.com");
    ck_assert_str_eq(r->good.texts[10000], "last");
    intake_release(&in);
}
END_TEST

static const struct {
    const char *operand, *to;
    unsigned n_bad;
} operands[] = {
    {"a@d, b@d", .to = "a@d b@d "},
    {"a@d,b@d", .to = "a@d b@d "},
    {"a@d b@d", .to = "a@d b@d "},
    {"a@d; b@d", .to = "a@d b@d "},
    {"\"Bob B.\" <b@d>", .to = "b@d "},
    {"Bob B <b@d>", .to = "b@d "},
    {"b@d (Bob)", .to = "b@d "},
    {"\"Last, First\" <b@d>, c@d", .to = "b@d c@d "},
    {"grp: a@d, b@d;", .to = "a@d b@d "},
    {"undisclosed-recipients:;", .to = ""},
    {"", .to = ""},
    {"<>", .to = ""},
    {" , ", .to = ""},
    {"root", .to = "root "},
    {"\"john doe\"@d", .to = "\"john doe\"@d "},
    {"u@[192.0.2.1]", .to = "u@[192.0.2.1] "},
    {"<@r:b@d>", .to = "b@d "},
    {"|cmd", .to = "|cmd "},
    {"/file", .to = "/file "},
    {"b\xC3\xB6"
     "b@d",
     .to = "b\xC3\xB6"
           "b@d "},
    {"-odd@d", .to = "-odd@d "},
    {"a@b@d", "", 1},
    {"\"a", "", 1},
};

START_TEST(an_operand_is_a_list_of_addresses)
{
    struct recipients r;
    struct buf to;
    recipients_init(&r);
    buf_init(&to, 1000);
    recipients_add_list(&r, str_of(operands[_i].operand));
    for (size_t i = 0; i < r.good.n; i++)
        buf_printf(&to, "%s ", r.good.texts[i]);
    ck_assert_msg(str_eq(buf_str(&to), str_of(operands[_i].to)) &&
                      r.n_bad == operands[_i].n_bad,
                  "%s: %.*s, %zu bad", operands[_i].operand, STR_FMT(buf_str(&to)), r.n_bad);
    ck_assert_int_eq(r.bad != NULL, r.n_bad > 0);
    buf_release(&to);
    recipients_release(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("intake");
    TCase *tc = tcase_create("intake");
    tcase_add_loop_test(tc, a_message_is_taken_in_however_it_is_cut, 0,
                        (int)(sizeof rows / sizeof rows[0]));
    tcase_add_test(tc, nuls_are_left_out);
    tcase_add_test(tc, a_header_has_at_most_one_mebibyte);
    tcase_add_test(tc, ten_thousand_recipients_stay_in_order_and_once);
    tcase_add_loop_test(tc, an_operand_is_a_list_of_addresses, 0,
                        (int)(sizeof operands / sizeof operands[0]));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
