/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls_private.h"

#include "mem.h"
#include "private_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_FILE_MAX = 256 * 1024 /* bytes; a chain of certificates may stand in the same file */
};

/* A count of certificates, 0 or a GnuTLS error becomes 0 or -1. */
static int check_trust(int loaded, const char *where, struct err *err)
{
    if (loaded > 0)
        return 0;
    return err_set(
        err,
        "no trusted CA certificate could be loaded from %s%s%s, so no server could be "
        "verified; install the ca-certificates package, or set tls-ca-file to a PEM "
        "file",
        where, loaded < 0 ? ": " : "", loaded < 0 ? gnutls_strerror(loaded) : "");
}

static int load_trust(struct tls_context *context, const char *ca_file, struct err *err)
{
    gnutls_certificate_credentials_t to = context->credentials;
    if (context->verify != TLS_VERIFY_FULL)
        return 0;
    if (!ca_file)
        return check_trust(gnutls_certificate_set_x509_system_trust(to), "the system's store",
                           err);
    /* GnuTLS has one error for every way in which a file cannot be read. */
    if (access(ca_file, R_OK) < 0)
        return err_set(err, "tls-ca-file %s cannot be read: %s", ca_file, strerror(errno));
    return check_trust(gnutls_certificate_set_x509_trust_file(to, ca_file, GNUTLS_X509_FMT_PEM),
                       ca_file, err);
}

static int load_fingerprints(struct tls_context *context, const char *fingerprints,
                             struct err *err)
{
    if (context->verify != TLS_VERIFY_FINGERPRINT)
        return 0;
    if (!fingerprints || !*fingerprints)
        return err_set(err, "tls-verify = \"fingerprint\" needs tls-fingerprint");
    context->fingerprints = mem_strdup(fingerprints);
    return 0;
}

static int use_pair(struct tls_context *context, const char *cert_file, const char *key_file,
                    struct str key, struct err *err)
{
    gnutls_datum_t cert;
    gnutls_datum_t key_pem = {(unsigned char *)(uintptr_t)key.p, (unsigned)key.n};
    int rc = gnutls_load_file(cert_file, &cert);
    if (rc < 0)
        return err_set(err, "tls-cert %s cannot be read: %s", cert_file,
                       errno ? strerror(errno) : gnutls_strerror(rc));
    rc = gnutls_certificate_set_x509_key_mem2(context->credentials, &cert, &key_pem,
                                              GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_free(cert.data);
    if (rc < 0)
        return err_set(err,
                       "the client certificate %s and the key %s cannot be used together: %s; "
                       "both must be in PEM form, the key without a passphrase",
                       cert_file, key_file, gnutls_strerror(rc));
    context->has_certificate = true;
    return 0;
}

static int load_client_certificate(struct tls_context *context, const char *cert_file,
                                   const char *key_file, struct err *err)
{
    if (!cert_file && key_file)
        return err_set(err, "tls-key %s is of no use without tls-cert", key_file);
    if (!cert_file)
        return 0;
    if (!key_file)
        return err_set(err, "tls-cert %s needs its key: set tls-key", cert_file);
    struct buf key;
    struct err why;
    buf_init(&key, KEY_FILE_MAX);
    key.secret = true;
    int rc = private_file_read(key_file, &key, &why);
    rc = rc < 0 ? err_set(err, "tls-key: %s", why.text)
                : use_pair(context, cert_file, key_file, buf_str(&key), err);
    buf_release(&key);
    return rc;
}

/* A priority list's members that must never be used (T-008, T-010). */
static const char *forbidden_version(gnutls_priority_t priority)
{
    const unsigned *list;
    int n = gnutls_priority_protocol_list(priority, &list);
    for (int i = 0; i < n; i++) {
        gnutls_protocol_t version = (gnutls_protocol_t)list[i];
        if (version < GNUTLS_TLS1_2)
            return gnutls_protocol_get_name(version);
    }
    return NULL;
}

static const char *forbidden_cipher(gnutls_priority_t priority)
{
    const unsigned *list;
    int n = gnutls_priority_cipher_list(priority, &list);
    for (int i = 0; i < n; i++) {
        gnutls_cipher_algorithm_t cipher = (gnutls_cipher_algorithm_t)list[i];
        if (cipher == GNUTLS_CIPHER_NULL || cipher == GNUTLS_CIPHER_ARCFOUR_128 ||
            cipher == GNUTLS_CIPHER_3DES_CBC)
            return gnutls_cipher_get_name(cipher);
    }
    return NULL;
}

static const char *forbidden_key_exchange(gnutls_priority_t priority)
{
    static const gnutls_kx_algorithm_t allowed[] = {GNUTLS_KX_RSA, GNUTLS_KX_DHE_RSA,
                                                    GNUTLS_KX_DHE_DSS, GNUTLS_KX_ECDHE_RSA,
                                                    GNUTLS_KX_ECDHE_ECDSA};
    const unsigned *list;
    int n = gnutls_priority_kx_list(priority, &list);
    for (int i = 0; i < n; i++) {
        bool good = false;
        for (size_t j = 0; j < sizeof allowed / sizeof allowed[0]; j++)
            good = good || (gnutls_kx_algorithm_t)list[i] == allowed[j];
        if (!good)
            return gnutls_kx_get_name((gnutls_kx_algorithm_t)list[i]);
    }
    return NULL;
}

static int check_priority(gnutls_priority_t priority, const char *text, struct err *err)
{
    const char *name = forbidden_version(priority);
    if (name)
        return err_set(err,
                       "tls-priority \"%s\" allows %s, which is broken; add "
                       "\":-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2\" to it",
                       text, name);
    name = forbidden_cipher(priority);
    if (!name)
        name = forbidden_key_exchange(priority);
    if (name)
        return err_set(err,
                       "tls-priority \"%s\" allows %s, which does not protect the password; "
                       "leave that out, or leave tls-priority out for the default",
                       text, name);
    return 0;
}

static int load_priority(struct tls_context *context, const char *wanted, struct err *err)
{
    const char *text = wanted ? wanted : TLS_PRIORITY;
    const char *bad = text;
    struct buf whole;
    buf_init(&whole, 4096);
    /* Whatever the administrator writes, renegotiation must be the safe one (T-015). */
    buf_printf(&whole, "%s%s", text,
               strstr(text, "%SAFE_RENEGOTIATION") ? "" : ":%SAFE_RENEGOTIATION");
    if (whole.failed)
        return err_set(err, "tls-priority has more than %zu bytes", whole.max);
    char *full = buf_strdup(&whole);
    buf_release(&whole);
    int rc = gnutls_priority_init(&context->priority, full, &bad);
    if (rc < 0)
        err_set(err, "tls-priority \"%s\" is not understood from byte %zu on (\"%.40s\"): %s",
                text, bad ? (size_t)(bad - full) + 1 : 1, bad ? bad : full,
                gnutls_strerror(rc));
    else
        rc = check_priority(context->priority, text, err);
    free(full);
    return rc < 0 ? -1 : 0;
}

struct tls_context *tls_context_new(const struct tls_policy *policy, struct err *err)
{
    struct tls_context *context = mem_new(sizeof *context);
    context->references = 1;
    context->verify = policy->verify;
    int rc = gnutls_certificate_allocate_credentials(&context->credentials);
    BUG_ON(rc < 0);
    if (load_priority(context, policy->priority, err) < 0 ||
        load_trust(context, policy->ca_file, err) < 0 ||
        load_fingerprints(context, policy->fingerprints, err) < 0 ||
        load_client_certificate(context, policy->cert_file, policy->key_file, err) < 0) {
        tls_context_free(context);
        return NULL;
    }
    return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    context->references++;
    return context;
}

void tls_context_free(struct tls_context *context)
{
    if (!context || --context->references > 0)
        return;
    gnutls_certificate_free_credentials(context->credentials);
    if (context->priority)
        gnutls_priority_deinit(context->priority);
    free(context->fingerprints);
    free(context);
}
