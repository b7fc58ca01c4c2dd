/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "transfer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))
#define TEN "0123456789"
#define A70 TEN TEN TEN TEN TEN TEN TEN
#define A75 A70 "01234"
#define QP TRANSFER_QUOTED_PRINTABLE
#define B64 TRANSFER_BASE64

/* Lines of a text end with LF here, of what goes out with CRLF. */
static const struct {
    enum transfer_encoding encoding;
    bool at_boundary;
    const char *text, *encoded;
} texts[] = {
    {QP, false, "", ""},
    {QP, false, "\n", "\r\n"},
    {QP, false, "a b\n\nc\n", "a b\r\n\r\nc\r\n"},
    {QP, false, "no end", "no end"},
    {QP, false, "1+1=2\n", "1+1=3D2\r\n"},
    {QP, false, "\xC3\xB6\x7F\x01\r\n", "=C3=B6=7F=01=0D\r\n"},
    {QP, false, "a \nb\t\n \n", "a=20\r\nb=09\r\n=20\r\n"},
    {QP, false, "a  b\tc\n", "a  b\tc\r\n"},
    {QP, false, "a ", "a=20"},
    {QP, false, A75 "\n", A75 "\r\n"},
    {QP, false, A75 "6\n", A75 "=\r\n6\r\n"},
    {QP, false, A75 A75 "\n", A75 "=\r\n" A75 "\r\n"},
    {QP, false, A70 "12=\n", A70 "12=3D\r\n"},
    {QP, false, A70 "123=\n", A70 "123=\r\n=3D\r\n"},
    {QP, false, A70 "12 \n", A70 "12=20\r\n"},
    {QP, false, A70 "1234 \n", A70 "1234=\r\n=20\r\n"},
    {QP, false, A75 "--b\n", A75 "=\r\n=2D-b\r\n"},
    {QP, false, "--b\n", "--b\r\n"},
    {QP, true, "a\n", "a\r\n"},
    {B64, false, "", ""},
    {B64, false, "a", "YQ==\r\n"},
    {B64, false, "a\n", "YQ0K\r\n"},
    {B64, false, "a\nb\n", "YQ0KYg0K\r\n"},
    {B64, true, "a\n", "YQ==\r\n"},
    {B64, true, "a\n\n", "YQ0K\r\n"},
    {B64, true, "\n", ""},
    {B64, false, A70,
     "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\n"
     "Nzg5MDEyMzQ1Njc4OQ==\r\n"},
};

static void put_lines(struct transfer *t, struct buf *out, struct str text, size_t piece_bytes)
{
    while (text.n) {
        size_t line = str_find(text, '\n');
        size_t n = line < piece_bytes ? line : piece_bytes;
        bool ends = n == line && line < text.n;
        transfer_put(t, out, str_head(text, n), ends);
        text = str_tail(text, n + ends);
    }
}

START_TEST(a_text_is_encoded_as_promised_however_it_is_cut)
{
    for (size_t piece = 1; piece < 200; piece++) {
        struct buf out;
        buf_init(&out, SIZE_MAX);
        struct transfer t = transfer_start(texts[_i].encoding);
        put_lines(&t, &out, str_of(texts[_i].text), piece);
        transfer_end(&t, &out, texts[_i].at_boundary);
        struct str encoded = buf_str(&out);
        ck_assert_msg(str_eq(encoded, str_of(texts[_i].encoded)), "%s in %zu: %.*s",
                      texts[_i].text, piece, STR_FMT(encoded));
        buf_release(&out);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transfer");
    TCase *tc = tcase_create("transfer");
    tcase_add_loop_test(tc, a_text_is_encoded_as_promised_however_it_is_cut, 0, COUNT(texts));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
