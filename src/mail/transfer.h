/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transfer_: content transfer encodings as a stream (RFC 2045 6.7, 6.8): lines of at most 76
 * octets, all of them ASCII. */
#ifndef TRANTER_TRANSFER_H
#define TRANTER_TRANSFER_H

#include "buf.h"

enum transfer_encoding {
    TRANSFER_QUOTED_PRINTABLE,
    TRANSFER_BASE64
};

enum {
    TRANSFER_LINE_MAX = 76
};

struct transfer {
    enum transfer_encoding encoding;
    char line[TRANSFER_LINE_MAX]; /* that goes out; with base64 its 57 octets, not encoded */
    size_t n_line;
    bool soft;      /* it continues a line of the text */
    bool owes_crlf; /* base64: the last line's end, which is a boundary's if one follows */
};

/* At the start of a body. */
struct transfer transfer_start(enum transfer_encoding encoding);

/* Append the encoded form of the next piece of a line, which CRLF follows if line_ends. */
void transfer_put(struct transfer *t, struct buf *out, struct str piece, bool line_ends);

/* Append what is left. at_boundary: a MIME boundary follows, and the CRLF before it is its own.
 */
void transfer_end(struct transfer *t, struct buf *out, bool at_boundary);

/* "quoted-printable", "base64". */
const char *transfer_name(enum transfer_encoding encoding);

#endif
