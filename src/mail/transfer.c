/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "transfer.h"

#include "base64.h"

enum {
    RAW_LINE_BYTES = TRANSFER_LINE_MAX / 4 * 3
};

struct transfer transfer_start(enum transfer_encoding encoding)
{
    return (struct transfer){.encoding = encoding};
}

static void put_line(struct transfer *t, struct buf *out, const char *end)
{
    buf_put(out, t->line, t->n_line);
    buf_puts(out, end);
    t->n_line = 0;
}

/* Room for n characters, and for the "=" of a soft line break behind them. */
static void make_room(struct transfer *t, struct buf *out, size_t n)
{
    if (t->n_line + n < TRANSFER_LINE_MAX)
        return;
    put_line(t, out, "=\r\n");
    t->soft = true;
}

static void put_quoted(struct transfer *t, struct buf *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    make_room(t, out, 3);
    t->line[t->n_line++] = '=';
    t->line[t->n_line++] = digits[c >> 4];
    t->line[t->n_line++] = digits[c & 15];
}

static bool is_plain(char c)
{
    return (c >= ' ' && c <= '~' && c != '=') || c == '\t';
}

/* What begins with a hyphen behind a soft line break could look like a boundary. */
static void put_octet(struct transfer *t, struct buf *out, char c)
{
    make_room(t, out, 1);
    bool plain = is_plain(c) && !(c == '-' && t->soft && t->n_line == 0);
    if (plain)
        t->line[t->n_line++] = c;
    else
        put_quoted(t, out, (unsigned char)c);
}

/* A blank at the end of a line might be lost on the way. */
static void quote_last_blank(struct transfer *t, struct buf *out)
{
    if (t->n_line == 0)
        return;
    char last = t->line[t->n_line - 1];
    if (last != ' ' && last != '\t')
        return;
    t->n_line--;
    put_quoted(t, out, (unsigned char)last);
}

static void put_text(struct transfer *t, struct buf *out, struct str piece, bool line_ends)
{
    for (size_t i = 0; i < piece.n; i++)
        put_octet(t, out, piece.p[i]);
    if (!line_ends)
        return;
    quote_last_blank(t, out);
    put_line(t, out, "\r\n");
    t->soft = false;
}

static void encode_line(struct transfer *t, struct buf *out)
{
    base64_encode(out, (struct str){t->line, t->n_line});
    t->n_line = 0;
    put_line(t, out, "\r\n");
}

static void put_octets(struct transfer *t, struct buf *out, struct str octets)
{
    for (size_t i = 0; i < octets.n; i++) {
        t->line[t->n_line++] = octets.p[i];
        if (t->n_line == RAW_LINE_BYTES)
            encode_line(t, out);
    }
}

void transfer_put(struct transfer *t, struct buf *out, struct str piece, bool line_ends)
{
    if (t->encoding == TRANSFER_QUOTED_PRINTABLE) {
        put_text(t, out, piece, line_ends);
        return;
    }
    if (t->owes_crlf)
        put_octets(t, out, STR_LIT("\r\n"));
    put_octets(t, out, piece);
    t->owes_crlf = line_ends;
}

void transfer_end(struct transfer *t, struct buf *out, bool at_boundary)
{
    if (t->encoding == TRANSFER_QUOTED_PRINTABLE) {
        quote_last_blank(t, out);
        put_line(t, out, "");
    }
    if (t->owes_crlf && !at_boundary)
        put_octets(t, out, STR_LIT("\r\n"));
    if (t->n_line > 0)
        encode_line(t, out);
    *t = transfer_start(t->encoding);
}

const char *transfer_name(enum transfer_encoding encoding)
{
    return encoding == TRANSFER_BASE64 ? "base64" : "quoted-printable";
}
