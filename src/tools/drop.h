/* SPDX-License-Identifier: GPL-3.0-or-later */
/* drop_: the drop directory, for a daemon that is away: the session that would have been
 * spoken, as a file, on stable storage. The daemon sweeps it. */
#ifndef TRANTER_DROP_H
#define TRANTER_DROP_H

#include "submission.h"

/* The directory: $TRANTER_DROP, else the compiled-in path. Of a set-uid program's environment
 * nothing is taken. */
const char *drop_path(void);

/* Store the message, in which envelope's xid must be set, in directory. The source must be at
 * its beginning. 0; else -1 with errno and the sentence, and nothing is left behind; errno is
 * ENOENT where there is no such directory. */
int drop_store(const char *directory, const struct submission_envelope *envelope,
               struct str top, struct source *source, struct err *err) ATTR_MUST_CHECK;

#endif
