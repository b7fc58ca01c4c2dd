/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report_part.h"

#include "fold.h"
#include "line_limit.h"

/* A line without its end; NUL and CR inside of it do not come back. */
static void put_line(struct buf *out, struct str line)
{
    struct buf clean;
    buf_init(&clean, line.n);
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] != '\0')
            buf_putc(&clean, line.p[i] == '\r' ? ' ' : line.p[i]);
    }
    struct str rest = buf_str(&clean);
    size_t max = LINE_LIMIT;
    while (rest.n > max) {
        bool hard;
        size_t n = fold_header(rest, max, &hard);
        buf_put_str(out, str_head(rest, n));
        buf_puts(out, hard ? "\r\n " : "\r\n");
        rest = str_tail(rest, n);
        max = LINE_LIMIT - hard;
    }
    if (rest.n || line.n == 0) {
        buf_put_str(out, rest);
        buf_puts(out, "\r\n");
    }
    buf_release(&clean);
}

static void put_lines(struct buf *out, struct str rest)
{
    while (rest.n) {
        size_t n = str_find(rest, '\n');
        struct str line = str_head(rest, n);
        rest = str_tail(rest, n + 1);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        put_line(out, line);
    }
}

struct str report_header_of(struct str head)
{
    size_t start = 0;
    while (start < head.n) {
        struct str rest = str_tail(head, start);
        if (rest.p[0] == '\n' || (rest.p[0] == '\r' && rest.n > 1 && rest.p[1] == '\n'))
            return str_head(head, start);
        start += str_find(rest, '\n') + 1;
    }
    return head;
}

/* As many whole lines of the original header as REPORT_HEADER_MAX allows. */
static void put_header(struct buf *out, struct str header)
{
    struct str rest = str_head(header, REPORT_HEADER_MAX);
    if (rest.n < header.n) {
        while (rest.n && rest.p[rest.n - 1] != '\n')
            rest.n--;
    }
    put_lines(out, rest);
}

void report_part_original(struct buf *out, const struct report_facts *facts)
{
    if (facts->whole)
        put_lines(out, str_head(facts->original, REPORT_WHOLE_MAX));
    else
        put_header(out, report_header_of(facts->original));
}
