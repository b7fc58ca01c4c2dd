/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem.h"
#include "peer.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST "mail.example.com"
#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static const char *const versions[] = {TLS12, TLS13};
static const size_t steps[] = {SIZE_MAX, 1, 2, 5, 100, 16389};

enum {
    N_VERSIONS = 2,
    N_STEPS = sizeof steps / sizeof steps[0],
    N_WAYS = N_VERSIONS * N_STEPS
};

static struct authority *authority;
static struct identity identity;

static void set_up(void)
{
    authority = authority_new("Test CA");
    authority_issue(
        authority,
        &(struct certificate){.common_name = "x", .names = {HOST}, .address = "192.0.2.7"},
        &identity);
}

static void tear_down(void)
{
    identity_clear(&identity);
    authority_free(authority);
}

static void pair_with(struct pair *p, const char *priority)
{
    pair_new(p, &(struct tls_policy){.ca_file = authority_file(authority)}, HOST, &identity,
             &(struct peer_options){.priority = priority});
}

/* A pair that is secured, in the i-th way of version and chunking. */
static void pair_open(struct pair *p, int i)
{
    pair_with(p, versions[i % N_VERSIONS]);
    p->step = steps[i / N_VERSIONS];
    pair_run(p);
    ck_assert_msg(p->secured == 1 && p->server_up, "%s", tls_fault(p->tls)->text);
    ck_assert_int_eq(p->status, TLS_WANT);
}

static void expect_fault(const struct pair *p, const char *title, const char *code,
                         enum fault_scope scope)
{
    const struct fault *f = tls_fault(p->tls);
    ck_assert_msg(p->status == TLS_FAILED, "%s: did not fail", title);
    ck_assert_msg(strcmp(f->code, code) == 0, "%s: %s: %s", title, f->code, f->text);
    ck_assert_msg(f->scope == scope && !f->permanent && !f->ambiguous, "%s", title);
    ck_assert_msg(f->text[0] && f->status[0] == '4', "%s", title);
}

START_TEST(secured_is_told_once_with_version_and_cipher)
{
    struct pair p;
    pair_open(&p, _i);
    const char *begin = _i % N_VERSIONS ? "TLSv1.3 TLS_" : "TLSv1.2 TLS_ECDHE_ECDSA_";
    ck_assert_msg(strncmp(tls_description(p.tls), begin, strlen(begin)) == 0, "%s",
                  tls_description(p.tls));
    ck_assert_str_eq(p.sni, HOST);
    pair_run(&p);
    ck_assert_uint_eq(p.secured, 1);
    pair_free(&p);
}
END_TEST

START_TEST(an_address_is_not_sent_as_a_server_name)
{
    struct pair p;
    pair_new(&p, &(struct tls_policy){.ca_file = authority_file(authority)}, "192.0.2.7",
             &identity, NULL);
    pair_run(&p);
    ck_assert_uint_eq(p.secured, 1);
    ck_assert_str_eq(p.sni, "");
    pair_free(&p);
}
END_TEST

START_TEST(data_goes_both_ways_unharmed)
{
    struct pair p;
    struct str answer = STR_LIT("250 ok\r\n");
    enum {
        PIECE = 50000
    };
    char *piece = mem_new(PIECE);
    for (size_t i = 0; i < PIECE; i++)
        piece[i] = (char)(i * 7 + i / 251);
    pair_open(&p, _i);
    tls_write(p.tls, piece, PIECE);
    tls_write(p.tls, piece, 0);
    tls_write(p.tls, piece, 1);
    pair_run(&p);
    ck_assert_uint_eq(buf_len(&p.server_plain), PIECE + 1);
    ck_assert(str_eq(str_head(buf_str(&p.server_plain), PIECE), (struct str){piece, PIECE}));
    pair_server_says(&p, piece, PIECE);
    pair_server_says(&p, answer.p, answer.n);
    pair_run(&p);
    ck_assert_int_eq(p.status, TLS_WANT);
    ck_assert(str_eq(str_head(buf_str(&p.plain), PIECE), (struct str){piece, PIECE}));
    ck_assert(str_eq(str_tail(buf_str(&p.plain), PIECE), answer));
    free(piece);
    pair_free(&p);
}
END_TEST

START_TEST(what_has_no_room_in_plain_waits_in_the_engine)
{
    struct pair p;
    struct buf small;
    char sent[3000], got[3000];
    size_t n = 0;
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i % 97);
    pair_open(&p, _i);
    pair_server_says(&p, sent, sizeof sent);
    pair_server_bye(&p);
    struct str wire = buf_str(&p.to_client);
    tls_feed(p.tls, wire.p, wire.n);
    tls_eof(p.tls, NULL);
    buf_init(&small, 7);
    while (tls_next(p.tls, &small) == TLS_WANT) {
        ck_assert_uint_eq(buf_len(&small), 7);
        ck_assert(!small.failed);
        ck_assert_int_eq(tls_next(p.tls, &small), TLS_WANT);
        memcpy(got + n, buf_str(&small).p, 7);
        n += 7;
        buf_clear(&small);
    }
    memcpy(got + n, buf_str(&small).p, buf_len(&small));
    ck_assert_uint_eq(n + buf_len(&small), sizeof sent);
    ck_assert_mem_eq(sent, got, sizeof sent);
    ck_assert_int_eq(tls_next(p.tls, &small), TLS_CLOSED);
    buf_release(&small);
    pair_free(&p);
}
END_TEST

START_TEST(close_notify_is_an_end_and_not_a_fault)
{
    struct pair p;
    pair_open(&p, _i);
    pair_server_says(&p, "221 bye\r\n", 9);
    pair_server_bye(&p);
    pair_run(&p);
    ck_assert_int_eq(p.status, TLS_CLOSED);
    ck_assert(str_eq(buf_str(&p.plain), STR_LIT("221 bye\r\n")));
    pair_cut(&p, "connection reset by peer");
    ck_assert_int_eq(p.status, TLS_CLOSED);
    ck_assert_int_eq(tls_fault(p.tls)->scope, FAULT_NONE);
    tls_write(p.tls, "x", 1);
    pair_free(&p);
}
END_TEST

START_TEST(a_cut_connection_is_a_fault_and_keeps_what_came)
{
    struct pair p;
    pair_open(&p, _i);
    pair_server_says(&p, "250 o", 5);
    pair_cut(&p, _i % 3 ? NULL : "connection reset by peer");
    expect_fault(&p, "cut", "TLS-TRUNCATED", FAULT_SERVER);
    ck_assert(str_eq(buf_str(&p.plain), STR_LIT("250 o")));
    ck_assert(_i % 3 || strstr(tls_fault(p.tls)->text, "connection reset by peer"));
    tls_write(p.tls, "QUIT\r\n", 6);
    tls_bye(p.tls);
    ck_assert_int_eq(tls_next(p.tls, &p.plain), TLS_FAILED);
    pair_free(&p);
}
END_TEST

START_TEST(a_cut_record_is_a_fault)
{
    struct pair p;
    pair_open(&p, _i);
    pair_server_says(&p, "250 ok\r\n", 8);
    struct str wire = buf_str(&p.to_client);
    tls_feed(p.tls, wire.p, wire.n - 1);
    tls_eof(p.tls, NULL);
    p.status = tls_next(p.tls, &p.plain);
    expect_fault(&p, "cut record", "TLS-TRUNCATED", FAULT_SERVER);
    ck_assert_uint_eq(buf_len(&p.plain), 0);
    pair_free(&p);
}
END_TEST

START_TEST(our_close_notify_reaches_the_peer_once)
{
    struct pair p;
    pair_open(&p, _i);
    tls_write(p.tls, "QUIT\r\n", 6);
    tls_bye(p.tls);
    size_t n = buf_len(tls_out(p.tls));
    tls_bye(p.tls);
    ck_assert_uint_eq(buf_len(tls_out(p.tls)), n);
    pair_run(&p);
    ck_assert_int_eq(p.server_rc, GNUTLS_E_SESSION_EOF);
    ck_assert(str_eq(buf_str(&p.server_plain), STR_LIT("QUIT\r\n")));
    pair_free(&p);
}
END_TEST

START_TEST(a_changed_byte_on_the_wire_is_a_fault)
{
    struct pair p;
    pair_open(&p, _i);
    pair_server_says(&p, "250 ok\r\n", 8);
    p.to_client.memory[p.to_client.head + p.to_client.used - 1] ^= 1;
    pair_run(&p);
    expect_fault(&p, "changed", "TLS-PROTOCOL", FAULT_SERVER);
    ck_assert_uint_eq(buf_len(&p.plain), 0);
    pair_free(&p);
}
END_TEST

/* Give the engine the first n bytes of the server's flight, then the end. False if the flight
 * has no more than n. */
static bool cut_handshake(struct pair *p, size_t n)
{
    ck_assert_int_eq(tls_next(p->tls, &p->plain), TLS_WANT);
    buf_put_str(&p->to_server, buf_str(tls_out(p->tls)));
    ck_assert_int_eq(gnutls_handshake(p->server), GNUTLS_E_AGAIN);
    if (n >= buf_len(&p->to_client))
        return false;
    tls_feed(p->tls, buf_str(&p->to_client).p, n);
    ck_assert_int_eq(tls_next(p->tls, &p->plain), TLS_WANT);
    tls_eof(p->tls, "connection reset by peer");
    p->status = tls_next(p->tls, &p->plain);
    return true;
}

START_TEST(an_end_anywhere_in_the_handshake_is_told_as_such)
{
    size_t cut = 0;
    for (bool more = true; more; cut++) {
        struct pair p;
        pair_with(&p, versions[_i]);
        more = cut_handshake(&p, cut);
        if (more) {
            expect_fault(&p, "cut", "TLS-CLOSED", FAULT_SERVER);
            ck_assert_ptr_nonnull(strstr(tls_fault(p.tls)->text, "reset by peer"));
        }
        pair_free(&p);
    }
    ck_assert_uint_gt(cut, 500);
}
END_TEST

START_TEST(session_tickets_do_not_disturb)
{
    struct pair p;
    pair_new(&p, &(struct tls_policy){.ca_file = authority_file(authority)}, HOST, &identity,
             &(struct peer_options){.priority = versions[_i % N_VERSIONS], .tickets = true});
    p.step = steps[_i / N_VERSIONS];
    pair_run(&p);
    ck_assert_uint_eq(p.secured, 1);
    if (_i % N_VERSIONS)
        ck_assert_int_eq(gnutls_session_ticket_send(p.server, 3, 0), 0);
    pair_server_says(&p, "220 ready\r\n", 11);
    pair_run(&p);
    ck_assert_int_eq(p.status, TLS_WANT);
    ck_assert(str_eq(buf_str(&p.plain), STR_LIT("220 ready\r\n")));
    pair_free(&p);
}
END_TEST

START_TEST(a_key_update_is_followed)
{
    struct pair p;
    pair_open(&p, 2 * _i + 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(gnutls_session_key_update(p.server, GNUTLS_KU_PEER), 0);
        pair_server_says(&p, "250 ok\r\n", 8);
    }
    pair_run(&p);
    ck_assert_int_eq(p.status, TLS_WANT);
    ck_assert_uint_eq(buf_len(&p.plain), 24);
    tls_write(p.tls, "NOOP\r\n", 6);
    pair_run(&p);
    ck_assert(str_eq(buf_str(&p.server_plain), STR_LIT("NOOP\r\n")));
    pair_free(&p);
}
END_TEST

START_TEST(endless_key_updates_are_a_fault)
{
    struct pair p;
    pair_open(&p, 1);
    for (int i = 0; i < 1001; i++)
        ck_assert_int_eq(gnutls_session_key_update(p.server, 0), 0);
    pair_run(&p);
    expect_fault(&p, "flood", "PROTO-GARBAGE", FAULT_SERVER);
    pair_free(&p);
}
END_TEST

static void send_warnings(struct pair *p, int n)
{
    while (n-- > 0)
        ck_assert_int_eq(
            gnutls_alert_send(p->server, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED), 0);
}

START_TEST(warnings_are_borne_up_to_a_limit)
{
    struct pair p;
    pair_open(&p, 0);
    for (int i = 0; i < 3; i++) {
        send_warnings(&p, 1000);
        pair_server_says(&p, "x", 1);
    }
    pair_run(&p);
    ck_assert_int_eq(p.status, TLS_WANT);
    ck_assert_uint_eq(buf_len(&p.plain), 3);
    send_warnings(&p, 1001);
    pair_run(&p);
    expect_fault(&p, "flood", "PROTO-GARBAGE", FAULT_SERVER);
    pair_free(&p);
}
END_TEST

static void send_empty_records(struct pair *p, int n)
{
    enum {
        PADDING = 10
    };
    while (n-- > 0)
        ck_assert_int_eq(gnutls_record_send2(p->server, "", 0, PADDING, 0), 0);
}

START_TEST(empty_records_are_not_the_end_and_have_a_limit)
{
    struct pair p;
    pair_open(&p, 2 * _i + 1);
    for (int i = 0; i < 3; i++) {
        send_empty_records(&p, 3);
        pair_server_says(&p, "x", 1);
    }
    pair_run(&p);
    ck_assert_int_eq(p.status, TLS_WANT);
    ck_assert(str_eq(buf_str(&p.plain), STR_LIT("xxx")));
    send_empty_records(&p, 1001);
    pair_run(&p);
    expect_fault(&p, "flood", "PROTO-GARBAGE", FAULT_SERVER);
    pair_free(&p);
}
END_TEST

START_TEST(renegotiation_is_declined_and_data_goes_on)
{
    struct pair p;
    pair_open(&p, 0);
    ck_assert_int_eq(gnutls_rehandshake(p.server), 0);
    pair_server_says(&p, "250 ok\r\n", 8);
    buf_clear(&p.to_server);
    struct str wire = buf_str(&p.to_client);
    tls_feed(p.tls, wire.p, wire.n);
    ck_assert_int_eq(tls_next(p.tls, &p.plain), TLS_WANT);
    ck_assert(str_eq(buf_str(&p.plain), STR_LIT("250 ok\r\n")));
    ck_assert_uint_gt(buf_len(tls_out(p.tls)), 0);
    pair_free(&p);
}
END_TEST

START_TEST(session_keys_are_not_written_whatever_the_environment_says)
{
    struct pair p;
    char path[] = "/tmp/check_tls.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setenv("SSLKEYLOGFILE", path, 1), 0);
    pair_with(&p, TLS13);
    gnutls_session_set_keylog_function(p.server, NULL); /* it would write them, too */
    pair_run(&p);
    ck_assert_uint_eq(p.secured, 1);
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
    close(fd);
    unlink(path);
    pair_free(&p);
}
END_TEST

static void expect_binding(const char *priority, const char *kind,
                           gnutls_channel_binding_t server_kind)
{
    struct pair p;
    struct buf data;
    gnutls_datum_t server = {NULL, 0};
    buf_init(&data, TLS_BINDING_MAX);
    pair_with(&p, priority);
    ck_assert_ptr_null(tls_binding(p.tls, &data)); /* before the handshake */
    pair_run(&p);
    ck_assert_uint_eq(p.secured, 1);
    const char *said = tls_binding(p.tls, &data);
    if (kind) {
        ck_assert_str_eq(said, kind);
        ck_assert_int_eq(gnutls_session_channel_binding(p.server, server_kind, &server), 0);
        ck_assert_uint_ge(server.size, 12);
        ck_assert(str_eq(buf_str(&data), (struct str){(char *)server.data, server.size}));
    } else {
        ck_assert_ptr_null(said);
        ck_assert_uint_eq(buf_len(&data), 0);
    }
    gnutls_free(server.data);
    buf_release(&data);
    pair_free(&p);
}

START_TEST(a_login_can_be_bound_to_the_session_and_both_ends_agree)
{
    expect_binding(TLS13, "tls-exporter", GNUTLS_CB_TLS_EXPORTER);
    expect_binding(TLS12, "tls-unique", GNUTLS_CB_TLS_UNIQUE);
}
END_TEST

START_TEST(without_the_extended_master_secret_there_is_no_binding)
{
    expect_binding(TLS12 ":%NO_SESSION_HASH", NULL, GNUTLS_CB_TLS_UNIQUE);
}
END_TEST

static void add_each(TCase *tc)
{
    tcase_add_loop_test(tc, secured_is_told_once_with_version_and_cipher, 0, N_WAYS);
    tcase_add_loop_test(tc, data_goes_both_ways_unharmed, 0, N_WAYS);
    tcase_add_loop_test(tc, what_has_no_room_in_plain_waits_in_the_engine, 0, N_WAYS);
    tcase_add_loop_test(tc, close_notify_is_an_end_and_not_a_fault, 0, N_WAYS);
    tcase_add_loop_test(tc, a_cut_connection_is_a_fault_and_keeps_what_came, 0, N_WAYS);
    tcase_add_loop_test(tc, a_cut_record_is_a_fault, 0, N_WAYS);
    tcase_add_loop_test(tc, our_close_notify_reaches_the_peer_once, 0, N_WAYS);
    tcase_add_loop_test(tc, a_changed_byte_on_the_wire_is_a_fault, 0, N_WAYS);
    tcase_add_loop_test(tc, session_tickets_do_not_disturb, 0, N_WAYS);
    tcase_add_loop_test(tc, an_end_anywhere_in_the_handshake_is_told_as_such, 0, N_VERSIONS);
    tcase_add_loop_test(tc, a_key_update_is_followed, 0, N_STEPS);
    tcase_add_loop_test(tc, empty_records_are_not_the_end_and_have_a_limit, 0, N_STEPS);
}

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tc = tcase_create("tls");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    add_each(tc);
    tcase_add_test(tc, an_address_is_not_sent_as_a_server_name);
    tcase_add_test(tc, endless_key_updates_are_a_fault);
    tcase_add_test(tc, warnings_are_borne_up_to_a_limit);
    tcase_add_test(tc, renegotiation_is_declined_and_data_goes_on);
    tcase_add_test(tc, session_keys_are_not_written_whatever_the_environment_says);
    tcase_add_test(tc, a_login_can_be_bound_to_the_session_and_both_ends_agree);
    tcase_add_test(tc, without_the_extended_master_secret_there_is_no_binding);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
