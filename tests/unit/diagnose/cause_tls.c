/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cause.h"
#include "peer.h"
#include "tls_private.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define HOST "mail.example.com"

/* Given to the linker in place of clock_wall_ms(), so that a row can have a wrong clock. */
int64_t __real_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void);

static bool clock_is_wrong;

int64_t __wrap_clock_wall_ms(void)
{
    return clock_is_wrong ? 86400 * 1000 : __real_clock_wall_ms();
}

void cause_hello(struct fault *f, const char *bytes)
{
    struct err err;
    struct buf plain;
    struct authority *a = authority_new("Test CA");
    struct tls_context *context =
        tls_context_new(&(struct tls_policy){.ca_file = authority_file(a)}, &err);
    struct tls *t = tls_new(context, HOST, &err);
    buf_init(&plain, 1024);
    ck_assert_int_eq(tls_next(t, &plain), TLS_WANT);
    /* An alert has a NUL in its length. */
    tls_feed(t, bytes, bytes && bytes[0] == '\x15' ? 7 : bytes ? strlen(bytes) : 0);
    tls_eof(t, NULL);
    ck_assert_int_eq(tls_next(t, &plain), TLS_FAILED);
    *f = *tls_fault(t);
    tls_free(t);
    tls_context_free(context);
    buf_release(&plain);
    authority_free(a);
}

static const struct {
    const char *words;
    struct certificate certificate;
} certificates[] = {
    {"stranger", {.common_name = "x", .names = {HOST}, .issuer = ISSUED_BY_STRANGER}},
    {"self", {.common_name = "x", .names = {HOST}, .issuer = ISSUED_BY_ITSELF}},
    {"expired", {.common_name = "x", .names = {HOST}, .from_days = -9, .until_days = -3}},
    {"clock", {.common_name = "x", .names = {HOST}, .from_days = -9, .until_days = -3}},
    {"early", {.common_name = "x", .names = {HOST}, .from_days = 3, .until_days = 9}},
    {"name", {.common_name = "x", .names = {"b.example"}}},
    {"address", {.common_name = "x", .names = {"b.example"}}},
    {"alias", {.common_name = "x", .names = {"b.example"}}},
    {"chain",
     {.common_name = "x",
      .names = {HOST},
      .issuer_url = "http://ca.example/i.crt",
      .issuer = ISSUED_BY_HIDDEN}},
    {"purpose", {.common_name = "x", .names = {HOST}, .purpose = GNUTLS_KP_TLS_WWW_CLIENT}},
    {"weak", {.common_name = "x", .names = {HOST}, .weak = true}},
    {"staple", {.common_name = "x", .names = {HOST}, .wants_stapling = true}},
    {"common", {.common_name = HOST}},
};

static const struct certificate *certificate_of(const char *words)
{
    static const struct certificate good = {.common_name = "x", .names = {HOST}};
    for (size_t i = 0; i < sizeof certificates / sizeof certificates[0]; i++)
        if (strcmp(certificates[i].words, words) == 0)
            return &certificates[i].certificate;
    return &good;
}

void cause_certificate(struct fault *f, const char *words)
{
    bool zscaler = strcmp(words, "zscaler") == 0, pin = strcmp(words, "pin") == 0;
    struct authority *a = authority_new(zscaler ? "Zscaler Root" : "Test CA");
    struct authority *trusted = zscaler ? authority_new("Test CA") : a;
    struct identity identity;
    struct pair p;
    authority_issue(a, certificate_of(words), &identity);
    pair_new(&p,
             &(struct tls_policy){.ca_file = authority_file(trusted),
                                  .verify = pin ? TLS_VERIFY_FINGERPRINT : TLS_VERIFY_FULL,
                                  .fingerprints = pin ? "00" : NULL},
             strcmp(words, "address") == 0 ? "192.0.2.1" : HOST, &identity, NULL);
    if (strcmp(words, "alias") == 0)
        tls_know_alias(p.tls, "b.example");
    clock_is_wrong = strcmp(words, "clock") == 0;
    pair_run(&p);
    clock_is_wrong = false;
    if (strcmp(words, "cut") == 0)
        pair_cut(&p, NULL);
    if (strcmp(words, "revoked") == 0)
        tls_verdict_certificate(p.tls, GNUTLS_CERT_INVALID | GNUTLS_CERT_REVOKED);
    *f = *tls_fault(p.tls);
    pair_free(&p);
    identity_clear(&identity);
    authority_free(a);
    if (zscaler)
        authority_free(trusted);
}
