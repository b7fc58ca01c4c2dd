/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema_: the tables of queue.db and the format's version. */
#ifndef TRANTER_SCHEMA_H
#define TRANTER_SCHEMA_H

#include "attr.h"
#include "err.h"
#include "sql.h"

#include <stdint.h>

enum {
    SCHEMA_APPLICATION_ID = 0x74726e71, /* "trnq" in the file's header */
    SCHEMA_VERSION = 2,                 /* PRAGMA user_version */
    SCHEMA_PAGE_BYTES = 4096,
    SCHEMA_ID_BITS = 48, /* of a message's id */
    SCHEMA_NUMBER_BITS =
        15, /* rowid of a chunk, recipient or event: id << SCHEMA_NUMBER_BITS | n */
    SCHEMA_NUMBER_LAST = (1 << SCHEMA_NUMBER_BITS) - 1
};

#define SCHEMA_ID_LAST (((int64_t)1 << SCHEMA_ID_BITS) - 1)

/* First rowid of message id in table chunk, recipient or event; the last is schema_row(id,
 * SCHEMA_NUMBER_LAST). */
static inline int64_t schema_row(int64_t id, unsigned n)
{
    return (int64_t)((uint64_t)id << SCHEMA_NUMBER_BITS | n);
}

/* Make the tables in the empty database at path, through the VFS named (NULL: the system's).
 * When it returns 0, all is on the disk. */
int schema_make(const char *path, const char *vfs, struct err *err) ATTR_MUST_CHECK;

/* 0 when this program reads that version of the format, or can make it its own with
 * schema_migrate(); else a sentence and -1. */
int schema_check_version(const char *path, int64_t version, struct err *err) ATTR_MUST_CHECK;

/* Bring db from version, which schema_check_version() let pass, to SCHEMA_VERSION, in one
 * transaction. SQLite's result code; db is as it was when that is not SQLITE_OK. */
int schema_migrate(sqlite3 *db, int64_t version) ATTR_MUST_CHECK;

#endif
