/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CRAM-MD5, RFC 2195: the server's challenge under HMAC-MD5 with the password as key. */
#include "sasl_mechanism.h"

static bool step(struct sasl *s, struct str challenge, struct buf *out, struct fault *fault)
{
    unsigned char digest[CRYPTO_DIGEST_MAX];
    if (s->steps > 0)
        return false;
    if (challenge.n == 0) {
        fault_set(fault, FAULT_SERVER, "4.7.0", "AUTH-BADSERVER",
                  "the server breaks the login protocol: an empty challenge for CRAM-MD5");
        return false;
    }
    if (!crypto_hmac(CRYPTO_MD5, s->identity.secret, challenge, digest)) {
        fault_set(fault, FAULT_ACCOUNT, "4.7.4", "AUTH-NOMECH",
                  "this machine's policy does not allow the MD5 that CRAM-MD5 needs");
        fault_fix(fault, "take CRAM-MD5 out of auth");
        return false;
    }
    buf_printf(out, "%s ", s->identity.user);
    for (size_t i = 0; i < crypto_digest_bytes(CRYPTO_MD5); i++)
        buf_printf(out, "%02x", digest[i]);
    return true;
}

const struct sasl_mechanism sasl_cram_md5 = {
    .name = "CRAM-MD5",
    .kind = SASL_SECRET_PASSWORD,
    .hash = CRYPTO_MD5,
    .objection = sasl_object_to_password,
    .step = step,
};
