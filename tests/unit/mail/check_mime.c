/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mime.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define MOST FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct {
    const char *value;
    enum mime_kind kind;
    const char *boundary;
} types[] = {
    {" text/plain", MIME_TEXT, ""},
    {"text/plain; charset=utf-8", MIME_TEXT, ""},
    {" TEXT/Html;charset=\"x\"", MIME_TEXT, ""},
    {" (a (b) \\) c) text (d) / (e) plain (f) ; x=y", MIME_TEXT, ""},
    {"\r\n\ttext/x-log\r\n\t; a=b", MIME_TEXT, ""},
    {"application/octet-stream", MIME_OTHER, ""},
    {"image/png; name=\"text/plain\"", MIME_OTHER, ""},
    {"application/pkcs7-mime", MIME_OTHER, ""},
    {"message/rfc822", MIME_MESSAGE, ""},
    {"Message/RFC822", MIME_MESSAGE, ""},
    {"message/delivery-status", MIME_SEALED, ""},
    {"message/partial; id=x", MIME_SEALED, ""},
    {"message/global", MIME_TEXT, ""},
    {"message/Global-Headers", MIME_TEXT, ""},
    {"message/global-delivery-status; x=y", MIME_TEXT, ""},
    {"message/global-disposition-notification", MIME_TEXT, ""},
    {"message/global-else", MIME_SEALED, ""},
    {"multipart/mixed; boundary=abc", MIME_MULTIPART, "abc"},
    {"multipart/report; report-type=delivery-status;\r\n\tboundary=\"a b\"", MIME_MULTIPART,
     "a b"},
    {"multipart/x-new; BOUNDARY = \"q\\\"q\" ; x=y", MIME_MULTIPART, "q\"q"},
    {"multipart/mixed; boundary=----=_Part_1/2", MIME_MULTIPART, "----=_Part_1/2"},
    {"multipart/mixed; boundary=a(comment)", MIME_MULTIPART, "a"},
    {"multipart/mixed; boundary=\"in\r\n side\"", MIME_MULTIPART, "in side"},
    {"multipart/mixed; boundary=\"end  \"", MIME_MULTIPART, "end"},
    {"multipart/mixed; x=\"a;boundary=b\"; boundary=c", MIME_MULTIPART, "c"},
    {"multipart/mixed; x; y=; boundary=c", MIME_MULTIPART, "c"},
    {"multipart/mixed; boundary=" MOST, MIME_MULTIPART, MOST},
    {"multipart/digest; boundary=d", MIME_DIGEST, "d"},
    {"multipart/signed; boundary=s", MIME_SEALED, ""},
    {"multipart/Encrypted; boundary=s", MIME_SEALED, ""},

    /* Not understood. */
    {"", MIME_SEALED, ""},
    {" ", MIME_SEALED, ""},
    {"text", MIME_SEALED, ""},
    {"text/", MIME_SEALED, ""},
    {"/plain", MIME_SEALED, ""},
    {"text plain", MIME_SEALED, ""},
    {"text/plain charset=utf-8", MIME_SEALED, ""},
    {"text/plain/x", MIME_SEALED, ""},
    {"\"text\"/plain", MIME_SEALED, ""},
    {"(text/plain", MIME_SEALED, ""},
    {"multipart/mixed", MIME_SEALED, ""},
    {"multipart/mixed; boundary", MIME_SEALED, ""},
    {"multipart/mixed; boundary=", MIME_SEALED, ""},
    {"multipart/mixed; boundary=\"\"", MIME_SEALED, ""},
    {"multipart/mixed; boundary=\"  \"", MIME_SEALED, ""},
    {"multipart/mixed; boundary*=utf-8''b", MIME_SEALED, ""},
    {"multipart/mixed; boundary=" MOST "x", MIME_SEALED, ""},
    {"multipart/mixed; boundary=\"" MOST "x\"", MIME_SEALED, ""},
};

START_TEST(the_kind_of_a_body_is_read_from_its_type)
{
    struct mime_type type;
    mime_type_parse(&type, str_of(types[_i].value));
    struct str boundary = {type.boundary, type.n_boundary};
    ck_assert_msg(type.kind == types[_i].kind, "%s", types[_i].value);
    ck_assert_msg(str_eq(boundary, str_of(types[_i].boundary)), "%s: %.*s", types[_i].value,
                  STR_FMT(boundary));
}
END_TEST

START_TEST(a_type_that_breaks_off_anywhere_is_read_within_its_bytes)
{
    struct str value = str_of(types[_i].value);
    for (size_t n = 0; n <= value.n; n++) {
        struct mime_type type;
        char *exact = malloc(n ? n : 1); /* so that a sanitizer sees a byte too many */
        memcpy(exact, value.p, n);
        mime_type_parse(&type, (struct str){exact, n});
        ck_assert_uint_le(type.n_boundary, MIME_BOUNDARY_MAX);
        free(exact);
    }
}
END_TEST

static const struct {
    const char *value;
    enum mime_encoding encoding;
} encodings[] = {
    {" 7bit", MIME_7BIT},
    {"8BIT", MIME_8BIT},
    {"\tBinary \r\n ", MIME_BINARY},
    {" (none) 8bit (really)", MIME_8BIT},
    {"quoted-printable", MIME_ENCODED},
    {" Base64", MIME_ENCODED},
    {"x-uuencode", MIME_ENCODED},
    {"8-bit", MIME_ENCODED},
    {"7bit; x", MIME_ENCODED},
    {"", MIME_ENCODED},
};

START_TEST(an_encoding_that_is_not_known_is_taken_for_one)
{
    ck_assert_msg(mime_encoding_parse(str_of(encodings[_i].value)) == encodings[_i].encoding,
                  "%s", encodings[_i].value);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mime");
    TCase *tc = tcase_create("mime");
    tcase_add_loop_test(tc, the_kind_of_a_body_is_read_from_its_type, 0, COUNT(types));
    tcase_add_loop_test(tc, a_type_that_breaks_off_anywhere_is_read_within_its_bytes, 0,
                        COUNT(types));
    tcase_add_loop_test(tc, an_encoding_that_is_not_known_is_taken_for_one, 0,
                        COUNT(encodings));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
