/* SPDX-License-Identifier: GPL-3.0-or-later */
/* say_: the line on standard error. */
#ifndef TRANTER_SAY_H
#define TRANTER_SAY_H

#include "buf.h"

enum {
    SAY_LINE_MAX = 1000 /* bytes of a line with its newline */
};

/* Append "program: words" and a newline: one line of printable ASCII whatever the words are,
 * cut at SAY_LINE_MAX (compat 5.3.6). Pure. */
void say_line(struct buf *out, const char *program, struct str words);

/* Write that line to standard error, in one write; failure to do so is nobody's concern. */
void say(const char *program, const char *fmt, ...) ATTR_PRINTF(2, 3);

#endif
