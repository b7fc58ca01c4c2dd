/* SPDX-License-Identifier: GPL-3.0-or-later */
/* saslprep_: one spelling for names and passwords that look alike, RFC 4013; by libidn. (What
 * GnuTLS has is RFC 8265, which SCRAM's servers do not use.) */
#ifndef TRANTER_SASLPREP_H
#define TRANTER_SASLPREP_H

#include "attr.h"
#include "buf.h"

enum saslprep_use {
    SASLPREP_QUERY, /* a name: letters that Unicode 3.2 did not have are let through */
    SASLPREP_STORED /* a password: they are not (RFC 5802 section 2.2) */
};

/* Append text, which is UTF-8, in its prepared form to out. False, and out as it was: it is not
 * UTF-8, has a letter that must not be in it (controls, NUL), mixes directions of writing, or
 * nothing is left. ASCII stays as it is and is copied nowhere else; of other text libidn leaves
 * copies in memory that it has given back. */
bool saslprep(struct buf *out, struct str text, enum saslprep_use use) ATTR_MUST_CHECK;

#endif
