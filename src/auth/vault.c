/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vault.h"

#include "crypto.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct vault {
    char *pages;
    size_t max, used;
};

struct vault *vault_new(size_t max)
{
    struct vault *v = mem_new(sizeof *v);
    void *pages = mmap(NULL, max, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BUG_ON(pages == MAP_FAILED); /* no memory is the end, as in mem_ */
    madvise(pages, max, MADV_DONTDUMP);
    mlock(pages, max);
    *v = (struct vault){pages, max, 0};
    return v;
}

void vault_free(struct vault *v)
{
    if (!v)
        return;
    crypto_wipe(v->pages, v->used);
    munmap(v->pages, v->max);
    free(v);
}

void vault_put(struct vault *v, struct str secret)
{
    BUG_ON(secret.n > v->max);
    crypto_wipe(v->pages, v->used);
    if (secret.n)
        memcpy(v->pages, secret.p, secret.n);
    v->used = secret.n;
}

struct str vault_str(const struct vault *v)
{
    return (struct str){v->pages, v->used};
}
