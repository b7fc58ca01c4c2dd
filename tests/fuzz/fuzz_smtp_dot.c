/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any content, cut as the first octet says: a strict receiver reads clean data of that length
 * that ends where we end it; counted, it keeps its length. */
#include "mem.h"
#include "smtp_data.h"
#include "smtp_dot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* As behind BDAT: with an end of its own the same receiver reads the same octets. */
static void check_counted(struct str content, size_t each)
{
    struct smtp_dot dot = smtp_dot_start(true);
    struct buf wire;
    buf_init(&wire, content.n + 1);
    for (struct str rest = content; rest.n > 0; rest = str_tail(rest, each))
        smtp_dot_put(&dot, &wire, str_head(rest, each));
    smtp_dot_end(&dot, &wire);
    BUG_ON(wire.failed || buf_len(&wire) != content.n);
    struct str out = buf_str(&wire);
    for (size_t i = 0; i < out.n; i++) {
        BUG_ON(out.p[i] == '\0');
        BUG_ON(out.p[i] == '\n' && (i == 0 || out.p[i - 1] != '\r'));
        BUG_ON(out.p[i] == '\r' && (i + 1 == out.n || out.p[i + 1] != '\n'));
    }
    buf_release(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > 1 << 16)
        return 0;
    struct smtp_dot dot = smtp_dot_start(false);
    struct str content = {(const char *)data + 1, n - 1};
    struct buf wire;
    size_t each = 1 + data[0], decoded = 0;
    check_counted(content, each);
    buf_init(&wire, 2 * n + 16);
    for (struct str rest = content; rest.n > 0; rest = str_tail(rest, each))
        smtp_dot_put(&dot, &wire, str_head(rest, each));
    smtp_dot_end(&dot, &wire);
    BUG_ON(wire.failed);
    struct smtp_data decoder;
    smtp_data_init(&decoder);
    size_t used = smtp_data_decode(&decoder, wire.memory, buf_len(&wire), &decoded);
    BUG_ON(!decoder.ended || used != buf_len(&wire) || decoder.flaw != SMTP_DATA_CLEAN);
    BUG_ON(decoded != content.n && decoded != content.n + 2);
    buf_release(&wire);
    return 0;
}
