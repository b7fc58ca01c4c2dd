/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fold_: where a line that is too long is cut. Never inside a UTF-8 sequence. */
#ifndef TRANTER_FOLD_H
#define TRANTER_FOLD_H

#include "str.h"

/* How many bytes of line, which has more than limit, go into the first piece: at most limit,
 * and at least limit - 3. Three bytes behind the limit, where there are so many, are looked at.
 */
size_t fold_body(struct str line, size_t limit);

/* The same for a line of a header: before its last blank (RFC 5322 2.2.3), which no line of
 * blanks alone comes from; where there is none, *hard is set, and it is behind a comma,
 * semicolon or angle bracket, else at the limit: the rest needs a blank in front. */
size_t fold_header(struct str line, size_t limit, bool *hard);

bool fold_is_blank(struct str s);

#endif
