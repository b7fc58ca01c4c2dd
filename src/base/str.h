/* SPDX-License-Identifier: GPL-3.0-or-later */
/* str_: a view of bytes that somebody else owns. It is not NUL-terminated and never outlives
 * its owner. Letter case is ASCII's alone, whatever the locale. */
#ifndef TRANTER_STR_H
#define TRANTER_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n; /* bytes */
};

#define STR_LIT(text) ((struct str){"" text, sizeof(text) - 1})
/* For printf's "%.*s". */
#define STR_FMT(s) (int)(s).n, (s).p

/* The view of a NUL-terminated text; NULL gives the empty view. */
struct str str_of(const char *text);

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b);
bool str_starts_nocase(struct str s, struct str prefix);

/* The first n bytes (or all), and all but the first n (or nothing). */
struct str str_head(struct str s, size_t n);
struct str str_tail(struct str s, size_t n);

/* Without blanks, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);

/* Cut the next word off *rest at a byte of separators (leading ones are skipped). The empty
 * view when none is left. */
struct str str_word(struct str *rest, const char *separators);

/* No byte over 127? */
bool str_is_ascii(struct str s);

/* Index of the first byte c, or s.n. */
size_t str_find(struct str s, char c);

/* Read an unsigned decimal number that fills all of s. False, and *value untouched, on anything
 * else or overflow. */
bool str_u64(struct str s, uint64_t *value);

char str_lower(char c);
bool str_is_digit(char c);
bool str_is_alpha(char c);

#endif
