/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vault_: memory for the one secret that outlives a login, a token. It is left out of cores and
 * of swap (as far as the limit on locked memory goes), and wiped. */
#ifndef TRANTER_VAULT_H
#define TRANTER_VAULT_H

#include "str.h"

struct vault;

/* Empty, with room for max bytes. */
struct vault *vault_new(size_t max);
void vault_free(struct vault *v);

/* Keep a copy of secret in place of what was there; more than max bytes is a bug. */
void vault_put(struct vault *v, struct str secret);

/* What is kept, valid until it is changed. */
struct str vault_str(const struct vault *v);

#endif
