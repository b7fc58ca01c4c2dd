/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "listener.h"

#include "mem.h"
#include "sockname.h"
#include "turns.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct loop *loop;
static struct listener *l;
static char directory[64], path[128];
static int accepted[64], n_accepted;
static bool free_inside;

static void setup(void)
{
    loop = loop_new();
    snprintf(directory, sizeof directory, "/tmp/check_listener.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/smtp.sock", directory);
    n_accepted = 0;
    free_inside = false;
}

static void teardown(void)
{
    char command[200];
    listener_free(l);
    l = NULL;
    for (int i = 0; i < n_accepted; i++)
        close(accepted[i]);
    loop_free(loop);
    snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static void on_accept(int fd, void *arg)
{
    ck_assert_ptr_eq(arg, &n_accepted);
    accepted[n_accepted++] = fd;
    if (free_inside) {
        listener_free(l);
        l = NULL;
    }
}

static bool has_accepted(void *arg)
{
    return n_accepted >= *(int *)arg;
}

static void wait_for(int n)
{
    ck_assert(turns_until(loop, has_accepted, &n));
    ck_assert_int_eq(n_accepted, n);
}

static void listen_at(const char *where, mode_t mode)
{
    struct err err = {.text = ""};
    l = listener_new(loop, where, mode, on_accept, &n_accepted, &err);
    ck_assert_msg(l != NULL, "%s", err.text);
}

static int connect_to(const char *where)
{
    struct sockaddr_storage address;
    socklen_t length;
    ck_assert(sockname_parse(str_of(where), &address, &length));
    int fd = socket(address.ss_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) == 0)
        return fd;
    close(fd);
    return -1;
}

static const mode_t modes[] = {0666, 0660, 0600};

START_TEST(a_socket_gets_its_mode_whatever_the_umask)
{
    struct stat st;
    mode_t before = umask(_i ? 0 : 077);
    listen_at(path, modes[_i]);
    umask(before);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISSOCK(st.st_mode));
    ck_assert_uint_eq(st.st_mode & 07777, modes[_i]);
    int a = connect_to(path), b = connect_to(path);
    wait_for(2);
    ck_assert_int_ne(fcntl(accepted[0], F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne(fcntl(accepted[0], F_GETFL) & O_NONBLOCK, 0);
    ck_assert(!listener_is_network(l));
    ck_assert_uint_eq(listener_port(l), 0);
    close(a);
    close(b);
}
END_TEST

START_TEST(a_missing_directory_is_made)
{
    struct stat st;
    char deeper[160];
    mode_t before = umask(022);
    snprintf(deeper, sizeof deeper, "%s/tranter/smtp.sock", directory);
    listen_at(deeper, 0666);
    umask(before);
    *strrchr(deeper, '/') = '\0';
    ck_assert_int_eq(stat(deeper, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0755);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
    listen_at(path, 0600);
    struct listener *dead = l;
    char other[160];
    /* As a killed daemon leaves it. */
    snprintf(other, sizeof other, "%s.kept", path);
    ck_assert_int_eq(rename(path, other), 0);
    listener_free(dead);
    turns_for(loop, 0);
    ck_assert_int_eq(rename(other, path), 0);
    ck_assert_int_eq(connect_to(path), -1);
    listen_at(path, 0666);
    int fd = connect_to(path);
    wait_for(1);
    close(fd);
}
END_TEST

START_TEST(a_socket_in_use_is_left_alone)
{
    struct err err;
    char expected[200];
    listen_at(path, 0666);
    ck_assert_ptr_null(listener_new(loop, path, 0666, on_accept, &n_accepted, &err));
    snprintf(expected, sizeof expected,
             "another process is listening at %s; stop it, or configure another path", path);
    ck_assert_str_eq(err.text, expected);
    int fd = connect_to(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
    struct err err;
    struct stat st;
    close(open(path, O_CREAT | O_WRONLY, 0600));
    ck_assert_ptr_null(listener_new(loop, path, 0666, on_accept, &n_accepted, &err));
    ck_assert_msg(strstr(err.text, "is no socket; it is left alone") != NULL, "%s", err.text);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISREG(st.st_mode));
}
END_TEST

static const struct {
    const char *where, *sentence;
} refused[] = {
    {"smtp.sock", "is not an absolute path and no address:port"},
    {"/nonexistent/deeper/smtp.sock", "cannot be made: No such file or directory"},
    {"192.0.2.77:0", "configure an address that this machine has"},
    {"/"
     "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
     "901234567890123456",
     "is not an absolute path"},
};

START_TEST(what_cannot_be_listened_at_is_said)
{
    struct err err = {.text = ""};
    ck_assert_ptr_null(
        listener_new(loop, refused[_i].where, 0666, on_accept, &n_accepted, &err));
    ck_assert_msg(strstr(err.text, refused[_i].sentence) != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_port_in_use_is_said)
{
    struct err err;
    char where[32];
    uint16_t port = 0;
    int taken = turns_listening("127.0.0.1", &port, 1);
    snprintf(where, sizeof where, "127.0.0.1:%u", port);
    ck_assert_ptr_null(listener_new(loop, where, 0, on_accept, &n_accepted, &err));
    ck_assert_msg(strstr(err.text, "another process does") != NULL, "%s", err.text);
    close(taken);
}
END_TEST

START_TEST(tcp_is_listened_at)
{
    char where[32];
    listen_at("127.0.0.1:0", 0);
    ck_assert(listener_is_network(l));
    snprintf(where, sizeof where, "127.0.0.1:%u", listener_port(l));
    int fd = connect_to(where);
    wait_for(1);
    close(fd);
}
END_TEST

START_TEST(a_socket_from_the_service_manager_is_taken_and_never_removed)
{
    struct sockaddr_storage address;
    socklen_t length;
    struct stat st;
    ck_assert(sockname_parse(str_of(path), &address, &length));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    l = listener_of_fd(loop, fd, on_accept, &n_accepted);
    int client = connect_to(path);
    wait_for(1);
    listener_free(l);
    l = NULL;
    ck_assert_int_eq(lstat(path, &st), 0);
    close(client);
}
END_TEST

START_TEST(a_listener_removes_its_own_socket_alone)
{
    struct stat st;
    listen_at(path, 0666);
    listener_free(l);
    ck_assert_int_eq(lstat(path, &st), -1);
    listen_at(path, 0666);
    struct listener *first = l;
    ck_assert_int_eq(unlink(path), 0);
    listen_at(path, 0666);
    listener_free(first);
    ck_assert_int_eq(lstat(path, &st), 0);
}
END_TEST

START_TEST(a_pause_leaves_clients_waiting)
{
    listen_at(path, 0666);
    listener_pause(l, true);
    int fd = connect_to(path);
    ck_assert_int_eq(turns_for(loop, 5), 1);
    ck_assert_int_eq(n_accepted, 0);
    listener_pause(l, false);
    wait_for(1);
    close(fd);
}
END_TEST

START_TEST(it_may_be_freed_by_the_call_it_makes)
{
    listen_at(path, 0666);
    free_inside = true;
    int a = connect_to(path), b = connect_to(path);
    wait_for(1);
    close(a);
    close(b);
}
END_TEST

/* Take every descriptor that is left; the last of them. */
static int take_all(int *taken)
{
    int n = 0, fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        taken[n++] = fd;
    ck_assert_int_eq(errno, EMFILE);
    return n;
}

START_TEST(without_descriptors_it_pauses_turns_away_and_recovers)
{
    int taken[256];
    char reply[16] = "";
    struct rlimit limit, little;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    listen_at(path, 0666);
    if (_i)
        listener_busy_reply(l, "421 busy\r\n");
    int a = connect_to(path), b = connect_to(path);
    turns_for(loop, 0);
    n_accepted = 0;
    close(accepted[0]);
    close(accepted[1]);
    close(a);
    close(b);
    a = connect_to(path);
    b = connect_to(path);
    little = (struct rlimit){200, limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &little), 0);
    int n = take_all(taken);
    ck_assert_int_le(turns_for(loop, 50), 3);
    ck_assert_int_eq(n_accepted, 0);
    while (n)
        close(taken[--n]);
    setrlimit(RLIMIT_NOFILE, &limit);
    wait_for(_i ? 1 : 2);
    ck_assert_int_eq(recv(a, reply, sizeof reply, MSG_DONTWAIT), _i ? 10 : -1);
    if (_i)
        ck_assert_str_eq(reply, "421 busy\r\n");
    close(a);
    close(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listener");
    TCase *tc = tcase_create("listener");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_socket_gets_its_mode_whatever_the_umask, 0, 3);
    tcase_add_test(tc, a_missing_directory_is_made);
    tcase_add_test(tc, a_stale_socket_is_replaced);
    tcase_add_test(tc, a_socket_in_use_is_left_alone);
    tcase_add_test(tc, what_is_no_socket_is_left_alone);
    tcase_add_loop_test(tc, what_cannot_be_listened_at_is_said, 0,
                        sizeof refused / sizeof refused[0]);
    tcase_add_test(tc, a_port_in_use_is_said);
    tcase_add_test(tc, tcp_is_listened_at);
    tcase_add_test(tc, a_socket_from_the_service_manager_is_taken_and_never_removed);
    tcase_add_test(tc, a_listener_removes_its_own_socket_alone);
    tcase_add_test(tc, a_pause_leaves_clients_waiting);
    tcase_add_test(tc, it_may_be_freed_by_the_call_it_makes);
    tcase_add_loop_test(tc, without_descriptors_it_pauses_turns_away_and_recovers, 0, 2);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
