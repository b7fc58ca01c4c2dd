/* SPDX-License-Identifier: GPL-3.0-or-later */
/* However the bytes are cut, the same goes out: a header with all it needs and nothing private,
 * then the body byte for byte. What went out is complete: a second fixup adds its Received
 * field and no more. The first byte is the size of the pieces. */
#include "fixup.h"
#include "mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct fixup_facts facts = {
    .hostname = "h",
    .domain = "m",
    .peer = "p",
    .protocol = "LMTP",
    .id = "0",
    .sender = "s@d",
    .header_limit_bytes = UINT32_MAX,
};

static enum fixup_status fix(struct buf *out, struct str text, size_t piece_bytes)
{
    struct fixup f;
    buf_init(out, SIZE_MAX);
    fixup_init(&f, &facts);
    while (text.n) {
        fixup_feed(&f, out, text.p, str_head(text, piece_bytes).n);
        text = str_tail(text, piece_bytes);
    }
    enum fixup_status status = fixup_end(&f, out);
    fixup_release(&f);
    return status;
}

static bool has_bare_lf(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
            return true;
    }
    return false;
}

/* Skip the header block; the fields met, as bits. */
static unsigned read_block(struct header *h)
{
    static const char *const names[] = {
        "Bcc",        "Resent-Bcc", "Return-Path", "Content-Length",    "Date",
        "Message-ID", "From",       "Resent-Date", "Resent-Message-ID", "Resent-From"};
    struct header_event e;
    unsigned met = 0;
    while (header_next(h, &e) == HEADER_FIELD) {
        for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
            met |= str_eq_nocase(e.name, str_of(names[i])) ? 1U << i : 0;
    }
    return met;
}

static void check_message(struct str out, struct str text)
{
    struct header ours;
    struct header theirs;
    header_init(&ours, UINT32_MAX);
    header_init(&theirs, UINT32_MAX);
    header_feed(&ours, out.p, out.n);
    header_feed(&theirs, text.p, text.n);
    header_eof(&ours);
    header_eof(&theirs);
    unsigned met = read_block(&ours);
    read_block(&theirs);
    BUG_ON(ours.end != HEADER_END);
    BUG_ON((met & 0xF) != 0);
    BUG_ON((met & 0x70) != 0x70 && (met & 0x380) != 0x380);
    struct str body = header_rest(&theirs);
    struct str sent = header_rest(&ours);
    BUG_ON(!str_eq(str_head(sent, body.n), body) || sent.n > body.n + 2);
    BUG_ON(sent.n && sent.p[sent.n - 1] != '\n');
    header_release(&ours);
    header_release(&theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct str text = {(const char *)data + 1, n - 1};
    struct buf whole, bytes, pieces, again;
    enum fixup_status status = fix(&whole, text, SIZE_MAX);
    BUG_ON(fix(&bytes, text, 1) != status);
    BUG_ON(fix(&pieces, text, data[0] ? data[0] : 1) != status);
    BUG_ON(!str_eq(buf_str(&whole), buf_str(&bytes)));
    BUG_ON(!str_eq(buf_str(&whole), buf_str(&pieces)));
    BUG_ON(!has_bare_lf(text) && has_bare_lf(buf_str(&whole)));
    if (status == FIXUP_OK) {
        check_message(buf_str(&whole), text);
        if (fix(&again, buf_str(&whole), SIZE_MAX) == FIXUP_OK)
            BUG_ON(!str_eq(str_tail(buf_str(&again), buf_len(&again) - buf_len(&whole)),
                           buf_str(&whole)));
        buf_release(&again);
    }
    buf_release(&whole);
    buf_release(&bytes);
    buf_release(&pieces);
    return 0;
}
