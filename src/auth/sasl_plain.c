/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PLAIN, RFC 4616: one message, [authzid] NUL user NUL password. The authzid stays empty
 * (A-009).
 */
#include "sasl_mechanism.h"

static void initial(struct sasl *s, struct buf *out)
{
    buf_putc(out, '\0');
    buf_puts(out, s->identity.user);
    buf_putc(out, '\0');
    buf_put_str(out, s->identity.secret);
}

const struct sasl_mechanism sasl_plain = {
    .name = "PLAIN",
    .kind = SASL_SECRET_PASSWORD,
    .objection = sasl_object_to_password,
    .initial = initial,
};
