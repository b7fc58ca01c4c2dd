/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base64_: RFC 4648 section 4, strict: the alphabet, right padding, no white space, no stray
 * bits. */
#ifndef TRANTER_BASE64_H
#define TRANTER_BASE64_H

#include "buf.h"

/* Append the base64 form of raw. */
void base64_encode(struct buf *out, struct str raw);

/* Append what text stands for. False, and out as it was, if text is not base64 or does not fit.
 */
bool base64_decode(struct buf *out, struct str text) ATTR_MUST_CHECK;

#endif
