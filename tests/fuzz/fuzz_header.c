/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same fields come out however the bytes are cut, and none of them is more than one field
 * to any other reader. The first byte is the size of the pieces, the second sets the limit. */
#include "header.h"
#include "mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_field(const struct header_event *e)
{
    BUG_ON(e->name.n == 0);
    for (size_t i = 0; i < e->name.n; i++)
        BUG_ON(e->name.p[i] <= ' ' || e->name.p[i] > '~' || e->name.p[i] == ':');
    for (size_t i = 0; i < e->value.n; i++) {
        bool folded =
            i + 1 < e->value.n && (e->value.p[i + 1] == ' ' || e->value.p[i + 1] == '\t');
        BUG_ON(e->value.p[i] == '\n' && !folded);
    }
    BUG_ON(e->value.p + e->value.n != e->field.p + e->field.n || e->name.p != e->field.p);
}

/* All that happened, as bytes to compare. */
static struct buf split(struct str text, uint32_t limit_bytes, size_t piece_bytes)
{
    struct header h;
    struct header_event e;
    struct buf out;
    enum header_event_type type = HEADER_MORE;
    header_init(&h, limit_bytes);
    buf_init(&out, SIZE_MAX);
    while (type == HEADER_MORE) {
        if (text.n)
            header_feed(&h, text.p, str_head(text, piece_bytes).n);
        else
            header_eof(&h);
        text = str_tail(text, piece_bytes);
        while ((type = header_next(&h, &e)) == HEADER_FIELD) {
            check_field(&e);
            buf_put_str(&out, e.field);
            buf_puts(&out, "\r\n|");
            BUG_ON(h.total_bytes > limit_bytes);
        }
    }
    buf_printf(&out, "%d:", type);
    if (type != HEADER_LARGE) {
        buf_put_str(&out, header_rest(&h));
        buf_put_str(&out, text);
    }
    header_release(&h);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    struct str text = {(const char *)data + 2, n - 2};
    uint32_t limit_bytes = data[1] < 128 ? 4U * data[1] : UINT32_MAX;
    struct buf whole = split(text, limit_bytes, SIZE_MAX);
    struct buf bytes = split(text, limit_bytes, 1);
    struct buf pieces = split(text, limit_bytes, data[0] ? data[0] : 1);
    BUG_ON(!str_eq(buf_str(&whole), buf_str(&bytes)));
    BUG_ON(!str_eq(buf_str(&whole), buf_str(&pieces)));
    buf_release(&whole);
    buf_release(&bytes);
    buf_release(&pieces);
    return 0;
}
