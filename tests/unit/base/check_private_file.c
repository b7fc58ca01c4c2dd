/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "private_file.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LIMIT = 10000
};

static char folder[] = "/tmp/check_private.XXXXXX";
static char path[64], link_path[64];

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/secret", folder);
    snprintf(link_path, sizeof link_path, "%s/link", folder);
}

static void tear_down(void)
{
    unlink(path);
    unlink(link_path);
    rmdir(folder);
}

static void write_file(size_t n, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(write(fd, &"abcdefg"[i % 7], 1), 1);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

/* The refusal, or "" after n bytes. */
static const char *read_file(const char *from, size_t n)
{
    static struct err err;
    struct buf content;
    buf_init(&content, LIMIT);
    content.secret = true;
    err.text[0] = '\0';
    int rc = private_file_read(from, &content, &err);
    ck_assert_int_eq(rc, err.text[0] ? -1 : 0);
    if (rc == 0) {
        ck_assert_uint_eq(buf_len(&content), n);
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq(buf_str(&content).p[i], "abcdefg"[i % 7]);
    }
    buf_release(&content);
    return err.text;
}

static const struct {
    mode_t mode;
    const char *refusal; /* "": it is good */
} modes[] = {
    {0600, ""},
    {0400, ""},
    {0640, ""},
    {0440, ""},
    {0700, ""},
    {0750, ""},
    {0644, "every user of this machine (mode 0644)"},
    {0604, "every user of this machine (mode 0604)"},
    {0602, "every user of this machine (mode 0602)"},
    {0601, "every user of this machine (mode 0601)"},
    {0666, "every user of this machine (mode 0666)"},
    {0660, "can be written by its group (mode 0660)"},
    {0620, "can be written by its group (mode 0620)"},
};

START_TEST(a_file_that_is_open_to_others_is_refused)
{
    write_file(5, modes[_i].mode);
    const char *refusal = read_file(path, 5);
    ck_assert_msg(modes[_i].refusal[0] ? strstr(refusal, modes[_i].refusal) != NULL
                                       : refusal[0] == '\0',
                  "%04o: %s", (unsigned)modes[_i].mode, refusal);
    ck_assert(!refusal[0] || strstr(refusal, path));
}
END_TEST

/* As user 4243 of group 4242. */
static const char *read_as_daemon(void)
{
    ck_assert_int_eq(setegid(4242), 0);
    ck_assert_int_eq(seteuid(4243), 0);
    const char *refusal = read_file(path, 5);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(setegid(0), 0);
    return refusal;
}

START_TEST(roots_file_serves_the_daemons_group)
{
    write_file(5, 0640);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(chown(path, 0, 4242), 0);
    ck_assert_str_eq(read_as_daemon(), "");
    ck_assert_int_eq(chown(path, 0, 5555), 0);
    ck_assert_ptr_nonnull(strstr(
        read_as_daemon(),
        "cannot be opened by user 4243: Permission denied; let its group be that user's"));
    ck_assert_int_eq(chown(path, 4243, 5555), 0);
    ck_assert_str_eq(read_as_daemon(), "");
    ck_assert_int_eq(chown(path, 4244, 4242), 0);
    ck_assert_ptr_nonnull(strstr(read_as_daemon(), "belongs to user 4244"));
}
END_TEST

START_TEST(a_folder_that_others_can_write_to_is_refused)
{
    static const struct {
        mode_t mode;
        bool good;
    } folders[] = {{0755, true},  {0700, true},  {0775, true},
                   {01777, true}, {0777, false}, {0703, false}};
    write_file(9, 0600);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        ck_assert_int_eq(chmod(folder, folders[i].mode), 0);
        const char *said = read_file(path, 9);
        if (folders[i].good)
            ck_assert_str_eq(said, "");
        else
            ck_assert_msg(strstr(said, "chmod o-w") != NULL, "%s", said);
    }
}
END_TEST

START_TEST(a_link_is_followed_and_its_file_checked)
{
    ck_assert_int_eq(symlink(path, link_path), 0);
    write_file(5, 0600);
    ck_assert_str_eq(read_file(link_path, 5), "");
    write_file(5, 0644);
    ck_assert_ptr_nonnull(strstr(read_file(link_path, 5), "every user"));
}
END_TEST

START_TEST(only_a_regular_file_will_do_and_none_is_waited_for)
{
    ck_assert_ptr_nonnull(strstr(read_file(folder, 0), "not a regular file"));
    ck_assert_ptr_nonnull(strstr(read_file("/dev/null", 0), "not a regular file"));
    ck_assert_ptr_nonnull(strstr(read_file(path, 0), "No such file"));
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_ptr_nonnull(strstr(read_file(path, 0), "not a regular file"));
}
END_TEST

START_TEST(the_limit_is_exact)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, LIMIT - 1, LIMIT};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_file(sizes[i], 0600);
        ck_assert_str_eq(read_file(path, sizes[i]), "");
    }
    write_file(LIMIT + 1, 0600);
    ck_assert_ptr_nonnull(
        strstr(read_file(path, 0), "has 10001 bytes; at most 10000 are allowed"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("private_file");
    TCase *tc = tcase_create("private_file");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_file_that_is_open_to_others_is_refused, 0,
                        sizeof modes / sizeof modes[0]);
    if (geteuid() == 0)
        tcase_add_test(tc, roots_file_serves_the_daemons_group);
    else
        puts("only root can give files away: the check of the owner is not tested");
    tcase_add_test(tc, a_folder_that_others_can_write_to_is_refused);
    tcase_add_test(tc, a_link_is_followed_and_its_file_checked);
    tcase_add_test(tc, only_a_regular_file_will_do_and_none_is_waited_for);
    tcase_add_test(tc, the_limit_is_exact);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
