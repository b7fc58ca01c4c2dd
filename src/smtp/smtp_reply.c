/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_reply.h"

#include "printable.h"

#include <string.h>

void smtp_reply_init(struct smtp_reply *r, size_t line_max)
{
    *r = (struct smtp_reply){.line_max = line_max};
    buf_init(&r->line, SMTP_REPLY_MAX);
    buf_init(&r->text, SMTP_REPLY_MAX + SMTP_REPLY_LINES_MAX);
    r->line.secret = true; /* an AUTH challenge passes through both */
    r->text.secret = true;
}

void smtp_reply_release(struct smtp_reply *r)
{
    buf_release(&r->line);
    buf_release(&r->text);
}

static void begin_reply(struct smtp_reply *r)
{
    r->code = 0;
    r->n_lines = 0;
    r->n_bytes = 0;
    r->mixed = false;
    r->bare_lf = false;
    r->status[0] = '\0';
    r->result = SMTP_REPLY_MORE;
    buf_clear(&r->line);
    buf_clear(&r->text);
}

/* One to three digits, as RFC 3463 writes subject and detail. */
static size_t digits_at(struct str s, size_t at)
{
    size_t n = 0;
    while (n < 3 && at + n < s.n && str_is_digit(s.p[at + n]))
        n++;
    return n;
}

size_t smtp_reply_status(struct str text, unsigned code)
{
    if (text.n < 5 || text.p[0] != (char)('0' + code / 100) || text.p[1] != '.')
        return 0;
    if (code / 100 == 3)
        return 0;
    size_t subject = digits_at(text, 2);
    size_t dot = 2 + subject;
    if (subject == 0 || dot >= text.n || text.p[dot] != '.')
        return 0;
    size_t detail = digits_at(text, dot + 1);
    size_t end = dot + 1 + detail;
    if (detail == 0 || (end < text.n && text.p[end] != ' ' && text.p[end] != '\t'))
        return 0;
    return end;
}

static unsigned code_of(struct str line)
{
    unsigned code = 0;
    for (size_t i = 0; i < 3; i++) {
        if (i >= line.n || !str_is_digit(line.p[i]))
            return 0;
        code = 10 * code + (unsigned)(line.p[i] - '0');
    }
    return code >= 200 && code <= 559 ? code : 0;
}

static enum smtp_reply_result bad(struct smtp_reply *r, struct err *err, const char *what)
{
    char shown[120];
    printable_cut(shown, sizeof shown, buf_str(&r->line));
    err_set(err, "%s: \"%s\"", what, shown);
    return r->result = SMTP_REPLY_BAD;
}

/* The line in hand is whole, with its line end. */
static enum smtp_reply_result take_line(struct smtp_reply *r, struct err *err)
{
    struct str line = buf_str(&r->line);
    line.n--;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    else
        r->bare_lf = true;

    unsigned code = code_of(line);
    if (code == 0 || (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
        return bad(r, err, "not an SMTP reply");
    if (r->n_lines > 0 && code / 100 != r->code / 100)
        return bad(r, err, "the lines of one reply have codes of different classes");
    if (++r->n_lines > SMTP_REPLY_LINES_MAX)
        return bad(r, err, "a reply of more than 256 lines");

    r->mixed |= r->n_lines > 1 && code != r->code;
    r->code = code;
    struct str text = str_tail(line, 4);
    if (r->n_lines > 1)
        buf_putc(&r->text, '\n');
    buf_put_str(&r->text, text);
    if (!r->status[0]) {
        size_t n = smtp_reply_status(text, code);
        memcpy(r->status, text.p, n);
        r->status[n] = '\0';
    }
    bool more = line.n > 3 && line.p[3] == '-';
    if (more)
        buf_clear(&r->line);
    return r->result = more ? SMTP_REPLY_MORE : SMTP_REPLY_GOOD;
}

/* What cannot begin a line of text is another protocol; it may never send a line end. */
static bool is_binary(const struct smtp_reply *r)
{
    struct str line = buf_str(&r->line);
    return line.n > 0 &&
           ((unsigned char)line.p[0] >= 0x7f || (unsigned char)line.p[0] < 0x20) &&
           line.p[0] != '\r' && line.p[0] != '\n';
}

enum smtp_reply_result smtp_reply_feed(struct smtp_reply *r, struct str bytes, size_t *taken,
                                       struct err *err)
{
    *taken = 0;
    if (r->result == SMTP_REPLY_BAD)
        return bad(r, err, "not an SMTP reply");
    if (r->result == SMTP_REPLY_GOOD)
        begin_reply(r);
    while (*taken < bytes.n && r->result == SMTP_REPLY_MORE) {
        struct str rest = str_tail(bytes, *taken);
        size_t lf = str_find(rest, '\n');
        size_t n = lf < rest.n ? lf + 1 : rest.n;
        size_t room = r->line_max - buf_len(&r->line);
        bool too_long = n > room;
        n = too_long ? room : n;
        buf_put(&r->line, rest.p, n);
        *taken += n;
        r->n_bytes += n;
        if (is_binary(r))
            return bad(r, err, "not an SMTP reply");
        if (too_long)
            return bad(r, err, "a reply line over the limit");
        if (r->n_bytes > SMTP_REPLY_MAX)
            return bad(r, err, "a reply of more than 65536 octets");
        if (lf < rest.n)
            take_line(r, err);
    }
    return r->result;
}

struct str smtp_reply_pending(const struct smtp_reply *r)
{
    return r->result == SMTP_REPLY_GOOD ? STR_LIT("") : buf_str(&r->line);
}

bool smtp_reply_line(const struct smtp_reply *r, size_t *at, struct str *line)
{
    struct str text = buf_str(&r->text);
    if (*at > text.n)
        return false;
    struct str rest = str_tail(text, *at);
    *line = str_head(rest, str_find(rest, '\n'));
    *at += line->n + 1;
    return true;
}

void smtp_reply_words(const struct smtp_reply *r, struct buf *out)
{
    buf_printf(out, "%u", r->code);
    size_t at = 0;
    for (struct str line; smtp_reply_line(r, &at, &line);) {
        if (line.n == 0)
            continue;
        buf_putc(out, ' ');
        buf_put_str(out, line);
    }
}

void smtp_reply_format(struct buf *out, unsigned code, const char *status, struct str text)
{
    bool last = false;
    while (!last) {
        size_t lf = str_find(text, '\n');
        last = lf == text.n;
        size_t before = buf_len(out);
        buf_printf(out, "%u%c", code, last ? ' ' : '-');
        if (status && status[0])
            buf_printf(out, "%s ", status);
        size_t head = buf_len(out) - before;
        printable_put(out, str_head(text, lf), SMTP_REPLY_OUR_LINE_MAX - 2 - head);
        buf_puts(out, "\r\n");
        text = str_tail(text, lf + 1);
    }
}
