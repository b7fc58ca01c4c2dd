/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 5322 3.4 with the obsolete forms of 4.4, read leniently where nobody can be misled:
 *
 *   list    = *( group-name ":" / [phrase] "<" [route ":"] [spec] ">" / *spec / "," / ";" )
 *   spec    = local ["@" domain]        local, domain = words and dots, comments anywhere
 *
 * One look ahead tells what an element is: it ends at the first "," ";" "<" or ":" outside
 * quotes, comments and domain literals. What was looked at is then used up, or remembered in
 * .plain_bytes while the specs in it are told one by one; no byte is looked at more than a
 * fixed number of times. Where an address cannot be read, all up to the next separator is told
 * as one bad element, so that nobody is dropped in silence. */
#include "address.h"

#include <string.h>

enum {
    COMMENT_DEPTH_MAX = 100
};

/* A local part or domain as it is meant: without quotes, folding and comments. */
struct part {
    char bytes[ADDRESS_DOMAIN_MAX];
    size_t n;
    bool long_or_odd;  /* did not fit, or has what no address has */
    const char *begin; /* in the text: its first byte */
    const char *end;   /* in the text: behind its last byte */
};

struct spec {
    struct part local;
    struct part domain;
    bool has_domain;
};

static bool is_fws(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* May c stand in a word outside quotes? 8-bit bytes are checked later, as UTF-8. */
static bool is_word(char c)
{
    unsigned char u = (unsigned char)c;
    return u > ' ' && u != 0x7F && strchr("()<>[]:;@,.\"", c) == NULL;
}

/* Length of the comment at the start of s; 0 where it does not end or is nested too deeply. */
static size_t comment_length(struct str s)
{
    unsigned depth = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '(' && ++depth > COMMENT_DEPTH_MAX)
            return 0;
        else if (s.p[i] == ')' && --depth == 0)
            return i + 1;
    }
    return 0;
}

/* Length of the quoted string at the start of s; 0 where it does not end. */
static size_t quoted_length(struct str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return 0;
}

/* Length of the domain literal at the start of s; 1 where the bracket is just a bracket. */
static size_t literal_length(struct str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == ']')
            return i + 1;
        if (!is_word(s.p[i]) && s.p[i] != ':' && s.p[i] != '.')
            return 1;
    }
    return 1;
}

/* Length of the backslash at the start of s and what it quotes; a line end is never quoted, as
 * nothing may be put in between its two bytes. */
static size_t pair_length(struct str s)
{
    return s.n > 1 && s.p[1] != '\r' && s.p[1] != '\n' ? 2 : 1;
}

/* Length of a word at the start of s; with_colon: ":include:/path" and the like, which is no
 * group, as nothing stands before its colon. */
static size_t word_length(struct str s, bool with_colon)
{
    size_t i = 0;
    while (i < s.n && (is_word(s.p[i]) || (with_colon && s.p[i] == ':')))
        i += s.p[i] == '\\' ? pair_length(str_tail(s, i)) : 1;
    return i;
}

/* Length of what stands at the start of s and belongs together; before is the last byte that
 * was neither blank nor comment. 0: it does not end. */
static size_t unit_length(struct str s, char before)
{
    switch (s.p[0]) {
    case '(':
        return comment_length(s);
    case '"':
        return quoted_length(s);
    case '[':
        return before == '@' ? literal_length(s) : 1;
    case ':':
        return before == '\0' ? word_length(s, true) : 1;
    case '\\':
        return pair_length(s);
    default:
        return 1;
    }
}

/* Bytes before the first of stops that stands by itself, s.n where none does. *whole is false
 * when a quote or comment does not end. */
static size_t look_ahead(struct str s, const char *stops, bool *whole)
{
    char before = '\0';
    size_t i = 0;
    *whole = true;
    while (i < s.n) {
        char c = s.p[i];
        bool leading_colon = c == ':' && before == '\0';
        if (c != '\0' && strchr(stops, c) != NULL && !leading_colon)
            return i;
        size_t n = unit_length(str_tail(s, i), before);
        if (n == 0) {
            *whole = false;
            return s.n;
        }
        if (!is_fws(c) && c != '(')
            before = c;
        i += n;
    }
    return s.n;
}

static bool skip_blanks_and_comments(struct str *s)
{
    while (s->n && (is_fws(s->p[0]) || s->p[0] == '(')) {
        size_t n = s->p[0] == '(' ? comment_length(*s) : 1;
        if (n == 0)
            return false;
        *s = str_tail(*s, n);
    }
    return true;
}

static void keep(struct part *part, char c)
{
    if (part->n < sizeof part->bytes)
        part->bytes[part->n++] = c;
    else
        part->long_or_odd = true;
}

/* Keep n bytes of text without their quoting; line ends inside quotes are folding. */
static void keep_unquoted(struct part *part, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool escaped = text[i] == '\\';
        if (escaped && ++i == n)
            part->long_or_odd = true;
        else if (escaped || (text[i] != '\r' && text[i] != '\n'))
            keep(part, text[i]);
    }
}

/* Keep the dot, word, quoted string (in a local part) or literal (in a domain) at the start of
 * s. Returns its length, 0 where s does not begin with one. */
static size_t keep_unit(struct str s, struct part *part, bool in_domain)
{
    bool first = part->n == 0;
    size_t n = 0;
    if (s.p[0] == '"' && !in_domain) {
        n = quoted_length(s);
        if (n)
            keep_unquoted(part, s.p + 1, n - 2);
    } else if (s.p[0] == '[' && in_domain && first) {
        n = literal_length(s);
        keep_unquoted(part, s.p, n);
    } else if (s.p[0] == '.') {
        n = 1;
        keep(part, '.');
    } else {
        n = word_length(s, s.p[0] == ':' && !in_domain && first);
        keep_unquoted(part, s.p, n);
    }
    return n;
}

/* Words with dots between them, and the blanks and comments around. A word behind another
 * without a dot begins the next address and needs a gap before it. False: this is no part of an
 * address. */
static bool read_part(struct str *s, struct part *part, bool in_domain)
{
    bool behind_word = false;
    bool gap = true;
    bool any = false;
    part->n = 0;
    part->long_or_odd = false;
    part->begin = s->p;
    part->end = s->p;
    while (s->n && (!behind_word || s->p[0] == '.')) {
        size_t n = keep_unit(*s, part, in_domain);
        if (n == 0)
            break;
        behind_word = s->p[0] != '.';
        any = any || behind_word;
        *s = str_tail(*s, n);
        part->end = s->p;
        size_t before = s->n;
        if (!skip_blanks_and_comments(s))
            return false;
        gap = s->n != before;
    }
    bool adjoins = s->n && !gap && (is_word(s->p[0]) || s->p[0] == '"');
    return any && !adjoins && !part->long_or_odd;
}

static bool read_spec(struct str *s, struct spec *spec)
{
    if (!read_part(s, &spec->local, false))
        return false;
    spec->domain.n = 0;
    spec->has_domain = s->n && s->p[0] == '@';
    if (!spec->has_domain)
        return true;
    *s = str_tail(*s, 1);
    if (!skip_blanks_and_comments(s) || !read_part(s, &spec->domain, true))
        return false;
    if (spec->domain.bytes[spec->domain.n - 1] == '.')
        spec->domain.n--;
    return true;
}

/* Skip "@a,@b:" (RFC 5321 4.1.1.3: accepted and ignored). */
static bool skip_route(struct str *s)
{
    if (s->n == 0 || s->p[0] != '@')
        return true;
    bool whole;
    size_t n = look_ahead(*s, ":<>;", &whole);
    if (!whole || n == s->n || s->p[n] != ':')
        return false;
    *s = str_tail(*s, n + 1);
    return skip_blanks_and_comments(s);
}

/* The rest begins with an element whose "<" is phrase_bytes away. END: "<>" is nobody. */
static enum address_list_result next_in_angle(struct address_list *list, size_t phrase_bytes,
                                              struct spec *spec, struct str *element)
{
    bool whole;
    struct str angle = str_tail(list->rest, phrase_bytes);
    struct str s = str_tail(angle, 1);
    bool good = skip_blanks_and_comments(&s);
    bool nobody = good && s.n && s.p[0] == '>';
    good = nobody || (good && skip_route(&s) && read_spec(&s, spec));
    good = good && s.n && s.p[0] == '>';
    size_t n = good ? list->rest.n - s.n + 1 : phrase_bytes + look_ahead(angle, ",;", &whole);
    *element = str_head(list->rest, n);
    list->rest = str_tail(list->rest, n);
    if (nobody)
        return ADDRESS_LIST_END;
    return good ? ADDRESS_LIST_GOOD : ADDRESS_LIST_BAD;
}

/* The next of the specs that stand side by side in the plain bytes. END: there are no more. */
static enum address_list_result next_in_plain(struct address_list *list, struct spec *spec,
                                              struct str *element)
{
    struct str s = str_head(list->rest, list->plain_bytes);
    bool good = skip_blanks_and_comments(&s);
    bool none = good && s.n == 0;
    *element = s;
    good = good && !none && read_spec(&s, spec);
    good = good && (s.n == 0 || is_word(s.p[0]) || s.p[0] == '"');
    size_t left = good ? s.n : 0;
    *element = str_head(*element, element->n - left);
    list->rest = str_tail(list->rest, list->plain_bytes - left);
    list->plain_bytes = left;
    if (none)
        return ADDRESS_LIST_END;
    return good ? ADDRESS_LIST_GOOD : ADDRESS_LIST_BAD;
}

static void skip_separators(struct str *s)
{
    while (s->n && (is_fws(s->p[0]) || s->p[0] == ',' || s->p[0] == ';'))
        *s = str_tail(*s, 1);
}

/* Read the next spec, whose syntax alone has been looked at; or the text of a bad element. */
static enum address_list_result next_spec(struct address_list *list, struct spec *spec,
                                          struct str *element)
{
    enum address_list_result result = ADDRESS_LIST_END;
    while (result == ADDRESS_LIST_END) {
        if (list->plain_bytes) {
            result = next_in_plain(list, spec, element);
            continue;
        }
        skip_separators(&list->rest);
        if (list->rest.n == 0)
            return ADDRESS_LIST_END;
        bool whole;
        size_t n = look_ahead(list->rest, ",;<:", &whole);
        char stop = n < list->rest.n ? list->rest.p[n] : '\0';
        if (!whole) {
            *element = list->rest;
            list->rest = str_tail(list->rest, n);
            return ADDRESS_LIST_BAD;
        }
        if (stop == ':')
            list->rest = str_tail(list->rest, n + 1);
        else if (stop == '<')
            result = next_in_angle(list, n, spec, element);
        else
            list->plain_bytes = n;
    }
    return result;
}

/* In the shortest form RFC 5321 allows (4.1.2): quoted only where it must be. */
static void put_local(struct buf *out, struct str local)
{
    bool has_at = str_find(local, '@') < local.n;
    if (!has_at && address_is_mailbox(local) && local.p[0] != '"') {
        buf_put_str(out, local);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < local.n; i++) {
        if (local.p[i] == '"' || local.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, local.p[i]);
    }
    buf_putc(out, '"');
}

static void put_mailbox(struct buf *out, const struct spec *spec)
{
    put_local(out, (struct str){spec->local.bytes, spec->local.n});
    if (spec->has_domain) {
        buf_putc(out, '@');
        buf_put(out, spec->domain.bytes, spec->domain.n);
    }
}

struct address_list address_list_of(struct str text)
{
    return (struct address_list){.rest = text};
}

enum address_list_result address_list_next(struct address_list *list, struct buf *mailbox)
{
    struct spec spec;
    struct str element = {"", 0};
    enum address_list_result result = next_spec(list, &spec, &element);
    buf_clear(mailbox);
    if (result == ADDRESS_LIST_GOOD) {
        put_mailbox(mailbox, &spec);
        list->exact = spec.local.begin[0] == '\\';
        if (!mailbox->failed && address_is_mailbox(buf_str(mailbox)))
            return ADDRESS_LIST_GOOD;
    }
    if (result == ADDRESS_LIST_END)
        return ADDRESS_LIST_END;
    buf_clear(mailbox);
    buf_put_str(mailbox, str_head(str_trim(element), buf_space(mailbox)));
    return ADDRESS_LIST_BAD;
}

/* ":include:/x": with a domain behind it, it would still be no RFC 5322 address. */
static bool is_path(const struct spec *spec)
{
    return spec->local.begin[0] == ':';
}

void address_qualify_list(struct buf *out, struct str text, struct str domain)
{
    struct address_list list = address_list_of(text);
    struct spec spec;
    struct str element;
    enum address_list_result result;
    while ((result = next_spec(&list, &spec, &element)) != ADDRESS_LIST_END) {
        if (result == ADDRESS_LIST_BAD || spec.has_domain || domain.n == 0 || is_path(&spec))
            continue;
        size_t n = (size_t)(spec.local.end - text.p);
        buf_put(out, text.p, n);
        buf_putc(out, '@');
        buf_put_str(out, domain);
        text = str_tail(text, n);
    }
    buf_put_str(out, text);
}
