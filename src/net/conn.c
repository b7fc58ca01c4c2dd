/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conn.h"

#include "clock.h"
#include "conn_inner.h"
#include "mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tell(struct conn *c)
{
    if (c->stage != CONN_IN_USE)
        return;
    c->on_io(c->owner);
    /* An idle connection holds no memory for bytes. */
    if (c->stage == CONN_IN_USE && buf_len(&c->in) == 0)
        buf_release(&c->in);
}

/* The peer may read our last words as long as it has not closed: closing first, with input
 * unread, would reset the connection and could destroy them. */
static void discard_input(struct conn *c)
{
    ssize_t n = recv(c->fd, loop_task_scratch(c->loop), LOOP_SCRATCH_BYTES, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        conn_inner_destroy(c);
}

static void advance_closing(struct conn *c)
{
    if (c->stage != CONN_CLOSING)
        return;
    if (c->in_a_hurry || c->write_failed || c->wire_ended) {
        if (c->in_a_hurry || c->write_failed || buf_len(conn_inner_wire(c)) == 0)
            conn_inner_destroy(c);
        return;
    }
    if (buf_len(conn_inner_wire(c)))
        return;
    c->stage = CONN_LINGERING;
    shutdown(c->fd, SHUT_WR);
    conn_inner_watch_input(c, true);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd;
    if (c->stage == CONN_LINGERING) {
        discard_input(c);
        return;
    }
    if (c->stage != CONN_IN_USE)
        return;
    bool news = what & EV_READ && conn_inner_fill(c);
    if (news || what & EV_TIMEOUT)
        tell(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd;
    (void)what;
    if (conn_inner_flush(c))
        tell(c);
    advance_closing(c);
}

static void flush_at_turn_end(void *arg)
{
    struct conn *c = arg;
    if (c->stage == CONN_GONE)
        return;
    if (c->stage == CONN_IN_USE)
        conn_inner_resume(c);
    if (conn_inner_flush(c))
        conn_inner_poke(c);
    advance_closing(c);
}

static void on_time(void *arg)
{
    struct conn *c = arg;
    if (c->stage != CONN_IN_USE) {
        conn_inner_destroy(c);
        return;
    }
    /* A process that was stopped learns of the time before it learns of input. */
    conn_inner_fill(c);
    tell(c);
}

static void on_loop_free(void *arg)
{
    conn_inner_destroy(arg);
}

static void learn_peer(struct conn *c)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int one = 1;
    c->is_unix = true;
    if (getpeername(c->fd, (struct sockaddr *)&address, &length) != 0)
        return;
    c->is_unix = address.ss_family == AF_UNIX;
    sockname_ip((struct sockaddr *)&address, c->peer_address);
    c->peer_port = sockname_port((struct sockaddr *)&address);
    if (!c->is_unix)
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

struct conn *conn_new(struct loop *loop, int fd, void (*on_io)(void *owner), void *owner)
{
    struct conn *c = mem_new(sizeof *c);
    c->loop = loop;
    c->fd = fd;
    c->on_io = on_io;
    c->owner = owner;
    c->flush = (struct loop_task){.run = flush_at_turn_end, .arg = c};
    c->orphan = (struct loop_task){.run = on_loop_free, .arg = c};
    buf_init(&c->in, CONN_IN_MAX);
    buf_init(&c->out, CONN_OUT_MAX);
    c->out.secret = true; /* a login may pass */
    evutil_make_socket_nonblocking(fd);
    learn_peer(c);
    c->readable = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(loop_base(loop), fd, EV_WRITE | EV_PERSIST, on_writable, c);
    BUG_ON(!c->readable || !c->writable);
    conn_inner_watch_input(c, true);
    return c;
}

void conn_name(struct conn *c, const char *name)
{
    free(c->name);
    c->name = mem_strdup(name);
}

static void set_timer(struct conn *c, int64_t at_ms)
{
    if (!c->timer && at_ms != INT64_MAX)
        c->timer = loop_timer_new(c->loop, on_time, c);
    if (c->timer)
        loop_timer_set(c->timer, at_ms);
}

void conn_close(struct conn *c, int64_t linger_ms)
{
    BUG_ON(c->stage != CONN_IN_USE);
    c->stage = CONN_CLOSING;
    c->in_a_hurry = linger_ms <= 0;
    conn_inner_watch_input(c, false);
    if (c->tls && !c->secured)
        buf_release(&c->out);
    buf_release(&c->in);
    set_timer(c, c->in_a_hurry ? INT64_MAX : clock_mono_ms() + linger_ms);
    loop_task_at_free(c->loop, &c->orphan);
    loop_task_at_turn_end(c->loop, &c->flush);
}

static void free_conn(void *object)
{
    free(object);
}

void conn_inner_destroy(struct conn *c)
{
    c->stage = CONN_GONE;
    loop_task_cancel(&c->orphan);
    event_free(c->readable);
    event_free(c->writable);
    loop_timer_free(c->timer);
    close(c->fd);
    tls_free(c->tls);
    buf_release(&c->in);
    buf_release(&c->out);
    free(c->fault);
    free(c->name);
    loop_defer(c->loop, free_conn, c);
}

struct buf *conn_in(struct conn *c)
{
    /* Whoever looks may consume, and then there is room to read on. */
    if (c->full)
        loop_task_at_turn_end(c->loop, &c->flush);
    return &c->in;
}

void conn_write(struct conn *c, struct str bytes)
{
    BUG_ON(c->stage != CONN_IN_USE);
    if (c->write_failed || c->end == CONN_FAILED)
        return;
    buf_put_str(&c->out, bytes);
    if (c->out.failed) {
        conn_inner_break(c, ENOBUFS);
        return;
    }
    c->crowded = !conn_out_room(c);
    loop_task_at_turn_end(c->loop, &c->flush);
}

size_t conn_out_bytes(const struct conn *c)
{
    return buf_len(&c->out) + (c->tls ? buf_len(conn_inner_wire(c)) : 0);
}

bool conn_out_room(const struct conn *c)
{
    return conn_out_bytes(c) < CONN_OUT_LOW;
}

void conn_start_tls(struct conn *c, struct tls *tls)
{
    BUG_ON(c->tls);
    c->tls = tls;
    /* The engine has said nothing yet: what was queued in clear goes before its first word. */
    buf_put_str(tls_out(tls), buf_str(&c->out));
    buf_release(&c->out);
    if (conn_inner_pump(c))
        conn_inner_poke(c);
    loop_task_at_turn_end(c->loop, &c->flush);
}

bool conn_took_secured(struct conn *c)
{
    bool news = c->secured && !c->told_secured;
    c->told_secured = c->secured;
    return news;
}

const struct tls *conn_tls(const struct conn *c)
{
    return c->tls;
}

enum conn_end conn_end(const struct conn *c)
{
    return c->end;
}

const struct fault *conn_fault(const struct conn *c)
{
    return c->end == CONN_FAILED ? c->fault : NULL;
}

void conn_deadline(struct conn *c, int64_t at_ms)
{
    set_timer(c, at_ms);
}

const char *conn_peer_address(const struct conn *c)
{
    return c->peer_address;
}

uint16_t conn_peer_port(const struct conn *c)
{
    return c->peer_port;
}

bool conn_peer_cred(const struct conn *c, struct ucred *cred)
{
    socklen_t length = sizeof *cred;
    return c->is_unix && getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, cred, &length) == 0;
}
