/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crypto_: the little cryptography that is not TLS; by GnuTLS. */
#ifndef TRANTER_CRYPTO_H
#define TRANTER_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

/* Overwrite a secret so that the compiler cannot leave it out. */
void crypto_wipe(void *secret, size_t n);

/* Random bits for jitter and names (not for keys). */
uint32_t crypto_random32(void);

#endif
