/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sasl_: SASL client mechanisms (RFC 4422), bytes in, bytes out. */
#ifndef TRANTER_SASL_H
#define TRANTER_SASL_H

#include "buf.h"
#include "fault.h"

/* Copied by sasl_new(); the bytes that it points to are borrowed while the exchange lives. */
struct sasl_identity {
    const char *user;
    struct str password;
};

struct sasl;

/* The strongest mechanism that is both in allowed (blank-separated, in order of preference;
 * NULL: our order, PLAIN LOGIN) and in offered (blank-separated, upper case), that needs no
 * more than identity has. NULL when there is none: *fault says why, naming both lists. */
struct sasl *sasl_new(const char *allowed, const char *offered,
                      const struct sasl_identity *identity,
                      struct fault *fault) ATTR_MUST_CHECK;
void sasl_free(struct sasl *s);

/* "PLAIN" */
const char *sasl_mechanism(const struct sasl *s);

/* The client speaks first: append its initial response to out and return true; false if the
 * server must begin. */
bool sasl_initial(struct sasl *s, struct buf *out);

/* Answer a challenge: append the response to out. False: the exchange cannot go on, *fault says
 * why. */
bool sasl_step(struct sasl *s, struct str challenge, struct buf *out,
               struct fault *fault) ATTR_MUST_CHECK;

#endif
