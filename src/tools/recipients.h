/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recipients_: whom a message goes to: addresses from operands and header fields, each once, in
 * the order they were met. */
#ifndef TRANTER_RECIPIENTS_H
#define TRANTER_RECIPIENTS_H

#include "address_set.h"
#include "buf.h"

struct recipients {
    struct address_set good; /* "\\" before one that no alias is to be looked up for */
    size_t n_bad;            /* elements in which there is no address */
    char **bad;              /* the first n_kept of them, printable, owned */
    size_t n_kept;
};

enum {
    RECIPIENTS_BAD_MAX = 100 /* kept */
};

void recipients_init(struct recipients *r);
void recipients_release(struct recipients *r);

/* Add the addresses of an RFC 5322 address list. An address that is there already
 * (address_same) is left out; empty elements, empty groups and "<>" are nobody. */
void recipients_add_list(struct recipients *r, struct str list);

/* Add all of from that is not there yet, and count its bad ones. */
void recipients_add_all(struct recipients *r, const struct recipients *from);

#endif
