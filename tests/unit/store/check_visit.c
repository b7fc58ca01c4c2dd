/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the spool of a daemon that is away. The daemon is a process of its own. */
#include "fixture.h"

#include "clock.h"
#include "mem.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LARGE = 3 * 1024 * 1024 /* has a file of its own */
};

enum way {
    STOPPED,
    KILLED
};

struct order {
    unsigned n;
    enum way way;
};

static const char *directory;
static int orders[2], reports[2];

/* A daemon that takes n messages and goes. */
static void run_daemon(const struct order *order)
{
    struct store *s = fixture_open();
    for (unsigned i = 0; i < order->n; i++)
        fixture_accept(s, i, i ? 100 : LARGE, 2);
    if (order->way == STOPPED)
        store_close(s);
}

/* Daemons come of a process that never knew SQLite, whose locks know no fork. */
static void run_daemons(void)
{
    struct order order;
    while (read(orders[0], &order, sizeof order) == sizeof order) {
        int status = 1;
        pid_t pid = fork();
        if (pid == 0) {
            run_daemon(&order);
            _exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid ||
            write(reports[1], &status, sizeof status) != sizeof status)
            break;
    }
    _exit(0);
}

static void set_up(void)
{
    directory = fixture_make();
    ck_assert_int_eq(pipe(orders), 0);
    ck_assert_int_eq(pipe(reports), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(orders[1]);
        run_daemons();
    }
}

static void tear_down(void)
{
    fixture_remove();
}

static void daemon_of(unsigned n, enum way way)
{
    const struct order order = {n, way};
    int status;
    ck_assert_int_eq(write(orders[1], &order, sizeof order), sizeof order);
    ck_assert_int_eq(read(reports[0], &status, sizeof status), sizeof status);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* All names in the spool with size, time and checksum, in one text. */
static void describe(char text[4096])
{
    char command[512];
    snprintf(
        command, sizeof command,
        "cd %s && find . -printf '%%p %%u %%m %%s %%T@\\n' | sort; find . -type f | sort | "
        "xargs cksum",
        directory);
    FILE *f = popen(command, "r");
    size_t n = fread(text, 1, 4095, f);
    text[n] = '\0';
    ck_assert_int_eq(pclose(f), 0);
}

static struct store *visit(void)
{
    struct err err = {.text = ""};
    struct store *s = store_visit(directory, &err);
    ck_assert_msg(s != NULL, "%s", err.text);
    return s;
}

static unsigned count(struct store *s)
{
    struct store_search search = {.after = 0};
    struct store_message *page[4];
    unsigned total = 0;
    while (!search.over) {
        unsigned n = store_search(s, &search, page, 4);
        total += n;
        while (n)
            store_message_free(page[--n]);
    }
    return total;
}

static void sees(unsigned n)
{
    struct err err;
    struct store_counts counts;
    struct store *s = visit();
    ck_assert_uint_eq(count(s), n);
    store_count(s, &counts);
    ck_assert_uint_eq(counts.queued, n);
    struct store_message *m = store_after(s, 0);
    ck_assert_uint_eq(m->n_recipients, 2);
    ck_assert(fixture_same_content(s, m->id, 0, LARGE));
    store_message_free(m);
    ck_assert_msg(!store_visit_failed(s, &err), "%s", err.text);
    store_close(s);
}

START_TEST(a_visit_sees_all_and_changes_nothing)
{
    char before[4096], after[4096];
    daemon_of(9, (enum way)_i);
    describe(before);
    sees(9);
    sees(9);
    describe(after);
    ck_assert_str_eq(before, after);
    daemon_of(0, STOPPED);
    sees(9);
    ck_assert_str_eq(fixture_integrity(), "ok");
}
END_TEST

START_TEST(the_log_is_read_without_its_index)
{
    daemon_of(9, KILLED);
    ck_assert_int_eq(unlink(fixture_path("queue.db-shm")), 0);
    sees(9);
    struct stat st;
    ck_assert_int_eq(stat(fixture_path("queue.db-shm"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    daemon_of(1, STOPPED);
    struct store *s = visit();
    ck_assert_uint_eq(count(s), 10);
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
}
END_TEST

/* A database that was stopped in order can only be read as long as nobody changes it. */
START_TEST(a_daemon_that_starts_meanwhile_is_noticed)
{
    struct err err;
    daemon_of(9, STOPPED);
    struct store *s = visit();
    ck_assert_uint_eq(count(s), 9);
    daemon_of(1, (enum way)_i);
    ck_assert_uint_eq(count(s), 0);
    ck_assert(store_visit_failed(s, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "started meanwhile"));
    ck_assert_ptr_null(store_load(s, 1));
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
}
END_TEST

START_TEST(a_log_can_be_read_beside_a_daemon_that_starts)
{
    daemon_of(9, KILLED);
    struct store *s = visit();
    ck_assert_uint_eq(count(s), 9);
    for (unsigned i = 1; i <= 3; i++) {
        daemon_of(1, i % 2 ? KILLED : STOPPED);
        ck_assert_uint_eq(count(s), 9 + i);
    }
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
}
END_TEST

/* Its control socket may be out of reach although it runs. */
START_TEST(a_running_daemon_can_be_visited)
{
    int ready[2], go[2];
    char byte = 0;
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(go), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct store *s = fixture_open();
        close(go[1]);
        for (unsigned i = 0; i < 4; i++) {
            fixture_accept(s, i, i ? 100 : LARGE, 2);
            if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
                break;
        }
        store_close(s);
        _exit(0);
    }
    struct store *s = NULL;
    for (unsigned i = 1; i <= 4; i++) {
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        if (!s)
            s = visit();
        ck_assert_uint_eq(count(s), i);
        ck_assert_int_eq(write(go[1], &byte, 1), 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_uint_eq(count(s), 4);
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
}
END_TEST

static void is_refused(const char *words)
{
    struct err err = {.text = ""};
    ck_assert_ptr_null(store_visit(directory, &err));
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
}

START_TEST(what_is_no_queue_is_refused)
{
    is_refused("No such file");
    daemon_of(1, STOPPED);
    fixture_sql("PRAGMA user_version = 1");
    is_refused("older format 1");
    fixture_sql("PRAGMA user_version = 99");
    is_refused("newer tranter");
    fixture_sql("PRAGMA application_id = 1");
    is_refused("another program");
    ck_assert_int_eq(truncate(fixture_path("queue.db"), 50), 0);
    is_refused("too short");
    struct err err;
    ck_assert_ptr_null(store_visit("/nonexistent", &err));
}
END_TEST

START_TEST(a_path_may_have_any_characters)
{
    char path[256];
    daemon_of(2, _i ? KILLED : STOPPED);
    snprintf(path, sizeof path, "%s?a#b%%20c&mode=rw", directory);
    ck_assert_int_eq(rename(directory, path), 0);
    struct err err = {.text = ""};
    struct store *s = store_visit(path, &err);
    ck_assert_msg(s != NULL, "%s", err.text);
    ck_assert_uint_eq(count(s), 2);
    store_close(s);
    ck_assert_int_eq(rename(path, directory), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("visit");
    TCase *tc = tcase_create("visit");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_visit_sees_all_and_changes_nothing, STOPPED, KILLED + 1);
    tcase_add_test(tc, the_log_is_read_without_its_index);
    tcase_add_loop_test(tc, a_daemon_that_starts_meanwhile_is_noticed, STOPPED, KILLED + 1);
    tcase_add_test(tc, a_log_can_be_read_beside_a_daemon_that_starts);
    tcase_add_test(tc, a_running_daemon_can_be_visited);
    tcase_add_test(tc, what_is_no_queue_is_refused);
    tcase_add_loop_test(tc, a_path_may_have_any_characters, STOPPED, KILLED + 1);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
