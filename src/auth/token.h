/* SPDX-License-Identifier: GPL-3.0-or-later */
/* token_: what a token command prints. Pure. */
#ifndef TRANTER_TOKEN_H
#define TRANTER_TOKEN_H

#include "buf.h"
#include "err.h"

enum {
    TOKEN_LIFETIME_MAX_S = 10 * 365 * 24 * 3600 /* longer is as good as this */
};

/* Leave the token alone in output: its first line, or, where it begins with {, the access_token
 * of that JSON object (RFC 6749 section 5.1). *lifetime_s is its expires_in, -1 where it does
 * not say. -1: there is no token in it, and a sentence in *err says why, which goes on after
 * what printed it, and never has a part of it but the error of RFC 6749 section 5.2. */
int token_read(struct buf *output, int64_t *lifetime_s, struct err *err) ATTR_MUST_CHECK;

#endif
