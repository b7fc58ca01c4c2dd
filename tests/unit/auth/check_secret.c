/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "secret.h"

#include "base64.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/check_secret.XXXXXX";
static char path[64];

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/password", folder);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(folder);
}

static void write_file(struct str content, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, content.p, content.n), (ssize_t)content.n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void expect_secret(const char *source, struct str expected)
{
    struct buf secret;
    struct err err;
    buf_init(&secret, SECRET_MAX);
    secret.secret = true;
    ck_assert_msg(secret_read(source, &secret, &err) == 0, "%s", err.text);
    ck_assert(str_eq(buf_str(&secret), expected));
    buf_release(&secret);
}

static void expect_refusal(const char *source, const char *said)
{
    struct buf secret;
    struct err err;
    buf_init(&secret, SECRET_MAX);
    secret.secret = true;
    ck_assert_int_eq(secret_read(source, &secret, &err), -1);
    ck_assert_msg(strstr(err.text, said) != NULL, "%s", err.text);
    ck_assert_ptr_null(strstr(err.text, "s3cret"));
    ck_assert_uint_eq(buf_len(&secret), 0);
    buf_release(&secret);
}

/* What a file has, and the secret in it, or why it is refused. */
static const struct {
    struct str content, secret;
    const char *refusal;
} files[] = {
    {STR_LIT("s3cret"), STR_LIT("s3cret"), NULL},
    {STR_LIT("s3cret\n"), STR_LIT("s3cret"), NULL},
    {STR_LIT("s3cret\r\n"), STR_LIT("s3cret"), NULL},
    {STR_LIT("s3cret\n\n"), STR_LIT("s3cret"), NULL},
    {STR_LIT("s3cret\n# second line\n"), STR_LIT("s3cret"), NULL},
    {STR_LIT(" s3cret with blanks "), STR_LIT(" s3cret with blanks "), NULL},
    {STR_LIT("\"s3cret\""), STR_LIT("\"s3cret\""), NULL},
    {STR_LIT("s3cr\xC3\xA8t\n"), STR_LIT("s3cr\xC3\xA8t"), NULL},
    {STR_LIT("s3cr\xE8t\n"), STR_LIT("s3cr\xE8t"), NULL},
    {STR_LIT("s3cret\n\0"), STR_LIT("s3cret"), NULL},
    {STR_LIT(""), STR_LIT(""), "first line is empty"},
    {STR_LIT("\n"), STR_LIT(""), "first line is empty"},
    {STR_LIT("\r\n"), STR_LIT(""), "first line is empty"},
    {STR_LIT("\ns3cret\n"), STR_LIT(""), "first line is empty"},
    {STR_LIT("s3cret\r\r\n"), STR_LIT(""), "byte 7 of the password is a control"},
    {STR_LIT("s3\0cret\n"), STR_LIT(""),
     "byte 3 of the password is a control character (0x00)"},
    {STR_LIT("s3cret\t\n"), STR_LIT(""), "0x09"},
    {STR_LIT("\033s3cret\n"), STR_LIT(""), "byte 1"},
    {STR_LIT("s3cret\x7F\n"), STR_LIT(""), "0x7F"},
    {STR_LIT("\xEF\xBB\xBFs3cret\n"), STR_LIT(""), "byte order mark"},
};

START_TEST(the_secret_is_the_first_line_without_its_end)
{
    write_file(files[_i].content, 0600);
    if (files[_i].refusal)
        expect_refusal(path, files[_i].refusal);
    else
        expect_secret(path, files[_i].secret);
}
END_TEST

START_TEST(a_file_that_others_can_read_is_refused)
{
    write_file(STR_LIT("s3cret\n"), 0644);
    expect_refusal(path, "mode 0644");
    write_file(STR_LIT("s3cret\n"), 0660);
    expect_refusal(path, "mode 0660");
    write_file(STR_LIT("s3cret\n"), 0640);
    expect_secret(path, STR_LIT("s3cret"));
}
END_TEST

START_TEST(the_size_has_a_limit)
{
    static char text[SECRET_MAX + 1];
    memset(text, 'x', sizeof text);
    write_file((struct str){text, SECRET_MAX}, 0600);
    expect_secret(path, (struct str){text, SECRET_MAX});
    write_file((struct str){text, SECRET_MAX + 1}, 0600);
    expect_refusal(path, "at most 16384 are allowed");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    expect_refusal(text, "more than 4095 bytes");
}
END_TEST

START_TEST(a_credential_is_found_in_systemds_folder)
{
    write_file(STR_LIT("s3cret\n"), 0440);
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    expect_secret("credential:password", STR_LIT("s3cret"));
    expect_refusal("credential:other", "/other cannot be opened");
    expect_refusal("credential:", "not empty");
    expect_refusal("credential:../password", "no '/'");
    expect_refusal("credential:a/b", "no '/'");
    expect_refusal("credential:..", "no '.' at its start");
    ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    expect_refusal("credential:password", "LoadCredential=password:FILE");
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", "", 1), 0);
    expect_refusal("credential:password", "no $CREDENTIALS_DIRECTORY");
}
END_TEST

/* The rest of the file lies behind the first line until the memory is given back, wiped. */
START_TEST(nothing_outlives_a_refusal)
{
    struct buf secret;
    struct err err;
    buf_init(&secret, SECRET_MAX);
    secret.secret = true;
    write_file(STR_LIT("s3\tcret\n"), 0600);
    ck_assert_int_eq(secret_read(path, &secret, &err), -1);
    ck_assert_ptr_null(secret.memory);
}
END_TEST

/* A server's words, and whether they have the secret "s3cret pass" in them. */
static const struct {
    const char *words;
    bool hidden;
} replies[] = {
    {"535 5.7.8 Username and Password not accepted. https://support.google.com/mail/?p=Bad",
     false},
    {"535 5.7.8 s3cre", false},
    {"", false},
    {"535 no login for s3cret pass", true},
    {"500 unknown command \"s3cret pass\"", true},
    {"500 what is czNjcmV0IHBhc3M=", true},
    {"500 unknown command \"AHdlYjEAczNjcmV0IHBhc3M=\"", true},
    {"500 unknown command (AHdlYjEAczNjcmV0IHBhc3M=)", true},
    {"500 unknown command AHdlYjEAczNjcmV0IH", true}, /* cut */
    {"500 unknown command AHdlYjEA", false},
};

START_TEST(what_a_server_repeats_is_left_out)
{
    struct fault f;
    fault_set(&f, FAULT_ACCOUNT, "5.7.8", "AUTH-REJECTED", "refused");
    fault_reply(&f, str_of(replies[_i].words));
    secret_hide(&f, STR_LIT(""));
    secret_hide(&f, STR_LIT("no"));
    ck_assert_str_eq(f.reply, replies[_i].words);
    secret_hide(&f, STR_LIT("s3cret pass"));
    if (replies[_i].hidden)
        ck_assert_ptr_nonnull(strstr(f.reply, "left out"));
    else
        ck_assert_str_eq(f.reply, replies[_i].words);
    ck_assert_str_eq(f.text, "refused");
}
END_TEST

START_TEST(a_long_word_may_stand_for_the_secret_too)
{
    struct buf raw, word;
    buf_init(&raw, 10000);
    buf_init(&word, 20000);
    for (int i = 0; i < 4000; i++)
        buf_putc(&raw, 'x');
    base64_encode(&word, buf_str(&raw));
    ck_assert(!secret_is_told(buf_str(&word), STR_LIT("s3cret pass")));
    buf_puts(&raw, "s3cret pass");
    buf_clear(&word);
    base64_encode(&word, buf_str(&raw));
    ck_assert(secret_is_told(buf_str(&word), STR_LIT("s3cret pass")));
    buf_release(&raw);
    buf_release(&word);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("secret");
    TCase *tc = tcase_create("secret");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, the_secret_is_the_first_line_without_its_end, 0,
                        sizeof files / sizeof files[0]);
    tcase_add_test(tc, a_file_that_others_can_read_is_refused);
    tcase_add_test(tc, the_size_has_a_limit);
    tcase_add_test(tc, a_credential_is_found_in_systemds_folder);
    tcase_add_test(tc, nothing_outlives_a_refusal);
    tcase_add_loop_test(tc, what_a_server_repeats_is_left_out, 0,
                        sizeof replies / sizeof replies[0]);
    tcase_add_test(tc, a_long_word_may_stand_for_the_secret_too);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
