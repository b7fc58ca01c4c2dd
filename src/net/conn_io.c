/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conn_inner.h"
#include "mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What an errno on an established connection means (protocol.md, section 2.2). */
static const struct {
    int error;
    const char *code, *sentence;
} failures[] = {
    {ECONNRESET, "TCP-RESET", "cut the connection"},
    {EPIPE, "TCP-RESET", "closed the connection"},
    {ETIMEDOUT, "TCP-TIMEOUT", "does not answer any more"},
    {ENETUNREACH, "NET-UNREACH", "cannot be reached any more"},
    {EHOSTUNREACH, "NET-UNREACH", "cannot be reached any more"},
    {ENETDOWN, "NET-UNREACH", "cannot be reached any more"},
    {0, "TCP-RESET", "is lost"},
};

static void describe_peer(const struct conn *c, char *text, size_t size)
{
    if (c->is_unix)
        snprintf(text, size, "%s", c->name ? c->name : "the program at the other end");
    else if (c->name)
        snprintf(text, size, "%s (%s) port %u", c->name, c->peer_address, c->peer_port);
    else
        snprintf(text, size, "%s port %u", c->peer_address, c->peer_port);
}

static void set_fault(struct conn *c, int error)
{
    char peer[320];
    size_t i = 0;
    if (c->fault)
        return;
    describe_peer(c, peer, sizeof peer);
    c->fault = mem_new(sizeof *c->fault);
    while (failures[i].error && failures[i].error != error)
        i++;
    if (!c->heard && !c->is_unix && (error == ECONNRESET || error == EPIPE)) {
        fault_set(c->fault, FAULT_SERVER, "4.4.2", "TCP-RST-EARLY",
                  "%s closed the connection before it said a word", peer);
        fault_fix(c->fault, "it may refuse this machine's address, or so many connections");
        return;
    }
    fault_set(c->fault, FAULT_SERVER, "4.4.2", failures[i].code, "%s %s (%s)", peer,
              failures[i].sentence, strerror(error));
}

struct buf *conn_inner_wire(const struct conn *c)
{
    return c->tls ? tls_out(c->tls) : (struct buf *)&c->out;
}

void conn_inner_poke(struct conn *c)
{
    event_active(c->readable, EV_TIMEOUT, 0);
}

void conn_inner_watch_input(struct conn *c, bool watch)
{
    if (watch)
        BUG_ON(event_add(c->readable, NULL) != 0);
    else
        event_del(c->readable);
}

static void end_with(struct conn *c, enum conn_end end)
{
    c->end = end;
    conn_inner_watch_input(c, false);
}

static bool tls_failed(struct conn *c)
{
    if (!c->fault) {
        c->fault = mem_new(sizeof *c->fault);
        *c->fault = *tls_fault(c->tls);
    }
    end_with(c, CONN_FAILED);
    return true;
}

bool conn_inner_pump(struct conn *c)
{
    size_t before = buf_len(&c->in);
    bool news = false;
    for (;;) {
        enum tls_status status = tls_next(c->tls, &c->in);
        if (buf_len(conn_inner_wire(c)))
            loop_task_at_turn_end(c->loop, &c->flush);
        switch (status) {
        case TLS_SECURED:
            c->secured = true;
            news = true;
            loop_task_at_turn_end(c->loop, &c->flush);
            continue;
        case TLS_CLOSED:
            end_with(c, CONN_EOF);
            return true;
        case TLS_FAILED:
            return tls_failed(c);
        case TLS_WANT:
            break;
        }
        break;
    }
    c->full = buf_space(&c->in) == 0;
    return news || buf_len(&c->in) > before;
}

/* The wire ended; error 0 for a plain end of file. Bytes that came before are in c->in, or in
 * the engine, which hands them out before it reports the end. */
static bool wire_ended(struct conn *c, int error)
{
    c->wire_ended = true;
    conn_inner_watch_input(c, false);
    if (c->tls) {
        tls_eof(c->tls, error ? strerror(error) : NULL);
        return conn_inner_pump(c);
    }
    if (error)
        set_fault(c, error);
    end_with(c, c->fault ? CONN_FAILED : CONN_EOF);
    return true;
}

static bool read_failed(struct conn *c, int error)
{
    bool nothing_there = error == EAGAIN || error == EINTR;
    if (nothing_there && !c->write_failed)
        return false;
    return wire_ended(c, nothing_there ? EPIPE : error);
}

/* n bytes, which are in c->in already where they were read to there. */
static bool take(struct conn *c, const char *bytes, size_t n)
{
    c->heard = true;
    /* Nobody wakes us for input of a connection that is broken: ask until there is none. */
    if (c->write_failed)
        event_active(c->readable, EV_READ, 0);
    if (c->tls) {
        tls_feed(c->tls, bytes, n);
        return conn_inner_pump(c);
    }
    if (bytes == loop_task_scratch(c->loop))
        buf_put(&c->in, bytes, n);
    else
        buf_added(&c->in, n);
    c->full = buf_space(&c->in) == 0;
    return true;
}

/* Where the next room bytes are read to. A connection that has had much before has its own
 * memory for it; others need none while nothing comes. */
static char *place_to_read(struct conn *c, size_t room)
{
    if (!c->tls && buf_len(&c->in) == 0 && c->in.room >= room)
        return buf_reserve(&c->in, room);
    return loop_task_scratch(c->loop);
}

bool conn_inner_fill(struct conn *c)
{
    size_t room = c->tls ? LOOP_SCRATCH_BYTES : buf_space(&c->in);
    /* Mostly there is room again before more comes: only now does the kernel hear of it. */
    if (c->full)
        conn_inner_watch_input(c, false);
    if (c->full || c->wire_ended || c->end != CONN_OPEN)
        return false;
    if (room > LOOP_SCRATCH_BYTES)
        room = LOOP_SCRATCH_BYTES;
    char *place = place_to_read(c, room);
    ssize_t n = recv(c->fd, place, room, 0);
    if (n < 0)
        return read_failed(c, errno);
    if (n == 0)
        return wire_ended(c, c->write_failed ? EPIPE : 0);
    return take(c, place, (size_t)n);
}

void conn_inner_resume(struct conn *c)
{
    if (!c->full || buf_space(&c->in) == 0 || c->end != CONN_OPEN)
        return;
    c->full = false;
    if (c->tls && conn_inner_pump(c))
        conn_inner_poke(c);
    if (c->full || c->end != CONN_OPEN || c->wire_ended)
        return;
    conn_inner_watch_input(c, true);
    if (c->write_failed)
        event_active(c->readable, EV_READ, 0);
}

void conn_inner_break(struct conn *c, int error)
{
    c->write_failed = true;
    buf_release(&c->out);
    buf_release(conn_inner_wire(c));
    event_del(c->writable);
    if (c->stage != CONN_IN_USE || c->end == CONN_FAILED)
        return;
    set_fault(c, error);
    if (c->end == CONN_EOF) {
        c->end = CONN_FAILED;
        conn_inner_poke(c);
    } else if (!c->full) {
        /* The answer that explains it may be there already: read on to the end first (S-087).
         */
        event_active(c->readable, EV_READ, 0);
    }
}

static void encrypt(struct conn *c)
{
    struct str plain = buf_str(&c->out);
    if (!c->secured || c->end == CONN_FAILED)
        return;
    if (plain.n) {
        tls_write(c->tls, plain.p, plain.n);
        buf_release(&c->out);
    }
    if (c->stage == CONN_CLOSING && !c->said_bye) {
        c->said_bye = true;
        tls_bye(c->tls);
    }
}

static void write_wire(struct conn *c, struct buf *wire)
{
    while (buf_len(wire)) {
        struct str bytes = buf_str(wire);
        ssize_t n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n >= 0) {
            buf_consume(wire, (size_t)n);
        } else if (errno == EAGAIN) {
            BUG_ON(event_add(c->writable, NULL) != 0);
            return;
        } else if (errno != EINTR) {
            conn_inner_break(c, errno);
            return;
        }
    }
    event_del(c->writable);
    buf_release(wire);
}

bool conn_inner_flush(struct conn *c)
{
    if (c->write_failed)
        return false;
    if (c->tls)
        encrypt(c);
    write_wire(c, conn_inner_wire(c));
    if (!c->crowded || !conn_out_room(c))
        return false;
    c->crowded = false;
    return true;
}
