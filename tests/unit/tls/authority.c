/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "authority.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509-ext.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FILES_MAX = 16 /* of a test */
};

struct authority {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    const char *file;
};

/* A test that cannot make its certificates has nothing to say. */
static void must(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", what, gnutls_strerror(rc));
        abort();
    }
}
#define MUST(call) must((call), #call)

static gnutls_x509_privkey_t new_key(void)
{
    gnutls_x509_privkey_t key;
    MUST(gnutls_x509_privkey_init(&key));
    MUST(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    return key;
}

static gnutls_x509_crt_t new_certificate(const char *common_name, gnutls_x509_privkey_t key,
                                         int from_days, int until_days)
{
    gnutls_x509_crt_t crt;
    unsigned char serial[8], id[20];
    size_t id_bytes = sizeof id;
    time_t now = time(NULL);
    MUST(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial));
    serial[0] &= 0x7F;
    MUST(gnutls_x509_crt_init(&crt));
    MUST(gnutls_x509_crt_set_version(crt, 3));
    MUST(gnutls_x509_crt_set_key(crt, key));
    MUST(gnutls_x509_crt_set_serial(crt, serial, sizeof serial));
    MUST(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, common_name,
                                       (unsigned)strlen(common_name)));
    MUST(gnutls_x509_crt_set_activation_time(crt, now + (time_t)from_days * 86400));
    MUST(gnutls_x509_crt_set_expiration_time(crt, now + (time_t)until_days * 86400));
    MUST(gnutls_x509_crt_get_key_id(crt, 0, id, &id_bytes));
    MUST(gnutls_x509_crt_set_subject_key_id(crt, id, id_bytes));
    return crt;
}

static gnutls_x509_crt_t new_ca(const char *common_name, gnutls_x509_privkey_t key)
{
    gnutls_x509_crt_t crt = new_certificate(common_name, key, -1000, 1000);
    MUST(gnutls_x509_crt_set_basic_constraints(crt, 1, -1));
    MUST(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN));
    return crt;
}

/* Sign, and read the certificate as others do: GnuTLS orders chains by what it has read. */
static gnutls_x509_crt_t sign(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer,
                              gnutls_x509_privkey_t key, gnutls_digest_algorithm_t hash)
{
    gnutls_datum_t der;
    gnutls_x509_crt_t read;
    MUST(gnutls_x509_crt_sign2(crt, issuer, key, hash, 0));
    MUST(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der));
    MUST(gnutls_x509_crt_init(&read));
    MUST(gnutls_x509_crt_import(read, &der, GNUTLS_X509_FMT_DER));
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(crt);
    return read;
}

const char *authority_store(const void *bytes, size_t n, unsigned mode)
{
    static char paths[FILES_MAX][32];
    static unsigned used;
    int fd = memfd_create("test", MFD_CLOEXEC);
    if (fd < 0 || used == FILES_MAX || write(fd, bytes, n) != (ssize_t)n ||
        fchmod(fd, mode) < 0)
        abort();
    snprintf(paths[used], sizeof paths[used], "/proc/self/fd/%d", fd);
    return paths[used++];
}

struct authority *authority_new(const char *common_name)
{
    struct authority *a = calloc(1, sizeof *a);
    gnutls_datum_t pem;
    a->key = new_key();
    gnutls_x509_crt_t crt = new_ca(common_name, a->key);
    a->crt = sign(crt, crt, a->key, GNUTLS_DIG_SHA256);
    MUST(gnutls_x509_crt_export2(a->crt, GNUTLS_X509_FMT_PEM, &pem));
    a->file = authority_store(pem.data, pem.size, 0644);
    gnutls_free(pem.data);
    return a;
}

void authority_free(struct authority *a)
{
    gnutls_x509_crt_deinit(a->crt);
    gnutls_x509_privkey_deinit(a->key);
    free(a);
}

const char *authority_file(const struct authority *a)
{
    return a->file;
}

static void set_names(gnutls_x509_crt_t crt, const struct certificate *wanted)
{
    unsigned char address[16];
    for (size_t i = 0; i < AUTHORITY_NAMES_MAX && wanted->names[i]; i++)
        MUST(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, wanted->names[i],
                                                  (unsigned)strlen(wanted->names[i]),
                                                  GNUTLS_FSAN_APPEND));
    if (wanted->mail)
        MUST(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_RFC822NAME, wanted->mail,
                                                  (unsigned)strlen(wanted->mail),
                                                  GNUTLS_FSAN_APPEND));
    if (wanted->address) {
        bool v6 = strchr(wanted->address, ':') != NULL;
        if (inet_pton(v6 ? AF_INET6 : AF_INET, wanted->address, address) != 1)
            abort();
        MUST(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address,
                                                  v6 ? 16 : 4, GNUTLS_FSAN_APPEND));
    }
}

static void set_extensions(gnutls_x509_crt_t crt, const struct certificate *wanted)
{
    const char *purpose = wanted->purpose ? wanted->purpose : GNUTLS_KP_TLS_WWW_SERVER;
    MUST(gnutls_x509_crt_set_key_purpose_oid(crt, purpose, 0));
    if (wanted->issuer_url) {
        gnutls_datum_t url = {(unsigned char *)(uintptr_t)wanted->issuer_url,
                              (unsigned)strlen(wanted->issuer_url)};
        MUST(gnutls_x509_crt_set_authority_info_access(crt, GNUTLS_IA_CAISSUERS_URI, &url));
    }
    if (wanted->wants_stapling) {
        gnutls_x509_tlsfeatures_t features;
        MUST(gnutls_x509_tlsfeatures_init(&features));
        MUST(gnutls_x509_tlsfeatures_add(features, 5));
        MUST(gnutls_x509_crt_set_tlsfeatures(crt, features));
        gnutls_x509_tlsfeatures_deinit(features);
    }
}

/* Signed by an authority beneath or beside a. */
static void sign_by_other(struct authority *a, gnutls_x509_crt_t crt,
                          enum authority_issuer issuer, struct identity *identity)
{
    bool stranger = issuer == ISSUED_BY_STRANGER;
    gnutls_x509_privkey_t key = new_key();
    gnutls_x509_crt_t ca = new_ca(stranger ? "Stranger CA" : "Intermediate CA", key);
    ca = sign(ca, stranger ? ca : a->crt, stranger ? key : a->key, GNUTLS_DIG_SHA256);
    identity->chain[0] = sign(crt, ca, key, GNUTLS_DIG_SHA256);
    identity->chain[1] = ca;
    identity->n = 2;
    gnutls_x509_privkey_deinit(key);
    if (issuer == ISSUED_BY_HIDDEN) {
        gnutls_x509_crt_deinit(ca);
        identity->n = 1;
    }
}

void authority_issue(struct authority *a, const struct certificate *wanted,
                     struct identity *identity)
{
    gnutls_digest_algorithm_t hash = wanted->weak ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256;
    gnutls_x509_privkey_t key = new_key();
    gnutls_x509_crt_t crt =
        new_certificate(wanted->common_name, key, wanted->from_days ? wanted->from_days : -1,
                        wanted->until_days ? wanted->until_days : 1);
    set_names(crt, wanted);
    set_extensions(crt, wanted);
    *identity = (struct identity){.key = key, .n = 1};
    if (wanted->issuer == ISSUED_BY_AUTHORITY)
        identity->chain[0] = sign(crt, a->crt, a->key, hash);
    else if (wanted->issuer == ISSUED_BY_ITSELF)
        identity->chain[0] = sign(crt, crt, key, hash);
    else
        sign_by_other(a, crt, wanted->issuer, identity);
}

void identity_clear(struct identity *identity)
{
    for (unsigned i = 0; i < identity->n; i++)
        gnutls_x509_crt_deinit(identity->chain[i]);
    gnutls_x509_privkey_deinit(identity->key);
    *identity = (struct identity){0};
}

const char *identity_certificate_file(const struct identity *identity)
{
    gnutls_datum_t pem;
    MUST(gnutls_x509_crt_export2(identity->chain[0], GNUTLS_X509_FMT_PEM, &pem));
    const char *path = authority_store(pem.data, pem.size, 0644);
    gnutls_free(pem.data);
    return path;
}

const char *identity_key_file(const struct identity *identity)
{
    gnutls_datum_t pem;
    MUST(gnutls_x509_privkey_export2(identity->key, GNUTLS_X509_FMT_PEM, &pem));
    const char *path = authority_store(pem.data, pem.size, 0600);
    gnutls_free(pem.data);
    return path;
}
