/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_dot_: content as it goes out, as a stream: behind DATA with its transparency (RFC 5321
 * 4.5.2), or counted, behind BDAT (RFC 3030).
 *
 * Content comes in wire form (CRLF) in any pieces and leaves with each line's leading dot
 * doubled (S-111), counted content with as many octets as it has. It is the last guard before
 * the wire: a CR or LF that is not part of a CRLF, and a NUL, go out as a blank, so that no
 * octet of a message can end a line or the message where a server sees it and we do not
 * (S-110). The length declared with SIZE stays true. */
#ifndef TRANTER_SMTP_DOT_H
#define TRANTER_SMTP_DOT_H

#include "buf.h"

struct smtp_dot {
    bool inside_line; /* something of the current line went out */
    bool after_cr;    /* a CR is held back until its LF comes */
    bool counted;     /* for BDAT: nothing is added */
};

/* At the start of a message. */
static inline struct smtp_dot smtp_dot_start(bool counted)
{
    return (struct smtp_dot){.counted = counted};
}

/* Append the next piece of the content to out: at most 2 * content.n + 1 bytes. */
void smtp_dot_put(struct smtp_dot *d, struct buf *out, struct str content);

/* Append the end: CRLF where the last line has none, then dot CRLF (S-112); of counted content
 * what was held back. */
void smtp_dot_end(struct smtp_dot *d, struct buf *out);

#endif
