/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spool_: the directory of the queue, who may own it, and the lock on it. */
#ifndef TRANTER_SPOOL_H
#define TRANTER_SPOOL_H

#include "attr.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct spool {
    int directory_fd;
    int lock_fd;     /* holds an open-file-description lock as long as it is open */
    char *directory; /* its path; owned */
    char *database;  /* path of queue.db; owned */
    char *draft;     /* path of a database that is being made; owned */
};

/* What lies at spool->database. */
enum spool_content {
    SPOOL_MISSING,
    SPOOL_OURS,
    SPOOL_REFUSED /* foreign, damaged or not safely ours: see *err */
};

/* Open directory, made with mode 0700 where it is missing, refuse one that others may write to,
 * and lock it. 0; or -1 with a sentence in *err, nothing held, and *busy_pid the pid of who has
 * the lock (-1 where it cannot be told), 0 where that is not the reason. */
int spool_open(struct spool *spool, const char *directory, struct err *err,
               pid_t *busy_pid) ATTR_MUST_CHECK;

/* Open directory to read in it while no daemon runs: nothing is made, locked or changed. 0; or
 * -1 with a sentence in *err. */
int spool_visit(struct spool *spool, const char *directory, struct err *err) ATTR_MUST_CHECK;

/* A daemon has the spool at this moment. */
bool spool_is_locked(const struct spool *spool);

/* Unlock, close, free. */
void spool_close(struct spool *spool);

/* Look at the database's owner, mode and first 100 bytes, without SQLite, so that nothing
 * foreign or damaged is written to or recovered. */
enum spool_content spool_inspect(const struct spool *spool, struct err *err) ATTR_MUST_CHECK;

/* Make an empty file of mode 0600 at spool->draft, in place of any there. */
int spool_make_draft(const struct spool *spool, struct err *err) ATTR_MUST_CHECK;

/* Give the finished draft its name, durably. */
int spool_publish_draft(const struct spool *spool, struct err *err) ATTR_MUST_CHECK;

/* Make the directory's entries durable. */
int spool_sync(const struct spool *spool, struct err *err) ATTR_MUST_CHECK;

/* Bytes free for us on the file system; UINT64_MAX where it cannot be told. */
uint64_t spool_free_bytes(const struct spool *spool);

/* What mail on a file system of this type (statfs f_type, <linux/magic.h>) is exposed to, as
 * "tmpfs, which is memory: ...". NULL: nothing we know of. */
const char *spool_volatile(uint32_t type);

/* True, with a sentence in *warning that names the file and the way out, where the directory
 * lies on such a file system. */
bool spool_warn(const struct spool *spool, struct err *warning);

/* "queue.db is damaged ... do this": the same sentence wherever the damage of the database at
 * that path is seen. Returns -1. */
int spool_damaged(const char *database, const char *words, struct err *err);

#endif
