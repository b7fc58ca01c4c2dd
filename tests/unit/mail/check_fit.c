/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fit.h"

#include "line_limit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

#define PLAIN "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=x\r\n"
#define QUOTED "Content-Transfer-Encoding: quoted-printable\r\n"
#define IN_BASE64 "Content-Transfer-Encoding: base64\r\n"
#define ADDED(charset)                                                                         \
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=" charset "\r\n" QUOTED
#define SOFT(n) "{" #n "}=\r\n"
#define O "\xC3\xB6"
#define EURO "\xE2\x82\xAC"
#define CLEF "\xF0\x9D\x84\x9E"

/* {N} stands for N letters x, in what goes in and what comes out; {N_} for blanks. No .out: the
 * same goes out. */
struct row {
    const char *in, *out;
};

static const struct row lines[] = {
    /* Nothing to do, byte for byte. */
    {"", NULL},
    {"A: b\r\n\r\n", NULL},
    {"A: b\r\n\r\nbody\r\n.\r\n\r\n", NULL},
    {"A: {995}\r\n\r\n{998}\r\n{997}\r\n", NULL},
    {"A: {994} \r\n {997}\r\n\r\n", NULL},
    {"A: b\r\n\r\n" O EURO CLEF "\xFF\r\n", NULL},
    {"A: b\r\nContent-Transfer-Encoding: 8bit\r\n" PLAIN "\r\n{998}\r\n", NULL},
    {"A: b\r\n\r\nno end", NULL},
    {"A: b\r\n\r\n{998}", NULL},
    {"no field\r\n{998}\r\n", NULL},
    {" no field\r\n\r\n", NULL},

    /* A header: before the last blank of what fits. */
    {"A: {996}\r\n\r\n", "A:\r\n {996}\r\n\r\n"},
    {"A: b {993}\r\n\r\n", NULL},
    {"A: b {994}\r\n\r\n", "A: b\r\n {994}\r\n\r\n"},
    {"A: {500} {600} {300}\r\n\r\n", "A: {500}\r\n {600} {300}\r\n\r\n"},
    {"A: {995}\tb\r\n\r\n", "A: {995}\r\n\tb\r\n\r\n"},
    {"A: {995} b\r\n c\r\nD: e\r\n\r\n", "A: {995}\r\n b\r\n c\r\nD: e\r\n\r\n"},
    {"A: b\r\n {997} c\r\n\r\n", "A: b\r\n {997}\r\n c\r\n\r\n"},
    {"A: {500}, {500}, {500}\r\n\r\n", "A: {500},\r\n {500},\r\n {500}\r\n\r\n"},
    /* Without blanks: behind an item, else hard. */
    {"A:{996}\r\n\r\n", NULL},
    {"A:{997}\r\n\r\n", "A:{996}\r\n x\r\n\r\n"},
    {"A:{2990}\r\n\r\n", "A:{996}\r\n {997}\r\n {997}\r\n\r\n"},
    {"A:{500},{500},{500}\r\n\r\n", "A:{500},\r\n {500},\r\n {500}\r\n\r\n"},
    {"A:<{500}><{500}>\r\n\r\n", "A:<{500}>\r\n <{500}>\r\n\r\n"},
    {"A:{995}" O "\r\n\r\n", "A:{995}\r\n " O "\r\n\r\n"},
    {"A:{994}" EURO "\r\n\r\n", "A:{994}\r\n " EURO "\r\n\r\n"},
    {"A:{993}" CLEF "\r\n\r\n", "A:{993}\r\n " CLEF "\r\n\r\n"},
    {"A:{994}" O "x\r\n\r\n", "A:{994}" O "\r\n x\r\n\r\n"},
    {"A:{995}\xFF\xFF\r\n\r\n", "A:{995}\xFF\r\n \xFF\r\n\r\n"},
    {"{999}: b\r\n\r\n", "{998}\r\n x: b\r\n\r\n"}, /* no field: a body, and it has no type */
    /* No line of blanks alone. */
    {"A: {990}{6_}\r\n\r\n", "A: {990}{5_}\r\n\r\n"},
    {"A: b{2000_}c\r\n\r\n", "A: b{994_}\r\n{10_}c\r\n\r\n"},
    {"A: b{2000_}\r\nC: d\r\n\r\n", "A: b{994_}\r\nC: d\r\n\r\n"},

    /* A body of one text part. */
    {"A: b\r\n\r\n{999}\r\n",
     "A: b\r\n" ADDED("us-ascii") "\r\n" SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75)
         SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) "{24}\r\n"},
    {"A: b\r\n\r\n{999}",
     "A: b\r\n" ADDED("us-ascii") "\r\n" SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75)
         SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) "{24}"},
};

/* A line of 999 octets, and what stands for it in quoted-printable. */
#define LONG "{999}\r\n"
#define LONG_QP                                                                                \
    SOFT(75)                                                                                   \
    SOFT(75)                                                                                   \
    SOFT(75)                                                                                   \
    SOFT(75)                                                                                   \
    SOFT(75)                                                                                   \
    SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) "{24}\r\n"
#define BROKEN "{998}\r\n x\r\n"

static const struct row bodies[] = {
    {"\r\n" O "=\r\n" LONG, ADDED("utf-8") "\r\n=C3=B6=3D\r\n" LONG_QP},
    {"\r\n" O "\xFF\r\n" LONG, ADDED("unknown-8bit") "\r\n=C3=B6=FF\r\n" LONG_QP},
    {"\r\n" LONG LONG "\r\n", ADDED("us-ascii") "\r\n" LONG_QP LONG_QP "\r\n"},
    {PLAIN "\r\n" LONG, PLAIN QUOTED "\r\n" LONG_QP},
    {"Content-Type: text/html\r\n\r\n" LONG,
     "Content-Type: text/html\r\nMIME-Version: 1.0\r\n" QUOTED "\r\n" LONG_QP},
    {"mime-version: 1.0\r\n\r\n" LONG,
     "mime-version: 1.0\r\n"
     "Content-Type: text/plain; charset=us-ascii\r\n" QUOTED "\r\n" LONG_QP},
    {"Content-Transfer-Encoding: 7bit\r\n" PLAIN "\r\n" LONG, PLAIN QUOTED "\r\n" LONG_QP},
    {"content-transfer-encoding:\r\n 8BIT\r\n" PLAIN "\r\n" LONG, PLAIN QUOTED "\r\n" LONG_QP},
    {PLAIN "Content-Transfer-Encoding: binary\r\nA: b\r\n\r\n" LONG,
     PLAIN "A: b\r\n" QUOTED "\r\n" LONG_QP},
    {"A: {996}\r\n\r\n" LONG, "A:\r\n {996}\r\n" ADDED("us-ascii") "\r\n" LONG_QP},

    /* Any other: broken. */
    {PLAIN QUOTED "\r\n" LONG, PLAIN QUOTED "\r\n" BROKEN},
    {PLAIN IN_BASE64 "\r\n" LONG, PLAIN IN_BASE64 "\r\n" BROKEN},
    {PLAIN "Content-Transfer-Encoding: x\r\n\r\n" LONG,
     PLAIN "Content-Transfer-Encoding: x\r\n\r\n" BROKEN},
    {PLAIN PLAIN "\r\n" LONG, PLAIN PLAIN "\r\n" BROKEN},
    {"Content-Type: text\r\n\r\n" LONG, "Content-Type: text\r\n\r\n" BROKEN},
    {"Content-Type: application/x\r\n\r\n" LONG, "Content-Type: application/x\r\n\r\n" BROKEN},
    {"Content-Type: message/rfc822\r\n\r\n\r\n" LONG,
     "Content-Type: message/rfc822\r\n\r\n\r\n" BROKEN},
    {"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n" LONG "--b--\r\n",
     "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n" BROKEN "--b--\r\n"},
    {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" LONG "--b--\r\n",
     "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" BROKEN "--b--\r\n"},
    {"Content-Type: application/x\r\n\r\n{2994}\r\n{997}" O "\r\n{996}" EURO "\r\n{995}" CLEF
     "\r\n",
     "Content-Type: application/x\r\n\r\n{998}\r\n {997}\r\n {997}\r\n xx\r\n{997}\r\n " O
     "\r\n{996}\r\n " EURO "\r\n{995}\r\n " CLEF "\r\n"},
    {"Content-Type: application/x\r\n\r\n{995}" EURO "\r\n{998}" O "\r\n",
     "Content-Type: application/x\r\n\r\n{995}" EURO "\r\n{998}\r\n " O "\r\n"},
};

#define MIXED "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n"
#define CTE(encoding) "Content-Transfer-Encoding: " encoding "\r\n"

/* For a server that takes 7 bits. */
static const struct row sevens[] = {
    {"A: " O "\r\n\r\nascii\r\n", NULL}, /* a header stays as it is */
    {"\r\n" O "\r\n", ADDED("utf-8") "\r\n=C3=B6\r\n"},
    {PLAIN CTE("8bit") "\r\na " O " b\r\n.\r\n", PLAIN QUOTED "\r\na =C3=B6 b\r\n.\r\n"},
    {PLAIN QUOTED "\r\n" O "\r\n", NULL},
    {"Content-Type: application/x\r\n\r\n" O "\r\n",
     "Content-Type: application/x\r\nMIME-Version: 1.0\r\n" IN_BASE64 "\r\nw7YNCg==\r\n"},

    /* Each part on its own. */
    {MIXED CTE("8bit") "\r\npreamble\r\n--b\r\n" CTE(
         "8bit") "\r\n" O "\r\n--b\r\n\r\nascii\r\n"
                 "--b\r\nContent-Type: image/x\r\n\r\n" O "\r\n--b--\r\nepilogue\r\n",
     MIXED CTE(
         "7bit") "\r\npreamble\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n" QUOTED
                 "\r\n=C3=B6\r\n--b\r\n\r\nascii\r\n"
                 "--b\r\nContent-Type: image/x\r\n" IN_BASE64
                 "\r\nw7Y=\r\n--b--\r\nepilogue\r\n"},
    {MIXED "\r\n--b\r\n" PLAIN "\r\n" O, MIXED "\r\n--b\r\n" PLAIN QUOTED "\r\n=C3=B6"},
    {MIXED "\r\n--b \t\r\n" PLAIN "\r\n" O "\r\n--b--",
     MIXED "\r\n--b \t\r\n" PLAIN QUOTED "\r\n=C3=B6\r\n--b--"},
    {MIXED "\r\n--b\r\n" PLAIN "\r\n--bb\r\n--b-\r\n--b-- x\r\n" O "\r\n--b--\r\n",
     MIXED "\r\n--b\r\n" PLAIN QUOTED "\r\n--bb\r\n--b-\r\n--b-- x\r\n=C3=B6\r\n--b--\r\n"},
    {MIXED "\r\n--b\r\n--b\r\nA: b\r\n--b\r\n" PLAIN "\r\n" O "\r\n--b--\r\n",
     MIXED "\r\n--b\r\n--b\r\nA: b\r\n--b\r\n" PLAIN QUOTED "\r\n=C3=B6\r\n--b--\r\n"},
    /* One in another, which an outer boundary may cut short. */
    {MIXED CTE("8bit") "\r\n--b\r\nContent-Type: multipart/x; boundary=c\r\n" CTE(
         "8bit") "\r\n--c\r\n\r\n" O "\r\n--c--\r\n--c\r\n--b\r\n\r\n" O "\r\n--b--\r\n",
     MIXED CTE("7bit") "\r\n--b\r\nContent-Type: multipart/x; boundary=c\r\n" CTE(
         "7bit") "\r\n--c\r\nContent-Type: text/plain; charset=utf-8\r\n" QUOTED
                 "\r\n=C3=B6\r\n--c--\r\n--c\r\n--b\r\nContent-Type: text/plain; "
                 "charset=utf-8\r\n" QUOTED "\r\n=C3=B6\r\n--b--\r\n"},
    {MIXED "\r\n--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\n\r\n" O
           "\r\n--b\r\n\r\n" O "\r\n--c\r\n",
     MIXED "\r\n--b\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\n"
           "Content-Type: text/plain; charset=utf-8\r\n" QUOTED "\r\n=C3=B6\r\n--b\r\n"
           "Content-Type: text/plain; charset=utf-8\r\n" QUOTED "\r\n=C3=B6\r\n--c\r\n"},
    /* A message in a message. */
    {"Content-Type: message/rfc822\r\n" CTE("8bit") "\r\nA: b\r\n\r\n" O "\r\n",
     "Content-Type: message/rfc822\r\n" CTE("7bit") "\r\nA: b\r\n" ADDED(
         "utf-8") "\r\n=C3=B6\r\n"},
    {"Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nA: b\r\n\r\n" O
     "\r\n--d--\r\n",
     "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nA: b\r\n" ADDED(
         "utf-8") "\r\n=C3=B6\r\n--d--\r\n"},
    {"Content-Type: message/global\r\n" CTE("8bit") "\r\nA: " O "\r\n\r\n" O "\r\n",
     "Content-Type: message/global\r\nMIME-Version: 1.0\r\n" QUOTED
     "\r\nA: =C3=B6\r\n\r\n=C3=B6\r\n"},
    /* What is signed, encrypted or not understood stays, and so do the labels around it. */
    {"Content-Type: multipart/signed; boundary=s\r\n" CTE("8bit") "\r\n--s\r\n\r\n" O
                                                                  "\r\n--s--\r\n",
     NULL},
    {"Content-Type: multipart/encrypted; boundary=s\r\n\r\n--s\r\n\r\n" O "\r\n--s--\r\n",
     NULL},
    {MIXED CTE(
         "8bit") "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n" O
                 "\r\n--s--\r\n--b\r\n" PLAIN "\r\n" O "\r\n--b--\r\n",
     MIXED CTE(
         "8bit") "\r\n--b\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n" O
                 "\r\n--s--\r\n--b\r\n" PLAIN QUOTED "\r\n=C3=B6\r\n--b--\r\n"},
    {"Content-Type: message/delivery-status\r\n\r\n" O "\r\n", NULL},
    {"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\n" O "\r\n", NULL},
    {MIXED "\r\n--b\r\nno field " O "\r\n\r\n" O "\r\n--b--\r\n", NULL},
    {MIXED QUOTED "\r\n--b\r\n\r\n" O "\r\n--b--\r\n", NULL},
    /* Lines that are too long in parts that stay. */
    {MIXED "\r\n{999}\r\n--b\r\nA: {996}\r\n\r\n" LONG "--b\r\n" PLAIN "\r\n" O LONG
           "--b--\r\n",
     MIXED "\r\n" BROKEN "--b\r\nA:\r\n {996}\r\n\r\n" BROKEN "--b\r\n" PLAIN QUOTED
           "\r\n=C3=B6{69}=\r\n" SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75)
               SOFT(75) SOFT(75) SOFT(75) SOFT(75) SOFT(75) "{30}\r\n--b--\r\n"},
};

static struct buf expanded(const char *text)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    for (; *text; text++) {
        if (*text != '{') {
            buf_putc(&b, *text);
            continue;
        }
        char *end;
        for (unsigned long n = strtoul(text + 1, &end, 10); n > 0; n--)
            buf_putc(&b, *end == '_' ? ' ' : 'x');
        text = strchr(end, '}');
    }
    return b;
}

/* A run in pieces. */
static void run(struct fit *f, struct buf *out, struct str text, size_t first_bytes,
                size_t step_bytes)
{
    size_t n = first_bytes;
    for (; text.n; text = str_tail(text, n), n = step_bytes)
        fit_feed(f, out, str_head(text, n));
    fit_end(f, out);
}

static struct buf fitted(struct str text, bool to_7bit, size_t first_bytes, size_t step_bytes)
{
    struct buf out;
    buf_init(&out, SIZE_MAX);
    struct fit *f = fit_new(to_7bit);
    run(f, NULL, text, step_bytes, first_bytes + 1);
    run(f, &out, text, first_bytes, step_bytes);
    fit_free(f);
    return out;
}

static void check_row(const struct row *row, bool to_7bit)
{
    struct buf in = expanded(row->in), wanted = expanded(row->out ? row->out : row->in);
    struct buf out = fitted(buf_str(&in), to_7bit, SIZE_MAX - 1, 1);
    ck_assert_msg(str_eq(buf_str(&out), buf_str(&wanted)), "%s\ngave\n%.*s", row->in,
                  STR_FMT(buf_str(&out)));
    ck_assert(!line_limit_exceeded(buf_str(&out)));
    buf_release(&out);
    size_t stride = buf_len(&in) / 100 + 1;
    for (size_t first = 1; first <= buf_len(&in); first += stride) {
        for (size_t step = 1; step <= 1000; step = step * 3 + 1) {
            out = fitted(buf_str(&in), to_7bit, first, step);
            ck_assert_msg(str_eq(buf_str(&out), buf_str(&wanted)), "%s in %zu, %zu", row->in,
                          first, step);
            buf_release(&out);
        }
    }
    buf_release(&in);
    buf_release(&wanted);
}

START_TEST(lines_over_the_limit_are_folded_and_no_others_change)
{
    check_row(&lines[_i], false);
}
END_TEST

START_TEST(a_text_goes_out_quoted_printable_and_any_other_body_broken)
{
    check_row(&bodies[_i], false);
}
END_TEST

START_TEST(parts_with_8_bits_are_encoded_for_7)
{
    check_row(&sevens[_i], true);
}
END_TEST

START_TEST(what_fits_passes_for_7_bits_too)
{
    if (!lines[_i].out && strncmp(lines[_i].in, "A: b\r\n\r\n" O, 9) != 0)
        check_row(&lines[_i], true);
}
END_TEST

START_TEST(each_run_after_the_first_writes_the_same)
{
    struct buf in = expanded("A: {996}\r\n\r\n" LONG), out, again;
    buf_init(&out, SIZE_MAX);
    buf_init(&again, SIZE_MAX);
    struct fit *f = fit_new(false);
    run(f, &out, buf_str(&in), 100, 100);
    ck_assert_uint_eq(buf_len(&out), 0);
    run(f, &out, buf_str(&in), 100, 100);
    run(f, &again, buf_str(&in), 7, 7);
    ck_assert(buf_len(&out) > 0);
    ck_assert(str_eq(buf_str(&out), buf_str(&again)));
    struct fit_changes c = fit_changes(f);
    ck_assert_uint_eq(c.folded, 1);
    ck_assert_uint_eq(c.broken, 0);
    ck_assert_uint_eq(c.encoded, 1);
    fit_free(f);
    buf_release(&in);
    buf_release(&out);
    buf_release(&again);
}
END_TEST

START_TEST(multiparts_beyond_the_depth_stay_as_they_are)
{
    for (unsigned depth = FIT_DEPTH_MAX; depth <= FIT_DEPTH_MAX + 1; depth++) {
        struct buf in;
        buf_init(&in, SIZE_MAX);
        for (unsigned i = 0; i < depth; i++)
            buf_printf(&in, "Content-Type: multipart/x; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
        buf_puts(&in, "\r\n" O "\r\n");
        struct buf out = fitted(buf_str(&in), true, SIZE_MAX - 1, 1);
        ck_assert_int_eq(str_is_ascii(buf_str(&out)), depth <= FIT_DEPTH_MAX);
        ck_assert_int_eq(str_eq(buf_str(&out), buf_str(&in)), depth > FIT_DEPTH_MAX);
        buf_release(&in);
        buf_release(&out);
    }
}
END_TEST

START_TEST(parts_beyond_the_number_stay_as_they_are)
{
    for (unsigned n = FIT_PARTS_MAX - 1; n <= FIT_PARTS_MAX; n++) {
        struct buf in;
        buf_init(&in, SIZE_MAX);
        buf_puts(&in, MIXED CTE("8bit") "\r\n");
        for (unsigned i = 0; i < n; i++)
            buf_puts(&in, "--b\r\n\r\n" O "\r\n");
        struct buf out = fitted(buf_str(&in), true, SIZE_MAX - 1, 1);
        bool all = n == FIT_PARTS_MAX - 1; /* the whole is one, too */
        ck_assert_int_eq(str_is_ascii(buf_str(&out)), all);
        struct str label = str_tail(buf_str(&out), sizeof MIXED - 1);
        ck_assert(str_starts_nocase(label, all ? STR_LIT(CTE("7bit")) : STR_LIT(CTE("8bit"))));
        buf_release(&in);
        buf_release(&out);
    }
}
END_TEST

/* What goes out, in bytes, of a line that comes in blocks; nothing may pile up. */
START_TEST(a_line_of_a_mebibyte_takes_no_memory)
{
    static const char *const headers[] = {"\r\n", "Content-Type: application/x\r\n\r\n", "A:"};
    char block[4096];
    memset(block, 'x', sizeof block);
    struct buf out;
    buf_init(&out, SIZE_MAX);
    struct fit *f = fit_new(false);
    for (unsigned round = 0; round < 2; round++) {
        fit_feed(f, &out, str_of(headers[_i]));
        for (int i = 0; i < 256; i++) {
            buf_clear(&out);
            fit_feed(f, &out, (struct str){block, sizeof block});
            ck_assert_uint_le(buf_len(&out), 2 * sizeof block);
            ck_assert_uint_ge(buf_len(&out) + 1, round * sizeof block / 2);
        }
        fit_end(f, &out);
    }
    fit_free(f);
    buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fit");
    TCase *tc = tcase_create("fit");
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, lines_over_the_limit_are_folded_and_no_others_change, 0,
                        COUNT(lines));
    tcase_add_loop_test(tc, a_text_goes_out_quoted_printable_and_any_other_body_broken, 0,
                        COUNT(bodies));
    tcase_add_loop_test(tc, parts_with_8_bits_are_encoded_for_7, 0, COUNT(sevens));
    tcase_add_loop_test(tc, what_fits_passes_for_7_bits_too, 0, COUNT(lines));
    tcase_add_test(tc, each_run_after_the_first_writes_the_same);
    tcase_add_test(tc, multiparts_beyond_the_depth_stay_as_they_are);
    tcase_add_test(tc, parts_beyond_the_number_stay_as_they_are);
    tcase_add_loop_test(tc, a_line_of_a_mebibyte_takes_no_memory, 0, 3);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
