/* SPDX-License-Identifier: GPL-3.0-or-later */
/* printable_: text from outside, made harmless for a log line, a terminal, a header or a report
 * (L-080, S-135, S-138).
 *
 * C0, DEL, C1 (also as UTF-8), U+2028, U+2029, bidirectional controls and bytes that are not
 * UTF-8 become \xHH; CR LF inside becomes one blank. Everything else, good UTF-8 included,
 * stays. */
#ifndef TRANTER_PRINTABLE_H
#define TRANTER_PRINTABLE_H

#include "buf.h"

/* Append raw, made harmless, to out; at most max bytes are added, an ellipsis "..." marks a
 * cut. */
void printable_put(struct buf *out, struct str raw, size_t max);

/* The same into text[size], NUL-terminated. */
void printable_cut(char *text, size_t size, struct str raw);

/* Length in bytes (1 to 4) of the valid UTF-8 character at the start of s; 0 where there is
 * none (RFC 3629). */
size_t printable_utf8(struct str s);

#endif
