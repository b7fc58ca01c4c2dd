/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_data.h"
#include "smtp_dot.h"

#include <check.h>
#include <stdlib.h>

static const struct example {
    struct str content, wire;
} counted_examples[] =
    {
        {STR_LIT(""), STR_LIT("")},
        {STR_LIT("hi\r\n"), STR_LIT("hi\r\n")},
        {STR_LIT("hi"), STR_LIT("hi")},
        {STR_LIT(".\r\n..\r\n.\r\n"), STR_LIT(".\r\n..\r\n.\r\n")},
        {STR_LIT("a\n.\nb\r\n"), STR_LIT("a . b\r\n")},
        {STR_LIT("a\r.\rb\r\n"), STR_LIT("a . b\r\n")},
        {STR_LIT("a\r"), STR_LIT("a ")},
        {STR_LIT("\n"), STR_LIT(" ")},
        {STR_LIT("a\r\r\n.b"), STR_LIT("a \r\n.b")},
        {STR_LIT("\0.\r\0\n\r\n"), STR_LIT(" .   \r\n")},
        {STR_LIT("\xff\r\n.\x80\r\n"), STR_LIT("\xff\r\n.\x80\r\n")},
},
  examples[] = {
      {STR_LIT(""), STR_LIT(".\r\n")},
      {STR_LIT("hi\r\n"), STR_LIT("hi\r\n.\r\n")},
      {STR_LIT("hi"), STR_LIT("hi\r\n.\r\n")},
      {STR_LIT("\r\n"), STR_LIT("\r\n.\r\n")},
      {STR_LIT("."), STR_LIT("..\r\n.\r\n")},
      {STR_LIT(".\r\n"), STR_LIT("..\r\n.\r\n")},
      {STR_LIT("..\r\n.a\r\nb.\r\n"), STR_LIT("...\r\n..a\r\nb.\r\n.\r\n")},
      {STR_LIT("\r\n.\r\nRCPT"), STR_LIT("\r\n..\r\nRCPT\r\n.\r\n")},
      /* Never ours, and harmless if it were: no bare CR, bare LF or NUL leaves. */
      {STR_LIT("a\n.\nb\r\n"), STR_LIT("a . b\r\n.\r\n")},
      {STR_LIT("a\r.\rb\r\n"), STR_LIT("a . b\r\n.\r\n")},
      {STR_LIT("a\r"), STR_LIT("a \r\n.\r\n")},
      {STR_LIT("\r"), STR_LIT(" \r\n.\r\n")},
      {STR_LIT("\n"), STR_LIT(" \r\n.\r\n")},
      {STR_LIT("a\r\r\n.b"), STR_LIT("a \r\n..b\r\n.\r\n")},
      {STR_LIT("a\n\r\n"), STR_LIT("a \r\n.\r\n")},
      {STR_LIT("\0.\r\0\n\r\n"), STR_LIT(" .   \r\n.\r\n")},
      {STR_LIT("\xff\xfe\r\n.\x80\r\n"), STR_LIT("\xff\xfe\r\n..\x80\r\n.\r\n")},
};

static void encode(struct buf *wire, struct str content, size_t first, size_t each,
                   bool counted)
{
    struct smtp_dot dot = smtp_dot_start(counted);
    smtp_dot_put(&dot, wire, str_head(content, first));
    for (struct str rest = str_tail(content, first); rest.n > 0; rest = str_tail(rest, each))
        smtp_dot_put(&dot, wire, str_head(rest, each));
    smtp_dot_end(&dot, wire);
}

static void check_every_cut(const struct example *e, bool counted)
{
    struct buf wire;
    buf_init(&wire, 4096);
    for (size_t cut = 0; cut <= e->content.n; cut++) {
        encode(&wire, e->content, cut, e->content.n, counted);
        ck_assert_msg(str_eq(buf_str(&wire), e->wire), "cut %zu: \"%.*s\"", cut,
                      STR_FMT(buf_str(&wire)));
        buf_clear(&wire);
    }
    encode(&wire, e->content, 0, 1, counted);
    ck_assert_msg(str_eq(buf_str(&wire), e->wire), "\"%.*s\"", STR_FMT(buf_str(&wire)));
    buf_release(&wire);
}

START_TEST(content_is_stuffed_once_however_it_is_cut)
{
    check_every_cut(&examples[_i], false);
}
END_TEST

START_TEST(counted_content_keeps_its_length_and_is_as_clean)
{
    const struct example *e = &counted_examples[_i];
    ck_assert_uint_eq(e->content.n, e->wire.n);
    check_every_cut(e, true);
}
END_TEST

START_TEST(what_a_strict_receiver_reads_is_clean_and_ends_where_we_end)
{
    const struct example *e = &examples[_i];
    struct buf wire;
    struct smtp_data data;
    size_t decoded = 0;
    buf_init(&wire, 4096);
    encode(&wire, e->content, 0, 1, false);
    smtp_data_init(&data);
    size_t used = smtp_data_decode(&data, wire.memory, buf_len(&wire), &decoded);
    ck_assert(data.ended && used == buf_len(&wire));
    ck_assert_int_eq(data.flaw, SMTP_DATA_CLEAN);
    ck_assert_uint_ge(decoded, e->content.n);
    ck_assert_uint_le(decoded, e->content.n + 2);
    buf_release(&wire);
}
END_TEST

START_TEST(an_encoder_is_as_new_after_its_end)
{
    struct smtp_dot dot = smtp_dot_start(false);
    struct buf wire;
    buf_init(&wire, 4096);
    smtp_dot_put(&dot, &wire, STR_LIT("a\r"));
    smtp_dot_end(&dot, &wire);
    buf_clear(&wire);
    smtp_dot_put(&dot, &wire, STR_LIT("."));
    smtp_dot_end(&dot, &wire);
    ck_assert(str_eq(buf_str(&wire), STR_LIT("..\r\n.\r\n")));
    buf_release(&wire);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_dot");
    TCase *tc = tcase_create("smtp_dot");
    tcase_add_loop_test(tc, content_is_stuffed_once_however_it_is_cut, 0,
                        (int)(sizeof examples / sizeof examples[0]));
    tcase_add_loop_test(tc, counted_content_keeps_its_length_and_is_as_clean, 0,
                        (int)(sizeof counted_examples / sizeof counted_examples[0]));
    tcase_add_loop_test(tc, what_a_strict_receiver_reads_is_clean_and_ends_where_we_end, 0,
                        (int)(sizeof examples / sizeof examples[0]));
    tcase_add_test(tc, an_encoder_is_as_new_after_its_end);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
