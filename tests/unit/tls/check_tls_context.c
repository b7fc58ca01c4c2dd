/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "authority.h"
#include "crypto.h"
#include "tls.h"
#include "tls_name.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A63 A50 "aaaaaaaaaaaaa"

static void expect_refusal(const struct tls_policy *policy, const char *said)
{
    struct err err = {"not set"};
    struct tls_context *context = tls_context_new(policy, &err);
    ck_assert_msg(context == NULL, "accepted, not: %s", said);
    ck_assert_msg(strstr(err.text, said) != NULL, "%s", err.text);
}

static void expect_good(const struct tls_policy *policy)
{
    struct err err;
    struct tls_context *context = tls_context_new(policy, &err);
    ck_assert_msg(context != NULL, "%s", err.text);
    tls_context_free(context);
}

static const struct {
    const char *priority;
    const char *refusal; /* NULL: it is good */
} priorities[] = {
    {NULL, NULL},
    {TLS_PRIORITY, NULL},
    {"SECURE192:-VERS-ALL:+VERS-TLS1.3", NULL},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:%SAFE_RENEGOTIATION", NULL},
    {"", "byte 1 on"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.3:+NONSENSE", "(\"+NONSENSE"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.3:+NONSENSE", "byte 31 on"},
    {"NORMAL", "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.1", "allows TLS1.1"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+NULL", "allows NULL"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+ARCFOUR-128", "allows ARCFOUR-128"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+3DES-CBC", "allows 3DES-CBC"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+ANON-ECDH", "allows ANON-ECDH"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+PSK", "allows PSK"},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2:+SRP", "allows SRP"},
};

START_TEST(a_weak_or_wrong_priority_is_refused_with_its_place)
{
    struct tls_policy policy = {.verify = TLS_VERIFY_NONE, .priority = priorities[_i].priority};
    if (priorities[_i].refusal)
        expect_refusal(&policy, priorities[_i].refusal);
    else
        expect_good(&policy);
}
END_TEST

START_TEST(a_trust_store_that_cannot_be_used_is_an_error)
{
    const char *empty = authority_store("", 0, 0644);
    const char *text = authority_store("hello\n", 6, 0644);
    expect_refusal(&(struct tls_policy){.ca_file = "/nowhere/ca.pem"},
                   "tls-ca-file /nowhere/ca.pem cannot be read: No such file");
    expect_refusal(&(struct tls_policy){.ca_file = empty}, "no trusted CA certificate");
    expect_refusal(&(struct tls_policy){.ca_file = text}, "no trusted CA certificate");
    expect_refusal(&(struct tls_policy){.ca_file = "/tmp"}, "no trusted CA certificate");
    /* Without verification nothing is loaded, and nothing can be missing. */
    expect_good(&(struct tls_policy){.verify = TLS_VERIFY_NONE, .ca_file = empty});
}
END_TEST

START_TEST(a_client_certificate_needs_its_private_key)
{
    struct authority *a = authority_new("Client CA");
    struct identity one, other;
    authority_issue(a, &(struct certificate){.common_name = "one"}, &one);
    authority_issue(a, &(struct certificate){.common_name = "other"}, &other);
    const char *cert = identity_certificate_file(&one);
    const char *key = identity_key_file(&one);
    const char *wrong = identity_key_file(&other);
    struct tls_policy p = {.verify = TLS_VERIFY_NONE, .cert_file = cert, .key_file = key};
    expect_good(&p);
    p.key_file = NULL;
    expect_refusal(&p, "set tls-key");
    p.key_file = wrong;
    expect_refusal(&p, "cannot be used together");
    p.key_file = cert;
    expect_refusal(&p, "every user of this machine (mode 0644)");
    p.key_file = "/nowhere/key.pem";
    expect_refusal(&p, "tls-key: /nowhere/key.pem cannot be opened");
    p.key_file = key;
    p.cert_file = "/nowhere/cert.pem";
    expect_refusal(&p, "tls-cert /nowhere/cert.pem cannot be read: No such file");
    p.cert_file = NULL;
    expect_refusal(&p, "of no use without tls-cert");
    identity_clear(&one);
    identity_clear(&other);
    authority_free(a);
}
END_TEST

START_TEST(a_session_outlives_the_owners_context)
{
    struct err err;
    struct buf plain;
    struct tls_context *context =
        tls_context_new(&(struct tls_policy){.verify = TLS_VERIFY_NONE}, &err);
    struct tls *one = tls_new(context, "a.example", &err);
    struct tls *two = tls_new(context, "b.example", &err);
    tls_context_free(context);
    tls_free(one);
    buf_init(&plain, 16);
    ck_assert_int_eq(tls_next(two, &plain), TLS_WANT);
    ck_assert_uint_gt(buf_len(tls_out(two)), 100);
    tls_free(two);
    tls_free(NULL);
    tls_context_free(NULL);
}
END_TEST

/* A host, and the identity that certificates are searched for; NULL: refused. */
static const struct {
    const char *host;
    const char *text;
    size_t address_bytes;
} names[] = {
    {"mail.example.com", "mail.example.com", 0},
    {"MAIL.Example.Com.", "mail.example.com", 0},
    {"localhost", "localhost", 0},
    {"a_b.example", "a_b.example", 0},
    {"x--y.example", "x--y.example", 0},
    {"1.example", "1.example", 0},
    {"example.4u", "example.4u", 0},
    {"b\xC3\xBC"
     "cher.example",
     "xn--bcher-kva.example", 0},
    {"B\xC3\x9C"
     "CHER.example.",
     "xn--bcher-kva.example", 0},
    {"192.0.2.1", "192.0.2.1", 4},
    {"::1", "::1", 16},
    {"2001:db8::7", "2001:db8::7", 16},
    {"fe80::1%eth0", "fe80::1", 16},
    {A63 ".example", A63 ".example", 0},
    {A63 "." A63 "." A63 "." A50 "aaaaaaaaaaa", A63 "." A63 "." A63 "." A50 "aaaaaaaaaaa", 0},
    {A63 "." A63 "." A63 "." A50 "aaaaaaaaaaaa", NULL, 0},
    {A63 "a.example", NULL, 0},
    {"", NULL, 0},
    {".", NULL, 0},
    {"..", NULL, 0},
    {"a..b", NULL, 0},
    {".a", NULL, 0},
    {"a.example..", NULL, 0},
    {"-a.example", NULL, 0},
    {"a-.example", NULL, 0},
    {"a b.example", NULL, 0},
    {"a/b", NULL, 0},
    {"a\r\nb", NULL, 0},
    {"*.example.com", NULL, 0},
    {"user@example.com", NULL, 0},
    {"mail.example.com:587", NULL, 0},
    {"127.1", NULL, 0},
    {"1", NULL, 0},
    {"192.0.2.256", NULL, 0},
    {"192.0.2.1%eth0", NULL, 0},
    {"[192.0.2.1]", NULL, 0},
    {"a.\xFF\xFE", NULL, 0},
    {"\xE2\x80\xAE.example", NULL, 0},
};

START_TEST(a_host_has_one_identity_or_is_refused)
{
    struct tls_name name;
    struct err err = {""};
    int rc = tls_name_set(&name, names[_i].host, &err);
    if (!names[_i].text) {
        ck_assert_msg(rc == -1, "\"%s\" was taken as \"%s\"", names[_i].host, name.text);
        ck_assert_msg(strstr(err.text, "cannot be the name of a host") != NULL, "%s", err.text);
        return;
    }
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_str_eq(name.text, names[_i].text);
    ck_assert_uint_eq(name.address_bytes, names[_i].address_bytes);
}
END_TEST

START_TEST(a_wiped_secret_is_gone)
{
    char secret[] = "0123456789";
    crypto_wipe(secret + 2, 6);
    ck_assert_mem_eq(secret, "01\0\0\0\0\0\089", 10);
    crypto_wipe(secret, 0);
    ck_assert_int_eq(secret[0], '0');
    crypto_wipe(NULL, 0);
}
END_TEST

START_TEST(random_bits_differ_and_use_all_positions)
{
    uint32_t any = 0, all = UINT32_MAX, last = crypto_random32();
    unsigned repeats = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t now = crypto_random32();
        repeats += now == last;
        any |= now;
        all &= now;
        last = now;
    }
    ck_assert_uint_le(repeats, 1);
    ck_assert_uint_eq(any, UINT32_MAX);
    ck_assert_uint_eq(all, 0);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("tls_context");
    TCase *tc = tcase_create("tls_context");
    tcase_add_loop_test(tc, a_weak_or_wrong_priority_is_refused_with_its_place, 0,
                        COUNT(priorities));
    tcase_add_test(tc, a_trust_store_that_cannot_be_used_is_an_error);
    tcase_add_test(tc, a_client_certificate_needs_its_private_key);
    tcase_add_test(tc, a_session_outlives_the_owners_context);
    tcase_add_loop_test(tc, a_host_has_one_identity_or_is_refused, 0, COUNT(names));
    tcase_add_test(tc, a_wiped_secret_is_gone);
    tcase_add_test(tc, random_bits_differ_and_use_all_positions);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
