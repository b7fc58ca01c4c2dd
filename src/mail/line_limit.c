/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "line_limit.h"

#include <string.h>

/* Count n bytes of a line, the last of which may be the CR of its end. */
static void count(struct line_limit *l, struct str bytes)
{
    if (bytes.n == 0)
        return;
    l->line_bytes += l->after_cr;
    l->after_cr = bytes.p[bytes.n - 1] == '\r';
    l->line_bytes += bytes.n - l->after_cr;
    l->exceeded = l->exceeded || l->line_bytes > LINE_LIMIT;
}

/* Bytes at the start of a line that are whole lines, none of them over the limit. Lines that
 * end together within the length of one need not be looked at one by one. */
static size_t short_lines(struct str bytes)
{
    size_t n = 0;
    for (;;) {
        struct str window = str_head(str_tail(bytes, n), LINE_LIMIT + 2);
        const char *lf = window.n ? memrchr(window.p, '\n', window.n) : NULL;
        if (!lf || lf == window.p || lf[-1] != '\r')
            return n;
        n = (size_t)(lf + 1 - bytes.p);
    }
}

void line_limit_watch(struct line_limit *l, struct str bytes)
{
    while (bytes.n > 0 && !l->exceeded) {
        if (l->line_bytes == 0 && !l->after_cr)
            bytes = str_tail(bytes, short_lines(bytes));
        size_t at = str_find(bytes, '\n');
        count(l, str_head(bytes, at));
        if (at == bytes.n)
            return;
        if (l->after_cr)
            *l = (struct line_limit){.exceeded = l->exceeded};
        else
            count(l, STR_LIT("\n"));
        bytes = str_tail(bytes, at + 1);
    }
}

bool line_limit_exceeded(struct str text)
{
    struct line_limit l = {.line_bytes = 0};
    line_limit_watch(&l, text);
    return l.exceeded;
}
