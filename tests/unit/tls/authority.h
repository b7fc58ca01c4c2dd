/* SPDX-License-Identifier: GPL-3.0-or-later */
/* authority_: a certificate authority of the test's own, made on the spot. */
#ifndef TRANTER_AUTHORITY_H
#define TRANTER_AUTHORITY_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    AUTHORITY_NAMES_MAX = 8
};

enum authority_issuer {
    ISSUED_BY_AUTHORITY,
    ISSUED_BY_INTERMEDIATE, /* which is shown, too */
    ISSUED_BY_HIDDEN,       /* an intermediate that is not shown */
    ISSUED_BY_ITSELF,
    ISSUED_BY_STRANGER /* another authority, which is shown, too */
};

/* What a certificate is to say. Days are counted from now. */
struct certificate {
    const char *common_name;
    const char *names[AUTHORITY_NAMES_MAX]; /* dNSName */
    const char *address;                    /* iPAddress; NULL: none */
    const char *mail;                       /* rfc822Name; NULL: none */
    const char *purpose;                    /* OID; NULL: serverAuth */
    const char *issuer_url;                 /* caIssuers; NULL: none */
    int from_days;                          /* 0: yesterday */
    int until_days;                         /* 0: tomorrow */
    enum authority_issuer issuer;
    bool weak;           /* signed with SHA-1 */
    bool wants_stapling; /* must-staple, RFC 7633 */
};

struct identity {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t chain[2];
    unsigned n;
};

struct authority;

struct authority *authority_new(const char *common_name);
void authority_free(struct authority *a);

/* A file with the authority's certificate; valid while it lives. */
const char *authority_file(const struct authority *a);

void authority_issue(struct authority *a, const struct certificate *wanted,
                     struct identity *identity);
void identity_clear(struct identity *identity);

/* PEM in a file that has a path but no name in any folder: write n bytes with mode. The path
 * stays valid until the process ends. */
const char *authority_store(const void *bytes, size_t n, unsigned mode);

/* The same with an identity's certificates and with its key. */
const char *identity_certificate_file(const struct identity *identity);
const char *identity_key_file(const struct identity *identity);

#endif
