/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peer.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HOST "mail.example.com"
#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static struct authority *authority;
static struct identity identity;

static void set_up(void)
{
    authority = authority_new("Test CA");
    authority_issue(authority, &(struct certificate){.common_name = "x", .names = {HOST}},
                    &identity);
}

static void tear_down(void)
{
    identity_clear(&identity);
    authority_free(authority);
}

/* What the peer says to a ClientHello, the end of the connection behind it, and the verdict. */
static const struct {
    struct str answer;
    const char *code;
    enum fault_scope scope;
    const char *said;
    const char *fix;
    const char *reply;
} answers[] = {
    {STR_LIT("220 mx.example ESMTP\r\n"), "MODE-PLAINBANNER", FAULT_ACCOUNT, "plain SMTP",
     "tls = \"starttls\", or port = 587", "220 mx.example ESMTP"},
    {STR_LIT("220-mx.example\r\n220 hello\r\n"), "MODE-PLAINBANNER", FAULT_ACCOUNT,
     "plain SMTP", "starttls", "220-mx.example"},
    {STR_LIT("220 ****************\r\n"), "MODE-PLAINBANNER", FAULT_ACCOUNT, "plain SMTP",
     "starttls", "220 ****************"},
    {STR_LIT("220 a\033[2Jb\r\n"), "MODE-PLAINBANNER", FAULT_ACCOUNT, "plain SMTP", "starttls",
     "220 a\\x1B[2Jb"},
    {STR_LIT("220 "), "MODE-PLAINBANNER", FAULT_ACCOUNT, "plain SMTP", "starttls", "220"},
    {STR_LIT("2"), "PROTO-GARBAGE", FAULT_SERVER, "something else", "port", "2"},
    {STR_LIT("250 what?\r\n"), "MODE-PLAINBANNER", FAULT_ACCOUNT, "plain SMTP", "starttls",
     "250 what?"},
    {STR_LIT("500 5.5.1 Unknown command\r\n"), "MODE-PLAINSYNC", FAULT_ACCOUNT,
     "bad SMTP commands", "starttls", "500 5.5.1 Unknown command"},
    {STR_LIT("502 no\r\n"), "MODE-PLAINSYNC", FAULT_ACCOUNT, "bad SMTP commands", "starttls",
     "502 no"},
    {STR_LIT("554 SMTP synchronization error\r\n"), "MODE-PLAINREFUSE", FAULT_ACCOUNT,
     "refuses service", "starttls", "554 SMTP synchronization error"},
    {STR_LIT("421 too busy\r\n"), "MODE-PLAINREFUSE", FAULT_ACCOUNT, "refuses service",
     "starttls", "421 too busy"},
    {STR_LIT("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"), "MODE-HTTP", FAULT_SERVER,
     "web server", "network", "HTTP/1.1 400 Bad Request"},
    {STR_LIT("<!DOCTYPE html>\n"), "MODE-HTTP", FAULT_SERVER, "web server", "network",
     "<!DOCTYPE html>"},
    {STR_LIT("* OK IMAP4rev1 ready\r\n"), "MODE-OTHERPROTO", FAULT_ACCOUNT, "IMAP server",
     "587", "* OK IMAP4rev1 ready"},
    {STR_LIT("+OK POP3 ready\r\n"), "MODE-OTHERPROTO", FAULT_ACCOUNT, "POP3 server", "587",
     "+OK POP3 ready"},
    {STR_LIT("SSH-2.0-OpenSSH_9.2\r\n"), "MODE-OTHERPROTO", FAULT_ACCOUNT, "SSH server", "587",
     "SSH-2.0-OpenSSH_9.2"},
    {STR_LIT("RFB 003.008\n"), "MODE-OTHERPROTO", FAULT_ACCOUNT, "VNC", "587", "RFB 003.008"},
    {STR_LIT("\x80\xFF\x00\x01 and so on"), "PROTO-GARBAGE", FAULT_SERVER, "something else",
     "port", "\\x80\\xFF\\x00\\x01 and so on"},
    {STR_LIT(""), "TLS-CLOSED", FAULT_SERVER, "ended the connection", "587", ""},
    {STR_LIT("\x16"), "TLS-CLOSED", FAULT_SERVER, "ended the connection", "587", ""},
    {STR_LIT("\x15\x03\x03\x00\x02\x02\x28"), "TLS-CIPHER", FAULT_ACCOUNT,
     "no method of encryption", "tls-priority", ""},
    {STR_LIT("\x15\x03\x03\x00\x02\x02\x47"), "TLS-CIPHER", FAULT_ACCOUNT,
     "no method of encryption", "tls-priority", ""},
    {STR_LIT("\x15\x03\x01\x00\x02\x02\x46"), "TLS-VERSION", FAULT_ACCOUNT, "TLS 1.2",
     "up to date", ""},
    {STR_LIT("\x15\x03\x03\x00\x02\x02\x70"), "TLS-SNI", FAULT_ACCOUNT, "that name", "tls-name",
     ""},
    {STR_LIT("\x15\x03\x03\x00\x02\x02\x78"), "TLS-ALPN", FAULT_ACCOUNT, "ALPN", "port", ""},
    {STR_LIT("\x15\x03\x03\x00\x02\x02\x74"), "TLS-CLIENTCERT", FAULT_ACCOUNT,
     "requires a client certificate", "tls-cert", ""},
    {STR_LIT("\x15\x03\x03\x00\x02\x02\x30"), "TLS-CLIENTCERT", FAULT_ACCOUNT,
     "does not accept our client certificate", "tls-cert", ""},
    {STR_LIT("\x15\x03\x03\x00\x02\x02\x50"), "TLS-ALERT", FAULT_SERVER, "alert 80", "", ""},
    {STR_LIT("\x15\x03\x03\x00\x02\x02\xEE"), "TLS-ALERT", FAULT_SERVER, "alert 238 (unknown)",
     "", ""},
    {STR_LIT("\x16\x03\x03\x00\x04\x02\x00\x00\x00"), "TLS-PROTOCOL", FAULT_SERVER,
     "breaks the TLS protocol", "", ""},
    {STR_LIT("\x17\x03\x03\x00\x02hi"), "TLS-PROTOCOL", FAULT_SERVER, "breaks the TLS protocol",
     "", ""},
    {STR_LIT("\x16\x03\x03\xFF\xFFhi"), "TLS-PROTOCOL", FAULT_SERVER, "breaks the TLS protocol",
     "", ""},
};

enum {
    N_ANSWERS = sizeof answers / sizeof answers[0]
};

static void answer_in_steps(const struct str answer, size_t step, struct fault *f)
{
    struct err err;
    struct buf plain;
    struct str rest = answer;
    struct tls_context *context =
        tls_context_new(&(struct tls_policy){.ca_file = authority_file(authority)}, &err);
    ck_assert_msg(context != NULL, "%s", err.text);
    struct tls *t = tls_new(context, HOST, &err);
    tls_context_free(context);
    buf_init(&plain, 1024);
    ck_assert_int_eq(tls_next(t, &plain), TLS_WANT);
    while (rest.n) {
        struct str piece = str_head(rest, step);
        tls_feed(t, piece.p, piece.n);
        rest = str_tail(rest, step);
        enum tls_status status = tls_next(t, &plain);
        ck_assert(status == TLS_WANT || status == TLS_FAILED);
    }
    tls_eof(t, NULL);
    ck_assert_int_eq(tls_next(t, &plain), TLS_FAILED);
    ck_assert_uint_eq(buf_len(&plain), 0);
    *f = *tls_fault(t);
    tls_free(t);
    buf_release(&plain);
}

START_TEST(what_answers_instead_of_tls_is_recognized)
{
    struct fault f;
    answer_in_steps(answers[_i].answer, SIZE_MAX, &f);
    ck_assert_msg(strcmp(f.code, answers[_i].code) == 0, "%d: %s: %s", _i, f.code, f.text);
    ck_assert_int_eq(f.scope, answers[_i].scope);
    ck_assert(!f.permanent);
    ck_assert_msg(strstr(f.text, HOST) && strstr(f.text, answers[_i].said), "%s", f.text);
    ck_assert_msg(strstr(f.fix, answers[_i].fix) != NULL, "%s", f.fix);
    ck_assert_str_eq(f.reply, answers[_i].reply);
}
END_TEST

/* A banner that trickles in is still known by what had come when TLS gave up: five bytes. */
START_TEST(five_bytes_are_enough_to_recognize_it)
{
    struct fault f;
    answer_in_steps(answers[_i].answer, 1, &f);
    ck_assert_msg(strcmp(f.code, answers[_i].code) == 0, "%d: %s: %s", _i, f.code, f.text);
    ck_assert_int_eq(f.scope, answers[_i].scope);
}
END_TEST

static void expect(const struct pair *p, const char *code, const char *said)
{
    const struct fault *f = tls_fault(p->tls);
    ck_assert_int_eq(p->status, TLS_FAILED);
    ck_assert_msg(!strcmp(f->code, code), "%s", f->text);
    ck_assert_int_eq(f->scope, FAULT_ACCOUNT);
    ck_assert_msg(strstr(f->text, said) != NULL, "%s", f->text);
}

START_TEST(an_old_server_is_refused)
{
    struct pair p;
    pair_new(&p, &(struct tls_policy){.ca_file = authority_file(authority)}, HOST, &identity,
             &(struct peer_options){.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0"});
    pair_run(&p);
    ck_assert_uint_eq(p.secured, 0);
    expect(&p, "TLS-VERSION", "at least TLS 1.2");
    pair_free(&p);
}
END_TEST

/* A ServerHello that chooses TLS 1.1 all the same. */
START_TEST(an_old_version_is_not_taken)
{
    struct fault f;
    char hello[] = "\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02"
                   "0123456789abcdef0123456789abcdef"
                   "\x00\xc0\x09\x00";
    answer_in_steps((struct str){hello, sizeof hello - 1}, SIZE_MAX, &f);
    ck_assert_str_eq(f.code, "TLS-VERSION");
}
END_TEST

START_TEST(without_a_common_cipher_the_setting_is_named)
{
    struct pair p;
    pair_new(&p,
             &(struct tls_policy){.ca_file = authority_file(authority),
                                  .priority = TLS12 ":-CIPHER-ALL:+AES-256-GCM"},
             HOST, &identity,
             &(struct peer_options){.priority = TLS12 ":-CIPHER-ALL:+CHACHA20-POLY1305"});
    pair_run(&p);
    expect(&p, "TLS-CIPHER", "no method of encryption");
    ck_assert_ptr_nonnull(strstr(tls_fault(p.tls)->fix, "tls-priority"));
    pair_free(&p);
}
END_TEST

START_TEST(a_server_without_safe_renegotiation_is_refused)
{
    struct pair p;
    pair_new(&p, &(struct tls_policy){.ca_file = authority_file(authority), .priority = TLS12},
             HOST, &identity,
             &(struct peer_options){.priority = TLS12 ":%DISABLE_SAFE_RENEGOTIATION"});
    pair_run(&p);
    expect(&p, "TLS-VERSION", "safe renegotiation");
    pair_free(&p);
}
END_TEST

START_TEST(the_peer_is_told_why)
{
    struct pair p;
    pair_new(&p, &(struct tls_policy){.ca_file = authority_file(authority)},
             "other.example.com", &identity, &(struct peer_options){.priority = TLS12});
    pair_run(&p);
    expect(&p, "CERT-HOST", "not for other.example.com");
    ck_assert_int_eq(p.server_rc, GNUTLS_E_FATAL_ALERT_RECEIVED);
    ck_assert_int_eq(gnutls_alert_get(p.server), GNUTLS_A_BAD_CERTIFICATE);
    pair_free(&p);
}
END_TEST

/* A server that demands a client certificate. */
static const struct {
    const char *version;
    bool shown;   /* we have one */
    bool trusted; /* and the server trusts its issuer */
    const char *said;
} demands[] = {
    {TLS12, true, true, NULL},
    {TLS13, true, true, NULL},
    {TLS12, false, false, "requires a client certificate"},
    {TLS13, false, false, "requires a client certificate"},
    {TLS12, true, false, "does not accept our client certificate"},
    {TLS13, true, false, "does not accept our client certificate"},
};

START_TEST(a_demanded_client_certificate_is_shown_or_named)
{
    struct identity own;
    struct authority *client_ca = authority_new("Client CA");
    struct pair p;
    authority_issue(
        client_ca,
        &(struct certificate){.common_name = "host1", .purpose = GNUTLS_KP_TLS_WWW_CLIENT},
        &own);
    struct tls_policy policy = {.ca_file = authority_file(authority)};
    if (demands[_i].shown) {
        policy.cert_file = identity_certificate_file(&own);
        policy.key_file = identity_key_file(&own);
    }
    pair_new(&p, &policy, HOST, &identity,
             &(struct peer_options){
                 .priority = demands[_i].version,
                 .client = GNUTLS_CERT_REQUIRE,
                 .client_ca = authority_file(demands[_i].trusted ? client_ca : authority)});
    pair_run(&p);
    if (demands[_i].said) {
        expect(&p, "TLS-CLIENTCERT", demands[_i].said);
        ck_assert(!p.server_up);
    } else {
        ck_assert_msg(p.secured == 1 && p.server_up, "%s", tls_fault(p.tls)->text);
        ck_assert_ptr_nonnull(gnutls_certificate_get_peers(p.server, &(unsigned){0}));
    }
    pair_free(&p);
    identity_clear(&own);
    authority_free(client_ca);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls_verdict");
    TCase *tc = tcase_create("tls_verdict");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, what_answers_instead_of_tls_is_recognized, 0, N_ANSWERS);
    tcase_add_loop_test(tc, five_bytes_are_enough_to_recognize_it, 0, N_ANSWERS);
    tcase_add_test(tc, an_old_server_is_refused);
    tcase_add_test(tc, an_old_version_is_not_taken);
    tcase_add_test(tc, without_a_common_cipher_the_setting_is_named);
    tcase_add_test(tc, a_server_without_safe_renegotiation_is_refused);
    tcase_add_test(tc, the_peer_is_told_why);
    tcase_add_loop_test(tc, a_demanded_client_certificate_is_shown_or_named, 0,
                        sizeof demands / sizeof demands[0]);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
