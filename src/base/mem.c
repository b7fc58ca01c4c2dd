/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How to end; a status of 0 aborts. */
static struct {
    const char *program;
    int no_memory_status, bug_status;
} last = {.program = "tranter"};

void mem_exit_as(const char *program, int no_memory_status, int bug_status)
{
    last.program = program;
    last.no_memory_status = no_memory_status;
    last.bug_status = bug_status;
}

static void __attribute__((noreturn)) leave(int exit_status)
{
    if (exit_status == 0)
        abort();
    _exit(exit_status);
}

static void *checked(void *memory)
{
    if (!memory) {
        fprintf(stderr, "%s: out of memory\n", last.program);
        leave(last.no_memory_status);
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
    fprintf(stderr, "%s: bug at %s:%d: %s\n", last.program, file, line, condition);
    leave(last.bug_status);
}
