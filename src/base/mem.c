/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (!memory) {
        fputs("tranter: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *mem_new(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size));
}

void *mem_resize(void *old, size_t count, size_t size)
{
    BUG_ON(size && count > SIZE_MAX / size);
    size_t bytes = count * size;
    return checked(realloc(old, bytes ? bytes : 1));
}

char *mem_strdup(const char *text)
{
    return text ? checked(strdup(text)) : NULL;
}

char *mem_strndup(const char *bytes, size_t n)
{
    char *copy = checked(malloc(n + 1));
    if (n)
        memcpy(copy, bytes, n);
    copy[n] = '\0';
    return copy;
}

void mem_bug(const char *file, int line, const char *condition)
{
    fprintf(stderr, "tranter: bug at %s:%d: %s\n", file, line, condition);
    abort();
}
