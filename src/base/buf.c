/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "buf.h"

#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUF_FIRST_ROOM = 256
};

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

static void give_back(const struct buf *b, char *memory)
{
    if (b->secret && memory)
        explicit_bzero(memory, b->room);
    free(memory);
}

void buf_release(struct buf *b)
{
    give_back(b, b->memory);
    *b = (struct buf){.max = b->max, .secret = b->secret};
}

struct str buf_str(const struct buf *b)
{
    return b->used ? (struct str){b->memory + b->head, b->used} : (struct str){"", 0};
}

size_t buf_space(const struct buf *b)
{
    return b->failed ? 0 : b->max - b->used;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (n > buf_space(b)) {
        b->failed = true;
        return NULL;
    }
    if (b->head + b->used + n <= b->room)
        return b->memory + b->head + b->used;
    if (b->head >= b->used && b->used + n <= b->room) {
        memmove(b->memory, b->memory + b->head, b->used);
        b->head = 0;
        return b->memory + b->used;
    }
    size_t room = b->room ? b->room : BUF_FIRST_ROOM;
    while (room < b->used + n)
        room *= 2;
    char *memory = mem_resize(NULL, room, 1);
    if (b->used)
        memcpy(memory, b->memory + b->head, b->used);
    give_back(b, b->memory);
    b->memory = memory;
    b->room = room;
    b->head = 0;
    return memory + b->used;
}

void buf_added(struct buf *b, size_t n)
{
    BUG_ON(b->head + b->used + n > b->room);
    b->used += n;
}

void buf_put(struct buf *b, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    char *end = buf_reserve(b, n);
    if (!end)
        return;
    memcpy(end, bytes, n);
    b->used += n;
}

void buf_put_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vprintf(b, fmt, args);
    va_end(args);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    BUG_ON(n < 0);
    /* One more for the NUL that vsnprintf insists on writing; it is not counted. */
    char *end = (size_t)n <= buf_space(b) ? mem_array((size_t)n + 1, 1) : NULL;
    if (end) {
        vsnprintf(end, (size_t)n + 1, fmt, again);
        buf_put(b, end, (size_t)n);
        if (b->secret)
            explicit_bzero(end, (size_t)n);
        free(end);
    } else {
        b->failed = true;
    }
    va_end(again);
}

void buf_consume(struct buf *b, size_t n)
{
    BUG_ON(n > b->used);
    b->used -= n;
    b->head = b->used ? b->head + n : 0;
}

static void swap_memory(struct buf *a, struct buf *b)
{
    struct buf old = *a;
    *a = *b;
    *b = old;
    b->max = a->max;
    a->max = old.max;
}

size_t buf_move(struct buf *to, struct buf *from)
{
    size_t n = from->used < buf_space(to) ? from->used : buf_space(to);
    BUG_ON(to->secret != from->secret || from->failed);
    if (to->used == 0 && !to->failed && n == from->used) {
        swap_memory(to, from);
        return n;
    }
    buf_put(to, buf_str(from).p, n);
    buf_consume(from, n);
    return n;
}

void buf_clear(struct buf *b)
{
    b->head = 0;
    b->used = 0;
    b->failed = false;
}

char *buf_strdup(const struct buf *b)
{
    struct str s = buf_str(b);
    return mem_strndup(s.p, s.n);
}
