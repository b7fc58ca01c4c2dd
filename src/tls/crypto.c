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

void crypto_random(void *bytes, size_t n)
{
    int rc = gnutls_rnd(GNUTLS_RND_RANDOM, bytes, n);
    BUG_ON(rc < 0);
}

uint32_t crypto_random32(void)
{
    uint32_t bits;
    int rc = gnutls_rnd(GNUTLS_RND_NONCE, &bits, sizeof bits);
    BUG_ON(rc < 0);
    return bits;
}

static gnutls_mac_algorithm_t mac_of(enum crypto_hash hash)
{
    switch (hash) {
    case CRYPTO_MD5:
        return GNUTLS_MAC_MD5;
    case CRYPTO_SHA1:
        return GNUTLS_MAC_SHA1;
    case CRYPTO_SHA256:
        break;
    }
    return GNUTLS_MAC_SHA256;
}

/* GnuTLS numbers a hash alike in both roles. */
static gnutls_digest_algorithm_t digest_of(enum crypto_hash hash)
{
    return (gnutls_digest_algorithm_t)mac_of(hash);
}

size_t crypto_digest_bytes(enum crypto_hash hash)
{
    return gnutls_hash_get_len(digest_of(hash));
}

bool crypto_digest(enum crypto_hash hash, struct str data,
                   unsigned char digest[CRYPTO_DIGEST_MAX])
{
    return gnutls_hash_fast(digest_of(hash), data.p, data.n, digest) >= 0;
}

bool crypto_hmac(enum crypto_hash hash, struct str key, struct str data,
                 unsigned char digest[CRYPTO_DIGEST_MAX])
{
    return gnutls_hmac_fast(mac_of(hash), key.p, key.n, data.p, data.n, digest) >= 0;
}

static gnutls_datum_t datum_of(struct str s)
{
    /* GnuTLS does not write there. */
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

bool crypto_pbkdf2(enum crypto_hash hash, struct str password, struct str salt,
                   unsigned iterations, unsigned char key[CRYPTO_DIGEST_MAX])
{
    gnutls_datum_t secret = datum_of(password), salted = datum_of(salt);
    return gnutls_pbkdf2(mac_of(hash), &secret, &salted, iterations, key,
                         crypto_digest_bytes(hash)) >= 0;
}

bool crypto_is_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || gnutls_memcmp(a.p, b.p, a.n) == 0);
}
