/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conn.h"

#include "clock.h"
#include "fake_tls.h"
#include "mem.h"
#include "turns.h"

#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MUCH = 1024 * 1024
};

/* The owner of a connection: what it saw, and what it does when told. */
struct owner {
    struct loop *loop;
    struct conn *conn;
    int peer;
    struct buf seen;     /* what it took out of conn_in() */
    size_t take_at_once; /* bytes; 0: leave them */
    size_t longest;      /* most that ever waited in conn_in() */
    enum conn_end end;   /* as last seen */
    size_t seen_at_end;  /* bytes seen when the end was first told */
    int secured, calls;
    bool close_when_told;
    struct buf arrived; /* at the peer */
    struct owner *neighbour;
};

static void on_io(void *arg)
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

static void open_owner(struct owner *o, struct loop *loop, int fds[2])
{
    *o = (struct owner){.loop = loop, .peer = fds[1], .take_at_once = SIZE_MAX};
    buf_init(&o->seen, 64 * MUCH);
    buf_init(&o->arrived, 64 * MUCH);
    o->conn = conn_new(loop, fds[0], on_io, o);
}

static void open_pair(struct owner *o, struct loop *loop, bool tcp)
{
    int fds[2];
    turns_pair(tcp, fds);
    open_owner(o, loop, fds);
}

static void close_owner(struct owner *o)
{
    if (o->conn)
        conn_close(o->conn, 0);
    if (o->peer >= 0)
        close(o->peer);
    buf_release(&o->seen);
    buf_release(&o->arrived);
}

static void close_peer(struct owner *o)
{
    close(o->peer);
    o->peer = -1;
}

static void reset_peer(struct owner *o)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    ck_assert_int_eq(setsockopt(o->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close_peer(o);
}

/* The peer reads, as long as there is something. */
static void drain_peer(struct owner *o)
{
    char bytes[65536];
    int n;
    while ((n = turns_recv(o->peer, bytes, sizeof bytes)) > 0)
        buf_put(&o->arrived, bytes, (size_t)n);
}

static bool has_ended(void *arg)
{
    return ((struct owner *)arg)->end != CONN_OPEN;
}

static bool has_seen_something(void *arg)
{
    return buf_len(&((struct owner *)arg)->seen) > 0;
}

static bool peer_got_much(void *arg)
{
    drain_peer(arg);
    return buf_len(&((struct owner *)arg)->arrived) >= MUCH;
}

static bool was_told(void *arg)
{
    return ((struct owner *)arg)->calls > 0;
}

/* MUCH bytes, each telling its place. */
static struct str pattern(void)
{
    static char bytes[MUCH];
    for (size_t i = 0; !bytes[MUCH - 1] && i < MUCH; i++)
        bytes[i] = (char)('a' + (i / 7 + i) % 26);
    return (struct str){bytes, MUCH};
}

START_TEST(what_is_queued_in_a_turn_is_one_write)
{
    struct loop *loop = loop_new();
    struct owner o;
    int fds[2];
    char packet[64];
    /* Of a seqpacket socket each write is one packet. */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    open_owner(&o, loop, fds);
    conn_write(o.conn, STR_LIT("EHLO a\r\n"));
    conn_write(o.conn, STR_LIT("MAIL FROM:<a@b>\r\n"));
    conn_write(o.conn, STR_LIT("RCPT TO:<c@d>\r\n"));
    ck_assert_int_eq(turns_recv(o.peer, packet, sizeof packet), -1);
    ck_assert_uint_eq(conn_out_bytes(o.conn), 40);
    turns_for(loop, 0);
    ck_assert_int_eq(turns_recv(o.peer, packet, sizeof packet), 40);
    ck_assert_int_eq(turns_recv(o.peer, packet, sizeof packet), -1);
    ck_assert_uint_eq(conn_out_bytes(o.conn), 0);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_slow_reader_gets_everything_in_order)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, _i);
    conn_write(o.conn, pattern());
    ck_assert(!conn_out_room(o.conn));
    ck_assert(turns_until(loop, peer_got_much, &o));
    ck_assert(str_eq(buf_str(&o.arrived), pattern()));
    ck_assert(turns_until(loop, was_told, &o));
    ck_assert(conn_out_room(o.conn));
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(room_that_comes_at_once_is_told_too)
{
    struct loop *loop = loop_new();
    struct owner o;
    int much = 4 * MUCH;
    open_pair(&o, loop, false);
    setsockopt(o.peer, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
    conn_write(o.conn, str_head(pattern(), CONN_OUT_LOW));
    ck_assert(!conn_out_room(o.conn));
    ck_assert(turns_until(loop, was_told, &o));
    ck_assert(conn_out_room(o.conn));
    close_owner(&o);
    loop_free(loop);
}
END_TEST

/* The peer sends what the kernel takes of the pattern, some turns long. The bytes sent so far.
 */
static size_t flood(struct owner *o, size_t sent)
{
    for (int i = 0; i < 20; i++) {
        ssize_t n =
            sent < MUCH ? send(o->peer, pattern().p + sent, MUCH - sent, MSG_NOSIGNAL) : 0;
        sent += n > 0 ? (size_t)n : 0;
        turns_for(o->loop, 0);
    }
    return sent;
}

START_TEST(an_owner_that_does_not_read_stops_the_sender_and_loses_nothing)
{
    struct loop *loop = loop_new();
    struct owner o;
    int little = 64 * 1024;
    size_t sent = 0, before = 1;
    open_pair(&o, loop, _i);
    setsockopt(o.peer, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    o.take_at_once = 0;
    while (sent != before) {
        before = sent;
        sent = flood(&o, sent);
    }
    ck_assert_uint_eq(buf_len(conn_in(o.conn)), CONN_IN_MAX);
    ck_assert_uint_lt(sent, MUCH);
    ck_assert_int_eq(turns_for(loop, 5), 1);
    /* Consumed outside of on_io: reading goes on by itself. */
    o.take_at_once = 10000;
    while (buf_len(&o.seen) < MUCH) {
        on_io(&o);
        sent = flood(&o, sent);
    }
    ck_assert(str_eq(buf_str(&o.seen), pattern()));
    ck_assert_uint_eq(o.longest, CONN_IN_MAX);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(bytes_before_the_end_are_handed_out_with_it)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, _i);
    turns_send(o.peer, "221 bye\r\n", 9);
    close_peer(&o);
    ck_assert(turns_until(loop, has_ended, &o));
    ck_assert_int_eq(conn_end(o.conn), CONN_EOF);
    ck_assert_ptr_null(conn_fault(o.conn));
    ck_assert(str_eq(buf_str(&o.seen), STR_LIT("221 bye\r\n")));
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_end_behind_a_full_buffer_waits_its_turn)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, false);
    turns_send(o.peer, pattern().p, CONN_IN_MAX + 5000);
    close_peer(&o);
    o.take_at_once = 0;
    turns_for(loop, 0);
    turns_for(loop, 0);
    ck_assert_uint_eq(buf_len(conn_in(o.conn)), CONN_IN_MAX);
    ck_assert_int_eq(conn_end(o.conn), CONN_OPEN);
    o.take_at_once = SIZE_MAX;
    on_io(&o);
    ck_assert(turns_until(loop, has_ended, &o));
    ck_assert_uint_eq(o.seen_at_end, CONN_IN_MAX + 5000);
    ck_assert(str_eq(buf_str(&o.seen), str_head(pattern(), CONN_IN_MAX + 5000)));
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_end_wakes_the_owner_once_and_the_loop_rests)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, _i);
    close_peer(&o);
    ck_assert(turns_until(loop, has_ended, &o));
    ck_assert_int_eq(o.calls, 1);
    ck_assert_int_eq(turns_for(loop, 5), 1);
    ck_assert_int_eq(o.calls, 1);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_reset_before_any_byte_names_host_address_and_port)
{
    struct loop *loop = loop_new();
    struct owner o;
    char expected[200];
    open_pair(&o, loop, true);
    conn_name(o.conn, "mx.example.com");
    snprintf(expected, sizeof expected,
             "mx.example.com (127.0.0.1) port %u closed the connection before it said a word",
             conn_peer_port(o.conn));
    reset_peer(&o);
    ck_assert(turns_until(loop, has_ended, &o));
    ck_assert_int_eq(conn_end(o.conn), CONN_FAILED);
    ck_assert_int_eq(conn_fault(o.conn)->scope, FAULT_SERVER);
    ck_assert_str_eq(conn_fault(o.conn)->code, "TCP-RST-EARLY");
    ck_assert_str_eq(conn_fault(o.conn)->text, expected);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_reset_after_bytes_hands_them_out_first)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, true);
    turns_send(o.peer, "421 go\r\n", 8);
    reset_peer(&o);
    ck_assert(turns_until(loop, has_ended, &o));
    ck_assert_int_eq(conn_end(o.conn), CONN_FAILED);
    ck_assert_str_eq(conn_fault(o.conn)->code, "TCP-RESET");
    ck_assert_uint_eq(o.seen_at_end, 8);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_answer_to_content_that_is_still_being_written_is_found)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, _i);
    conn_write(o.conn, pattern());
    conn_write(o.conn, pattern());
    conn_write(o.conn, pattern());
    turns_for(loop, 0);
    turns_send(o.peer, "552 too much\r\n", 14);
    close_peer(&o); /* with our bytes unread: a reset */
    ck_assert(turns_until(loop, has_ended, &o));
    while (o.end == CONN_EOF) {
        conn_write(o.conn, STR_LIT("more"));
        turns_for(loop, 0);
    }
    ck_assert_int_eq(conn_end(o.conn), CONN_FAILED);
    ck_assert_ptr_nonnull(conn_fault(o.conn));
    ck_assert(str_eq(buf_str(&o.seen), STR_LIT("552 too much\r\n")));
    ck_assert_uint_eq(o.seen_at_end, 14);
    ck_assert_uint_eq(conn_out_bytes(o.conn), 0);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_deadline_wakes_the_owner_once_and_not_before)
{
    struct loop *loop = loop_new();
    struct owner o;
    int64_t at = clock_mono_ms() + 12;
    open_pair(&o, loop, false);
    conn_deadline(o.conn, clock_mono_ms() + 3);
    conn_deadline(o.conn, at); /* put off */
    ck_assert(turns_until(loop, was_told, &o));
    ck_assert_int_ge(clock_mono_ms(), at);
    conn_deadline(o.conn, clock_mono_ms() + 1000000);
    conn_deadline(o.conn, clock_mono_ms()); /* brought forward */
    turns_for(loop, 10);
    ck_assert_int_eq(o.calls, 2);
    conn_deadline(o.conn, clock_mono_ms() + 2);
    conn_deadline(o.conn, INT64_MAX);
    turns_for(loop, 10);
    ck_assert_int_eq(o.calls, 2);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

static bool peer_sees_the_end(void *arg)
{
    struct owner *o = arg;
    struct pollfd p = {.fd = o->peer, .events = POLLRDHUP};
    drain_peer(o);
    return poll(&p, 1, 0) == 1;
}

START_TEST(a_closed_connection_still_writes_what_is_queued)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, _i);
    conn_write(o.conn, pattern());
    conn_close(o.conn, 60000);
    o.conn = NULL;
    ck_assert(turns_until(loop, peer_sees_the_end, &o));
    ck_assert(str_eq(buf_str(&o.arrived), pattern()));
    ck_assert_int_eq(o.calls, 0);
    close_owner(&o);
    turns_for(loop, 0);
    loop_free(loop);
}
END_TEST

START_TEST(the_last_reply_survives_input_that_nobody_reads)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, true);
    o.take_at_once = 0;
    size_t sent = flood(&o, 0);
    conn_write(o.conn, STR_LIT("421 enough\r\n"));
    conn_close(o.conn, 60000);
    o.conn = NULL;
    ck_assert_uint_eq(flood(&o, sent), MUCH);
    drain_peer(&o);
    ck_assert(str_eq(buf_str(&o.arrived), STR_LIT("421 enough\r\n")));
    close_owner(&o);
    loop_free(loop);
}
END_TEST

static bool peer_is_cut_off(void *arg)
{
    struct owner *o = arg;
    return send(o->peer, "x", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN;
}

START_TEST(lingering_ends_when_its_time_is_over)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, false);
    conn_write(o.conn, pattern()); /* never read */
    int64_t start = clock_mono_ms();
    conn_close(o.conn, 15);
    o.conn = NULL;
    ck_assert(turns_until(loop, peer_is_cut_off, &o));
    ck_assert_int_ge(clock_mono_ms(), start + 15);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(without_linger_it_ends_with_the_turn)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, false);
    conn_write(o.conn, STR_LIT("421 going\r\n"));
    conn_close(o.conn, 0);
    o.conn = NULL;
    ck_assert(!peer_is_cut_off(&o));
    turns_for(loop, 0);
    ck_assert(peer_is_cut_off(&o));
    drain_peer(&o);
    ck_assert(str_eq(buf_str(&o.arrived), STR_LIT("421 going\r\n")));
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(closing_inside_on_io_is_safe_also_for_a_neighbour)
{
    struct loop *loop = loop_new();
    struct owner a, b;
    open_pair(&a, loop, false);
    open_pair(&b, loop, false);
    a.close_when_told = b.close_when_told = true;
    a.neighbour = &b;
    b.neighbour = &a;
    conn_deadline(a.conn, clock_mono_ms());
    conn_deadline(b.conn, clock_mono_ms());
    turns_send(a.peer, "x", 1);
    turns_send(b.peer, "x", 1);
    conn_write(a.conn, STR_LIT("y"));
    conn_write(b.conn, STR_LIT("y"));
    turns_for(loop, 2);
    ck_assert_int_eq(a.calls + b.calls, 1);
    ck_assert(!a.conn && !b.conn);
    close_owner(&a);
    close_owner(&b);
    loop_free(loop);
}
END_TEST

START_TEST(a_loop_that_is_freed_takes_lingering_connections_along)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, false);
    conn_start_tls(o.conn, fake_tls_new());
    conn_write(o.conn, pattern());
    conn_close(o.conn, 60000);
    o.conn = NULL;
    turns_for(loop, 0);
    loop_free(loop);
    ck_assert_int_eq(fake_tls_alive(), 0);
    ck_assert(peer_is_cut_off(&o));
    close_owner(&o);
}
END_TEST

enum {
    N_IDLE = 500
};

static bool all_have_seen_it(void *arg)
{
    struct owner *owners = arg;
    for (int i = 0; i < N_IDLE; i++)
        if (buf_len(&owners[i].seen) != 5000)
            return false;
    return true;
}

START_TEST(five_hundred_idle_connections_are_cheap)
{
    static struct owner owners[N_IDLE];
    struct loop *loop = loop_new();
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < N_IDLE; i++)
        open_pair(&owners[i], loop, false);
    for (int i = 0; i < N_IDLE; i++) {
        turns_send(owners[i].peer, pattern().p, 5000);
        conn_write(owners[i].conn, str_head(pattern(), 5000));
        conn_deadline(owners[i].conn, clock_mono_ms() + 300000);
    }
    ck_assert(turns_until(loop, all_have_seen_it, owners));
    for (int i = 0; i < N_IDLE; i++)
        buf_release(&owners[i].seen);
    size_t each = (mallinfo2().uordblks - before) / N_IDLE;
    ck_assert_msg(each < 1500, "%zu bytes for an idle connection", each);
    for (int i = 0; i < N_IDLE; i++)
        close_owner(&owners[i]);
    loop_free(loop);
}
END_TEST

START_TEST(the_kernel_tells_who_is_at_the_other_end)
{
    struct loop *loop = loop_new();
    struct owner local, tcp;
    struct ucred cred;
    open_pair(&local, loop, false);
    open_pair(&tcp, loop, true);
    ck_assert(conn_peer_cred(local.conn, &cred));
    ck_assert_int_eq(cred.pid, getpid());
    ck_assert_uint_eq(cred.uid, getuid());
    ck_assert_str_eq(conn_peer_address(local.conn), "");
    ck_assert_uint_eq(conn_peer_port(local.conn), 0);
    ck_assert(!conn_peer_cred(tcp.conn, &cred));
    ck_assert_str_eq(conn_peer_address(tcp.conn), "127.0.0.1");
    ck_assert_uint_ne(conn_peer_port(tcp.conn), 0);
    close_owner(&local);
    close_owner(&tcp);
    loop_free(loop);
}
END_TEST

/* The peer's half of the fake handshake. */
static void peer_secures(struct owner *o)
{
    char hello;
    turns_for(o->loop, 0);
    ck_assert_int_eq(turns_recv(o->peer, &hello, 1), 1);
    ck_assert_int_eq(hello, 'H');
    turns_send(o->peer, "S", 1);
}

static bool is_secured(void *arg)
{
    return ((struct owner *)arg)->secured > 0;
}

static void open_tls(struct owner *o, struct loop *loop)
{
    open_pair(o, loop, false);
    conn_start_tls(o->conn, fake_tls_new());
    peer_secures(o);
    ck_assert(turns_until(loop, is_secured, o));
}

static void peer_sends_tls(struct owner *o, const char *bytes, size_t n)
{
    char *wire = mem_strndup(bytes, n);
    fake_tls_turn(wire, n);
    turns_send(o->peer, wire, n);
    free(wire);
}

START_TEST(tls_is_told_once_and_carries_both_ways)
{
    struct loop *loop = loop_new();
    struct owner o;
    char wire[5];
    open_tls(&o, loop);
    ck_assert_ptr_nonnull(conn_tls(o.conn));
    conn_write(o.conn, STR_LIT("QUIT\n"));
    peer_sends_tls(&o, "250 ok", 6);
    ck_assert(turns_until(loop, has_seen_something, &o));
    ck_assert(str_eq(buf_str(&o.seen), STR_LIT("250 ok")));
    ck_assert_int_eq(turns_recv(o.peer, wire, 5), 5);
    fake_tls_turn(wire, 5);
    ck_assert_mem_eq(wire, "QUIT\n", 5);
    ck_assert_int_eq(o.secured, 1);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(what_was_queued_in_clear_leaves_in_clear_and_later_bytes_wait_for_tls)
{
    struct loop *loop = loop_new();
    struct owner o;
    char wire[64];
    open_pair(&o, loop, false);
    conn_write(o.conn, STR_LIT("STARTTLS\r\n"));
    conn_start_tls(o.conn, fake_tls_new());
    conn_write(o.conn, STR_LIT("secret"));
    turns_for(loop, 0);
    ck_assert_int_eq(turns_recv(o.peer, wire, sizeof wire), 11);
    ck_assert_mem_eq(wire, "STARTTLS\r\nH", 11);
    turns_send(o.peer, "S", 1);
    ck_assert(turns_until(loop, is_secured, &o));
    ck_assert_int_eq(turns_recv(o.peer, wire, sizeof wire), 6);
    fake_tls_turn(wire, 6);
    ck_assert_mem_eq(wire, "secret", 6);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(clear_bytes_stay_when_tls_starts)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, false);
    o.take_at_once = 0;
    turns_send(o.peer, "220 go\r\nINJECTED\r\n", 18);
    ck_assert(turns_until(loop, was_told, &o));
    conn_start_tls(o.conn, fake_tls_new());
    ck_assert(str_eq(buf_str(conn_in(o.conn)), STR_LIT("220 go\r\nINJECTED\r\n")));
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_owner_that_does_not_read_tls_loses_nothing_not_even_the_end)
{
    struct loop *loop = loop_new();
    struct owner o;
    struct str part = str_head(pattern(), CONN_IN_MAX + 30000);
    char bye = (char)FAKE_TLS_BYE;
    open_tls(&o, loop);
    o.take_at_once = 0;
    peer_sends_tls(&o, part.p, part.n);
    turns_send(o.peer, &bye, 1);
    close_peer(&o);
    turns_for(loop, 0);
    turns_for(loop, 0);
    ck_assert_uint_eq(buf_len(conn_in(o.conn)), CONN_IN_MAX);
    ck_assert_int_eq(conn_end(o.conn), CONN_OPEN);
    o.take_at_once = SIZE_MAX;
    on_io(&o);
    ck_assert(turns_until(loop, has_ended, &o));
    ck_assert_int_eq(conn_end(o.conn), CONN_EOF);
    ck_assert(str_eq(buf_str(&o.seen), part));
    close_owner(&o);
    loop_free(loop);
}
END_TEST

static const struct {
    const char *name;
    int last_byte; /* 0: none */
    enum conn_end end;
    const char *code;
} tls_ends[] = {
    {"close_notify", FAKE_TLS_BYE, CONN_EOF, NULL},
    {"a bare end of file", 0, CONN_FAILED, "TLS-TRUNCATED"},
    {"a broken record", FAKE_TLS_BAD, CONN_FAILED, "TLS-BAD"},
};

START_TEST(how_tls_ends_is_the_engines_word)
{
    struct loop *loop = loop_new();
    struct owner o;
    char last = (char)tls_ends[_i].last_byte;
    open_tls(&o, loop);
    peer_sends_tls(&o, "250", 3);
    if (last)
        turns_send(o.peer, &last, 1);
    close_peer(&o);
    ck_assert(turns_until(loop, has_ended, &o));
    ck_assert_msg(conn_end(o.conn) == tls_ends[_i].end, "%s", tls_ends[_i].name);
    ck_assert_uint_eq(o.seen_at_end, 3);
    if (tls_ends[_i].code)
        ck_assert_str_eq(conn_fault(o.conn)->code, tls_ends[_i].code);
    close_owner(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_handshake_that_fails_is_told)
{
    struct loop *loop = loop_new();
    struct owner o;
    open_pair(&o, loop, false);
    conn_start_tls(o.conn, fake_tls_new());
    conn_write(o.conn, STR_LIT("never in clear"));
    turns_send(o.peer, "X", 1);
    ck_assert(turns_until(loop, has_ended, &o));
    ck_assert_str_eq(conn_fault(o.conn)->code, "TLS-HANDSHAKE");
    conn_close(o.conn, 5);
    o.conn = NULL;
    turns_for(loop, 0);
    drain_peer(&o);
    ck_assert(str_eq(buf_str(&o.arrived), STR_LIT("H")));
    close_owner(&o);
    turns_for(loop, 0);
    loop_free(loop);
}
END_TEST

START_TEST(closing_says_bye_after_the_last_byte)
{
    struct loop *loop = loop_new();
    struct owner o;
    char wire[16];
    open_tls(&o, loop);
    conn_write(o.conn, STR_LIT("QUIT"));
    conn_close(o.conn, 1000);
    o.conn = NULL;
    turns_for(loop, 0);
    ck_assert_int_eq(turns_recv(o.peer, wire, sizeof wire), 5);
    ck_assert_int_eq((unsigned char)wire[4], FAKE_TLS_BYE);
    ck_assert_int_eq(turns_recv(o.peer, wire, sizeof wire), 0);
    close_owner(&o);
    turns_for(loop, 0);
    ck_assert_int_eq(fake_tls_alive(), 0);
    loop_free(loop);
}
END_TEST

static TCase *clear_cases(void)
{
    TCase *tc = tcase_create("clear");
    tcase_add_test(tc, what_is_queued_in_a_turn_is_one_write);
    tcase_add_loop_test(tc, a_slow_reader_gets_everything_in_order, 0, 2);
    tcase_add_test(tc, room_that_comes_at_once_is_told_too);
    tcase_add_loop_test(tc, an_owner_that_does_not_read_stops_the_sender_and_loses_nothing, 0,
                        2);
    tcase_add_loop_test(tc, bytes_before_the_end_are_handed_out_with_it, 0, 2);
    tcase_add_test(tc, an_end_behind_a_full_buffer_waits_its_turn);
    tcase_add_loop_test(tc, an_end_wakes_the_owner_once_and_the_loop_rests, 0, 2);
    tcase_add_test(tc, a_reset_before_any_byte_names_host_address_and_port);
    tcase_add_test(tc, a_reset_after_bytes_hands_them_out_first);
    tcase_add_loop_test(tc, an_answer_to_content_that_is_still_being_written_is_found, 0, 2);
    tcase_add_test(tc, a_deadline_wakes_the_owner_once_and_not_before);
    tcase_add_loop_test(tc, a_closed_connection_still_writes_what_is_queued, 0, 2);
    tcase_add_test(tc, the_last_reply_survives_input_that_nobody_reads);
    tcase_add_test(tc, lingering_ends_when_its_time_is_over);
    tcase_add_test(tc, without_linger_it_ends_with_the_turn);
    tcase_add_test(tc, closing_inside_on_io_is_safe_also_for_a_neighbour);
    tcase_add_test(tc, five_hundred_idle_connections_are_cheap);
    tcase_add_test(tc, the_kernel_tells_who_is_at_the_other_end);
    return tc;
}

static TCase *tls_cases(void)
{
    TCase *tc = tcase_create("tls");
    tcase_add_test(tc, tls_is_told_once_and_carries_both_ways);
    tcase_add_test(tc, what_was_queued_in_clear_leaves_in_clear_and_later_bytes_wait_for_tls);
    tcase_add_test(tc, clear_bytes_stay_when_tls_starts);
    tcase_add_test(tc, an_owner_that_does_not_read_tls_loses_nothing_not_even_the_end);
    tcase_add_loop_test(tc, how_tls_ends_is_the_engines_word, 0,
                        sizeof tls_ends / sizeof tls_ends[0]);
    tcase_add_test(tc, a_handshake_that_fails_is_told);
    tcase_add_test(tc, closing_says_bye_after_the_last_byte);
    tcase_add_test(tc, a_loop_that_is_freed_takes_lingering_connections_along);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("conn");
    suite_add_tcase(suite, clear_cases());
    suite_add_tcase(suite, tls_cases());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
