/* SPDX-License-Identifier: GPL-3.0-or-later */
/* However the bytes are cut, the same goes out, without a line over the limit; a message that
 * has none, and is not to become 7 bit, passes as it is; what went out passes again as it is.
 * The first byte says whether it is for 7 bit, and the size of the pieces. */
#include "fit.h"
#include "line_limit.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void run(struct fit *f, struct buf *out, struct str text, size_t piece_bytes)
{
    while (text.n) {
        struct str piece = str_head(text, piece_bytes);
        size_t before = buf_len(out);
        fit_feed(f, out, piece);
        BUG_ON(buf_len(out) - before > FIT_GROWTH_MAX * (piece.n + 1024));
        text = str_tail(text, piece_bytes);
    }
    fit_end(f, out);
}

static struct buf fitted(struct str text, bool to_7bit, size_t learn_bytes, size_t write_bytes)
{
    struct buf out;
    struct fit *f = fit_new(to_7bit);
    buf_init(&out, SIZE_MAX);
    run(f, &out, text, learn_bytes);
    BUG_ON(buf_len(&out) > 0);
    run(f, &out, text, write_bytes);
    fit_free(f);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct str text = {(const char *)data + 1, n - 1};
    bool to_7bit = data[0] & 1;
    size_t piece = data[0] / 2 + 1;
    struct buf whole = fitted(text, to_7bit, SIZE_MAX, SIZE_MAX);
    struct buf bytes = fitted(text, to_7bit, 1, piece);
    struct buf pieces = fitted(text, to_7bit, piece, 1);
    BUG_ON(!str_eq(buf_str(&whole), buf_str(&bytes)));
    BUG_ON(!str_eq(buf_str(&whole), buf_str(&pieces)));
    BUG_ON(line_limit_exceeded(buf_str(&whole)));
    BUG_ON(!to_7bit && !line_limit_exceeded(text) && !str_eq(buf_str(&whole), text));
    BUG_ON(str_is_ascii(text) && !str_is_ascii(buf_str(&whole)));
    struct buf again = fitted(buf_str(&whole), false, SIZE_MAX, piece);
    BUG_ON(!str_eq(buf_str(&again), buf_str(&whole)));
    buf_release(&whole);
    buf_release(&bytes);
    buf_release(&pieces);
    buf_release(&again);
    return 0;
}
