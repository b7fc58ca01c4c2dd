/* SPDX-License-Identifier: GPL-3.0-or-later */
/* visit_: a connection that reads the database of a daemon that is not running, and changes
 * nothing in the spool.
 *
 * After a clean stop the database is all there is. It is read as immutable: SQLite then takes
 * no lock and makes no file; and because a daemon that starts meanwhile takes no notice of
 * that, what was read counts only if none has started before it was. After a kill the log may
 * hold mail that the database does not have yet. It is read through an index of our own in
 * memory (SQLite's readonly_shm), under SQLite's locks, so that a daemon may start meanwhile:
 * it changes the database no sooner than we are done with a read. No lock of ours could hold it
 * up. */
#ifndef TRANTER_VISIT_H
#define TRANTER_VISIT_H

#include "attr.h"
#include "err.h"
#include "spool.h"

#include <sqlite3.h>
#include <sys/stat.h>

struct visit {
    const struct spool *spool; /* borrowed */
    bool immutable;
    struct stat found; /* the database as it was */
};

/* Open the database of spool, which spool_visit() opened. -1, *err, and *db is NULL. */
int visit_open(struct visit *v, const struct spool *spool, sqlite3 **db,
               struct err *err) ATTR_MUST_CHECK;

/* A daemon has started since, and what was read last may be of two times. */
bool visit_is_disturbed(const struct visit *v);

#endif
