/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An alias file in pieces is read as the whole; every name of it leads somewhere, and to
 * addresses alone. Text behind a form feed is what its first include has. */
#include "address.h"
#include "alias.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

static const struct alias_home home = {"web1.example.com", "example.com", NULL};

static void read_all(struct alias_reader *r, struct str text, size_t step)
{
    for (size_t at = 0; at < text.n; at += step)
        BUG_ON(!alias_reader_feed(r, text.p + at, step < text.n - at ? step : text.n - at));
    alias_reader_end(r);
}

static struct alias_table *read_files(struct str text, size_t step)
{
    struct alias_table *t = alias_table_new();
    struct alias_reader r;
    size_t n = str_find(text, '\f');
    alias_reader_init(&r, t, "F");
    read_all(&r, str_head(text, n), step);
    size_t include = alias_table_next_include(t, SIZE_MAX);
    if (include != SIZE_MAX) {
        alias_reader_init_include(&r, t, include);
        read_all(&r, str_tail(text, n + 1), step);
    }
    alias_table_settle(t, &home);
    return t;
}

static void check_same(const struct alias_table *a, const struct alias_table *b)
{
    BUG_ON(a->names.n != b->names.n || a->n_targets != b->n_targets);
    BUG_ON(a->n_problems != b->n_problems || a->n_grave != b->n_grave);
    for (size_t i = 0; i < a->names.n; i++)
        BUG_ON(strcmp(a->entries[i].name, b->entries[i].name) != 0 ||
               a->entries[i].line != b->entries[i].line || a->entries[i].n != b->entries[i].n);
    for (size_t i = 0; i < a->n_targets; i++)
        BUG_ON(strcmp(a->targets[i].text, b->targets[i].text) != 0);
}

static void on_address(void *arg, unsigned depth, struct str address, enum alias_end end)
{
    size_t *n = arg;
    ++*n;
    BUG_ON(depth > ALIAS_DEPTH_MAX + 1);
    if (end != ALIAS_END_NOBODY)
        BUG_ON(!address_is_mailbox(address) || address_domain(address).n == 0);
}

static void expand(const struct alias_table *t, const char *name)
{
    size_t n = 0;
    const struct alias_visitor visitor = {NULL, on_address, &n};
    if (!address_is_mailbox(str_of(name)) || address_domain(str_of(name)).n)
        return;
    alias_expand(t, &home, str_of(name), false, &visitor);
    BUG_ON(n == 0 || n > ALIAS_ADDRESSES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {(const char *)data, n};
    struct alias_table *whole = read_files(text, n ? n : 1), *cut = read_files(text, 1);
    check_same(whole, cut);
    for (size_t i = 0; i < whole->names.n && i < 100; i++)
        expand(whole, whole->names.texts[i]);
    alias_table_free(whole);
    alias_table_free(cut);
    return 0;
}
