/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "xtext.h"

/* 0 to 15, or 16 for what is no upper-case hexadecimal digit. */
static unsigned digit_value(char c)
{
    if (str_is_digit(c))
        return (unsigned)(c - '0');
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* Length of the coded octet at the start of text: 1, or 3; 0 where it is not xtext. */
static size_t coded_length(struct str text)
{
    char c = text.p[0];
    if (c == '+')
        return text.n >= 3 && digit_value(text.p[1]) < 16 && digit_value(text.p[2]) < 16 ? 3
                                                                                         : 0;
    return c > ' ' && c <= '~' && c != '=' ? 1 : 0;
}

bool xtext_is_valid(struct str text)
{
    size_t n = 1;
    while (text.n > 0 && n > 0) {
        n = coded_length(text);
        text = str_tail(text, n);
    }
    return n > 0;
}

void xtext_decode(struct buf *out, struct str text)
{
    while (text.n > 0) {
        bool coded = text.p[0] == '+';
        buf_putc(out, coded ? (char)(digit_value(text.p[1]) << 4 | digit_value(text.p[2]))
                            : text.p[0]);
        text = str_tail(text, coded ? 3 : 1);
    }
}

void xtext_put(struct buf *out, struct str octets)
{
    for (size_t i = 0; i < octets.n; i++) {
        unsigned char c = (unsigned char)octets.p[i];
        if (c > ' ' && c < 0x7F && c != '+' && c != '=')
            buf_putc(out, octets.p[i]);
        else
            buf_printf(out, "+%02X", c);
    }
}
