/* SPDX-License-Identifier: GPL-3.0-or-later */
/* canon_: a message as programs write it, made into what goes over the wire after DATA (RFC
 * 5321 2.3.8, 4.5.2): LF and CRLF end a line and become CRLF, a line that begins with a dot
 * gets another. Streams; it holds two bits, never bytes. NUL is the caller's to leave out. */
#ifndef TRANTER_CANON_H
#define TRANTER_CANON_H

#include "buf.h"

struct canon {
    bool dot_ends; /* a line that is just "." ends the input (no -i) */
    bool header;   /* a CR alone becomes a blank; in the body it becomes a line end (compat D14)
                    */
    bool start;    /* at the start of a line */
    bool dot;      /* "." came first on this line and is held back: it may be the end */
    bool cr;       /* CR came and is held back: LF may follow */
    bool ended;    /* by a dot */
};

/* At the start of a line of the body. */
void canon_init(struct canon *c, bool dot_ends);

/* Append the wire form of n bytes to out, at most 2 * n + 4 bytes. Returns how many were taken:
 * fewer than n only when .ended is set. */
size_t canon_feed(struct canon *c, struct buf *out, const char *bytes, size_t n);

/* No more input: give the last line its end. A last line "." without one ends the input too. */
void canon_end(struct canon *c, struct buf *out);

#endif
