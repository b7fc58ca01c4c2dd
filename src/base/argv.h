/* SPDX-License-Identifier: GPL-3.0-or-later */
/* argv_: a command as it stands in the configuration, cut into its arguments.
 *
 * Blanks divide. Within '...' every byte is itself; within "..." too, but \" and \\; elsewhere
 * a backslash makes the next byte an ordinary one. There is no shell, so that whatever only a
 * shell would understand is refused: | & ; < > ( ) $ ` outside of quotes, and ~ at the start of
 * an argument. The first argument is an absolute path. */
#ifndef TRANTER_ARGV_H
#define TRANTER_ARGV_H

#include "attr.h"
#include "err.h"
#include "str.h"

enum {
    ARGV_MAX = 32 /* arguments */
};

struct argv {
    char *words[ARGV_MAX + 1]; /* the last is NULL */
    char *memory;              /* theirs; owned */
};

/* Cut line up; give back with argv_release(). -1, and a sentence in *err that goes on after
 * "this command", where it is not such a line. */
int argv_split(struct argv *argv, const char *line, struct err *err) ATTR_MUST_CHECK;
void argv_release(struct argv *argv);

#endif
