/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The content of a message, over a store of the test's own. */
#include "content.h"

#include "line_limit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum {
    ID = 7
};

static struct buf stored;
static size_t broken_from; /* no byte from here on can be read */
static unsigned n_reads;

ssize_t store_read(struct store *s, store_id id, unsigned n, struct buf *out)
{
    (void)s;
    struct str chunk = str_tail(buf_str(&stored), (size_t)n * STORE_CHUNK_BYTES);
    chunk = str_head(chunk, STORE_CHUNK_BYTES);
    n_reads++;
    if (id != ID || (size_t)n * STORE_CHUNK_BYTES >= broken_from)
        return -1;
    buf_put_str(out, chunk);
    return (ssize_t)chunk.n;
}

static void set_up(void)
{
    buf_init(&stored, SIZE_MAX);
    broken_from = SIZE_MAX;
    n_reads = 0;
}

static void tear_down(void)
{
    buf_release(&stored);
}

static void store_text(const char *header, char c, size_t n)
{
    buf_puts(&stored, header);
    while (n-- > 0)
        buf_putc(&stored, c);
    buf_puts(&stored, "\r\n");
}

/* Measure to the end; the number of steps. */
static unsigned measure(struct content *c, enum content_status wanted)
{
    enum content_status status = CONTENT_MORE;
    unsigned steps = 0;
    for (; status == CONTENT_MORE; steps++)
        status = content_measure(c);
    ck_assert_int_eq(status, wanted);
    return steps;
}

static struct buf read_all(struct content *c, enum content_status wanted)
{
    enum content_status status = CONTENT_MORE;
    struct buf all, piece;
    buf_init(&all, SIZE_MAX);
    buf_init(&piece, CONTENT_PIECE_MAX);
    while (status == CONTENT_MORE) {
        buf_clear(&piece);
        status = content_read(c, &piece);
        ck_assert(!piece.failed);
        buf_put_str(&all, buf_str(&piece));
    }
    ck_assert_int_eq(status, wanted);
    buf_release(&piece);
    return all;
}

static struct content *open_content(bool is_8bit)
{
    return content_new(NULL, ID, buf_len(&stored), is_8bit);
}

START_TEST(what_fits_goes_out_as_it_is_and_is_read_once)
{
    store_text("A: b\r\n\r\n", 'x', 200000);
    struct content *c = open_content(true);
    ck_assert_uint_eq(measure(c, CONTENT_END), 1);
    ck_assert_uint_eq(n_reads, 0);
    ck_assert_uint_eq(content_bytes(c), buf_len(&stored));
    ck_assert(content_is_8bit(c));
    struct buf all = read_all(c, CONTENT_END);
    ck_assert(str_eq(buf_str(&all), buf_str(&stored)));
    ck_assert_uint_eq(n_reads, 4);
    ck_assert_uint_eq(content_changes(c).encoded, 0);
    buf_release(&all);
    content_free(c);
}
END_TEST

static const struct {
    const char *header;
    char octet;
    size_t n;
    bool to_7bit;
    bool is_8bit; /* what goes out */
} messages[] = {
    {"A: b\r\n\r\n", 'x', 999, false, false},
    {"A: b\r\n\r\n", 'x', 3 * 1024 * 1024, false, false},
    {"A: b\r\n\r\n", '\xFF', 3 * 1024 * 1024, false, false},
    {"A: b\r\n\r\n", '\xFF', 10, true, false},
    {"Content-Type: application/x\r\n\r\n", '\xFF', 200000, false, true},
    {"Content-Type: application/x\r\n\r\n", '\xFF', 200000, true, false},
    {"A: \xFF\r\n\r\n", 'x', 999, false, true},
    {"A: ", 'x', 3 * 1024 * 1024, false, false},
};

START_TEST(what_goes_out_has_the_octets_that_were_measured)
{
    store_text(messages[_i].header, messages[_i].octet, messages[_i].n);
    struct content *c = open_content(true);
    content_fit(c, messages[_i].to_7bit);
    unsigned steps = measure(c, CONTENT_END);
    ck_assert_uint_ge(steps, 2 * messages[_i].n / (1024 * 1024));
    ck_assert_int_eq(content_is_8bit(c), messages[_i].is_8bit);
    struct buf all = read_all(c, CONTENT_END);
    ck_assert_uint_eq(buf_len(&all), content_bytes(c));
    ck_assert(!line_limit_exceeded(buf_str(&all)));
    ck_assert_int_eq(str_is_ascii(buf_str(&all)), !messages[_i].is_8bit);
    buf_release(&all);
    content_free(c);
}
END_TEST

START_TEST(content_that_cannot_be_read_is_not_sent)
{
    store_text("A: b\r\n\r\n", 'x', 200000);
    struct content *c = open_content(false);
    broken_from = STORE_CHUNK_BYTES;
    struct buf all = read_all(c, CONTENT_BROKEN);
    ck_assert_uint_le(buf_len(&all), STORE_CHUNK_BYTES);
    buf_release(&all);
    content_free(c);
    c = open_content(false);
    content_fit(c, false);
    measure(c, CONTENT_BROKEN);
    content_free(c);
}
END_TEST

START_TEST(content_of_another_size_than_told_is_not_sent)
{
    store_text("A: b\r\n\r\n", 'x', 1000);
    for (int difference = -1; difference <= 1; difference += 2) {
        uint64_t told = (uint64_t)((int64_t)buf_len(&stored) + difference);
        struct content *c = content_new(NULL, ID, told, false);
        struct buf all = read_all(c, CONTENT_BROKEN);
        buf_release(&all);
        content_free(c);
        c = content_new(NULL, ID, told, false);
        content_fit(c, false);
        measure(c, CONTENT_BROKEN);
        content_free(c);
    }
}
END_TEST

START_TEST(content_that_changed_since_it_was_measured_is_not_sent)
{
    store_text("A: b\r\n\r\n", 'x', 1000);
    struct content *c = open_content(false);
    content_fit(c, false);
    measure(c, CONTENT_END);
    stored.memory[stored.head + 100] = '=';
    struct buf all = read_all(c, CONTENT_BROKEN);
    buf_release(&all);
    content_free(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("content");
    TCase *tc = tcase_create("content");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, what_fits_goes_out_as_it_is_and_is_read_once);
    tcase_add_loop_test(tc, what_goes_out_has_the_octets_that_were_measured, 0,
                        (int)(sizeof messages / sizeof messages[0]));
    tcase_add_test(tc, content_that_cannot_be_read_is_not_sent);
    tcase_add_test(tc, content_of_another_size_than_told_is_not_sent);
    tcase_add_test(tc, content_that_changed_since_it_was_measured_is_not_sent);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
