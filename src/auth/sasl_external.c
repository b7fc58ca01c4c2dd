/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EXTERNAL, RFC 4422 appendix A: who we are the server knows from the TLS client certificate.
 * A user beside a password or token is the name for those, and is not asked for here. */
#include "sasl_mechanism.h"

static const char *objection(const struct sasl_identity *identity)
{
    (void)identity; /* the certificate was asked for before */
    return NULL;
}

static void initial(struct sasl *s, struct buf *out)
{
    if (s->identity.kind == SASL_SECRET_NONE && s->identity.user)
        buf_puts(out, s->identity.user);
}

/* A server may want to ask all the same, before or after the initial response. */
static bool step(struct sasl *s, struct str challenge, struct buf *out, struct fault *fault)
{
    (void)fault;
    if (s->steps > 0 || challenge.n > 0)
        return false;
    initial(s, out);
    return true;
}

const struct sasl_mechanism sasl_external = {
    .name = "EXTERNAL",
    .kind = SASL_SECRET_NONE,
    .objection = objection,
    .initial = initial,
    .step = step,
};
