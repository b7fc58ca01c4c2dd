/* SPDX-License-Identifier: GPL-3.0-or-later */
/* line_limit_: watches a message in wire form (CRLF) go by for lines longer than what mail may
 * have (RFC 5322 2.1.1). */
#ifndef TRANTER_LINE_LIMIT_H
#define TRANTER_LINE_LIMIT_H

#include "str.h"

enum {
    LINE_LIMIT = 998 /* octets of a line, its CRLF not counted */
};

struct line_limit {
    uint64_t line_bytes; /* of the line that goes by, without a CR at its end */
    bool after_cr;
    bool exceeded; /* a line of more than LINE_LIMIT octets went by */
};

/* Take in the next bytes, in any pieces. Zeroed is the start of a message. A CR or LF on its
 * own ends no line. */
void line_limit_watch(struct line_limit *l, struct str bytes);

/* Does the text have a line over the limit? */
bool line_limit_exceeded(struct str text);

#endif
