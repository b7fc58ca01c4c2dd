/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conn_owner.h"

#include "fake_tls.h"
#include "mem.h"
#include "turns.h"

#include <check.h>
#include <stdlib.h>

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
    owner_pair(o, loop, false);
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
    ck_assert(turns_until(loop, owner_has_seen, &o));
    ck_assert(str_eq(buf_str(&o.seen), STR_LIT("250 ok")));
    ck_assert_int_eq(turns_recv(o.peer, wire, 5), 5);
    fake_tls_turn(wire, 5);
    ck_assert_mem_eq(wire, "QUIT\n", 5);
    ck_assert_int_eq(o.secured, 1);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(what_was_queued_in_clear_leaves_in_clear_and_later_bytes_wait_for_tls)
{
    struct loop *loop = loop_new();
    struct owner o;
    char wire[64];
    owner_pair(&o, loop, false);
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
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(clear_bytes_stay_when_tls_starts)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, false);
    o.take_at_once = 0;
    turns_send(o.peer, "220 go\r\nINJECTED\r\n", 18);
    ck_assert(turns_until(loop, owner_was_told, &o));
    conn_start_tls(o.conn, fake_tls_new());
    ck_assert(str_eq(buf_str(conn_in(o.conn)), STR_LIT("220 go\r\nINJECTED\r\n")));
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(an_owner_that_does_not_read_tls_loses_nothing_not_even_the_end)
{
    struct loop *loop = loop_new();
    struct owner o;
    struct str part = str_head(owner_pattern(), CONN_IN_MAX + 30000);
    char bye = (char)FAKE_TLS_BYE;
    open_tls(&o, loop);
    o.take_at_once = 0;
    peer_sends_tls(&o, part.p, part.n);
    turns_send(o.peer, &bye, 1);
    owner_close_peer(&o);
    turns_for(loop, 0);
    turns_for(loop, 0);
    ck_assert_uint_eq(buf_len(conn_in(o.conn)), CONN_IN_MAX);
    ck_assert_int_eq(conn_end(o.conn), CONN_OPEN);
    o.take_at_once = SIZE_MAX;
    owner_on_io(&o);
    ck_assert(turns_until(loop, owner_has_ended, &o));
    ck_assert_int_eq(conn_end(o.conn), CONN_EOF);
    ck_assert(str_eq(buf_str(&o.seen), part));
    owner_close(&o);
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
    owner_close_peer(&o);
    ck_assert(turns_until(loop, owner_has_ended, &o));
    ck_assert_msg(conn_end(o.conn) == tls_ends[_i].end, "%s", tls_ends[_i].name);
    ck_assert_uint_eq(o.seen_at_end, 3);
    if (tls_ends[_i].code)
        ck_assert_str_eq(conn_fault(o.conn)->code, tls_ends[_i].code);
    owner_close(&o);
    loop_free(loop);
}
END_TEST

START_TEST(a_handshake_that_fails_is_told)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, false);
    conn_start_tls(o.conn, fake_tls_new());
    conn_write(o.conn, STR_LIT("never in clear"));
    turns_send(o.peer, "X", 1);
    ck_assert(turns_until(loop, owner_has_ended, &o));
    ck_assert_str_eq(conn_fault(o.conn)->code, "TLS-HANDSHAKE");
    conn_close(o.conn, 5);
    o.conn = NULL;
    turns_for(loop, 0);
    owner_drain_peer(&o);
    ck_assert(str_eq(buf_str(&o.arrived), STR_LIT("H")));
    owner_close(&o);
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
    owner_close(&o);
    turns_for(loop, 0);
    ck_assert_int_eq(fake_tls_alive(), 0);
    loop_free(loop);
}
END_TEST

START_TEST(a_loop_that_is_freed_takes_lingering_connections_along)
{
    struct loop *loop = loop_new();
    struct owner o;
    owner_pair(&o, loop, false);
    conn_start_tls(o.conn, fake_tls_new());
    conn_write(o.conn, owner_pattern());
    conn_close(o.conn, 60000);
    o.conn = NULL;
    turns_for(loop, 0);
    loop_free(loop);
    ck_assert_int_eq(fake_tls_alive(), 0);
    ck_assert(owner_is_cut_off(&o));
    owner_close(&o);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conn_tls");
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
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
