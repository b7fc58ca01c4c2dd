/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recipients.h"

#include "address.h"
#include "mem.h"
#include "printable.h"

#include <stdlib.h>

enum {
    FIRST_ROOM = 16,    /* a power of two */
    BAD_TEXT_MAX = 200, /* bytes of a bad element that are repeated to its author */
    MAILBOX_MAX = 64 * 1024
};

void recipients_init(struct recipients *r)
{
    *r = (struct recipients){.n = 0};
}

void recipients_release(struct recipients *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->addresses[i]);
    free(r->addresses);
    free(r->slots);
    for (size_t i = 0; i < r->n_kept; i++)
        free(r->bad[i]);
    free(r->bad);
    recipients_init(r);
}

/* FNV-1a without regard to case: what address_same() calls the same has the same hash. */
static size_t hash(struct str s)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < s.n; i++)
        sum = (sum ^ (unsigned char)str_lower(s.p[i])) * 1099511628211u;
    return (size_t)sum;
}

/* The slot of address, or the empty one where it would go. */
static size_t *slot_of(const struct recipients *r, struct str address)
{
    size_t at = hash(address) & (r->n_slots - 1);
    while (r->slots[at] && !address_same(str_of(r->addresses[r->slots[at] - 1]), address))
        at = (at + 1) & (r->n_slots - 1);
    return &r->slots[at];
}

static void grow(struct recipients *r)
{
    r->room = r->room ? r->room * 2 : FIRST_ROOM;
    r->addresses = mem_resize(r->addresses, r->room, sizeof *r->addresses);
    free(r->slots);
    r->n_slots = r->room * 2;
    r->slots = mem_array(r->n_slots, sizeof *r->slots);
    for (size_t i = 0; i < r->n; i++)
        *slot_of(r, str_of(r->addresses[i])) = i + 1;
}

static void add(struct recipients *r, struct str address)
{
    if (r->n == r->room)
        grow(r);
    size_t *slot = slot_of(r, address);
    if (*slot)
        return;
    r->addresses[r->n++] = mem_strndup(address.p, address.n);
    *slot = r->n;
}

static void add_bad(struct recipients *r, struct str element)
{
    char text[BAD_TEXT_MAX];
    r->n_bad++;
    if (r->n_kept == RECIPIENTS_BAD_MAX)
        return;
    if (!r->bad)
        r->bad = mem_array(RECIPIENTS_BAD_MAX, sizeof *r->bad);
    printable_cut(text, sizeof text, element);
    r->bad[r->n_kept++] = mem_strdup(text);
}

void recipients_add_list(struct recipients *r, struct str list)
{
    struct address_list walk = address_list_of(list);
    struct buf mailbox;
    buf_init(&mailbox, MAILBOX_MAX);
    enum address_list_result result;
    while ((result = address_list_next(&walk, &mailbox)) != ADDRESS_LIST_END) {
        if (result == ADDRESS_LIST_GOOD)
            add(r, buf_str(&mailbox));
        else
            add_bad(r, buf_str(&mailbox));
    }
    buf_release(&mailbox);
}

void recipients_add_all(struct recipients *r, const struct recipients *from)
{
    for (size_t i = 0; i < from->n; i++)
        add(r, str_of(from->addresses[i]));
    for (size_t i = 0; i < from->n_kept; i++)
        add_bad(r, str_of(from->bad[i]));
    r->n_bad += from->n_bad - from->n_kept;
}
