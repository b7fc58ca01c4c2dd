/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "str.h"

#include <string.h>

struct str str_of(const char *text)
{
    return text ? (struct str){text, strlen(text)} : (struct str){"", 0};
}

char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool str_is_alpha(char c)
{
    return str_lower(c) >= 'a' && str_lower(c) <= 'z';
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_nocase(struct str a, struct str b)
{
    return a.n == b.n && str_starts_nocase(a, b);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    if (s.n < prefix.n)
        return false;
    for (size_t i = 0; i < prefix.n; i++) {
        if (str_lower(s.p[i]) != str_lower(prefix.p[i]))
            return false;
    }
    return true;
}

struct str str_head(struct str s, size_t n)
{
    return (struct str){s.p, n < s.n ? n : s.n};
}

struct str str_tail(struct str s, size_t n)
{
    if (n > s.n)
        n = s.n;
    return (struct str){s.p + n, s.n - n};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(s.p[0]))
        s = str_tail(s, 1);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* strchr finds the NUL at the end of separators, which must not separate. */
static bool separates(char c, const char *separators)
{
    return c != '\0' && strchr(separators, c) != NULL;
}

struct str str_word(struct str *rest, const char *separators)
{
    while (rest->n && separates(rest->p[0], separators))
        *rest = str_tail(*rest, 1);
    size_t n = 0;
    while (n < rest->n && !separates(rest->p[n], separators))
        n++;
    struct str word = str_head(*rest, n);
    *rest = str_tail(*rest, n);
    return word;
}

/* Eight at a time: it is asked of every byte of every message. */
bool str_is_ascii(struct str s)
{
    enum {
        BLOCK_BYTES = 64 /* a loop of fixed length is what compilers do many octets at a time */
    };
    unsigned char all = 0;
    for (; s.n >= BLOCK_BYTES; s = str_tail(s, BLOCK_BYTES))
        for (size_t i = 0; i < BLOCK_BYTES; i++)
            all |= (unsigned char)s.p[i];
    for (size_t i = 0; i < s.n; i++)
        all |= (unsigned char)s.p[i];
    return all < 0x80;
}

size_t str_find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

bool str_u64(struct str s, uint64_t *value)
{
    uint64_t sum = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!str_is_digit(s.p[i]) || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(s.p[i] - '0'), &sum))
            return false;
    }
    *value = sum;
    return true;
}
