/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "canon.h"

#include <string.h>

void canon_init(struct canon *c, bool dot_ends)
{
    *c = (struct canon){.dot_ends = dot_ends, .start = true};
}

static void end_line(struct canon *c, struct buf *out)
{
    buf_put(out, "\r\n", 2);
    c->start = true;
}

/* The dot that was held back is the first byte of a longer line. */
static void let_dot_go(struct canon *c, struct buf *out)
{
    if (c->dot)
        buf_put(out, "..", 2);
    c->dot = false;
}

static void on_lone_cr(struct canon *c, struct buf *out)
{
    let_dot_go(c, out);
    c->cr = false;
    if (!c->header) {
        end_line(c, out);
        return;
    }
    buf_putc(out, ' ');
    c->start = false;
}

static void on_lf(struct canon *c, struct buf *out)
{
    c->cr = false;
    c->ended = c->dot;
    if (!c->ended)
        end_line(c, out);
}

/* One byte where something is held back, or where a line starts or ends. */
static void take(struct canon *c, struct buf *out, char byte)
{
    if (byte == '\n') {
        on_lf(c, out);
        return;
    }
    if (c->cr)
        on_lone_cr(c, out);
    if (byte == '\r') {
        c->cr = true;
        return;
    }
    let_dot_go(c, out);
    bool first_dot = c->start && byte == '.';
    c->start = false;
    if (!first_dot)
        buf_putc(out, byte);
    else if (c->dot_ends && !c->header)
        c->dot = true;
    else
        buf_put(out, "..", 2);
}

/* Bytes of s before its first CR or LF. */
static size_t plain_span(struct str s)
{
    s.n = str_find(s, '\n');
    return str_find(s, '\r');
}

/* Whole lines at the start of s, none of which begins with a dot. There is no CR in s. */
static size_t put_plain_lines(struct buf *out, struct str s)
{
    size_t at = 0;
    while (at < s.n && s.p[at] != '.') {
        size_t line = str_find(str_tail(s, at), '\n');
        char *end = at + line < s.n ? buf_reserve(out, line + 2) : NULL;
        if (!end)
            break;
        memcpy(end, s.p + at, line);
        memcpy(end + line, "\r\n", 2);
        buf_added(out, line + 2);
        at += line + 1;
    }
    return at;
}

size_t canon_feed(struct canon *c, struct buf *out, const char *bytes, size_t n)
{
    size_t at = 0, cr = 0;
    while (at < n && !c->ended) {
        if (cr < at)
            cr = at + str_find((struct str){bytes + at, n - at}, '\r');
        if (c->start && !c->cr && !c->dot)
            at += put_plain_lines(out, (struct str){bytes + at, cr - at});
        if (at == n)
            break;
        if (c->cr || c->dot || c->start || bytes[at] == '\r' || bytes[at] == '\n') {
            take(c, out, bytes[at++]);
            continue;
        }
        size_t run = plain_span((struct str){bytes + at, n - at});
        buf_put(out, bytes + at, run);
        at += run;
    }
    return at;
}

void canon_end(struct canon *c, struct buf *out)
{
    if (c->dot) {
        c->ended = true;
        return;
    }
    if (c->cr || !c->start)
        on_lf(c, out);
}
