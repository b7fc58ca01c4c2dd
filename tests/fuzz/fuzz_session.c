/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of sendmail -bs. The first byte says how the rest is cut. In a session of CRLF
 * lines no dot ends a message that was not one between two CRLF. */
#include "mem.h"
#include "session.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum {
    OUT_MAX = 64 * 1024 * 1024
};

static void filter(struct buf *out, struct str text, size_t step, enum session_line_end *end)
{
    struct session_filter f;
    session_filter_init(&f);
    buf_init(out, OUT_MAX);
    while (text.n) {
        session_filter_feed(&f, out, text.p, str_head(text, step).n);
        text = str_tail(text, step);
    }
    *end = f.line_end;
}

/* Lines that are a dot alone, NULs not counted. */
static size_t count_dots(struct str text)
{
    static const char end[] = "\r\n.\r\n";
    size_t count = 0;
    size_t matched = 2;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\0')
            continue;
        matched = c == end[matched] ? matched + 1 : c == '\r';
        if (matched == 5) {
            count++;
            matched = 2;
        }
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct buf whole;
    struct buf cut;
    enum session_line_end line_end;
    size_t step = n ? bytes[0] + 1u : 1;
    struct str text = {n ? (const char *)bytes + 1 : "", n ? n - 1 : 0};
    filter(&whole, text, text.n, &line_end);
    filter(&cut, text, step, &line_end);
    BUG_ON(!str_eq(buf_str(&whole), buf_str(&cut)));
    struct str wire = buf_str(&whole);
    for (size_t i = 0; i < wire.n; i++) {
        BUG_ON(wire.p[i] == '\0');
        BUG_ON(wire.p[i] == '\r' && (i + 1 == wire.n || wire.p[i + 1] != '\n'));
        BUG_ON(wire.p[i] == '\n' && (i == 0 || wire.p[i - 1] != '\r'));
    }
    BUG_ON(line_end == SESSION_CRLF && count_dots(wire) > count_dots(text));
    buf_release(&cut);
    buf_release(&whole);
    return 0;
}
