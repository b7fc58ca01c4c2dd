/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A completed list is the list with "@domain" put in, no more; it has the same addresses,
 * completed; and there is nothing left to complete. */
#include "address.h"
#include "mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct buf qualified(struct str text, struct str domain)
{
    struct buf out;
    buf_init(&out, SIZE_MAX);
    address_qualify_list(&out, text, domain);
    return out;
}

static void check_only_put_in(struct str text)
{
    static const char mark[] = "@\x01\x02\x01\x03";
    if (text.n == 0 || memmem(text.p, text.n, mark, strlen(mark)))
        return;
    struct buf out = qualified(text, str_of(mark + 1));
    struct str rest = buf_str(&out);
    while (rest.n) {
        if (str_eq(str_head(rest, strlen(mark)), str_of(mark))) {
            rest = str_tail(rest, strlen(mark));
            continue;
        }
        BUG_ON(text.n == 0 || rest.p[0] != text.p[0]);
        rest = str_tail(rest, 1);
        text = str_tail(text, 1);
    }
    BUG_ON(text.n != 0);
    buf_release(&out);
}

static void check_same_addresses(struct str before, struct str after)
{
    struct address_list lists[2] = {address_list_of(before), address_list_of(after)};
    struct buf mailboxes[2];
    enum address_list_result result;
    buf_init(&mailboxes[0], 4 * ADDRESS_MAX);
    buf_init(&mailboxes[1], 4 * ADDRESS_MAX);
    do {
        result = address_list_next(&lists[0], &mailboxes[0]);
        BUG_ON(address_list_next(&lists[1], &mailboxes[1]) != result);
        struct str old = buf_str(&mailboxes[0]);
        struct str new = buf_str(&mailboxes[1]);
        bool as_it_was = address_domain(old).n || str_starts_nocase(old, STR_LIT("\":"));
        if (result == ADDRESS_LIST_GOOD)
            BUG_ON(!str_eq(address_local(old), address_local(new)) ||
                   (!as_it_was && !str_eq(address_domain(new), STR_LIT("m"))));
    } while (result != ADDRESS_LIST_END);
    buf_release(&mailboxes[0]);
    buf_release(&mailboxes[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {(const char *)data, n};
    struct buf once = qualified(text, STR_LIT("m"));
    struct buf twice = qualified(buf_str(&once), STR_LIT("m"));
    BUG_ON(!str_eq(buf_str(&once), buf_str(&twice)));
    check_only_put_in(text);
    check_same_addresses(text, buf_str(&once));
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
