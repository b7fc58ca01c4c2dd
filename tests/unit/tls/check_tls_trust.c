/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peer.h"
#include "tls_chain.h"

#include <check.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOST "mail.example.com"

/* A server's certificate, whom the client asks for, and the verdict: code NULL is trust. said
 * is part of the sentence, also of the whole. */
static const struct {
    const char *title;
    const char *host;
    struct certificate certificate;
    const char *code;
    enum fault_scope scope;
    const char *said;
    const char *fix;
} cases[] = {
    {"good", HOST, {.common_name = "x", .names = {HOST}}, NULL, FAULT_NONE, NULL, NULL},
    {"one of many names",
     HOST,
     {.common_name = "x", .names = {"a.example", "b.example", HOST}},
     NULL,
     FAULT_NONE,
     NULL,
     NULL},
    {"letter case and final dot",
     "MAIL.Example.COM.",
     {.common_name = "x", .names = {HOST}},
     NULL,
     FAULT_NONE,
     NULL,
     NULL},
    {"wildcard",
     HOST,
     {.common_name = "x", .names = {"*.example.com"}},
     NULL,
     FAULT_NONE,
     NULL,
     NULL},
    {"wildcard over two labels",
     "a.b.example.com",
     {.common_name = "x", .names = {"*.example.com"}},
     "CERT-HOST",
     FAULT_ACCOUNT,
     "is for *.example.com, not for a.b.example.com",
     "tls-name"},
    {"U-labels",
     "b\xC3\xBC"
     "cher.example",
     {.common_name = "x", .names = {"xn--bcher-kva.example"}},
     NULL,
     FAULT_NONE,
     NULL,
     NULL},
    {"intermediate shown",
     HOST,
     {.common_name = "x", .names = {HOST}, .issuer = ISSUED_BY_INTERMEDIATE},
     NULL,
     FAULT_NONE,
     NULL,
     NULL},
    {"IPv4 address",
     "192.0.2.7",
     {.common_name = "x", .address = "192.0.2.7"},
     NULL,
     FAULT_NONE,
     NULL,
     NULL},
    {"IPv6 address",
     "2001:db8::7",
     {.common_name = "x", .address = "2001:db8:0:0::7"},
     NULL,
     FAULT_NONE,
     NULL,
     NULL},
    {"wrong name",
     HOST,
     {.common_name = HOST, .names = {"ssl0.example.net", "www.example.net"}},
     "CERT-HOST",
     FAULT_ACCOUNT,
     "is for ssl0.example.net, www.example.net, not for mail.example.com",
     "set host"},
    {"many wrong names",
     HOST,
     {.common_name = "x", .names = {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"}},
     "CERT-HOST",
     FAULT_ACCOUNT,
     "a5, a6 and others, not",
     "set host"},
    {"control bytes in a name",
     HOST,
     {.common_name = "a\033[2Jb", .names = {HOST}, .issuer = ISSUED_BY_ITSELF},
     "CERT-SELFSIGNED",
     FAULT_ACCOUNT,
     "(CN=a\\x1B[2Jb) is",
     "tls-ca-file"},
    {"wrong address",
     "192.0.2.7",
     {.common_name = "x", .names = {HOST}, .address = "192.0.2.8"},
     "CERT-HOST-IP",
     FAULT_ACCOUNT,
     "is for mail.example.com, 192.0.2.8",
     "tls-name"},
    {"address spelt as a DNS name",
     "192.0.2.7",
     {.common_name = "x", .names = {"192.0.2.7"}},
     "CERT-HOST-IP",
     FAULT_ACCOUNT,
     "192.0.2.7 is an address",
     "tls-name"},
    {"address in the common name",
     "192.0.2.7",
     {.common_name = "192.0.2.7"},
     "CERT-HOST-IP",
     FAULT_ACCOUNT,
     "192.0.2.7 is an address",
     "tls-name"},
    {"common name alone",
     HOST,
     {.common_name = HOST},
     "CERT-CNONLY",
     FAULT_ACCOUNT,
     "common name alone",
     "subjectAltName"},
    {"common name and a mail address",
     HOST,
     {.common_name = HOST, .mail = "postmaster@example.com"},
     "CERT-CNONLY",
     FAULT_ACCOUNT,
     "common name alone",
     "subjectAltName"},
    {"expired",
     HOST,
     {.common_name = "x", .names = {HOST}, .from_days = -90, .until_days = -3},
     "CERT-EXPIRED",
     FAULT_ACCOUNT,
     "expired on 20",
     "renew"},
    {"not yet valid",
     HOST,
     {.common_name = "x", .names = {HOST}, .from_days = 3, .until_days = 90},
     "CERT-NOTYET",
     FAULT_SERVER,
     "this machine's clock says 20",
     "clock"},
    {"expired and for another name",
     HOST,
     {.common_name = "x", .names = {"b.example"}, .from_days = -90, .until_days = -3},
     "CERT-EXPIRED",
     FAULT_ACCOUNT,
     "; it is also for another name (b.example)",
     "renew"},
    {"self-signed",
     HOST,
     {.common_name = "box", .names = {HOST}, .issuer = ISSUED_BY_ITSELF},
     "CERT-SELFSIGNED",
     FAULT_ACCOUNT,
     "(CN=box) is signed by nobody but itself, SHA-256 ",
     "tls-ca-file"},
    {"self-signed, expired, for another name",
     HOST,
     {.common_name = "box",
      .names = {"box.local"},
      .from_days = -90,
      .until_days = -3,
      .issuer = ISSUED_BY_ITSELF},
     "CERT-SELFSIGNED",
     FAULT_ACCOUNT,
     "also expired, for another name (box.local)",
     "tls-ca-file"},
    {"unknown authority",
     HOST,
     {.common_name = "x", .names = {HOST}, .issuer = ISSUED_BY_STRANGER},
     "CERT-UNKNOWNCA",
     FAULT_ACCOUNT,
     "comes from CN=Stranger CA, which this machine does not trust",
     "intercepting"},
    {"an alias of a name that is covered",
     "alias.example.com",
     {.common_name = "x", .names = {HOST}},
     "CERT-HOST-CNAME",
     FAULT_ACCOUNT,
     "alias.example.com is an alias of mail.example.com, which the certificate is for",
     "host = \"mail.example.com\""},
    {"an alias of a name that is not covered",
     "alias.example.com",
     {.common_name = "x", .names = {"b.example"}},
     "CERT-HOST",
     FAULT_ACCOUNT,
     "is for b.example, not for alias.example.com",
     "set host"},
    {"intermediate missing",
     HOST,
     {.common_name = "x",
      .names = {HOST},
      .issuer_url = "http://ca.example/i.crt",
      .issuer = ISSUED_BY_HIDDEN},
     "CERT-CHAIN",
     FAULT_ACCOUNT,
     "without that of its issuer, CN=Intermediate CA",
     "full chain"},
    {"intermediate or authority missing",
     HOST,
     {.common_name = "x", .names = {HOST}, .issuer = ISSUED_BY_HIDDEN},
     "CERT-UNKNOWNCA",
     FAULT_ACCOUNT,
     "comes from CN=Intermediate CA",
     "tls-ca-file"},
    {"for clients alone",
     HOST,
     {.common_name = "x", .names = {HOST}, .purpose = GNUTLS_KP_TLS_WWW_CLIENT},
     "CERT-PURPOSE",
     FAULT_ACCOUNT,
     "not issued for a TLS server",
     "serverAuth"},
    {"signed with SHA-1",
     HOST,
     {.common_name = "x", .names = {HOST}, .weak = true},
     "CERT-WEAK",
     FAULT_ACCOUNT,
     "no longer safe",
     "replace"},
    {"stapling promised, not done",
     HOST,
     {.common_name = "x", .names = {HOST}, .wants_stapling = true},
     "CERT-STAPLE",
     FAULT_SERVER,
     "promises a proof",
     "OCSP"},
};

static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2",
                                       "NORMAL:-VERS-ALL:+VERS-TLS1.3"};
static const size_t steps[] = {SIZE_MAX, 1, 7};

enum {
    N_CASES = sizeof cases / sizeof cases[0]
};

static void check_verdict(const struct pair *p, size_t i)
{
    const struct fault *f = tls_fault(p->tls);
    const char *title = cases[i].title;
    if (!cases[i].code) {
        ck_assert_msg(p->secured == 1, "%s: %s", title, f->text);
        ck_assert_msg(p->server_up && p->server_rc == 0, "%s", title);
        return;
    }
    ck_assert_msg(p->secured == 0, "%s: was trusted", title);
    ck_assert_msg(p->status == TLS_FAILED, "%s", title);
    ck_assert_msg(strcmp(f->code, cases[i].code) == 0, "%s: %s", title, f->code);
    ck_assert_msg(f->scope == cases[i].scope && !f->permanent, "%s", title);
    ck_assert_msg(strstr(f->text, cases[i].said) != NULL, "%s: %s", title, f->text);
    ck_assert_msg(strstr(f->fix, cases[i].fix) != NULL, "%s: %s", title, f->fix);
    ck_assert_str_eq(tls_description(p->tls), "");
}

/* In both versions, in every chunking. */
static void show(size_t i, struct authority *a)
{
    struct identity identity;
    authority_issue(a, &cases[i].certificate, &identity);
    for (size_t v = 0; v < 2; v++) {
        for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
            struct pair p;
            pair_new(&p, &(struct tls_policy){.ca_file = authority_file(a)}, cases[i].host,
                     &identity, &(struct peer_options){.priority = versions[v]});
            if (strncmp(cases[i].host, "alias.", 6) == 0)
                tls_know_alias(p.tls, HOST);
            p.step = steps[s];
            pair_run(&p);
            check_verdict(&p, i);
            pair_free(&p);
        }
    }
    identity_clear(&identity);
}

START_TEST(a_certificate_is_trusted_or_refused_with_its_cause)
{
    struct authority *a = authority_new("Test CA");
    show((size_t)_i, a);
    authority_free(a);
}
END_TEST

/* Programs and firewalls that put themselves between issue from authorities of these names. */
START_TEST(an_interceptor_is_named)
{
    static const struct {
        const char *authority, *code;
    } authorities[] = {
        {"Avast Web/Mail Shield Root", "MBOX-INTERCEPT"},
        {"FortiGate CA", "MBOX-INTERCEPT"},
        {"Zscaler Root CA", "MBOX-INTERCEPT"},
        {"Our Own CA", "CERT-UNKNOWNCA"},
    };
    struct authority *between = authority_new(authorities[_i].authority);
    struct authority *trusted = authority_new("Test CA");
    struct identity identity;
    struct pair p;
    authority_issue(between, &(struct certificate){.common_name = "x", .names = {HOST}},
                    &identity);
    pair_new(&p, &(struct tls_policy){.ca_file = authority_file(trusted)}, HOST, &identity,
             NULL);
    pair_run(&p);
    ck_assert_uint_eq(p.secured, 0);
    ck_assert_str_eq(tls_fault(p.tls)->code, authorities[_i].code);
    ck_assert_ptr_nonnull(strstr(tls_fault(p.tls)->text, authorities[_i].authority));
    pair_free(&p);
    identity_clear(&identity);
    authority_free(between);
    authority_free(trusted);
}
END_TEST

/* Whether it is trusted or not. */
START_TEST(the_chain_is_told)
{
    struct authority *a = authority_new("Test CA");
    struct identity identity;
    struct tls_certificate c;
    struct pair p;
    int64_t now = (int64_t)time(NULL);
    authority_issue(a,
                    &(struct certificate){.common_name = "box\033[2J",
                                          .names = {HOST, "b.example"},
                                          .until_days = 30,
                                          .issuer = ISSUED_BY_INTERMEDIATE},
                    &identity);
    pair_new(&p, &(struct tls_policy){.ca_file = authority_file(a)},
             _i ? HOST : "other.example", &identity, NULL);
    pair_run(&p);
    ck_assert_uint_eq(p.secured, (unsigned)_i);
    ck_assert_uint_eq(tls_chain_length(p.tls), 2);
    ck_assert(tls_chain_get(p.tls, 0, &c));
    ck_assert_str_eq(c.names, HOST ", b.example");
    ck_assert_str_eq(c.subject, "CN=box\\x1B[2J");
    ck_assert_str_eq(c.issuer, "CN=Intermediate CA");
    ck_assert(c.valid_until > now + 29 * 86400 && c.valid_until <= now + 31 * 86400);
    ck_assert(c.valid_from < now);
    ck_assert_uint_eq(strlen(c.fingerprint), 64);
    ck_assert_uint_eq(strlen(c.key_fingerprint), 64);
    ck_assert_str_ne(c.fingerprint, c.key_fingerprint);
    ck_assert(!c.self_issued);
    ck_assert(tls_chain_get(p.tls, 1, &c));
    ck_assert_str_eq(c.issuer, "CN=Test CA");
    ck_assert(!tls_chain_get(p.tls, 2, &c));
    pair_free(&p);
    identity_clear(&identity);
    authority_free(a);
}
END_TEST

START_TEST(without_verification_every_certificate_will_do)
{
    struct authority *a = authority_new("Test CA");
    struct identity identity;
    struct pair p;
    authority_issue(a, &cases[_i].certificate, &identity);
    pair_new(&p, &(struct tls_policy){.verify = TLS_VERIFY_NONE}, cases[_i].host, &identity,
             NULL);
    pair_run(&p);
    ck_assert_msg(p.secured == 1, "%s: %s", cases[_i].title, tls_fault(p.tls)->text);
    pair_free(&p);
    identity_clear(&identity);
    authority_free(a);
}
END_TEST

START_TEST(a_self_signed_certificate_in_the_ca_file_is_trusted)
{
    struct authority *a = authority_new("Test CA");
    struct identity identity;
    struct pair p;
    authority_issue(a,
                    &(struct certificate){
                        .common_name = "box", .names = {HOST}, .issuer = ISSUED_BY_ITSELF},
                    &identity);
    pair_new(&p, &(struct tls_policy){.ca_file = identity_certificate_file(&identity)}, HOST,
             &identity, NULL);
    pair_run(&p);
    ck_assert_msg(p.secured == 1, "%s", tls_fault(p.tls)->text);
    pair_free(&p);
    identity_clear(&identity);
    authority_free(a);
}
END_TEST

START_TEST(the_system_store_does_not_trust_the_tests_authority)
{
    struct authority *a = authority_new("Test CA");
    struct err err;
    struct tls_context *context = tls_context_new(&(struct tls_policy){0}, &err);
    struct identity identity;
    struct pair p;
    authority_issue(a, &cases[0].certificate, &identity);
    if (!context) {
        /* A machine without ca-certificates: refused, never trusted (T-001). */
        ck_assert_msg(strstr(err.text, "ca-certificates") != NULL, "%s", err.text);
    } else {
        pair_new(&p, &(struct tls_policy){0}, HOST, &identity, NULL);
        pair_run(&p);
        ck_assert_uint_eq(p.secured, 0);
        ck_assert_str_eq(tls_fault(p.tls)->code, "CERT-UNKNOWNCA");
        pair_free(&p);
    }
    tls_context_free(context);
    identity_clear(&identity);
    authority_free(a);
}
END_TEST

enum pin {
    PIN_CERTIFICATE,
    PIN_KEY,
    PIN_OTHER,
    PIN_ISSUER
};

/* The SHA-256 of the DER that is pinned, after one of something else. */
static void write_pins(char text[130], const struct identity *identity,
                       const struct identity *other, enum pin pin)
{
    gnutls_datum_t der;
    gnutls_pubkey_t key;
    unsigned char hash[32];
    const struct identity *from = pin == PIN_OTHER ? other : identity;
    unsigned which = pin == PIN_ISSUER ? 1 : 0;
    ck_assert_int_eq(gnutls_pubkey_init(&key), 0);
    ck_assert_int_eq(gnutls_pubkey_import_x509(key, from->chain[which], 0), 0);
    if (pin == PIN_KEY)
        ck_assert_int_eq(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der), 0);
    else
        ck_assert_int_eq(gnutls_x509_crt_export2(from->chain[which], GNUTLS_X509_FMT_DER, &der),
                         0);
    ck_assert_int_eq(gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, hash), 0);
    snprintf(text, 130, "%064x ", 7);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(text + 65 + 2 * i, 3, "%02x", hash[i]);
    gnutls_free(der.data);
    gnutls_pubkey_deinit(key);
}

/* Whom the client pins; whether that is trust. */
static const struct {
    const char *title;
    struct certificate certificate;
    enum pin pin;
    const char *code;
} pinned[] = {
    {"certificate", {.common_name = "x", .names = {HOST}}, PIN_CERTIFICATE, NULL},
    {"key", {.common_name = "x", .names = {HOST}}, PIN_KEY, NULL},
    {"self-signed, expired, for another name",
     {.common_name = "box", .until_days = -3, .from_days = -9, .issuer = ISSUED_BY_ITSELF},
     PIN_CERTIFICATE,
     NULL},
    {"the key of a self-signed one",
     {.common_name = "box", .issuer = ISSUED_BY_ITSELF},
     PIN_KEY,
     NULL},
    {"another of the same name and authority",
     {.common_name = "x", .names = {HOST}},
     PIN_OTHER,
     "CERT-PIN"},
    {"the issuer",
     {.common_name = "x", .names = {HOST}, .issuer = ISSUED_BY_INTERMEDIATE},
     PIN_ISSUER,
     "CERT-PIN"},
};

enum {
    N_PINNED = sizeof pinned / sizeof pinned[0]
};

START_TEST(a_pin_is_the_servers_certificate_or_key_and_nothing_else)
{
    size_t row = (size_t)_i / 2;
    struct authority *a = authority_new("Test CA");
    struct identity identity, other;
    struct pair p;
    char pins[130], seen[130];
    authority_issue(a, &pinned[row].certificate, &identity);
    authority_issue(a, &pinned[row].certificate, &other);
    write_pins(pins, &identity, &other, pinned[row].pin);
    pair_new(&p,
             &(struct tls_policy){.verify = TLS_VERIFY_FINGERPRINT,
                                  .fingerprints = pins,
                                  .ca_file = "/nonexistent"},
             HOST, &identity, &(struct peer_options){.priority = versions[_i % 2]});
    pair_run(&p);
    const struct fault *f = tls_fault(p.tls);
    ck_assert_msg(p.secured == !pinned[row].code, "%s: %s", pinned[row].title, f->text);
    ck_assert_msg(strcmp(f->code, pinned[row].code ? pinned[row].code : "") == 0, "%s: %s: %s",
                  pinned[row].title, f->code, f->text);
    if (pinned[row].code) {
        ck_assert_int_eq(f->scope, FAULT_ACCOUNT);
        write_pins(seen, &identity, &other, PIN_CERTIFICATE);
        ck_assert_msg(strstr(f->text, seen + 65) != NULL, "%s", f->text);
        write_pins(seen, &identity, &other, PIN_KEY);
        ck_assert_msg(strstr(f->text, seen + 65) != NULL, "%s", f->text);
        ck_assert_ptr_nonnull(strstr(f->fix, "tls-fingerprint"));
    }
    pair_free(&p);
    identity_clear(&identity);
    identity_clear(&other);
    authority_free(a);
}
END_TEST

START_TEST(our_certificate_is_not_shown_to_a_server_that_is_not_pinned)
{
    struct authority *a = authority_new("Test CA");
    struct identity identity, other;
    struct pair p;
    char pins[130];
    authority_issue(a, &pinned[0].certificate, &identity);
    authority_issue(a, &pinned[0].certificate, &other);
    for (enum pin pin = PIN_CERTIFICATE; pin <= PIN_OTHER; pin++) {
        write_pins(pins, &identity, &other, pin);
        pair_new(&p,
                 &(struct tls_policy){.verify = TLS_VERIFY_FINGERPRINT,
                                      .fingerprints = pins,
                                      .cert_file = identity_certificate_file(&other),
                                      .key_file = identity_key_file(&other)},
                 HOST, &identity, &(struct peer_options){.client = GNUTLS_CERT_REQUEST});
        pair_run(&p);
        unsigned shown = 0;
        gnutls_certificate_get_peers(p.server, &shown);
        ck_assert_msg((shown > 0) == (pin != PIN_OTHER), "%d: %u", (int)pin, shown);
        pair_free(&p);
    }
    identity_clear(&identity);
    identity_clear(&other);
    authority_free(a);
}
END_TEST

START_TEST(a_pin_that_is_not_there_is_an_error)
{
    static const char *const none[] = {NULL, ""};
    struct err err;
    ck_assert_ptr_null(tls_context_new(
        &(struct tls_policy){.verify = TLS_VERIFY_FINGERPRINT, .fingerprints = none[_i]},
        &err));
    ck_assert_str_eq(err.text, "tls-verify = \"fingerprint\" needs tls-fingerprint");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls_trust");
    TCase *tc = tcase_create("tls_trust");
    tcase_add_loop_test(tc, a_certificate_is_trusted_or_refused_with_its_cause, 0, N_CASES);
    tcase_add_loop_test(tc, an_interceptor_is_named, 0, 4);
    tcase_add_loop_test(tc, the_chain_is_told, 0, 2);
    tcase_add_loop_test(tc, without_verification_every_certificate_will_do, 0, N_CASES);
    tcase_add_test(tc, a_self_signed_certificate_in_the_ca_file_is_trusted);
    tcase_add_test(tc, the_system_store_does_not_trust_the_tests_authority);
    tcase_add_loop_test(tc, a_pin_is_the_servers_certificate_or_key_and_nothing_else, 0,
                        2 * N_PINNED);
    tcase_add_test(tc, our_certificate_is_not_shown_to_a_server_that_is_not_pinned);
    tcase_add_loop_test(tc, a_pin_that_is_not_there_is_an_error, 0, 2);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
