/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "header.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

enum {
    LIMIT = 100000
};

/* What a message's header splits into: "[name|value]" a field, then how the block ended and
 * what is left. */
static const struct {
    const char *text, *events;
} messages[] = {
    {"", "END:"},
    {"\n", "END:"},
    {"\r\n", "END:"},
    {"\nbody\n", "END:body\n"},
    {"\r\n\r\nbody", "END:\r\nbody"},
    {"A: b\n\nbody", "[A| b]END:body"},
    {"A: b\r\n\r\nbody", "[A| b]END:body"},
    {"A: b\r\n\nbody", "[A| b]END:body"},
    {"A:b\nC:d\n\n", "[A|b][C|d]END:"},
    {"A:\n\n", "[A|]END:"},
    {"A:\r\nB:\r\n", "[A|][B|]END:"},
    {"A: b", "[A| b]END:"},
    {"A: b\r", "[A| b]END:"},
    {"A: b\n", "[A| b]END:"},
    {"A: b\n ", "[A| b\n ]END:"},
    {"A:", "[A|]END:"},
    {"A: b\n c\n\td\nE: f\n\n", "[A| b\n c\n\td][E| f]END:"},
    {"A: b\r\n c\r\n\r\n", "[A| b\r\n c]END:"},
    {"A: b\n \nC: d\n\n", "[A| b\n ][C| d]END:"},
    {"A : b\n\n", "[A| b]END:"},
    {"A \t : b\n\n", "[A| b]END:"},
    {"A: b: c\n\n", "[A| b: c]END:"},
    {"A: \xC3\xB6\xFF\n\n", "[A| \xC3\xB6\xFF]END:"},
    {"!#$~: x\n\n", "[!#$~| x]END:"},
    {"A: b\rc\n\n", "[A| b\rc]END:"},
    {"A: b\r\r\n\n", "[A| b\r]END:"},
    {"hello\n", "BODY:hello\n"},
    {"hello world\n", "BODY:hello world\n"},
    {"hello", "BODY:hello"},
    {" A: b\n\n", "BODY: A: b\n\n"},
    {":b\n", "BODY::b\n"},
    {"A\xC3\xB6: b\n", "BODY:A\xC3\xB6: b\n"},
    {"A b: c\n", "BODY:A b: c\n"},
    {"A: b\nhello\n\n", "[A| b]BODY:hello\n\n"},
    {"A: b\nhello: x y\n!\n", "[A| b][hello| x y]BODY:!\n"},
    {"A: b\n\rC: d\n", "[A| b]BODY:\rC: d\n"},
    {"\r", "BODY:\r"},
    {"From a@b Mon Jan  1\nA: b\n\nc", "[A| b]END:c"},
    {">From a@b\nFrom c@d\r\nA: b\n\nc", "[A| b]END:c"},
    {"From a@b", "END:"},
    {"From ", "END:"},
    {"From a@b\n", "END:"},
    {"From a@b\n\nbody", "END:body"},
    {"From a@b\nhello\n", "BODY:hello\n"},
    {"From: a@b\n\n", "[From| a@b]END:"},
    {"From : a@b\n\n", "[From| a@b]END:"},
    {"From \t: a@b\n\n", "[From| a@b]END:"},
    {"Frommage x\n", "BODY:Frommage x\n"},
    {"A: b\nFrom a@b\n", "[A| b]BODY:From a@b\n"},
};

static void put_event(struct buf *out, const struct header_event *e)
{
    struct str whole = {e->name.p, (size_t)(e->value.p + e->value.n - e->name.p)};
    ck_assert(str_eq(e->field, whole));
    buf_putc(out, '[');
    buf_put_str(out, e->name);
    buf_putc(out, '|');
    buf_put_str(out, e->value);
    buf_putc(out, ']');
}

/* Take all events that are there; true at the end of the block. */
static bool take_events(struct header *h, struct buf *out)
{
    struct header_event e;
    enum header_event_type type;
    while ((type = header_next(h, &e)) == HEADER_FIELD)
        put_event(out, &e);
    if (type == HEADER_MORE)
        return false;
    ck_assert_int_eq(header_next(h, &e), type);
    buf_puts(out, type == HEADER_END ? "END" : type == HEADER_BODY ? "BODY" : "LARGE");
    return true;
}

/* Feed text in pieces: first_bytes, then step_bytes at a time. To be freed. */
static char *split(struct str text, uint32_t limit, size_t first_bytes, size_t step_bytes)
{
    struct header h;
    struct buf out;
    header_init(&h, limit);
    buf_init(&out, SIZE_MAX);
    size_t n = first_bytes;
    bool ended = false;
    while (text.n && !ended) {
        struct str piece = str_head(text, n);
        header_feed(&h, piece.p, piece.n);
        text = str_tail(text, n);
        n = step_bytes;
        ended = take_events(&h, &out);
    }
    header_eof(&h);
    bool large = ended && str_eq(str_tail(buf_str(&out), buf_len(&out) - 5), STR_LIT("LARGE"));
    if (!ended)
        take_events(&h, &out);
    if (!large) {
        buf_putc(&out, ':');
        buf_put_str(&out, header_rest(&h));
        buf_put_str(&out, text);
    }
    char *events = buf_strdup(&out);
    header_release(&h);
    buf_release(&out);
    return events;
}

START_TEST(a_message_splits_into_its_fields)
{
    char *events = split(str_of(messages[_i].text), LIMIT, SIZE_MAX, 1);
    ck_assert_str_eq(events, messages[_i].events);
    free(events);
}
END_TEST

START_TEST(how_the_bytes_are_cut_does_not_matter)
{
    struct str text = str_of(messages[_i].text);
    for (size_t first = 1; first <= text.n; first++) {
        for (size_t step = 1; step <= text.n; step += text.n - 1 + (text.n == 1)) {
            char *events = split(text, LIMIT, first, step);
            ck_assert_msg(strcmp(events, messages[_i].events) == 0, "%s: %zu, then %zu: %s",
                          text.p, first, step, events);
            free(events);
        }
    }
}
END_TEST

/* All lines before the blank one count, with their ends. */
static const struct {
    const char *text;
    uint32_t block_bytes;
} sized[] = {
    {"A: b\nC: de\n\nbody that is longer than the limit", 11},
    {"A: b\r\nC: d\r\n\r\nbody that is longer than the limit", 12},
    {"A: b\n\tcc\n\n", 9},
    {"A: b\nC: de", 10},
    {"A: b\nno field, and longer than the limit\n", 5},
    {"From a\nA: b\n\n", 12},
    {"From a\n\nbody that is longer than the limit", 7},
    {"From a", 6},
};

START_TEST(the_limit_is_exact_however_the_bytes_are_cut)
{
    struct str text = str_of(sized[_i].text);
    for (size_t step = 1; step <= text.n; step++) {
        char *at_limit = split(text, sized[_i].block_bytes, step, step);
        char *over = split(text, sized[_i].block_bytes - 1, step, step);
        ck_assert_msg(strstr(at_limit, "LARGE") == NULL, "%s", at_limit);
        ck_assert_msg(strstr(over, "LARGE") != NULL, "%s", over);
        free(at_limit);
        free(over);
    }
}
END_TEST

START_TEST(a_long_line_without_a_colon_is_body_and_not_a_large_header)
{
    char *text = malloc(LIMIT + 10);
    memset(text, 'x', LIMIT + 10);
    char *events = split((struct str){text, LIMIT + 10}, 1000, 100, 100);
    ck_assert_msg(strncmp(events, "BODY:xxx", 8) == 0, "%.20s", events);
    ck_assert_uint_eq(strlen(events), LIMIT + 10 + 5);
    free(events);
    free(text);
}
END_TEST

START_TEST(a_line_of_one_mailbox_takes_no_memory)
{
    struct header h;
    struct header_event e;
    header_init(&h, UINT32_MAX);
    header_feed(&h, "From ", 5);
    bool more = true;
    for (int i = 0; i < 1000000; i++) {
        header_feed(&h, "x", 1);
        more = more && header_next(&h, &e) == HEADER_MORE;
    }
    ck_assert(more);
    ck_assert_uint_le(h.pending.room, 1024);
    header_release(&h);
}
END_TEST

/* 4 MB a byte at a time: a quadratic splitter would not end within the test's timeout. */
START_TEST(time_is_linear_in_the_length)
{
    static const char *const shapes[] = {"a@d,\r\n ", "a", "A: b\r\n", "\r\n ", "A:"};
    struct header h;
    struct header_event e;
    size_t shape_bytes = strlen(shapes[_i]);
    header_init(&h, UINT32_MAX);
    header_feed(&h, "To: ", 4);
    for (size_t i = 0; i < 4000000; i++) {
        header_feed(&h, &shapes[_i][i % shape_bytes], 1);
        header_next(&h, &e);
    }
    ck_assert_int_eq(h.end, HEADER_MORE);
    header_release(&h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("header");
    TCase *tc = tcase_create("header");
    tcase_add_loop_test(tc, a_message_splits_into_its_fields, 0, COUNT(messages));
    tcase_add_loop_test(tc, how_the_bytes_are_cut_does_not_matter, 0, COUNT(messages));
    tcase_add_loop_test(tc, the_limit_is_exact_however_the_bytes_are_cut, 0, COUNT(sized));
    tcase_add_test(tc, a_long_line_without_a_colon_is_body_and_not_a_large_header);
    tcase_add_test(tc, a_line_of_one_mailbox_takes_no_memory);
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, time_is_linear_in_the_length, 0, 5);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
