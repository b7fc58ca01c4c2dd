/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mime.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 2045 5.1. */
static bool is_token(char c)
{
    return c > ' ' && c < 0x7F && !strchr("()<>@,;:\\\"/[]?=", c);
}

/* Bytes of the comment at the front, which may hold others; all of s where it does not end. */
static size_t comment_bytes(struct str s)
{
    unsigned depth = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '(')
            depth++;
        else if (s.p[i] == ')' && --depth == 0)
            return i + 1;
        else if (s.p[i] == '\\')
            i++;
    }
    return s.n;
}

static void skip_blank(struct str *s)
{
    while (s->n && (is_space(s->p[0]) || s->p[0] == '('))
        *s = str_tail(*s, s->p[0] == '(' ? comment_bytes(*s) : 1);
}

static bool take(struct str *s, char c)
{
    skip_blank(s);
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_tail(*s, 1);
    return true;
}

static struct str take_token(struct str *s)
{
    skip_blank(s);
    size_t n = 0;
    while (n < s->n && is_token(s->p[n]))
        n++;
    struct str token = str_head(*s, n);
    *s = str_tail(*s, n);
    return token;
}

/* A value with room for what fits; n may be larger. */
struct value {
    char text[MIME_BOUNDARY_MAX];
    size_t n;
};

static void add(struct value *v, char c)
{
    if (v->n < sizeof v->text)
        v->text[v->n] = c;
    v->n++;
}

static void take_quoted(struct str *s, struct value *v)
{
    size_t i = 0;
    for (; i < s->n && s->p[i] != '"'; i++) {
        if (s->p[i] == '\\' && i + 1 < s->n)
            i++;
        if (s->p[i] != '\r' && s->p[i] != '\n')
            add(v, s->p[i]);
    }
    *s = str_tail(*s, i + 1);
}

/* Many write a boundary with "=" or "/" and no quotes. */
static void take_bare(struct str *s, struct value *v)
{
    while (s->n && !is_space(s->p[0]) && !strchr(";()\"", s->p[0])) {
        add(v, s->p[0]);
        *s = str_tail(*s, 1);
    }
}

static void take_value(struct str *s, struct value *v)
{
    v->n = 0;
    skip_blank(s);
    if (take(s, '"'))
        take_quoted(s, v);
    else
        take_bare(s, v);
}

/* RFC 2046 5.1.1: no blank is at its end. */
static void keep_boundary(struct mime_type *type, const struct value *v)
{
    if (v->n > sizeof v->text)
        return;
    struct str text = {v->text, v->n};
    while (text.n && is_space(text.p[text.n - 1]))
        text.n--;
    memcpy(type->boundary, text.p, text.n);
    type->n_boundary = text.n;
}

/* Look for boundary= among the parameters. */
static void find_boundary(struct mime_type *type, struct str s)
{
    struct value value;
    while (s.n) {
        if (!take(&s, ';')) {
            s = str_tail(s, 1);
            continue;
        }
        struct str name = take_token(&s);
        if (!take(&s, '='))
            continue;
        take_value(&s, &value);
        if (str_eq_nocase(name, STR_LIT("boundary"))) {
            keep_boundary(type, &value);
            return;
        }
    }
}

static enum mime_kind kind_of_message(struct str subtype)
{
    static const struct str global[] = {STR_LIT("global"), STR_LIT("global-headers"),
                                        STR_LIT("global-delivery-status"),
                                        STR_LIT("global-disposition-notification")};
    for (size_t i = 0; i < sizeof global / sizeof global[0]; i++) {
        if (str_eq_nocase(subtype, global[i]))
            return MIME_TEXT;
    }
    return str_eq_nocase(subtype, STR_LIT("rfc822")) ? MIME_MESSAGE : MIME_SEALED;
}

static enum mime_kind kind_of(struct str type, struct str subtype)
{
    if (str_eq_nocase(type, STR_LIT("text")))
        return MIME_TEXT;
    if (str_eq_nocase(type, STR_LIT("message")))
        return kind_of_message(subtype);
    if (!str_eq_nocase(type, STR_LIT("multipart")))
        return MIME_OTHER;
    if (str_eq_nocase(subtype, STR_LIT("signed")) ||
        str_eq_nocase(subtype, STR_LIT("encrypted")))
        return MIME_SEALED;
    return str_eq_nocase(subtype, STR_LIT("digest")) ? MIME_DIGEST : MIME_MULTIPART;
}

void mime_type_parse(struct mime_type *type, struct str value)
{
    *type = (struct mime_type){.kind = MIME_SEALED};
    struct str name = take_token(&value);
    if (name.n == 0 || !take(&value, '/'))
        return;
    struct str subtype = take_token(&value);
    skip_blank(&value);
    if (subtype.n == 0 || (value.n && value.p[0] != ';'))
        return;
    type->kind = kind_of(name, subtype);
    if (type->kind != MIME_MULTIPART && type->kind != MIME_DIGEST)
        return;
    find_boundary(type, value);
    if (type->n_boundary == 0)
        type->kind = MIME_SEALED;
}

enum mime_encoding mime_encoding_parse(struct str value)
{
    static const struct {
        struct str name;
        enum mime_encoding encoding;
    } known[] = {
        {STR_LIT("7bit"), MIME_7BIT},
        {STR_LIT("8bit"), MIME_8BIT},
        {STR_LIT("binary"), MIME_BINARY},
    };
    struct str name = take_token(&value);
    skip_blank(&value);
    if (value.n == 0) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (str_eq_nocase(name, known[i].name))
                return known[i].encoding;
        }
    }
    return MIME_ENCODED;
}
