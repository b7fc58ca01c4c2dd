/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LOGIN, draft-murchison-sasl-login: the server asks twice. Its prompts differ and are
 * translated, so what they say is not looked at (S-048). */
#include "sasl_mechanism.h"

static bool step(struct sasl *s, struct str challenge, struct buf *out, struct fault *fault)
{
    (void)challenge;
    (void)fault;
    if (s->steps == 0)
        buf_puts(out, s->identity.user);
    else if (s->steps == 1)
        buf_put_str(out, s->identity.secret);
    return s->steps < 2;
}

const struct sasl_mechanism sasl_login = {
    .name = "LOGIN",
    .kind = SASL_SECRET_PASSWORD,
    .objection = sasl_object_to_password,
    .step = step,
};
