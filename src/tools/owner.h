/* SPDX-License-Identifier: GPL-3.0-or-later */
/* owner_: to be the daemon's user, whose spool it is. */
#ifndef TRANTER_OWNER_H
#define TRANTER_OWNER_H

#include "err.h"

/* Root becomes the owner of the spool directory, with that user's groups, for good; for anyone
 * else, and where root owns it, nothing changes. -1 with *err. */
int owner_become(const char *directory, struct err *err) ATTR_MUST_CHECK;

#endif
