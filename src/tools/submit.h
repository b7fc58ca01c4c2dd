/* SPDX-License-Identifier: GPL-3.0-or-later */
/* submit_: -bm, the message on standard input from the first byte to the exit status. */
#ifndef TRANTER_SUBMIT_H
#define TRANTER_SUBMIT_H

#include "options.h"

/* Take the message in and hand it to the daemon. Returns the exit status (0: the daemon has it
 * on disk); whatever else has been said on standard error as program, unless o->quiet. */
int submit(const char *program, const struct options *o);

#endif
