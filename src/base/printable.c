/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "printable.h"

#include <stdio.h>
#include <string.h>

static bool continues(struct str s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (i >= s.n || ((unsigned char)s.p[i] & 0xC0) != 0x80)
            return false;
    }
    return true;
}

size_t printable_utf8(struct str s)
{
    if (s.n == 0)
        return 0;
    unsigned char first = (unsigned char)s.p[0];
    unsigned char second = s.n > 1 ? (unsigned char)s.p[1] : 0;
    size_t n = first < 0x80   ? 1
               : first < 0xC2 ? 0
               : first < 0xE0 ? 2
               : first < 0xF0 ? 3
               : first < 0xF5 ? 4
                              : 0;
    bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    bool outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    return n && !overlong && !outside && continues(s, 1, n) ? n : 0;
}

/* U+2028, U+2029 and the bidirectional controls U+200E, U+200F, U+202A to U+202E, U+2066 to
 * U+2069. */
static bool is_control(struct str c)
{
    unsigned char b[3] = {(unsigned char)c.p[0], c.n > 1 ? (unsigned char)c.p[1] : 0,
                          c.n > 2 ? (unsigned char)c.p[2] : 0};
    if (c.n == 1)
        return b[0] < 0x20 || b[0] == 0x7F;
    if (c.n == 2)
        return b[0] == 0xC2 && b[1] < 0xA0;
    if (c.n == 3 && b[0] == 0xE2 && b[1] == 0x80)
        return b[2] == 0x8E || b[2] == 0x8F || (b[2] >= 0xA8 && b[2] <= 0xAE);
    return c.n == 3 && b[0] == 0xE2 && b[1] == 0x81 && b[2] >= 0xA6 && b[2] <= 0xA9;
}

/* The next piece of raw in its harmless form, at most 16 bytes and a NUL; returns how much of
 * raw it stands for. */
static size_t next_piece(struct str raw, char piece[17])
{
    if (raw.p[0] == '\r' || raw.p[0] == '\n') {
        size_t n = 1;
        while (n < raw.n && (raw.p[n] == '\r' || raw.p[n] == '\n'))
            n++;
        strcpy(piece, n < raw.n ? " " : "");
        return n;
    }
    size_t n = printable_utf8(raw);
    if (n && !is_control(str_head(raw, n))) {
        memcpy(piece, raw.p, n);
        piece[n] = '\0';
        return n;
    }
    n = n ? n : 1;
    for (size_t i = 0; i < n; i++)
        snprintf(piece + 4 * i, 5, "\\x%02X", (unsigned char)raw.p[i]);
    return n;
}

void printable_put(struct buf *out, struct str raw, size_t max)
{
    static const char ellipsis[] = "...";
    size_t start = buf_len(out);
    size_t safe = start; /* up to here an ellipsis still fits */
    while (raw.n) {
        char piece[17];
        size_t n = next_piece(raw, piece);
        size_t length = strlen(piece);
        if (buf_len(out) - start + length > max) {
            out->used = safe;
            buf_put(out, ellipsis, max < 3 ? max : 3);
            return;
        }
        buf_put(out, piece, length);
        raw = str_tail(raw, n);
        if (buf_len(out) - start + 3 <= max)
            safe = buf_len(out);
    }
}

void printable_cut(char *text, size_t size, struct str raw)
{
    struct buf out;
    buf_init(&out, size);
    printable_put(&out, raw, size - 1);
    struct str s = buf_str(&out);
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    buf_release(&out);
}
