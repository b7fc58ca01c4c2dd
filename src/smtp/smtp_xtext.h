/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_xtext_: how values with any octets are written in parameters (RFC 3461 4). Pure. */
#ifndef TRANTER_SMTP_XTEXT_H
#define TRANTER_SMTP_XTEXT_H

#include "buf.h"

/* Is text xtext: printable ASCII, with "+" and two upper-case hexadecimal digits for each octet
 * that is not, and for "+" and "="? "" is. */
bool smtp_xtext_is_valid(struct str text);

/* Append the octets that text, which is valid, stands for. There may be any among them. */
void smtp_xtext_decode(struct buf *out, struct str text);

#endif
