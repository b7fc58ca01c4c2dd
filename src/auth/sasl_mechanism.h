/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a SASL mechanism is to sasl.c; for src/auth alone. A mechanism is a row, in the file of
 * its family, and a line in sasl.c's table. */
#ifndef TRANTER_SASL_MECHANISM_H
#define TRANTER_SASL_MECHANISM_H

#include "crypto.h"
#include "sasl.h"

enum {
    SASL_NONCE_BYTES = 18, /* random ones */
    SASL_NONCE_MAX = SASL_NONCE_BYTES / 3 * 4 + 1,
    SASL_MESSAGE_MAX = 64 * 1024 /* bytes of any message of an exchange */
};

/* A running exchange. */
struct sasl {
    const struct sasl_mechanism *mechanism;
    struct sasl_identity identity;
    unsigned steps;             /* challenges answered so far */
    char nonce[SASL_NONCE_MAX]; /* ours; tests put that of an RFC here */
    char binding_flag; /* GS2's: 'p' bound, 'y' could be bound but was not asked to, 'n' */
    struct buf first;  /* SCRAM: client-first-message-bare */
    unsigned char signature[CRYPTO_DIGEST_MAX]; /* SCRAM: what the server has to prove */
    bool proven;                                /* SCRAM: it did */
    char refusal[FAULT_TEXT_MAX]; /* what the server said of an error within the exchange; made
                                     printable; may be empty */
};

struct sasl_mechanism {
    const char *name;
    enum sasl_secret kind; /* it needs */
    enum crypto_hash hash; /* of SCRAM */
    bool binds;            /* SCRAM-...-PLUS */
    /* What the identity lacks or has too much of for this mechanism, in words that go on after
     * "login is not possible: "; NULL if it will do. */
    const char *(*objection)(const struct sasl_identity *identity);
    /* Append the initial response; NULL where the server speaks first. */
    void (*initial)(struct sasl *s, struct buf *out);
    /* Answer a challenge; NULL where there is none to answer. s->steps counts from 0. False: it
     * cannot be answered, for the reason in *fault, which is filled in beforehand with the
     * sentence that nothing more can be said. */
    bool (*step)(struct sasl *s, struct str challenge, struct buf *out, struct fault *fault);
    /* The server's yes is to be believed; NULL where it always is. *fault as in
     * sasl_satisfied(). */
    bool (*satisfied)(const struct sasl *s, struct fault *fault);
};

extern const struct sasl_mechanism sasl_external;
extern const struct sasl_mechanism sasl_oauthbearer;
extern const struct sasl_mechanism sasl_xoauth2;
extern const struct sasl_mechanism sasl_scram_sha_256_plus;
extern const struct sasl_mechanism sasl_scram_sha_1_plus;
extern const struct sasl_mechanism sasl_scram_sha_256;
extern const struct sasl_mechanism sasl_scram_sha_1;
extern const struct sasl_mechanism sasl_plain;
extern const struct sasl_mechanism sasl_login;
extern const struct sasl_mechanism sasl_cram_md5;

/* The objection of every mechanism that needs a user and a password. */
const char *sasl_object_to_password(const struct sasl_identity *identity);

/* A name in a GS2 header or SCRAM message: "," and "=" are written otherwise (RFC 5801). */
void sasl_put_name(struct buf *out, struct str name);

#endif
