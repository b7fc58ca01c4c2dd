/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a SASL mechanism is to sasl.c; for src/auth alone. A mechanism is a file with one such
 * row, and a line in sasl.c's table. */
#ifndef TRANTER_SASL_MECHANISM_H
#define TRANTER_SASL_MECHANISM_H

#include "sasl.h"

/* A running exchange. */
struct sasl {
    const struct sasl_mechanism *mechanism;
    struct sasl_identity identity;
    unsigned steps; /* challenges answered so far */
};

struct sasl_mechanism {
    const char *name;
    /* What the identity lacks or has too much of for this mechanism, in words that go on after
     * "PLAIN cannot be used: "; NULL if it will do. */
    const char *(*objection)(const struct sasl_identity *identity);
    /* Append the initial response; NULL where the server speaks first. */
    void (*initial)(const struct sasl *s, struct buf *out);
    /* Answer a challenge; NULL where there is none to answer. s->steps counts from 0. False: it
     * cannot be answered (sasl.c says so). */
    bool (*step)(const struct sasl *s, struct str challenge, struct buf *out);
};

extern const struct sasl_mechanism sasl_plain;
extern const struct sasl_mechanism sasl_login;

/* The objection of every mechanism that needs a user and a password. */
const char *sasl_object_to_password(const struct sasl_identity *identity);

#endif
