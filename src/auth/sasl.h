/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sasl_: SASL client mechanisms (RFC 4422), bytes in, bytes out.
 *
 *     s = sasl_new(allowed, offered, &identity, &fault);
 *     sasl_initial() at AUTH; sasl_step() for each challenge;
 *     sasl_satisfied() when the server says yes, sasl_refused() when it says no.
 *
 * The server's yes counts only where sasl_satisfied() agrees: SCRAM has the server prove that
 * it knows the password. */
#ifndef TRANTER_SASL_H
#define TRANTER_SASL_H

#include "buf.h"
#include "fault.h"

/* What there is to log in with. */
enum sasl_secret {
    SASL_SECRET_NONE,     /* a certificate at most */
    SASL_SECRET_PASSWORD, /* password mechanisms alone */
    SASL_SECRET_TOKEN     /* OAuth 2.0 access token: OAUTHBEARER and XOAUTH2 alone */
};

/* Copied by sasl_new(); the bytes that it points to are borrowed while the exchange lives. */
struct sasl_identity {
    const char *user; /* NULL or "": none */
    enum sasl_secret kind;
    struct str secret;
    bool has_certificate;     /* TLS showed ours to the server: EXTERNAL can be used */
    const char *binding_name; /* tls_binding()'s, NULL where the session has none */
    struct str binding;
    const char *host; /* for OAUTHBEARER, which names both; NULL and 0 leave them out */
    uint16_t port;
};

struct sasl;

/* The strongest mechanism that is both in allowed (blank-separated, in order of preference;
 * NULL: sasl_default_order()) and in offered (blank-separated), and that identity is good for.
 * NULL when there is none: *fault says why, naming both lists. */
struct sasl *sasl_new(const char *allowed, const char *offered,
                      const struct sasl_identity *identity,
                      struct fault *fault) ATTR_MUST_CHECK;
void sasl_free(struct sasl *s); /* wiped */

/* Our order of preference: all there are but CRAM-MD5, which must be asked for by name. */
const char *sasl_default_order(void);

/* "PLAIN" */
const char *sasl_mechanism(const struct sasl *s);

/* The client speaks first: append its initial response to out and return true; false if the
 * server must begin. */
bool sasl_initial(struct sasl *s, struct buf *out);

/* Answer a challenge: append the response to out. False: the exchange cannot go on, *fault says
 * why. */
bool sasl_step(struct sasl *s, struct str challenge, struct buf *out,
               struct fault *fault) ATTR_MUST_CHECK;

/* The server accepts the login. False: it must not be believed, *fault says why. */
bool sasl_satisfied(const struct sasl *s, struct fault *fault) ATTR_MUST_CHECK;

/* The server refuses the login, for which *fault was found: put what the exchange has taught
 * into it. True: it was a token that was refused. */
bool sasl_refused(const struct sasl *s, struct fault *fault);

#endif
