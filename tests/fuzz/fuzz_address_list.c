/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a list gives is a mailbox that may go on the wire, and means the same when read again.
 */
#include "address.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_good(struct str mailbox)
{
    struct buf again;
    buf_init(&again, 2 * ADDRESS_MAX);
    BUG_ON(!address_is_mailbox(mailbox));
    for (size_t i = 0; i < mailbox.n; i++)
        BUG_ON((unsigned char)mailbox.p[i] < ' ' || mailbox.p[i] == 0x7F);
    struct address_list list = address_list_of(mailbox);
    BUG_ON(address_list_next(&list, &again) != ADDRESS_LIST_GOOD);
    BUG_ON(!str_eq(buf_str(&again), mailbox));
    BUG_ON(address_list_next(&list, &again) != ADDRESS_LIST_END);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct address_list list = address_list_of((struct str){(const char *)data, n});
    enum address_list_result result;
    struct buf mailbox;
    buf_init(&mailbox, 2 * ADDRESS_MAX);
    size_t told = 0;
    while ((result = address_list_next(&list, &mailbox)) != ADDRESS_LIST_END) {
        BUG_ON(++told > n || mailbox.failed || buf_len(&mailbox) == 0);
        if (result == ADDRESS_LIST_GOOD)
            check_good(buf_str(&mailbox));
    }
    BUG_ON(list.rest.n != 0);
    buf_release(&mailbox);
    return 0;
}
