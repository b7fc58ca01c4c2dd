/* SPDX-License-Identifier: GPL-3.0-or-later */
/* address_set_: addresses of which each is there once, in the order they came. Pure. */
#ifndef TRANTER_ADDRESS_SET_H
#define TRANTER_ADDRESS_SET_H

#include "str.h"

/* All zero: nobody. */
struct address_set {
    char **texts; /* n mailboxes (address.h), NUL-terminated, owned */
    size_t n;
    size_t room;
    size_t *slots; /* hash table of n_slots: 0, or an index into texts plus one */
    size_t n_slots;
};

/* Where in texts is address (address_same), or SIZE_MAX. */
size_t address_set_find(const struct address_set *set, struct str address);

/* Put a copy of address behind the others. False, and nothing is done: it is there. */
bool address_set_add(struct address_set *set, struct str address);

/* Give the memory back; nobody is left. */
void address_set_release(struct address_set *set);

#endif
