/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_data_: content as it comes behind DATA, decoded (RFC 5321 4.1.1.4, 4.5.2).
 *
 * CR LF "." CR LF ends it, and nothing else ever does (L-032). A dot at the start of a line,
 * which is what follows CR LF, is taken away. A CR or LF that stands alone and a NUL are passed
 * through and noticed: content that has one is to be refused at its end. */
#ifndef TRANTER_SMTP_DATA_H
#define TRANTER_SMTP_DATA_H

#include "str.h"

enum smtp_data_flaw {
    SMTP_DATA_CLEAN,
    SMTP_DATA_BARE_CR, /* CR without LF behind it */
    SMTP_DATA_BARE_LF, /* LF without CR before it */
    SMTP_DATA_NUL
};

enum {
    SMTP_DATA_HELD_MAX = 2 /* octets that may wait for the next ones */
};

struct smtp_data {
    bool line_start;          /* the next octet is a line's first */
    bool ended;               /* the end of data was read */
    uint64_t bytes;           /* decoded so far */
    uint64_t lines;           /* whole lines decoded so far */
    enum smtp_data_flaw flaw; /* the first one */
    uint64_t flaw_line;       /* its line, from 1 */
};

void smtp_data_init(struct smtp_data *d);

/* Decode the n octets at wire in place: the first *decoded octets there are content then.
 * Returns how many were used: all, or up to the end of data, after which .ended is set; or all
 * but at most SMTP_DATA_HELD_MAX, which are untouched and must be given again with more behind
 * them. How the octets are cut never changes the result. */
size_t smtp_data_decode(struct smtp_data *d, char *wire, size_t n, size_t *decoded);

#endif
