/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tls_chain_: the certificates that a server showed, as people know them (T-027). Everything is
 * made printable. */
#ifndef TRANTER_TLS_CHAIN_H
#define TRANTER_TLS_CHAIN_H

#include "tls.h"

enum {
    TLS_CHAIN_MAX = 16, /* certificates; GnuTLS refuses longer ones */
    TLS_CHAIN_NAMES_MAX = 200,
    TLS_CHAIN_DN_MAX = 160,
    TLS_CHAIN_SHA256_DIGITS = 64
};

struct tls_certificate {
    char names[TLS_CHAIN_NAMES_MAX]; /* "a.example, b.example, 192.0.2.1 and others", its common
                                        name where it has no other, "nobody" */
    char subject[TLS_CHAIN_DN_MAX];
    char issuer[TLS_CHAIN_DN_MAX];
    int64_t valid_from, valid_until;               /* seconds since 1970 */
    char fingerprint[TLS_CHAIN_SHA256_DIGITS + 1]; /* SHA-256 in lower-case hex, of the whole
                                                      and of its public key; "" unknown */
    char key_fingerprint[TLS_CHAIN_SHA256_DIGITS + 1];
    bool self_issued;
    bool knows_issuer_address; /* it says where its issuer's certificate is to be had */
};

/* How many certificates were shown, also where they were refused; the server's own is the 0th.
 */
unsigned tls_chain_length(const struct tls *t);

/* The i-th, i < tls_chain_length(). False if it cannot be read. */
bool tls_chain_get(const struct tls *t, unsigned i, struct tls_certificate *c);

#endif
