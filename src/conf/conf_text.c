/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_text.h"

#include <string.h>

struct scan {
    struct conf_text *t;
    struct str rest;
    int line;
    char last;     /* the last token's first byte, '"' for a quoted one */
    int last_line; /* where it stands */
    unsigned depth;
    int open_lines[CONF_TEXT_DEPTH_MAX];
    struct err *err;
};

static int refuse(struct scan *s, int line, const char *sentence)
{
    err_set(s->err, "%s", sentence);
    return line;
}

static char peek(const struct scan *s, size_t at)
{
    return at < s->rest.n ? s->rest.p[at] : '\0';
}

static bool is_word_byte(char c)
{
    return str_is_alpha(c) || str_is_digit(c) || (c && strchr("_-.:/@%~[]|", c));
}

static void note_token(struct scan *s, char kind)
{
    s->last = kind;
    s->last_line = s->line;
}

static void keep(struct scan *s, size_t n)
{
    buf_put(&s->t->clean, s->rest.p, n);
    s->rest = str_tail(s->rest, n);
}

static void blank(struct scan *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool newline = s->rest.p[i] == '\n';
        buf_putc(&s->t->clean, newline ? '\n' : ' ');
        s->line += newline;
    }
    s->rest = str_tail(s->rest, n);
}

static int take_line_comment(struct scan *s)
{
    blank(s, str_find(s->rest, '\n'));
    return 0;
}

static int take_block_comment(struct scan *s)
{
    const char *end = memmem(s->rest.p + 2, s->rest.n - 2, "*/", 2);
    if (!end)
        return refuse(s, s->line, "this comment is never closed; write */ where it ends");
    blank(s, (size_t)(end + 2 - s->rest.p));
    return 0;
}

static int take_quoted(struct scan *s, char quote)
{
    for (size_t i = 1; i < s->rest.n; i++) {
        char c = s->rest.p[i];
        if (c == quote) {
            note_token(s, '"');
            keep(s, i + 1);
            return 0;
        }
        char next = peek(s, i + 1);
        if (c == '\n')
            break;
        if (c == '\\' && quote == '"' && next != '\\' && next != '"')
            return refuse(
                s, s->line,
                "in double quotes \\ stands before \\ or \" alone; write \\\\ for one "
                "that is meant, or use single quotes");
        if (c == '\\' && (next == '\\' || next == quote))
            i++;
        if (c == '$' && next == '{' && quote == '"')
            return refuse(
                s, s->line,
                "${...} would read the environment, which is not done here; write the "
                "value itself, or put it in single quotes if it is one");
    }
    return refuse(s, s->line,
                  "the quote that begins here does not end on the same line; write the closing "
                  "quote");
}

static int take_word(struct scan *s)
{
    size_t n = 0;
    while (is_word_byte(peek(s, n))) {
        if (peek(s, n) == '/' && (peek(s, n + 1) == '/' || peek(s, n + 1) == '*'))
            return refuse(s, s->line, "put quotes around a value with // or /* in it");
        n++;
    }
    if (memchr(s->rest.p, '|', n))
        return refuse(s, s->line,
                      "\"|\" has no meaning here; take it out, or put the value in quotes");
    note_token(s, 'w');
    keep(s, n);
    return 0;
}

static int open_brace(struct scan *s)
{
    if (s->depth == CONF_TEXT_DEPTH_MAX)
        return refuse(s, s->line, "too many { inside of each other; close one with } first");
    if (s->depth == 0 && s->last != '=') {
        if (s->t->n_sections == CONF_TEXT_SECTIONS_MAX)
            return refuse(s, s->line, "more than 1000 sections; write fewer");
        s->t->section_lines[s->t->n_sections++] = s->last_line ? s->last_line : s->line;
    }
    /* "={" tells a list from a section when the next token is }. */
    char kind = s->last == '=' ? '(' : '{';
    s->open_lines[s->depth++] = s->line;
    note_token(s, kind);
    keep(s, 1);
    return 0;
}

static int close_brace(struct scan *s)
{
    if (s->depth == 0)
        return refuse(s, s->line, "there is no { that this } closes; take it out");
    if (s->last == '(')
        return refuse(s, s->line,
                      "this list is empty; write a value into it, or take the key out");
    s->depth--;
    note_token(s, '}');
    keep(s, 1);
    return 0;
}

static int take_other(struct scan *s)
{
    char c = peek(s, 0);
    if (c == '=' || c == ',' || (c == '+' && peek(s, 1) == '=')) {
        note_token(s, c == '+' ? '=' : c);
        keep(s, c == '+' ? 2 : 1);
        return 0;
    }
    if (c == ';')
        return refuse(s, s->line, "no \";\" ends a line here; take it out");
    return refuse(s, s->line,
                  "there is a character here that must stand in quotes; write KEY = \"VALUE\"");
}

static int take_token(struct scan *s)
{
    char c = peek(s, 0), next = peek(s, 1);
    switch (c) {
    case '\n':
        if (s->last == '=')
            return refuse(s, s->line, "there is no value after =; write it on the same line");
        blank(s, 1);
        return 0;
    case ' ':
    case '\t':
    case '\r':
        blank(s, 1);
        return 0;
    case '#':
        return take_line_comment(s);
    case '"':
    case '\'':
        return take_quoted(s, c);
    case '{':
        return open_brace(s);
    case '}':
        return close_brace(s);
    default:
        break;
    }
    if (c == '/' && next == '/')
        return take_line_comment(s);
    if (c == '/' && next == '*')
        return take_block_comment(s);
    return is_word_byte(c) ? take_word(s) : take_other(s);
}

int conf_text_read(struct conf_text *t, struct str text, struct err *err)
{
    buf_init(&t->clean, CONF_TEXT_MAX + 1);
    t->n_sections = 0;
    struct scan s = {.t = t, .rest = text, .line = 1, .err = err};
    if (text.n > CONF_TEXT_MAX)
        return refuse(&s, 1, "the file is larger than 1 MiB; is it the right one?");
    if (memchr(text.p, '\0', text.n))
        return refuse(&s, 1, "there is a NUL byte in the file; it must be plain text");
    while (s.rest.n) {
        int wrong = take_token(&s);
        if (wrong)
            return wrong;
    }
    if (s.depth)
        return refuse(&s, s.open_lines[s.depth - 1],
                      "the { of this line is never closed; write } after the last key of its "
                      "section or the last value of its list");
    buf_putc(&t->clean, '\0');
    return 0;
}

void conf_text_release(struct conf_text *t)
{
    buf_release(&t->clean);
}
