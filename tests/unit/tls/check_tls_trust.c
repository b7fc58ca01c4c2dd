/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peer.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

int main(void)
{
    Suite *suite = suite_create("tls_trust");
    TCase *tc = tcase_create("tls_trust");
    tcase_add_loop_test(tc, a_certificate_is_trusted_or_refused_with_its_cause, 0, N_CASES);
    tcase_add_loop_test(tc, without_verification_every_certificate_will_do, 0, N_CASES);
    tcase_add_test(tc, a_self_signed_certificate_in_the_ca_file_is_trusted);
    tcase_add_test(tc, the_system_store_does_not_trust_the_tests_authority);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
