/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fold.h"

#include "printable.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Blanks at the front. */
static size_t indent_of(struct str s)
{
    size_t n = 0;
    while (n < s.n && is_blank(s.p[n]))
        n++;
    return n;
}

bool fold_is_blank(struct str s)
{
    return indent_of(s) == s.n;
}

size_t fold_body(struct str line, size_t limit)
{
    for (size_t back = 1; back <= 3 && back < limit; back++) {
        size_t n = printable_utf8(str_tail(line, limit - back));
        if (n > back)
            return limit - back;
    }
    return limit;
}

static bool ends_item(char c)
{
    return c == ',' || c == ';' || c == '>';
}

size_t fold_header(struct str line, size_t limit, bool *hard)
{
    size_t indent = indent_of(line);
    *hard = false;
    for (size_t at = limit; at > indent; at--) {
        if (is_blank(line.p[at]))
            return at;
    }
    *hard = true;
    for (size_t at = limit; at > indent + 1; at--) {
        if (ends_item(line.p[at - 1]))
            return at;
    }
    return fold_body(line, limit);
}
