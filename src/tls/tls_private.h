/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the TLS engine share; for src/tls alone. */
#ifndef TRANTER_TLS_PRIVATE_H
#define TRANTER_TLS_PRIVATE_H

#include "tls.h"
#include "tls_name.h"

#include <gnutls/gnutls.h>

struct tls_context {
    unsigned references; /* the owner's and one for each session */
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    enum tls_verify verify;
    char *fingerprints;   /* as in struct tls_policy */
    bool has_certificate; /* of the client */
};

enum tls_stage {
    TLS_STAGE_HANDSHAKE,
    TLS_STAGE_OPEN,
    TLS_STAGE_CLOSED, /* the peer said close_notify */
    TLS_STAGE_FAILED
};

enum {
    TLS_FIRST_MAX = 256, /* bytes kept of what the peer said first (G-2) */
    TLS_WHY_MAX = 128
};

struct tls {
    struct tls_context *context;
    gnutls_session_t session;
    gnutls_typed_vdata_st expected[2]; /* host name and purpose; read during the handshake */
    struct tls_name name;
    char *alias; /* NULL */
    enum tls_stage stage;
    struct buf in;         /* from the wire, not yet taken by GnuTLS */
    struct buf out;        /* for the wire */
    bool starved;          /* GnuTLS asked for more than in has */
    bool ended;            /* the transport has ended */
    bool said_bye;         /* our close_notify is out */
    unsigned idle_records; /* consumed since plain bytes last came (T-016) */
    char why[TLS_WHY_MAX]; /* why it ended; "" for a plain end */
    char first[TLS_FIRST_MAX];
    size_t first_bytes;
    char description[96];
    struct fault fault;
};

/* Judge a failed GnuTLS call: fill t->fault from its result, the alert, the first bytes and the
 * certificates. */
void tls_verdict(struct tls *t, int rc);

/* Judge certificates that were refused for the reasons in status, GNUTLS_CERT_ bits. */
void tls_verdict_certificate(struct tls *t, unsigned status);

/* Judge a certificate that names the server in an outdated way alone. */
void tls_verdict_common_name(struct tls *t);

/* Judge a certificate that is none of the context's fingerprints. */
void tls_verdict_fingerprint(struct tls *t);

/* The i-th certificate that the peer showed, for gnutls_x509_crt_deinit(); NULL. And its i-th
 * subjectAltName, *size bytes of it in name: the type, or an error at the end. */
gnutls_x509_crt_t tls_chain_import(const struct tls *t, unsigned i);
int tls_chain_alt_name(gnutls_x509_crt_t crt, unsigned i, char *name, size_t *size);

/* Whether the peer's certificate or its public key is one of the context's fingerprints. */
bool tls_certificate_is_pinned(const struct tls *t);

/* Whether the peer's certificate names the server in its subjectAltName. GnuTLS would also take
 * the common name (T-025), and an address in the clothes of a DNS name (T-007). */
bool tls_certificate_names_server(const struct tls *t);

#endif
