/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "buf.h"
#include "clock.h"
#include "dial_inner.h"
#include "mem.h"
#include "sockname.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FAMILY_MAX = 12 /* addresses of one family: the other shall have a chance, too */
};

static void free_dial(void *object)
{
    struct dial *d = object;
    free(d->host);
    free(d->canonical);
    free(d);
}

static void drop_runner(struct dial_runner *runner)
{
    if (runner->writable)
        event_free(runner->writable);
    runner->writable = NULL;
    if (runner->fd >= 0)
        close(runner->fd);
    runner->fd = -1;
}

static void finish(struct dial *d)
{
    BUG_ON(d->stage == DIAL_DONE);
    d->stage = DIAL_DONE;
    lookup_free(d->lookup);
    for (unsigned i = 0; i < d->n; i++)
        drop_runner(&d->runners[i]);
    loop_timer_free(d->timer);
    loop_defer(d->loop, free_dial, d);
}

static void fail(struct dial *d, const struct fault *fault)
{
    finish(d);
    d->on_done(d->owner, -1, fault);
}

static void end_runner(struct dial *d, unsigned i, enum dial_state state, int error)
{
    d->addresses[i].state = state;
    d->addresses[i].error = error;
    d->addresses[i].took_ms = clock_mono_ms() - d->race.runners[i].began_ms;
}

static void succeed(struct dial *d, unsigned winner)
{
    int fd = d->runners[winner].fd;
    d->runners[winner].fd = -1;
    for (unsigned i = 0; i < d->n; i++)
        if (d->race.runners[i].state == RACE_RUNNING)
            end_runner(d, i, i == winner ? DIAL_CONNECTED : DIAL_UNDER_WAY, 0);
    finish(d);
    d->on_done(d->owner, fd, NULL);
}

static void lose(struct dial *d, unsigned i, int error)
{
    drop_runner(&d->runners[i]);
    end_runner(d, i, DIAL_FAILED, error);
    race_lose(&d->race, i, clock_mono_ms());
}

/* On loopback a free port may be given to us as our own, and connect to itself. */
static bool is_connected_to_itself(int fd)
{
    struct sockaddr_storage ours, theirs;
    socklen_t n_ours = sizeof ours, n_theirs = sizeof theirs;
    memset(&ours, 0, sizeof ours);
    memset(&theirs, 0, sizeof theirs);
    return getsockname(fd, (struct sockaddr *)&ours, &n_ours) == 0 &&
           getpeername(fd, (struct sockaddr *)&theirs, &n_theirs) == 0 && n_ours == n_theirs &&
           memcmp(&ours, &theirs, n_ours) == 0;
}

static void go_on(struct dial *d);

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct dial_runner *runner = arg;
    struct dial *d = runner->dial;
    unsigned i = (unsigned)(runner - d->runners);
    int error = 0;
    socklen_t length = sizeof error;
    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (!error && is_connected_to_itself(fd))
        error = ECONNREFUSED;
    if (!error) {
        succeed(d, i);
        return;
    }
    lose(d, i, error);
    go_on(d);
}

static int start_connecting(struct dial *d, unsigned i)
{
    const struct dial_address *to = &d->addresses[i];
    struct dial_runner *runner = &d->runners[i];
    runner->fd = socket(to->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (runner->fd < 0)
        return errno;
    if (connect(runner->fd, (const struct sockaddr *)&to->address, to->length) != 0 &&
        errno != EINPROGRESS && errno != EINTR)
        return errno;
    runner->writable = event_new(loop_base(d->loop), runner->fd, EV_WRITE, on_writable, runner);
    BUG_ON(!runner->writable || event_add(runner->writable, NULL) != 0);
    return 0;
}

/* Start those whose time has come, and all behind them that fail at once. */
static void go_on(struct dial *d)
{
    struct fault fault;
    int i;
    while ((i = race_start(&d->race, clock_mono_ms())) >= 0) {
        int error = start_connecting(d, (unsigned)i);
        if (error)
            lose(d, (unsigned)i, error);
    }
    if (!race_is_over(&d->race)) {
        loop_timer_set(d->timer, race_wake_ms(&d->race));
        return;
    }
    dial_fault_of_addresses(&fault, d);
    fail(d, &fault);
}

static void connect_all(struct dial *d)
{
    struct dial_address given[RACE_MAX];
    int families[RACE_MAX];
    unsigned order[RACE_MAX];
    for (unsigned i = 0; i < d->n; i++) {
        given[i] = d->addresses[i];
        families[i] = given[i].address.ss_family;
    }
    race_order(families, d->n, order);
    for (unsigned i = 0; i < d->n; i++)
        d->addresses[i] = given[order[i]];
    d->stage = DIAL_CONNECTING;
    race_begin(&d->race, d->n, d->timeout_ms);
    go_on(d);
}

static void add_address(struct dial *d, const struct sockaddr *address, socklen_t length)
{
    unsigned of_family = 0;
    for (unsigned i = 0; i < d->n; i++)
        of_family += d->addresses[i].address.ss_family == address->sa_family;
    if (d->n == RACE_MAX || of_family == FAMILY_MAX || length > sizeof d->addresses[0].address)
        return;
    struct dial_address *to = &d->addresses[d->n];
    memcpy(&to->address, address, length);
    to->length = length;
    d->runners[d->n++] = (struct dial_runner){.dial = d, .fd = -1};
}

static void take_name(struct dial *d, const char *canonical)
{
    if (canonical && !str_eq_nocase(str_of(canonical), str_of(d->host)))
        d->canonical = mem_strdup(canonical);
}

static void on_resolved(void *arg)
{
    struct dial *d = arg;
    const struct addrinfo *list;
    struct fault fault;
    int error, result = lookup_result(d->lookup, &error, &list);
    d->resolved_ms = clock_mono_ms();
    for (const struct addrinfo *i = list; result == 0 && i; i = i->ai_next)
        add_address(d, i->ai_addr, i->ai_addrlen);
    if (result == 0 && d->n) {
        take_name(d, list->ai_canonname);
        connect_all(d);
        return;
    }
    dial_fault_of_resolver(&fault, d, result ? result : EAI_NODATA, error,
                           lookup_dns(d->lookup));
    fail(d, &fault);
}

static void resolve(struct dial *d)
{
    struct fault fault;
    d->lookup = lookup_new(d->loop, d->host, d->port, on_resolved, d);
    if (d->lookup) {
        loop_timer_set(d->timer, clock_mono_ms() + d->timeout_ms);
        return;
    }
    fault_set(&fault, FAULT_SERVER, "4.4.3", "DNS-TEMP",
              "no thread is left to look up %s; at most %d questions wait for the resolver at "
              "once",
              d->host, LOOKUP_THREADS_MAX);
    fault_fix(&fault, "see whether \"getent hosts %.200s\" answers", d->host);
    fail(d, &fault);
}

/* First the start, in the turn after dial_new(), then what takes too long. */
static void on_time(void *arg)
{
    struct dial *d = arg;
    struct fault fault;
    struct sockaddr_storage literal;
    socklen_t length;
    int i;
    if (d->stage == DIAL_CONNECTING) {
        while ((i = race_expire(&d->race, clock_mono_ms())) >= 0) {
            drop_runner(&d->runners[i]);
            end_runner(d, (unsigned)i, DIAL_FAILED, ETIMEDOUT);
        }
        go_on(d);
    } else if (d->lookup) {
        d->resolved_ms = clock_mono_ms();
        dial_fault_of_resolver(&fault, d, EAI_AGAIN, 0, NULL);
        fail(d, &fault);
    } else if (sockname_of_ip(str_of(d->host), d->port, &literal, &length)) {
        d->resolved_ms = d->began_ms;
        add_address(d, (const struct sockaddr *)&literal, length);
        connect_all(d);
    } else {
        resolve(d);
    }
}

struct dial *dial_new(struct loop *loop, const char *host, uint16_t port, int64_t timeout_ms,
                      void (*on_done)(void *owner, int fd, const struct fault *fault),
                      void *owner)
{
    struct dial *d = mem_new(sizeof *d);
    d->loop = loop;
    d->host = mem_strdup(host);
    d->port = port;
    d->timeout_ms = timeout_ms;
    d->on_done = on_done;
    d->owner = owner;
    d->began_ms = clock_mono_ms();
    d->timer = loop_timer_new(loop, on_time, d);
    loop_timer_set(d->timer, d->began_ms);
    return d;
}

void dial_cancel(struct dial *d)
{
    finish(d);
}

/* Where there is no IPv6 at all, RFC 6724 puts its addresses last. */
static bool missed_ipv6(const struct dial *d)
{
    bool by_ipv4 = false;
    for (unsigned i = 0; i < d->n; i++)
        by_ipv4 = by_ipv4 || (d->addresses[i].state == DIAL_CONNECTED &&
                              d->addresses[i].address.ss_family == AF_INET);
    return by_ipv4 && d->addresses[0].address.ss_family == AF_INET6;
}

struct dial_report dial_report(const struct dial *d)
{
    bool is_literal = sockname_is_ip(str_of(d->host));
    return (struct dial_report){
        .addresses = d->addresses,
        .n = d->n,
        .canonical = d->canonical,
        .resolved_ms = is_literal ? -1 : d->resolved_ms - d->began_ms,
        .connected_ms = clock_mono_ms() - d->resolved_ms,
        .missed_ipv6 = missed_ipv6(d),
    };
}
