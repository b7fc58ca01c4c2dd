/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_dot.h"

/* The bytes at the start of s that go out as they are. */
static size_t plain_run(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] != '\r' && s.p[n] != '\n' && s.p[n] != '\0')
        n++;
    return n;
}

static void put_blank(struct smtp_dot *d, struct buf *out)
{
    buf_putc(out, ' ');
    d->inside_line = true;
}

/* The CR that was held back has no LF. */
static void give_up_cr(struct smtp_dot *d, struct buf *out)
{
    if (d->after_cr)
        put_blank(d, out);
    d->after_cr = false;
}

/* One of CR, LF and NUL. */
static void put_special(struct smtp_dot *d, struct buf *out, char c)
{
    if (c == '\n' && d->after_cr) {
        buf_puts(out, "\r\n");
        *d = smtp_dot_start(d->counted);
        return;
    }
    give_up_cr(d, out);
    if (c == '\r')
        d->after_cr = true;
    else
        put_blank(d, out);
}

void smtp_dot_put(struct smtp_dot *d, struct buf *out, struct str content)
{
    while (content.n > 0) {
        size_t n = plain_run(content);
        if (n == 0) {
            put_special(d, out, content.p[0]);
            content = str_tail(content, 1);
            continue;
        }
        give_up_cr(d, out);
        if (!d->inside_line && content.p[0] == '.' && !d->counted)
            buf_putc(out, '.');
        buf_put(out, content.p, n);
        d->inside_line = true;
        content = str_tail(content, n);
    }
}

void smtp_dot_end(struct smtp_dot *d, struct buf *out)
{
    give_up_cr(d, out);
    if (d->inside_line && !d->counted)
        buf_puts(out, "\r\n");
    if (!d->counted)
        buf_puts(out, ".\r\n");
    *d = smtp_dot_start(d->counted);
}
