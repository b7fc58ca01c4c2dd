/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recipients.h"

#include "address.h"
#include "mem.h"
#include "printable.h"

#include <stdlib.h>

enum {
    BAD_TEXT_MAX = 200, /* bytes of a bad element that are repeated to its author */
    MAILBOX_MAX = 64 * 1024
};

void recipients_init(struct recipients *r)
{
    *r = (struct recipients){.n_bad = 0};
}

void recipients_release(struct recipients *r)
{
    address_set_release(&r->good);
    for (size_t i = 0; i < r->n_kept; i++)
        free(r->bad[i]);
    free(r->bad);
    recipients_init(r);
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
    struct buf address;
    buf_init(&mailbox, MAILBOX_MAX);
    buf_init(&address, MAILBOX_MAX + 1);
    enum address_list_result result;
    while ((result = address_list_next(&walk, &mailbox)) != ADDRESS_LIST_END) {
        if (result == ADDRESS_LIST_BAD) {
            add_bad(r, buf_str(&mailbox));
            continue;
        }
        buf_clear(&address);
        if (walk.exact)
            buf_putc(&address, '\\');
        buf_put_str(&address, buf_str(&mailbox));
        address_set_add(&r->good, buf_str(&address));
    }
    buf_release(&mailbox);
    buf_release(&address);
}

void recipients_add_all(struct recipients *r, const struct recipients *from)
{
    for (size_t i = 0; i < from->good.n; i++)
        address_set_add(&r->good, str_of(from->good.texts[i]));
    for (size_t i = 0; i < from->n_kept; i++)
        add_bad(r, str_of(from->bad[i]));
    r->n_bad += from->n_bad - from->n_kept;
}
