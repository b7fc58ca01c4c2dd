/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reach_: the daemon's sockets: where they are, and connecting to one. Of a set-uid program's
 * environment nothing is taken. */
#ifndef TRANTER_REACH_H
#define TRANTER_REACH_H

#include "buf.h"
#include "err.h"

#include <stdint.h>

/* The submission socket: $TRANTER_SOCKET, else the compiled-in path. The environment's or the
 * program's own. */
const char *reach_submission_path(void);

/* Append the control socket's path: $TRANTER_CONTROL, else control.sock in the submission
 * socket's directory. */
void reach_control_path(struct buf *path);

/* How long to wait for a daemon that is away, in ms: $TRANTER_WAIT in seconds (0 to 86400),
 * else ten seconds, also where the variable makes no sense. */
int64_t reach_wait_ms(void);

/* Is this errno of reach_connect() what passes when a daemon starts, or has a moment to accept?
 */
bool reach_is_away(int why);

/* Connect to the UNIX socket at path. A socket that is missing, refuses or has its queue full
 * is tried again for wait_ms. Returns a descriptor above 2, non-blocking and close-on-exec, the
 * caller's to close; or -1, errno, and the sentence. */
int reach_connect(const char *path, int64_t wait_ms, struct err *err) ATTR_MUST_CHECK;

#endif
