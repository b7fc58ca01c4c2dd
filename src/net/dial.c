/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dial.h"

#include "buf.h"
#include "clock.h"
#include "lookup.h"
#include "mem.h"
#include "sockname.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ADDRESSES_MAX = 16,
    DETAILS_MAX = 300 /* bytes about the single addresses in a sentence */
};

struct target {
    struct sockaddr_storage address;
    socklen_t length;
    int error;
};

enum dial_stage {
    DIAL_RESOLVING,
    DIAL_CONNECTING,
    DIAL_DONE
};

struct dial {
    struct loop *loop;
    char *host;
    uint16_t port;
    int64_t timeout_ms;
    void (*on_done)(void *owner, int fd, const struct fault *fault);
    void *owner;
    enum dial_stage stage;
    struct lookup *lookup;
    struct loop_timer *timer;
    struct target targets[ADDRESSES_MAX];
    unsigned n_targets, current;
    int fd; /* of the target that is tried; -1 */
    struct event *writable;
};

/* From the failure that says most to the one that says least. */
static const struct {
    int error; /* 0: any other */
    const char *code, *sentence, *fix;
} causes[] = {
    {ECONNREFUSED, "TCP-REFUSED", "refuses connections",
     "check host and port of the smarthost; submission uses port 587 (STARTTLS) or 465 (TLS)"},
    {ECONNRESET, "TCP-RST-EARLY", "closes connections before it says a word",
     "it may refuse this machine's address, or so many connections"},
    {ETIMEDOUT, "TCP-TIMEOUT", "does not answer",
     "a firewall may be in the way, or the provider does not offer this port: try the other of "
     "587 and 465"},
    {EACCES, "TCP-PERM", "may not be connected to from here",
     "a rule of this machine forbids it: look at its firewall and at the service's sandbox"},
    {EPERM, "TCP-PERM", "may not be connected to from here",
     "a rule of this machine forbids it: look at its firewall and at the service's sandbox"},
    {EHOSTUNREACH, "NET-UNREACH", "cannot be reached", "look at this machine's network"},
    {ENETUNREACH, "NET-UNREACH", "cannot be reached", "look at this machine's network"},
    {ENETDOWN, "NET-UNREACH", "cannot be reached", "look at this machine's network"},
    {0, "NET-UNREACH", "cannot be connected to", "look at this machine's network"},
};

enum {
    N_CAUSES = sizeof causes / sizeof causes[0]
};

static void free_dial(void *object)
{
    struct dial *d = object;
    free(d->host);
    free(d);
}

static void drop_attempt(struct dial *d)
{
    if (d->writable)
        event_free(d->writable);
    d->writable = NULL;
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static void finish(struct dial *d)
{
    BUG_ON(d->stage == DIAL_DONE);
    d->stage = DIAL_DONE;
    lookup_free(d->lookup);
    drop_attempt(d);
    loop_timer_free(d->timer);
    loop_defer(d->loop, free_dial, d);
}

static void fail(struct dial *d, const struct fault *fault)
{
    finish(d);
    d->on_done(d->owner, -1, fault);
}

static void succeed(struct dial *d)
{
    int fd = d->fd;
    d->fd = -1;
    finish(d);
    d->on_done(d->owner, fd, NULL);
}

static unsigned cause_of(int error)
{
    unsigned i = 0;
    while (causes[i].error && causes[i].error != error)
        i++;
    return i;
}

static void put_details(const struct dial *d, struct buf *details)
{
    for (unsigned i = 0; i < d->n_targets; i++) {
        char ip[SOCKNAME_TEXT_MAX];
        sockname_ip((const struct sockaddr *)&d->targets[i].address, ip);
        buf_printf(details, "%s%s: %s", i ? "; " : "", ip, strerror(d->targets[i].error));
    }
    buf_putc(details, '\0');
}

static bool only_ipv6(const struct dial *d)
{
    for (unsigned i = 0; i < d->n_targets; i++)
        if (d->targets[i].address.ss_family != AF_INET6)
            return false;
    return true;
}

static void blame_connecting(const struct dial *d, struct fault *f)
{
    unsigned best = N_CAUSES - 1;
    struct buf details;
    buf_init(&details, DETAILS_MAX);
    put_details(d, &details);
    for (unsigned i = 0; i < d->n_targets; i++)
        if (cause_of(d->targets[i].error) < best)
            best = cause_of(d->targets[i].error);
    const char *code = causes[best].code, *fix = causes[best].fix;
    if (causes[best].error == ETIMEDOUT && d->port == 25) {
        code = "TCP-TIMEOUT-25";
        fix = "many providers block port 25; use port = 587 or port = 465";
    }
    if (causes[best].error == ENETUNREACH && only_ipv6(d)) {
        code = "NET-IPV6ONLY";
        fix = "it has IPv6 addresses alone and this machine has no IPv6";
    }
    fault_set(f, FAULT_SERVER, "4.4.1", code, "%s %s on port %u (%s)", d->host,
              causes[best].sentence, d->port, buf_str(&details).p);
    fault_fix(f, "%s", fix);
    buf_release(&details);
}

static void attempt(struct dial *d);

static void fail_attempt(struct dial *d, int error)
{
    drop_attempt(d);
    d->targets[d->current++].error = error;
    attempt(d);
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

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct dial *d = arg;
    int error = 0;
    socklen_t length = sizeof error;
    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (!error && is_connected_to_itself(fd))
        error = ECONNREFUSED;
    if (error)
        fail_attempt(d, error);
    else
        succeed(d);
}

static int start_connecting(struct dial *d, const struct target *target)
{
    d->fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return errno;
    if (connect(d->fd, (const struct sockaddr *)&target->address, target->length) != 0 &&
        errno != EINPROGRESS && errno != EINTR)
        return errno;
    d->writable = event_new(loop_base(d->loop), d->fd, EV_WRITE, on_writable, d);
    BUG_ON(!d->writable || event_add(d->writable, NULL) != 0);
    loop_timer_set(d->timer, clock_mono_ms() + d->timeout_ms);
    return 0;
}

/* Try from the current target on, up to the first that does not fail at once. */
static void attempt(struct dial *d)
{
    struct fault fault;
    d->stage = DIAL_CONNECTING;
    for (; d->current < d->n_targets; d->current++) {
        struct target *target = &d->targets[d->current];
        target->error = start_connecting(d, target);
        if (!target->error)
            return;
        drop_attempt(d);
    }
    blame_connecting(d, &fault);
    fail(d, &fault);
}

static void blame_resolver(const struct dial *d, int result, int error, struct fault *f)
{
    const char *why = result == EAI_SYSTEM ? strerror(error) : gai_strerror(result);
    if (result == EAI_NONAME) {
        fault_set(f, FAULT_SERVER, "4.4.4", "DNS-NXDOMAIN", "the name %s does not exist in DNS",
                  d->host);
        fault_fix(f, "check the spelling of host");
    } else if (result == EAI_NODATA || result == EAI_ADDRFAMILY) {
        fault_set(f, FAULT_SERVER, "4.4.4", "DNS-NODATA", "%s exists but has no IP address",
                  d->host);
        fault_fix(f,
                  "a mail domain is no server: its submission server has another name, "
                  "often smtp.%.200s",
                  d->host);
    } else if (result == EAI_SYSTEM && error == ECONNREFUSED) {
        fault_set(f, FAULT_SERVER, "4.4.3", "DNS-NORESOLVER",
                  "the resolver refused the question for %s", d->host);
        fault_fix(f, "see whether it runs (/etc/resolv.conf names it) and can be reached from "
                     "the service's sandbox");
    } else {
        fault_set(f, FAULT_SERVER, "4.4.3", "DNS-TEMP",
                  "no answer from the resolver for %s (%s)", d->host, why);
        fault_fix(f, "see whether \"getent hosts %.200s\" answers", d->host);
    }
}

static void add_target(struct dial *d, const void *address, socklen_t length)
{
    if (d->n_targets == ADDRESSES_MAX || length > sizeof d->targets[0].address)
        return;
    struct target *target = &d->targets[d->n_targets++];
    memcpy(&target->address, address, length);
    target->length = length;
}

static void on_resolved(void *arg)
{
    struct dial *d = arg;
    const struct addrinfo *list;
    struct fault fault;
    int error, result = lookup_result(d->lookup, &error, &list);
    for (const struct addrinfo *i = list; result == 0 && i; i = i->ai_next)
        add_target(d, i->ai_addr, i->ai_addrlen);
    if (result == 0 && d->n_targets)
        attempt(d);
    else {
        blame_resolver(d, result ? result : EAI_NODATA, error, &fault);
        fail(d, &fault);
    }
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
    struct target literal;
    if (d->stage == DIAL_CONNECTING) {
        fail_attempt(d, ETIMEDOUT);
    } else if (d->lookup) {
        blame_resolver(d, EAI_AGAIN, 0, &fault);
        fail(d, &fault);
    } else if (sockname_of_ip(str_of(d->host), d->port, &literal.address, &literal.length)) {
        add_target(d, &literal.address, literal.length);
        attempt(d);
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
    d->fd = -1;
    d->timer = loop_timer_new(loop, on_time, d);
    loop_timer_set(d->timer, clock_mono_ms());
    return d;
}

void dial_cancel(struct dial *d)
{
    finish(d);
}
