/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit_: makes a message fit what it goes through, as a stream from wire form to wire form: no
 * line over 998 octets (RFC 5322 2.1.1), and where the server has no 8BITMIME, no octet over
 * 127 in a body (RFC 6152 3).
 *
 * Lines of the header are folded at blanks (RFC 5322 2.2.3), hard where there are none. A body
 * that is one text part, not encoded yet, goes out quoted-printable if it has a longer line; in
 * any other the longer lines are broken with CRLF and a blank. For 7 bit, each part with octets
 * over 127 that is not encoded yet goes out quoted-printable if it is text, else in base64;
 * what is signed, encrypted or not understood is left as it is, as are headers.
 *
 * A message passes at least twice: the first run learns what is in it and puts nothing out,
 * each later one writes the same octets. However the bytes are cut, the same goes out. Memory
 * is constant, some 20 KiB. */
#ifndef TRANTER_FIT_H
#define TRANTER_FIT_H

#include "buf.h"

enum {
    FIT_DEPTH_MAX = 32,   /* multiparts within each other; one deeper is left as it is */
    FIT_PARTS_MAX = 4096, /* parts; those behind are left as they are */
    FIT_GROWTH_MAX = 12   /* how often longer a message of many tiny parts may get */
};

struct fit;

/* to_7bit: also make octets over 127 fit. Owned by the caller: fit_free(). */
struct fit *fit_new(bool to_7bit);
void fit_free(struct fit *f);

/* Take in the next bytes of the message; in every run but the first, append what goes out: at
 * most FIT_GROWTH_MAX * (bytes.n + 1024). */
void fit_feed(struct fit *f, struct buf *out, struct str bytes);

/* The message ends here, and the run; the next fit_feed() begins another. */
void fit_end(struct fit *f, struct buf *out);

/* What the last writing run changed. */
struct fit_changes {
    unsigned folded;  /* lines of a header */
    unsigned broken;  /* lines of a body */
    unsigned encoded; /* parts */
};

struct fit_changes fit_changes(const struct fit *f);

#endif
