/* SPDX-License-Identifier: GPL-3.0-or-later */
/* buf_: bytes that grow up to a limit and are used up from the front.
 *
 * A buf has a maximum from its init. Going over it sets .failed and leaves the bytes as they
 * are; every later addition is then without effect, so that a builder checks .failed once, at
 * its end. */
#ifndef TRANTER_BUF_H
#define TRANTER_BUF_H

#include "attr.h"
#include "str.h"

#include <stdarg.h>

struct buf {
    char *memory; /* owned; wiped on release when .secret */
    size_t head;  /* first byte still in use */
    size_t used;  /* bytes in use from head on */
    size_t room;  /* bytes allocated */
    size_t max;   /* bytes that may be in use at once */
    bool failed;  /* an addition did not fit */
    bool secret;  /* wipe memory before giving it back, also when it moves */
};

/* Make b empty, with a limit of max bytes. */
void buf_init(struct buf *b, size_t max);

/* Give the memory back; b is empty and usable again, with the same limit. */
void buf_release(struct buf *b);

/* All bytes in use, valid until b is changed. */
struct str buf_str(const struct buf *b);

static inline size_t buf_len(const struct buf *b)
{
    return b->used;
}

/* Bytes that still fit. */
size_t buf_space(const struct buf *b);

/* Append. Over the limit: nothing is added, .failed is set. */
void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_put_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) ATTR_PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list args) ATTR_PRINTF(2, 0);

/* Room for n bytes at the end, to be written by the caller and then counted by buf_added(b, at
 * most n). NULL, and .failed, over the limit. */
char *buf_reserve(struct buf *b, size_t n) ATTR_MUST_CHECK;
void buf_added(struct buf *b, size_t n);

/* Drop n bytes at the front (n <= buf_len). */
void buf_consume(struct buf *b, size_t n);

/* Append to to what it has room for of from, which loses that. Where to is empty and has room
 * for all, the memory changes hands and no byte is copied. Returns the bytes moved. */
size_t buf_move(struct buf *to, struct buf *from);

/* Drop everything, and forget .failed; memory is kept. */
void buf_clear(struct buf *b);

/* A NUL-terminated copy, owned by the caller: free(). */
char *buf_strdup(const struct buf *b);

#endif
