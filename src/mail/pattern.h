/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pattern_: fnmatch(3) on a whole address, letter case ignored in the domain. Pure. */
#ifndef TRANTER_PATTERN_H
#define TRANTER_PATTERN_H

#include <stdbool.h>

enum {
    PATTERN_MAX = 320 /* bytes of a pattern; an address has fewer */
};

/* Does pattern fit all of address? "" and "<>" fit the null sender alone. A pattern over
 * PATTERN_MAX fits nothing. */
bool pattern_fits(const char *pattern, const char *address);

#endif
