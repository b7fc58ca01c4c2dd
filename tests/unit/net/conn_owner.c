/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conn_owner.h"

#include "turns.h"

#include <check.h>
#include <errno.h>
#include <unistd.h>

void owner_on_io(void *arg)
{
    struct owner *o = arg;
    struct buf *in = conn_in(o->conn);
    size_t n = buf_len(in) < o->take_at_once ? buf_len(in) : o->take_at_once;
    o->calls++;
    if (buf_len(in) > o->longest)
        o->longest = buf_len(in);
    buf_put(&o->seen, buf_str(in).p, n);
    buf_consume(in, n);
    o->secured += conn_took_secured(o->conn);
    if (o->end == CONN_OPEN && conn_end(o->conn) != CONN_OPEN)
        o->seen_at_end = buf_len(&o->seen) + buf_len(in);
    o->end = conn_end(o->conn);
    if (o->close_when_told) {
        conn_close(o->conn, 0);
        o->conn = NULL;
        if (o->neighbour && o->neighbour->conn) {
            conn_close(o->neighbour->conn, 0);
            o->neighbour->conn = NULL;
        }
    }
}

void owner_open(struct owner *o, struct loop *loop, int fds[2])
{
    *o = (struct owner){.loop = loop, .peer = fds[1], .take_at_once = SIZE_MAX};
    buf_init(&o->seen, 64 * OWNER_MUCH);
    buf_init(&o->arrived, 64 * OWNER_MUCH);
    o->conn = conn_new(loop, fds[0], owner_on_io, o);
}

void owner_pair(struct owner *o, struct loop *loop, bool tcp)
{
    int fds[2];
    turns_pair(tcp, fds);
    owner_open(o, loop, fds);
}

void owner_close(struct owner *o)
{
    if (o->conn)
        conn_close(o->conn, 0);
    if (o->peer >= 0)
        close(o->peer);
    buf_release(&o->seen);
    buf_release(&o->arrived);
}

void owner_close_peer(struct owner *o)
{
    close(o->peer);
    o->peer = -1;
}

void owner_reset_peer(struct owner *o)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    ck_assert_int_eq(setsockopt(o->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    owner_close_peer(o);
}

void owner_drain_peer(struct owner *o)
{
    char bytes[65536];
    int n;
    while ((n = turns_recv(o->peer, bytes, sizeof bytes)) > 0)
        buf_put(&o->arrived, bytes, (size_t)n);
}

bool owner_has_ended(void *arg)
{
    return ((struct owner *)arg)->end != CONN_OPEN;
}

bool owner_has_seen(void *arg)
{
    return buf_len(&((struct owner *)arg)->seen) > 0;
}

bool owner_peer_got_much(void *arg)
{
    owner_drain_peer(arg);
    return buf_len(&((struct owner *)arg)->arrived) >= OWNER_MUCH;
}

bool owner_was_told(void *arg)
{
    return ((struct owner *)arg)->calls > 0;
}

struct str owner_pattern(void)
{
    static char bytes[OWNER_MUCH];
    for (size_t i = 0; !bytes[OWNER_MUCH - 1] && i < OWNER_MUCH; i++)
        bytes[i] = (char)('a' + (i / 7 + i) % 26);
    return (struct str){bytes, OWNER_MUCH};
}

size_t owner_flood(struct owner *o, size_t sent)
{
    for (int i = 0; i < 20; i++) {
        ssize_t n = sent < OWNER_MUCH ? send(o->peer, owner_pattern().p + sent,
                                             OWNER_MUCH - sent, MSG_NOSIGNAL)
                                      : 0;
        sent += n > 0 ? (size_t)n : 0;
        turns_for(o->loop, 0);
    }
    return sent;
}

bool owner_is_cut_off(void *arg)
{
    struct owner *o = arg;
    return send(o->peer, "x", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN;
}
