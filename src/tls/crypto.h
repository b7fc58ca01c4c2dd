/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crypto_: the little cryptography that is not TLS; by GnuTLS. */
#ifndef TRANTER_CRYPTO_H
#define TRANTER_CRYPTO_H

#include "attr.h"
#include "str.h"

/* Overwrite a secret so that the compiler cannot leave it out. */
void crypto_wipe(void *secret, size_t n);

/* Random bits for jitter and names (not for keys). */
uint32_t crypto_random32(void);

/* n random bytes that nobody can guess. */
void crypto_random(void *bytes, size_t n);

enum crypto_hash {
    CRYPTO_MD5,
    CRYPTO_SHA1,
    CRYPTO_SHA256
};

enum {
    CRYPTO_DIGEST_MAX = 32 /* bytes of the longest */
};

/* Bytes of a digest. */
size_t crypto_digest_bytes(enum crypto_hash hash);

/* The digest of data. False where this machine's GnuTLS does not allow the hash (FIPS). */
bool crypto_digest(enum crypto_hash hash, struct str data,
                   unsigned char digest[CRYPTO_DIGEST_MAX]) ATTR_MUST_CHECK;

/* HMAC, RFC 2104. False as above. */
bool crypto_hmac(enum crypto_hash hash, struct str key, struct str data,
                 unsigned char digest[CRYPTO_DIGEST_MAX]) ATTR_MUST_CHECK;

/* PBKDF2 with HMAC (RFC 8018), as many bytes as a digest has. False as above. It takes about
 * half a microsecond for each of the iterations. */
bool crypto_pbkdf2(enum crypto_hash hash, struct str password, struct str salt,
                   unsigned iterations, unsigned char key[CRYPTO_DIGEST_MAX]) ATTR_MUST_CHECK;

/* Compare in a time that tells nothing of where they differ. */
bool crypto_is_equal(struct str a, struct str b);

#endif
