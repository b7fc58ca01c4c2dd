/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "clock.h"

#include <check.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *directory;

static void set_up(void)
{
    directory = fixture_make();
}

static void tear_down(void)
{
    fixture_remove();
}

/* Opening fails with a sentence that has all of words in it. */
static void refused(const char *path, const char *words)
{
    struct err err = {""};
    pid_t busy_pid = 77;
    ck_assert_ptr_null(store_open(path, &err, &busy_pid));
    ck_assert_msg(strstr(err.text, words) != NULL, "\"%s\" is not in: %s", words, err.text);
    ck_assert_int_eq(busy_pid, 0);
}

static void make_queue(void)
{
    struct store *s = fixture_open();
    fixture_accept(s, 1, 100, 1);
    store_close(s);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    return st.st_mode & 07777;
}

START_TEST(a_missing_spool_is_made_for_its_owner_alone)
{
    char path[64];
    snprintf(path, sizeof path, "%s", fixture_path("inner"));
    umask(0);
    struct err err;
    pid_t busy_pid;
    struct store *s = store_open(path, &err, &busy_pid);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(mode_of(path), 0700);
    static const char *const names[] = {"queue.db", "queue.db-wal", "queue.db-shm",
                                        "lock",     "sending",      "reserve"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        ck_assert_msg(mode_of(file) == 0600, "%s has mode %o", file, mode_of(file));
    }
    store_close(s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[128];
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        unlink(file);
    }
    char content[128];
    snprintf(content, sizeof content, "%s/content", path);
    ck_assert_uint_eq(mode_of(content), 0700);
    ck_assert_int_eq(rmdir(content), 0);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(a_second_opener_is_told_the_pid_of_the_first)
{
    struct store *s = fixture_open();
    struct err err = {""};
    pid_t busy_pid = 0;
    ck_assert_ptr_null(store_open(directory, &err, &busy_pid));
    ck_assert_int_eq(busy_pid, getpid());
    ck_assert_ptr_nonnull(strstr(err.text, "in use by another tranterd, pid"));
    store_close(s);
    s = fixture_open();
    store_close(s);
}
END_TEST

/* Lock the spool in a process of its own, say so, and wait to be ended. */
static pid_t hold_the_spool(void)
{
    int told[2];
    ck_assert_int_eq(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err err;
        pid_t busy_pid;
        struct store *s = store_open(directory, &err, &busy_pid);
        char word = s ? 'y' : 'n';
        (void)!write(told[1], &word, 1);
        pause();
        _exit(0);
    }
    char word = 'n';
    ck_assert_int_eq(read(told[0], &word, 1), 1);
    ck_assert_int_eq(word, 'y');
    close(told[0]);
    close(told[1]);
    return pid;
}

START_TEST(a_killed_daemon_leaves_no_lock_behind)
{
    pid_t pid = hold_the_spool();
    struct err err;
    pid_t busy_pid = 0;
    ck_assert_ptr_null(store_open(directory, &err, &busy_pid));
    ck_assert_int_eq(busy_pid, pid);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    store_close(fixture_open());
}
END_TEST

START_TEST(a_spool_that_others_may_write_to_is_refused)
{
    ck_assert_int_eq(chmod(directory, 0720), 0);
    refused(directory, "chmod go-w");
    ck_assert_int_eq(chmod(directory, 0702), 0);
    refused(directory, "chmod go-w");
    ck_assert_int_eq(chmod(directory, 0755), 0);
    make_queue();
    ck_assert_int_eq(chmod(fixture_path("queue.db"), 0620), 0);
    refused(directory, "queue.db may be written to by others");
}
END_TEST

START_TEST(a_spool_of_somebody_else_is_refused)
{
    make_queue();
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(fixture_path("queue.db"), 12345, 12345), 0);
        refused(directory, "belongs to uid 12345");
        ck_assert_int_eq(chown(directory, 12345, 12345), 0);
        refused(directory, "belongs to uid 12345");
    } else {
        refused("/", "belongs to uid 0");
    }
}
END_TEST

START_TEST(what_is_no_directory_is_refused)
{
    make_queue();
    char path[64];
    snprintf(path, sizeof path, "%s", fixture_path("queue.db"));
    refused(path, "Not a directory");
    snprintf(path, sizeof path, "%s", fixture_path("none/such"));
    refused(path, "cannot make the spool directory");
}
END_TEST

START_TEST(a_spool_may_be_reached_through_a_link_but_its_database_not)
{
    char link[64];
    char target[64];
    snprintf(link, sizeof link, "%s-link", directory);
    ck_assert_int_eq(symlink(directory, link), 0);
    struct err err = {""};
    pid_t busy_pid;
    struct store *s = store_open(link, &err, &busy_pid);
    unlink(link);
    ck_assert_msg(s != NULL, "%s", err.text);
    fixture_accept(s, 1, 100, 1);
    store_close(s);
    snprintf(target, sizeof target, "%s", fixture_path("moved"));
    ck_assert_int_eq(rename(fixture_path("queue.db"), target), 0);
    ck_assert_int_eq(symlink("moved", fixture_path("queue.db")), 0);
    refused(directory, "cannot open");
}
END_TEST

/* The bytes of the database, to see that nothing wrote to it. */
static struct buf contents(void)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    FILE *f = fopen(fixture_path("queue.db"), "r");
    ck_assert_ptr_nonnull(f);
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        buf_put(&b, piece, n);
    fclose(f);
    return b;
}

static void refused_and_untouched(const char *words)
{
    struct buf before = contents();
    refused(directory, words);
    struct buf after = contents();
    ck_assert(str_eq(buf_str(&before), buf_str(&after)));
    buf_release(&before);
    buf_release(&after);
}

static void overwrite(off_t at, const void *bytes, size_t n)
{
    int fd = open(fixture_path("queue.db"), O_WRONLY);
    ck_assert_int_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
    close(fd);
}

START_TEST(a_newer_format_is_refused)
{
    make_queue();
    fixture_sql("PRAGMA user_version = 3");
    refused_and_untouched(
        "format 3, written by a newer tranter; this one reads up to format 2");
}
END_TEST

START_TEST(a_newer_format_that_is_only_in_the_log_is_refused)
{
    make_queue();
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(fixture_path("queue.db"), &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    ck_assert_int_eq(sql_exec(db, "PRAGMA user_version = 3"), SQLITE_OK);
    sqlite3_close(db);
    ck_assert_int_eq(access(fixture_path("queue.db-wal"), F_OK), 0);
    refused_and_untouched("format 3, written by a newer tranter");
}
END_TEST

START_TEST(an_unknown_old_format_is_refused)
{
    make_queue();
    fixture_sql("PRAGMA user_version = 0");
    refused_and_untouched("no tranter has written");
}
END_TEST

START_TEST(a_foreign_database_is_refused)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(fixture_path("queue.db"), &db), SQLITE_OK);
    ck_assert_int_eq(sql_exec(db, "CREATE TABLE message (id)"), SQLITE_OK);
    sqlite3_close(db);
    ck_assert_int_eq(chmod(fixture_path("queue.db"), 0600), 0);
    refused_and_untouched("a database of another program");
}
END_TEST

START_TEST(a_damaged_database_is_refused)
{
    static const char garbage[4096] = "garbage";
    make_queue();
    overwrite(0, garbage, 16);
    refused_and_untouched("is damaged (it is not a database)");
}
END_TEST

START_TEST(a_database_that_was_cut_off_is_refused)
{
    make_queue();
    ck_assert_int_eq(truncate(fixture_path("queue.db"), 8192), 0);
    refused_and_untouched("is damaged");
    ck_assert_int_eq(truncate(fixture_path("queue.db"), 50), 0);
    refused_and_untouched("it is too short");
    ck_assert_int_eq(truncate(fixture_path("queue.db"), 0), 0);
    refused_and_untouched("it is too short");
}
END_TEST

START_TEST(damaged_tables_are_refused_log_and_all)
{
    static const char garbage[4096 - 100] = "garbage";
    make_queue();
    overwrite(100, garbage, sizeof garbage);
    refused_and_untouched("is damaged");
}
END_TEST

/* All of a page, or a bit of it: what page it is. */
static const struct {
    char bytes[4096];
    size_t n;
} damages[] = {{"garbage", 4096}, {"\x04", 1}};

START_TEST(damage_seen_while_running_stops_everything)
{
    struct store *s = fixture_open();
    for (unsigned i = 0; i < 50; i++)
        fixture_accept(s, i, 4096, 1);
    store_close(s);
    struct stat st;
    ck_assert_int_eq(stat(fixture_path("queue.db"), &st), 0);
    int64_t root =
        fixture_sql_number("SELECT rootpage FROM sqlite_master WHERE name = 'chunk'");
    overwrite((root - 1) * 4096, damages[_i].bytes, damages[_i].n);
    s = fixture_open();
    struct buf out;
    buf_init(&out, STORE_CHUNK_BYTES);
    struct store_message *m = store_after(s, 0);
    ck_assert_int_eq(store_read(s, m->id, 0, &out), -1);
    struct buf chunk;
    buf_init(&chunk, 10);
    store_commit(s, fixture_message(store_begin(s, clock_wall_ms()), 1), 0, &chunk, s);
    int committed = 0;
    int broken = 0;
    while (!committed || !broken) {
        struct store_result r = fixture_result(s);
        committed += r.type == STORE_COMMITTED && r.owner == s && r.failure == STORE_ERROR;
        broken += r.type == STORE_BROKEN && strstr(r.reason, "queue.db is damaged") &&
                  strstr(r.reason, "backup");
    }
    store_message_free(m);
    buf_release(&out);
    struct buf before = contents();
    store_close(s);
    struct buf after = contents();
    ck_assert(str_eq(buf_str(&before), buf_str(&after)));
    buf_release(&before);
    buf_release(&after);
}
END_TEST

START_TEST(a_log_without_its_database_is_kept)
{
    pid_t pid = hold_the_spool();
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    int fd = open(fixture_path("queue.db-wal"), O_WRONLY | O_APPEND);
    ck_assert_int_eq(write(fd, "mail", 4), 4);
    close(fd);
    ck_assert_int_eq(unlink(fixture_path("queue.db")), 0);
    refused(directory, "its log queue.db-wal is there");
    ck_assert_int_eq(access(fixture_path("queue.db-wal"), F_OK), 0);
}
END_TEST

START_TEST(a_database_half_made_is_made_again)
{
    int fd = open(fixture_path("queue.db.new"), O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, "half", 4), 4);
    close(fd);
    make_queue();
    ck_assert_int_ne(access(fixture_path("queue.db.new"), F_OK), 0);
}
END_TEST

static const struct {
    const char *name;
    uint32_t type;
    const char *word; /* NULL: no warning */
} file_systems[] = {
    {"tmpfs", TMPFS_MAGIC, "tmpfs"},
    {"ramfs", RAMFS_MAGIC, "ramfs"},
    {"overlay", OVERLAYFS_SUPER_MAGIC, "overlay"},
    {"ext4", EXT4_SUPER_MAGIC, NULL},
    {"xfs", XFS_SUPER_MAGIC, NULL},
    {"btrfs", BTRFS_SUPER_MAGIC, NULL},
};

START_TEST(only_a_file_system_that_forgets_is_warned_about)
{
    const char *words = spool_volatile(file_systems[_i].type);
    if (!file_systems[_i].word)
        ck_assert_msg(!words, "%s: %s", file_systems[_i].name, words);
    else
        ck_assert_msg(words && strstr(words, file_systems[_i].word), "%s: %s",
                      file_systems[_i].name, words ? words : "no warning");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spool");
    TCase *tc = tcase_create("spool");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_missing_spool_is_made_for_its_owner_alone);
    tcase_add_test(tc, a_second_opener_is_told_the_pid_of_the_first);
    tcase_add_test(tc, a_killed_daemon_leaves_no_lock_behind);
    tcase_add_test(tc, a_spool_that_others_may_write_to_is_refused);
    tcase_add_test(tc, a_spool_of_somebody_else_is_refused);
    tcase_add_test(tc, what_is_no_directory_is_refused);
    tcase_add_test(tc, a_spool_may_be_reached_through_a_link_but_its_database_not);
    tcase_add_test(tc, a_newer_format_is_refused);
    tcase_add_test(tc, a_newer_format_that_is_only_in_the_log_is_refused);
    tcase_add_test(tc, an_unknown_old_format_is_refused);
    tcase_add_test(tc, a_foreign_database_is_refused);
    tcase_add_test(tc, a_damaged_database_is_refused);
    tcase_add_test(tc, a_database_that_was_cut_off_is_refused);
    tcase_add_test(tc, damaged_tables_are_refused_log_and_all);
    tcase_add_loop_test(tc, damage_seen_while_running_stops_everything, 0,
                        (int)(sizeof damages / sizeof *damages));
    tcase_add_test(tc, a_log_without_its_database_is_kept);
    tcase_add_test(tc, a_database_half_made_is_made_again);
    tcase_add_loop_test(tc, only_a_file_system_that_forgets_is_warned_about, 0,
                        sizeof file_systems / sizeof *file_systems);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
