/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "address_set.h"

#include "address.h"
#include "mem.h"

#include <stdlib.h>

enum {
    FIRST_ROOM = 16 /* a power of two */
};

/* FNV-1a without regard to case: what address_same() calls the same has the same hash. */
static size_t hash(struct str s)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < s.n; i++)
        sum = (sum ^ (unsigned char)str_lower(s.p[i])) * 1099511628211u;
    return (size_t)sum;
}

/* The slot of address, or the empty one where it would go. */
static size_t *slot_of(const struct address_set *set, struct str address)
{
    size_t at = hash(address) & (set->n_slots - 1);
    while (set->slots[at] && !address_same(str_of(set->texts[set->slots[at] - 1]), address))
        at = (at + 1) & (set->n_slots - 1);
    return &set->slots[at];
}

static void grow(struct address_set *set)
{
    set->room = set->room ? set->room * 2 : FIRST_ROOM;
    set->texts = mem_resize(set->texts, set->room, sizeof *set->texts);
    free(set->slots);
    set->n_slots = set->room * 2;
    set->slots = mem_array(set->n_slots, sizeof *set->slots);
    for (size_t i = 0; i < set->n; i++)
        *slot_of(set, str_of(set->texts[i])) = i + 1;
}

size_t address_set_find(const struct address_set *set, struct str address)
{
    return set->n ? *slot_of(set, address) - 1 : SIZE_MAX;
}

bool address_set_add(struct address_set *set, struct str address)
{
    if (set->n == set->room)
        grow(set);
    size_t *slot = slot_of(set, address);
    if (*slot)
        return false;
    set->texts[set->n++] = mem_strndup(address.p, address.n);
    *slot = set->n;
    return true;
}

void address_set_release(struct address_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free(set->texts[i]);
    free(set->texts);
    free(set->slots);
    *set = (struct address_set){.n = 0};
}
