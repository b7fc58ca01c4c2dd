/* SPDX-License-Identifier: GPL-3.0-or-later */
/* xtext_: how values with any octets are written in parameters (RFC 3461 4). Pure. */
#ifndef TRANTER_XTEXT_H
#define TRANTER_XTEXT_H

#include "buf.h"

/* Is text xtext: printable ASCII, with "+" and two upper-case hexadecimal digits for each octet
 * that is not, and for "+" and "="? "" is. */
bool xtext_is_valid(struct str text);

/* Append the octets that text, which is valid, stands for. There may be any among them. */
void xtext_decode(struct buf *out, struct str text);

/* Append octets, whatever they are, in xtext. */
void xtext_put(struct buf *out, struct str octets);

#endif
