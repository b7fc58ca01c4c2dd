/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto.h"

#include "mem.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

void crypto_wipe(void *secret, size_t n)
{
    if (n)
        gnutls_memset(secret, 0, n);
}

uint32_t crypto_random32(void)
{
    uint32_t bits;
    int rc = gnutls_rnd(GNUTLS_RND_NONCE, &bits, sizeof bits);
    BUG_ON(rc < 0);
    return bits;
}
