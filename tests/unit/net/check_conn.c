/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conn_owner.h"

#include "clock.h"
#include "turns.h"

#include <check.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(what_is_queued_in_a_turn_is_one_write)
{
    struct loop *loop = loop_new();
    struct owner o;
    int fds[2];
    char packet[64];
    /* Of a seqpacket socket each write is one packet. */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    owner_open(&o, loop, fds);
    conn_write(o.conn, STR_LIT("EHLO a\r\n"));
    conn_write(o.conn, STR_LIT("MAIL FROM:<a@b>\r\n"));
    conn_write(o.conn, STR_LIT("RCPT TO:<c@d>\r\n"));
    ck_assert_int_eq(turns_recv(o.peer, packet, sizeof packet), -1);
    ck_assert_uint_eq(conn_out_bytes(o.conn), 40);
    turns_for(loop, 0);
    ck_assert_int_eq(turns_recv(o.peer, packet, sizeof packet), 40);
    ck_assert_int_eq(turns_recv(o.peer, packet, sizeof packet), -1);
    ck_assert_uint_eq(conn_out_bytes(o.conn), 0);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_slow_reader_gets_everything_in_order)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, _i);
    conn_write(o.conn, owner_pattern());
    ck_assert(!conn_out_room(o.conn));
    ck_assert(turns_until(loop, owner_peer_got_much, &o));
    ck_assert(str_eq(buf_str(&o.arrived), owner_pattern()));
    ck_assert(turns_until(loop, owner_was_told, &o));
    ck_assert(conn_out_room(o.conn));
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(room_that_comes_at_once_is_told_too)
{
    struct loop *loop = loop_new();
    struct owner o;
    int much = 4 * OWNER_MUCH;
    owner_pair(&o, loop, false);
    setsockopt(o.peer, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
    conn_write(o.conn, str_head(owner_pattern(), CONN_OUT_LOW));
    ck_assert(!conn_out_room(o.conn));
    ck_assert(turns_until(loop, owner_was_told, &o));
    ck_assert(conn_out_room(o.conn));
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_owner_that_does_not_read_stops_the_sender_and_loses_nothing)
{
    struct loop *loop = loop_new();
    struct owner o;
    int little = 64 * 1024;
    size_t sent = 0, before = 1;
    owner_pair(&o, loop, _i);
    setsockopt(o.peer, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    o.take_at_once = 0;
    while (sent != before) {
        before = sent;
        sent = owner_flood(&o, sent);
    }
    ck_assert_uint_eq(buf_len(conn_in(o.conn)), CONN_IN_MAX);
    ck_assert_uint_lt(sent, OWNER_MUCH);
    ck_assert_int_eq(turns_for(loop, 5), 1);
    /* Consumed outside of on_io: reading goes on by itself. */
    o.take_at_once = 10000;
    while (buf_len(&o.seen) < OWNER_MUCH) {
        owner_on_io(&o);
        sent = owner_flood(&o, sent);
    }
    ck_assert(str_eq(buf_str(&o.seen), owner_pattern()));
    ck_assert_uint_eq(o.longest, CONN_IN_MAX);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(bytes_before_the_end_are_handed_out_with_it)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, _i);
    turns_send(o.peer, "221 bye\r\n", 9);
    owner_close_peer(&o);
    ck_assert(turns_until(loop, owner_has_ended, &o));
    ck_assert_int_eq(conn_end(o.conn), CONN_EOF);
    ck_assert_ptr_null(conn_fault(o.conn));
    ck_assert(str_eq(buf_str(&o.seen), STR_LIT("221 bye\r\n")));
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_end_behind_a_full_buffer_waits_its_turn)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, false);
    turns_send(o.peer, owner_pattern().p, CONN_IN_MAX + 5000);
    owner_close_peer(&o);
    o.take_at_once = 0;
    turns_for(loop, 0);
    turns_for(loop, 0);
    ck_assert_uint_eq(buf_len(conn_in(o.conn)), CONN_IN_MAX);
    ck_assert_int_eq(conn_end(o.conn), CONN_OPEN);
    o.take_at_once = SIZE_MAX;
    owner_on_io(&o);
    ck_assert(turns_until(loop, owner_has_ended, &o));
    ck_assert_uint_eq(o.seen_at_end, CONN_IN_MAX + 5000);
    ck_assert(str_eq(buf_str(&o.seen), str_head(owner_pattern(), CONN_IN_MAX + 5000)));
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_end_wakes_the_owner_once_and_the_loop_rests)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, _i);
    owner_close_peer(&o);
    ck_assert(turns_until(loop, owner_has_ended, &o));
    ck_assert_int_eq(o.calls, 1);
    ck_assert_int_eq(turns_for(loop, 5), 1);
    ck_assert_int_eq(o.calls, 1);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_reset_before_any_byte_names_host_address_and_port)
{
    struct loop *loop = loop_new();
    struct owner o;
    char expected[200];
    owner_pair(&o, loop, true);
    conn_name(o.conn, "mx.example.com");
    snprintf(expected, sizeof expected,
             "mx.example.com (127.0.0.1) port %u closed the connection before it said a word",
             conn_peer_port(o.conn));
    owner_reset_peer(&o);
    ck_assert(turns_until(loop, owner_has_ended, &o));
    ck_assert_int_eq(conn_end(o.conn), CONN_FAILED);
    ck_assert_int_eq(conn_fault(o.conn)->scope, FAULT_SERVER);
    ck_assert_str_eq(conn_fault(o.conn)->code, "TCP-RST-EARLY");
    ck_assert_str_eq(conn_fault(o.conn)->text, expected);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_reset_after_bytes_hands_them_out_first)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, true);
    turns_send(o.peer, "421 go\r\n", 8);
    owner_reset_peer(&o);
    ck_assert(turns_until(loop, owner_has_ended, &o));
    ck_assert_int_eq(conn_end(o.conn), CONN_FAILED);
    ck_assert_str_eq(conn_fault(o.conn)->code, "TCP-RESET");
    ck_assert_uint_eq(o.seen_at_end, 8);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_answer_to_content_that_is_still_being_written_is_found)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, _i);
    conn_write(o.conn, owner_pattern());
    conn_write(o.conn, owner_pattern());
    conn_write(o.conn, owner_pattern());
    turns_for(loop, 0);
    turns_send(o.peer, "552 too much\r\n", 14);
    owner_close_peer(&o); /* with our bytes unread: a reset */
    ck_assert(turns_until(loop, owner_has_ended, &o));
    while (o.end == CONN_EOF) {
        conn_write(o.conn, STR_LIT("more"));
        turns_for(loop, 0);
    }
    ck_assert_int_eq(conn_end(o.conn), CONN_FAILED);
    ck_assert_ptr_nonnull(conn_fault(o.conn));
    ck_assert(str_eq(buf_str(&o.seen), STR_LIT("552 too much\r\n")));
    ck_assert_uint_eq(o.seen_at_end, 14);
    ck_assert_uint_eq(conn_out_bytes(o.conn), 0);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_deadline_wakes_the_owner_once_and_not_before)
{
    struct loop *loop = loop_new();
    struct owner o;
    int64_t at = clock_mono_ms() + 12;
    owner_pair(&o, loop, false);
    conn_deadline(o.conn, clock_mono_ms() + 3);
    conn_deadline(o.conn, at); /* put off */
    ck_assert(turns_until(loop, owner_was_told, &o));
    ck_assert_int_ge(clock_mono_ms(), at);
    conn_deadline(o.conn, clock_mono_ms() + 1000000);
    conn_deadline(o.conn, clock_mono_ms()); /* brought forward */
    turns_for(loop, 10);
    ck_assert_int_eq(o.calls, 2);
    conn_deadline(o.conn, clock_mono_ms() + 2);
    conn_deadline(o.conn, INT64_MAX);
    turns_for(loop, 10);
    ck_assert_int_eq(o.calls, 2);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

static bool peer_sees_the_end(void *arg)
{
    struct owner *o = arg;
    struct pollfd p = {.fd = o->peer, .events = POLLRDHUP};
    owner_drain_peer(o);
    return poll(&p, 1, 0) == 1;
}

START_TEST(a_closed_connection_still_writes_what_is_queued)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, _i);
    conn_write(o.conn, owner_pattern());
    conn_close(o.conn, 60000);
    o.conn = NULL;
    ck_assert(turns_until(loop, peer_sees_the_end, &o));
    ck_assert(str_eq(buf_str(&o.arrived), owner_pattern()));
    ck_assert_int_eq(o.calls, 0);
    owner_close(&o);
    turns_for(loop, 0);
    loop_free(loop);
}
END_TEST

START_TEST(the_last_reply_survives_input_that_nobody_reads)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, true);
    o.take_at_once = 0;
    size_t sent = owner_flood(&o, 0);
    conn_write(o.conn, STR_LIT("421 enough\r\n"));
    conn_close(o.conn, 60000);
    o.conn = NULL;
    ck_assert_uint_eq(owner_flood(&o, sent), OWNER_MUCH);
    owner_drain_peer(&o);
    ck_assert(str_eq(buf_str(&o.arrived), STR_LIT("421 enough\r\n")));
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(lingering_ends_when_its_time_is_over)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, false);
    conn_write(o.conn, owner_pattern()); /* never read */
    int64_t start = clock_mono_ms();
    conn_close(o.conn, 15);
    o.conn = NULL;
    ck_assert(turns_until(loop, owner_is_cut_off, &o));
    ck_assert_int_ge(clock_mono_ms(), start + 15);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(without_linger_it_ends_with_the_turn)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, false);
    conn_write(o.conn, STR_LIT("421 going\r\n"));
    conn_close(o.conn, 0);
    o.conn = NULL;
    ck_assert(!owner_is_cut_off(&o));
    turns_for(loop, 0);
    ck_assert(owner_is_cut_off(&o));
    owner_drain_peer(&o);
    ck_assert(str_eq(buf_str(&o.arrived), STR_LIT("421 going\r\n")));
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(closing_inside_on_io_is_safe_also_for_a_neighbour)
{
    struct loop *loop = loop_new();
    struct owner a, b;
    owner_pair(&a, loop, false);
    owner_pair(&b, loop, false);
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
    owner_close(&a);
    owner_close(&b);
    loop_free(loop);
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
        owner_pair(&owners[i], loop, false);
    for (int i = 0; i < N_IDLE; i++) {
        turns_send(owners[i].peer, owner_pattern().p, 5000);
        conn_write(owners[i].conn, str_head(owner_pattern(), 5000));
        conn_deadline(owners[i].conn, clock_mono_ms() + 300000);
    }
    ck_assert(turns_until(loop, all_have_seen_it, owners));
    for (int i = 0; i < N_IDLE; i++)
        buf_release(&owners[i].seen);
    size_t each = (mallinfo2().uordblks - before) / N_IDLE;
    ck_assert_msg(each < 1500, "%zu bytes for an idle connection", each);
    for (int i = 0; i < N_IDLE; i++)
        owner_close(&owners[i]);
    loop_free(loop);
}
END_TEST

START_TEST(the_kernel_tells_who_is_at_the_other_end)
{
    struct loop *loop = loop_new();
    struct owner local, tcp;
    struct ucred cred;
    owner_pair(&local, loop, false);
    owner_pair(&tcp, loop, true);
    ck_assert(conn_peer_cred(local.conn, &cred));
    ck_assert_int_eq(cred.pid, getpid());
    ck_assert_uint_eq(cred.uid, getuid());
    ck_assert_str_eq(conn_peer_address(local.conn), "");
    ck_assert_uint_eq(conn_peer_port(local.conn), 0);
    ck_assert(!conn_peer_cred(tcp.conn, &cred));
    ck_assert_str_eq(conn_peer_address(tcp.conn), "127.0.0.1");
    ck_assert_uint_ne(conn_peer_port(tcp.conn), 0);
    owner_close(&local);
    owner_close(&tcp);
    loop_free(loop);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conn");
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
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
