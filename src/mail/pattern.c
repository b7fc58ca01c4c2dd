/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pattern.h"

#include "str.h"

#include <fnmatch.h>
#include <string.h>

/* Copy text (at most PATTERN_MAX bytes) into lower[PATTERN_MAX + 1], in lower case from there
 * on. */
static void lower_from(char *lower, const char *text, size_t from)
{
    size_t n = strlen(text);
    for (size_t i = 0; i <= n; i++)
        lower[i] = i < from ? text[i] : str_lower(text[i]);
}

/* Where the last @ is, or text ends. */
static size_t domain_at(const char *text)
{
    const char *at = strrchr(text, '@');
    return at ? (size_t)(at - text) : strlen(text);
}

/* Behind the bracket expression that begins at p; p + 1 where it has no end. */
static const char *bracket_end(const char *p)
{
    const char *end = p + 1;
    end += *end == '!' || *end == '^';
    end = *end ? strchr(end + 1, ']') : NULL;
    return end ? end + 1 : p + 1;
}

/* Does the pattern fit where the wildcard at its byte i stands for the @, and for what is
 * around it if it is a star? */
static bool fits_around(const char *pattern, size_t i, const char *local, const char *domain)
{
    char head[PATTERN_MAX + 1], tail[PATTERN_MAX + 1];
    bool star = pattern[i] == '*';
    memcpy(head, pattern, i + star);
    head[i + star] = '\0';
    lower_from(tail, pattern + i + !star, 0);
    return fnmatch(head, local, 0) == 0 && fnmatch(tail, domain, 0) == 0;
}

/* A pattern without @: which of its letters are the domain's follows from the wildcard that
 * stands for the @. */
static bool fits_anywhere(const char *pattern, char *address, size_t at)
{
    address[at] = '\0';
    for (const char *p = pattern; *p;) {
        if ((*p == '*' || *p == '?') &&
            fits_around(pattern, (size_t)(p - pattern), address, address + at + 1))
            return true;
        p = *p == '[' ? bracket_end(p) : p + 1 + (*p == '\\' && p[1]);
    }
    return false;
}

bool pattern_fits(const char *pattern, const char *address)
{
    char p[PATTERN_MAX + 1], a[PATTERN_MAX + 1];
    if (strlen(pattern) > PATTERN_MAX || strlen(address) > PATTERN_MAX)
        return false;
    if (strcmp(pattern, "<>") == 0)
        pattern = "";
    size_t at = domain_at(address);
    lower_from(a, address, at);
    lower_from(p, pattern, domain_at(pattern));
    if (a[at] && !strchr(p, '@'))
        return fits_anywhere(p, a, at);
    return fnmatch(p, a, 0) == 0;
}
