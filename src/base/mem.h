/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mem_: memory that is always there. Running out aborts: the store is consistent at every
 * instant, and the service manager starts us again. */
#ifndef TRANTER_MEM_H
#define TRANTER_MEM_H

#include <stddef.h>

/* Zeroed memory for one object of size bytes; aborts when there is none. The caller owns it:
 * free(). */
void *mem_new(size_t size);

/* Zeroed memory for count objects of size bytes each; aborts on overflow or when there is none.
 * free(). */
void *mem_array(size_t count, size_t size);

/* As realloc, for count objects of size bytes; what is added is not zeroed. Aborts on overflow
 * or no memory. */
void *mem_resize(void *old, size_t count, size_t size);

/* A copy of the NUL-terminated text, owned by the caller: free(). NULL gives NULL. */
char *mem_strdup(const char *text);

/* A NUL-terminated copy of n bytes, owned by the caller: free(). */
char *mem_strndup(const char *bytes, size_t n);

/* Have a program end with these exit statuses and a line "program: ..." instead of aborting:
 * where the one who called it reads its exit status. program is borrowed for good. */
void mem_exit_as(const char *program, int no_memory_status, int bug_status);

/* Stop at our own bug: say where, and abort. Never for input from outside. */
#define BUG_ON(condition)                                                                      \
    do {                                                                                       \
        if (condition)                                                                         \
            mem_bug(__FILE__, __LINE__, #condition);                                           \
    } while (0)

void mem_bug(const char *file, int line, const char *condition) __attribute__((noreturn));

#endif
