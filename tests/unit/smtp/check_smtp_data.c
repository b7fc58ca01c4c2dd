/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "buf.h"
#include "smtp_data.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* What a decoder made of a stream that came in pieces. */
struct outcome {
    struct smtp_data d;
    struct buf held;    /* octets that are to be given again, and what came behind the end */
    struct buf content; /* decoded */
};

static void outcome_init(struct outcome *o)
{
    smtp_data_init(&o->d);
    buf_init(&o->held, 1 << 20);
    buf_init(&o->content, 1 << 20);
}

static void outcome_release(struct outcome *o)
{
    buf_release(&o->held);
    buf_release(&o->content);
}

static void outcome_feed(struct outcome *o, struct str piece)
{
    buf_put_str(&o->held, piece);
    if (o->d.ended || buf_len(&o->held) == 0)
        return;
    size_t n = buf_len(&o->held);
    size_t decoded = n + 1;
    char *wire = o->held.memory + o->held.head;
    size_t used = smtp_data_decode(&o->d, wire, n, &decoded);
    if (decoded > used || (!o->d.ended && n - used > SMTP_DATA_HELD_MAX))
        ck_abort_msg("%zu octets: %zu used, %zu decoded", n, used, decoded);
    buf_put(&o->content, wire, decoded);
    buf_consume(&o->held, used);
}

static const struct case_row {
    const char *name;
    struct str wire;
    struct str content;
    struct str behind; /* left over: behind the end, or held */
    bool ended;
    enum smtp_data_flaw flaw;
    uint64_t flaw_line;
} cases[] = {
#define CLEAN SMTP_DATA_CLEAN, 0
    {"empty content", STR_LIT(".\r\n"), STR_LIT(""), STR_LIT(""), true, CLEAN},
    {"one line", STR_LIT("a\r\n.\r\n"), STR_LIT("a\r\n"), STR_LIT(""), true, CLEAN},
    {"blank lines", STR_LIT("\r\n\r\n.\r\n"), STR_LIT("\r\n\r\n"), STR_LIT(""), true, CLEAN},
    {"a command behind the end", STR_LIT("a\r\n.\r\nQUIT\r\n"), STR_LIT("a\r\n"),
     STR_LIT("QUIT\r\n"), true, CLEAN},
    {"a second end is left", STR_LIT(".\r\n.\r\n"), STR_LIT(""), STR_LIT(".\r\n"), true, CLEAN},
    {"stuffed dot", STR_LIT("..\r\n.\r\n"), STR_LIT(".\r\n"), STR_LIT(""), true, CLEAN},
    {"stuffed dots", STR_LIT("...\r\n..a\r\n.b\r\n.\r\n"), STR_LIT("..\r\n.a\r\nb\r\n"),
     STR_LIT(""), true, CLEAN},
    {"dots within and at the end of lines", STR_LIT("a.b.\r\nc.\r\n.\r\n"),
     STR_LIT("a.b.\r\nc.\r\n"), STR_LIT(""), true, CLEAN},
    {"dot and blank", STR_LIT(". \r\n.\r\n"), STR_LIT(" \r\n"), STR_LIT(""), true, CLEAN},
    {"no end yet", STR_LIT("a\r\nb"), STR_LIT("a\r\nb"), STR_LIT(""), false, CLEAN},
    {"CR waits", STR_LIT("a\r"), STR_LIT("a"), STR_LIT("\r"), false, CLEAN},
    {"CR of the first line waits", STR_LIT("\r"), STR_LIT(""), STR_LIT("\r"), false, CLEAN},
    {"dot waits", STR_LIT("a\r\n."), STR_LIT("a\r\n"), STR_LIT("."), false, CLEAN},
    {"dot and CR wait", STR_LIT("a\r\n.\r"), STR_LIT("a\r\n"), STR_LIT(".\r"), false, CLEAN},
    {"eight bits", STR_LIT("\xff\xc3\xa4\r\n.\r\n"), STR_LIT("\xff\xc3\xa4\r\n"), STR_LIT(""),
     true, CLEAN},
    {"CR CR LF is a bare CR and a line end", STR_LIT("a\r\r\n.\r\n"), STR_LIT("a\r\r\n"),
     STR_LIT(""), true, SMTP_DATA_BARE_CR, 1},
    {"the flaw's line", STR_LIT("a\r\nb\r\nc\nd\r\n.\r\n"), STR_LIT("a\r\nb\r\nc\nd\r\n"),
     STR_LIT(""), true, SMTP_DATA_BARE_LF, 3},
    {"the first flaw counts: NUL", STR_LIT("a\0\n\rb\r\n.\r\n"), STR_LIT("a\0\n\rb\r\n"),
     STR_LIT(""), true, SMTP_DATA_NUL, 1},
    {"the first flaw counts: LF", STR_LIT("a\n\0\rb\r\n.\r\n"), STR_LIT("a\n\0\rb\r\n"),
     STR_LIT(""), true, SMTP_DATA_BARE_LF, 1},
    {"the first flaw counts: CR", STR_LIT("a\rb\0\n\r\n.\r\n"), STR_LIT("a\rb\0\n\r\n"),
     STR_LIT(""), true, SMTP_DATA_BARE_CR, 1},
    {"bare LF at the start", STR_LIT("\n.\r\n\r\n.\r\n"), STR_LIT("\n.\r\n\r\n"), STR_LIT(""),
     true, SMTP_DATA_BARE_LF, 1},
    {"stuffed dot before a bare CR", STR_LIT(".\r\r\n.\r\n"), STR_LIT("\r\r\n"), STR_LIT(""),
     true, SMTP_DATA_BARE_CR, 1},
    {"stuffed dot before a bare LF", STR_LIT(".\n\r\n.\r\n"), STR_LIT("\n\r\n"), STR_LIT(""),
     true, SMTP_DATA_BARE_LF, 1},
    {"no unstuffing behind a bare LF", STR_LIT("a\n..b\r\n.\r\n"), STR_LIT("a\n..b\r\n"),
     STR_LIT(""), true, SMTP_DATA_BARE_LF, 1},
    {"no unstuffing behind a bare CR", STR_LIT("a\r..b\r\n.\r\n"), STR_LIT("a\r..b\r\n"),
     STR_LIT(""), true, SMTP_DATA_BARE_CR, 1},
#undef CLEAN
};

static void check_outcome(const struct case_row *c, const struct outcome *o, size_t first,
                          size_t second)
{
    ck_assert_msg(str_eq(buf_str(&o->content), c->content), "%s: content (cut at %zu, %zu)",
                  c->name, first, second);
    ck_assert_msg(str_eq(buf_str(&o->held), c->behind), "%s: what is left (cut at %zu, %zu)",
                  c->name, first, second);
    ck_assert_msg(o->d.ended == c->ended, "%s: end (cut at %zu, %zu)", c->name, first, second);
    ck_assert_msg(o->d.flaw == c->flaw && o->d.flaw_line == c->flaw_line,
                  "%s: flaw %d in line %u (cut at %zu, %zu)", c->name, (int)o->d.flaw,
                  (unsigned)o->d.flaw_line, first, second);
    ck_assert_uint_eq(o->d.bytes, c->content.n);
}

START_TEST(every_pair_of_cuts_gives_the_same_content)
{
    const struct case_row *c = &cases[_i];
    for (size_t first = 0; first <= c->wire.n; first++) {
        for (size_t second = first; second <= c->wire.n; second++) {
            struct outcome o;
            outcome_init(&o);
            outcome_feed(&o, str_head(c->wire, first));
            outcome_feed(&o, str_head(str_tail(c->wire, first), second - first));
            outcome_feed(&o, str_tail(c->wire, second));
            check_outcome(c, &o, first, second);
            outcome_release(&o);
        }
    }
}
END_TEST

START_TEST(byte_by_byte_gives_the_same_content)
{
    const struct case_row *c = &cases[_i];
    struct outcome o;
    outcome_init(&o);
    for (size_t i = 0; i < c->wire.n; i++)
        outcome_feed(&o, str_head(str_tail(c->wire, i), 1));
    check_outcome(c, &o, 1, 1);
    outcome_release(&o);
}
END_TEST

/* What other servers have taken for the end of data (L-032), and all that is near. */
static const struct str smuggled[] = {
    STR_LIT("\n.\n"),        STR_LIT("\n.\r\n"),      STR_LIT("\r.\r"),
    STR_LIT("\r\n.\n"),      STR_LIT("\r.\r\n"),      STR_LIT("\r\n.\r"),
    STR_LIT("\r\n\0.\r\n"),  STR_LIT("\r\n.\0\r\n"),  STR_LIT("\r\n.\r\0\n"),
    STR_LIT("\r\0\n.\r\n"),  STR_LIT("\n.\r"),        STR_LIT("\r.\n"),
    STR_LIT("\n\n.\r\n"),    STR_LIT("\n\r.\r\n"),    STR_LIT("\r\n.\r\r\n"),
    STR_LIT("\r\n.\n\r\n"),  STR_LIT("\r\r.\r\r\n"),  STR_LIT("\n\r.\n\r"),
    STR_LIT("\r\n\r.\r\n"),  STR_LIT("\r\n\n.\r\n"),  STR_LIT("\0\n.\r\n"),
    STR_LIT("\r\n.\r\r.\n"), STR_LIT("\r\n.\n.\r\n"),
};

START_TEST(nothing_but_the_true_end_ends)
{
    struct buf wire;
    buf_init(&wire, 256);
    buf_puts(&wire, "Subject: x\r\n\r\na");
    buf_put_str(&wire, smuggled[_i]);
    buf_puts(&wire, "MAIL FROM:<b@example.com>\r\n.\r\n");
    for (size_t cut = 0; cut <= buf_len(&wire); cut++) {
        struct outcome o;
        outcome_init(&o);
        outcome_feed(&o, str_head(buf_str(&wire), cut));
        ck_assert(cut == buf_len(&wire) || !o.d.ended);
        outcome_feed(&o, str_tail(buf_str(&wire), cut));
        ck_assert(o.d.ended);
        ck_assert_uint_eq(buf_len(&o.held), 0);
        ck_assert_int_ne(o.d.flaw, SMTP_DATA_CLEAN);
        ck_assert_ptr_nonnull(
            memmem(buf_str(&o.content).p, buf_len(&o.content), "MAIL FROM", 9));
        outcome_release(&o);
    }
    buf_release(&wire);
}
END_TEST

/* All streams of up to seven octets from the five that matter, against the definition. */
static bool ends_in_truth(struct str wire, size_t *end)
{
    for (size_t i = 0; i < wire.n; i++) {
        struct str rest = str_tail(wire, i);
        bool first = i == 0 && rest.n >= 3 && memcmp(rest.p, ".\r\n", 3) == 0;
        bool later = rest.n >= 5 && memcmp(rest.p, "\r\n.\r\n", 5) == 0;
        *end = i + (first ? 3 : 5);
        if (first || later)
            return true;
    }
    return false;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
    return a->d.ended == b->d.ended && a->d.flaw == b->d.flaw &&
           a->d.flaw_line == b->d.flaw_line && a->d.lines == b->d.lines &&
           str_eq(buf_str(&a->content), buf_str(&b->content)) &&
           str_eq(buf_str(&a->held), buf_str(&b->held));
}

static void check_stream(struct str wire)
{
    struct outcome whole, bytewise;
    outcome_init(&whole);
    outcome_init(&bytewise);
    outcome_feed(&whole, wire);
    for (size_t i = 0; i < wire.n; i++)
        outcome_feed(&bytewise, str_head(str_tail(wire, i), 1));
    size_t end;
    bool ends = ends_in_truth(wire, &end);
    bool right = whole.d.ended == ends && (!ends || buf_len(&whole.held) == wire.n - end);
    ck_assert_msg(right && same_outcome(&whole, &bytewise),
                  "%02x %02x %02x %02x %02x %02x %02x", wire.p[0], wire.p[1], wire.p[2],
                  wire.p[3], wire.p[4], wire.p[5], wire.p[6]);
    outcome_release(&whole);
    outcome_release(&bytewise);
}

/* In five parts, by the first octet. */
START_TEST(every_short_stream_ends_where_the_definition_says)
{
    static const char octets[] = {'\r', '\n', '.', '\0', 'a'};
    enum {
        N = 7,
        ALL = 5 * 5 * 5 * 5 * 5 * 5
    };
    for (unsigned number = 0; number < ALL; number++) {
        char wire[N] = {octets[_i]};
        unsigned digits = number;
        for (size_t i = 1; i < N; i++, digits /= 5)
            wire[i] = octets[digits % 5];
        check_stream((struct str){wire, N});
    }
}
END_TEST

static unsigned by_chance(uint32_t *seed, unsigned limit)
{
    *seed = *seed * 1664525 + 1013904223;
    return (unsigned)(((uint64_t)*seed * limit) >> 32);
}

/* Lines of all lengths around that of a block, few of which have what is not plain. */
static size_t write_lines(char *wire, size_t max, uint32_t *seed)
{
    static const char octets[] = {'\r', '\n', '.', '\0'};
    size_t n = 0;
    while (n + 150 < max) {
        size_t line = by_chance(seed, 140);
        memset(wire + n, 'a' + (char)by_chance(seed, 20), line);
        if (line > 0 && by_chance(seed, 8) == 0)
            wire[n + by_chance(seed, (unsigned)line)] = octets[by_chance(seed, 4)];
        if (line > 0 && by_chance(seed, 8) == 0)
            wire[n] = '.';
        n += line;
        wire[n++] = '\r';
        wire[n++] = '\n';
    }
    return n;
}

START_TEST(long_streams_are_the_same_whole_and_byte_by_byte)
{
    uint32_t seed = (uint32_t)_i;
    char wire[1000];
    for (unsigned round = 0; round < 1000; round++)
        check_stream((struct str){wire, write_lines(wire, sizeof wire, &seed)});
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_data");
    TCase *tc = tcase_create("smtp_data");
    int n_cases = sizeof(cases) / sizeof(cases[0]);
    tcase_add_loop_test(tc, every_pair_of_cuts_gives_the_same_content, 0, n_cases);
    tcase_add_loop_test(tc, byte_by_byte_gives_the_same_content, 0, n_cases);
    tcase_add_loop_test(tc, nothing_but_the_true_end_ends, 0,
                        sizeof(smuggled) / sizeof(smuggled[0]));
    tcase_add_loop_test(tc, every_short_stream_ends_where_the_definition_says, 0, 5);
    tcase_add_loop_test(tc, long_streams_are_the_same_whole_and_byte_by_byte, 0, 3);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
