/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A field is whole only when the first byte of the next line is known, as that may be a
 * continuation. What was scanned is never scanned again: .colon and .scanned say how far we are
 * in the field at the front of .pending. No event depends on how the bytes were cut. */
#include "header.h"

#include <string.h>

enum {
    NAME_MAX_BYTES = 998 /* a longer line cannot be a field (RFC 5322 2.1.1) */
};

enum line_kind {
    LINE_UNKNOWN, /* more bytes are needed */
    LINE_FIELD,
    LINE_BLANK,
    LINE_OTHER
};

void header_init(struct header *h, uint32_t limit_bytes)
{
    *h = (struct header){.limit_bytes = limit_bytes, .end = HEADER_MORE};
    buf_init(&h->pending, SIZE_MAX);
}

void header_release(struct header *h)
{
    buf_release(&h->pending);
}

void header_feed(struct header *h, const void *bytes, size_t n)
{
    if (h->end != HEADER_LARGE)
        buf_put(&h->pending, bytes, n);
}

void header_eof(struct header *h)
{
    h->eof = true;
}

struct str header_rest(const struct header *h)
{
    return buf_str(&h->pending);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* RFC 5322 2.2: printable ASCII without the colon. */
static bool is_name(char c)
{
    return c > ' ' && c < 0x7F && c != ':';
}

/* Look for the colon of the line at the front, from .scanned on. */
static enum line_kind find_colon(struct header *h, struct str s)
{
    for (size_t i = h->scanned; i < s.n; i++) {
        bool behind_name = i > 0 && is_blank(s.p[i - 1]);
        if (s.p[i] == ':' && i > 0) {
            h->colon = i;
            h->scanned = i + 1;
            return LINE_FIELD;
        }
        bool fits = is_blank(s.p[i]) ? i > 0 : is_name(s.p[i]) && !behind_name;
        if (!fits || i > NAME_MAX_BYTES)
            return LINE_OTHER;
    }
    h->scanned = s.n;
    return h->eof ? LINE_OTHER : LINE_UNKNOWN;
}

static enum line_kind kind_of_line(struct header *h, struct str s)
{
    if (h->colon)
        return LINE_FIELD;
    if (s.p[0] == '\n')
        return LINE_BLANK;
    if (s.p[0] != '\r')
        return find_colon(h, s);
    if (s.n == 1)
        return h->eof ? LINE_OTHER : LINE_UNKNOWN;
    return s.p[1] == '\n' ? LINE_BLANK : LINE_OTHER;
}

static bool is_over_limit(const struct header *h, size_t n)
{
    return n > h->limit_bytes || h->total_bytes > h->limit_bytes - n;
}

/* Tell the field that fills the first n bytes of s, line end included. */
static enum header_event_type tell_field(struct header *h, struct header_event *e, struct str s,
                                         size_t n)
{
    struct str field = str_head(s, n);
    if (field.p[field.n - 1] == '\n')
        field.n--;
    if (field.p[field.n - 1] == '\r')
        field.n--;
    struct str name = str_head(field, h->colon);
    while (is_blank(name.p[name.n - 1]))
        name.n--;
    e->name = name;
    e->value = str_tail(field, h->colon + 1);
    e->field = field;
    h->consumed = n;
    h->total_bytes += (uint32_t)n;
    h->colon = 0;
    h->scanned = 0;
    h->begun = true;
    return HEADER_FIELD;
}

/* Look for the end of the field at the front, from .scanned on. */
static enum header_event_type end_field(struct header *h, struct header_event *e, struct str s)
{
    for (;;) {
        const char *lf = memchr(s.p + h->scanned, '\n', s.n - h->scanned);
        size_t n = lf ? (size_t)(lf - s.p) + 1 : s.n;
        if (is_over_limit(h, n))
            return HEADER_LARGE;
        if (n == s.n && !h->eof) {
            h->scanned = lf ? n - 1 : n;
            return HEADER_MORE;
        }
        if (n == s.n || !is_blank(s.p[n]))
            return tell_field(h, e, s, n);
        h->scanned = n;
    }
}

/* "From " and ">From " in front of a header are a mailbox file's, not the message's (N-045). */
static bool is_mbox_line(const struct header *h, struct str s)
{
    return !h->begun && (str_eq(str_head(s, 5), STR_LIT("From ")) ||
                         str_eq(str_head(s, 6), STR_LIT(">From ")));
}

/* Drop what is there of the mbox line. */
static enum header_event_type skip_line(struct header *h, struct str s)
{
    size_t at = str_find(s, '\n');
    size_t n = at < s.n ? at + 1 : s.n;
    if (is_over_limit(h, n))
        return HEADER_LARGE;
    h->skipping = at == s.n;
    h->total_bytes += (uint32_t)n;
    h->scanned = 0;
    buf_consume(&h->pending, n);
    return HEADER_MORE;
}

static enum header_event_type next_event(struct header *h, struct header_event *e)
{
    for (;;) {
        struct str s = buf_str(&h->pending);
        if (s.n == 0)
            return h->eof ? HEADER_END : HEADER_MORE;
        enum line_kind kind = h->skipping ? LINE_OTHER : kind_of_line(h, s);
        if (kind == LINE_UNKNOWN)
            return HEADER_MORE;
        if (kind == LINE_FIELD)
            return end_field(h, e, s);
        if (kind == LINE_BLANK) {
            buf_consume(&h->pending, s.p[0] == '\r' ? 2 : 1);
            return HEADER_END;
        }
        if (!h->skipping && !is_mbox_line(h, s))
            return HEADER_BODY;
        if (skip_line(h, s) == HEADER_LARGE)
            return HEADER_LARGE;
    }
}

enum header_event_type header_next(struct header *h, struct header_event *e)
{
    *e = (struct header_event){.type = h->end};
    buf_consume(&h->pending, h->consumed);
    h->consumed = 0;
    if (h->end != HEADER_MORE)
        return h->end;
    e->type = next_event(h, e);
    if (e->type == HEADER_END || e->type == HEADER_BODY || e->type == HEADER_LARGE)
        h->end = e->type;
    return e->type;
}
