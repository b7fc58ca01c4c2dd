/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "turns.h"

#include "clock.h"
#include "sockname.h"
#include "str.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

enum {
    TURNS_MAX = 100000
};

struct wait {
    struct loop *loop;
    bool (*so)(void *arg);
    void *arg;
    bool result;
    int turns;
};

static void look(void *arg)
{
    struct wait *w = arg;
    w->turns++;
    w->result = w->so(w->arg);
    if (w->result || w->turns == TURNS_MAX)
        loop_stop(w->loop);
}

static void nothing(void *arg)
{
    (void)arg;
}

bool turns_until(struct loop *loop, bool (*so)(void *arg), void *arg)
{
    struct wait w = {loop, so, arg, false, 0};
    /* A turn at once, whatever happens: what is so already is seen. */
    struct loop_timer *kick = loop_timer_new(loop, nothing, NULL);
    loop_timer_set(kick, 0);
    loop_run(loop, look, &w);
    loop_timer_free(kick);
    return w.result;
}

static bool is_past(void *arg)
{
    return clock_mono_ms() >= *(int64_t *)arg;
}

int turns_for(struct loop *loop, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    struct wait w = {loop, is_past, &end, false, 0};
    struct loop_timer *kick = loop_timer_new(loop, nothing, NULL);
    loop_timer_set(kick, end);
    loop_run(loop, look, &w);
    loop_timer_free(kick);
    return w.turns;
}

static void set_nonblocking(int fd)
{
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

int turns_listening(const char *ip, uint16_t *port, int backlog)
{
    struct sockaddr_storage address;
    socklen_t length;
    ck_assert(sockname_of_ip(str_of(ip), *port, &address, &length));
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = sockname_port((struct sockaddr *)&address);
    return fd;
}

void turns_pair(bool tcp, int fds[2])
{
    if (!tcp) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    } else {
        struct sockaddr_storage address;
        socklen_t length;
        uint16_t port = 0;
        int listening = turns_listening("127.0.0.1", &port, 1);
        ck_assert(sockname_of_ip(STR_LIT("127.0.0.1"), port, &address, &length));
        fds[0] = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(fds[0], (struct sockaddr *)&address, length), 0);
        fds[1] = accept(listening, NULL, NULL);
        ck_assert_int_ge(fds[1], 0);
        close(listening);
    }
    set_nonblocking(fds[0]);
    set_nonblocking(fds[1]);
}

void turns_send(int fd, const void *bytes, size_t n)
{
    ck_assert_int_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

int turns_recv(int fd, void *bytes, size_t size)
{
    return (int)recv(fd, bytes, size, MSG_DONTWAIT);
}
