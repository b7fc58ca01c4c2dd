/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "schema.h"

#include <stdio.h>

/* The format of version 1, and below what each later one adds: a new database goes the same
 * way as an old one, so that there is one format.
 *
 * Rowids ascend with time in every table, so that all that is new is appended at one end.
 *
 * message.state is enum store_state, recipient.state enum store_recipient_state,
 * recipient.scope enum fault_scope: their numbers belong to the format. NULL text is the empty
 * text. message.tried tells deferred from new. total has one row, kept in each transaction, so
 * that counting never scans. half has the ids whose chunks belong to no message: not yet
 * committed, or being removed in pieces. submission.message names a message that may be gone;
 * two users may have the same submission id, so that nobody can take another's. */
static const char version_1[] =
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY,"
    " state INTEGER NOT NULL,"
    " tried INTEGER NOT NULL,"
    " sender TEXT,"
    " body_bytes INTEGER NOT NULL,"
    " body_8bit INTEGER NOT NULL,"
    " long_lines INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " gid INTEGER NOT NULL,"
    " pid INTEGER NOT NULL,"
    " arrival_ms INTEGER NOT NULL,"
    " next_attempt_ms INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " ambiguous INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX due ON message (next_attempt_ms) WHERE state = 0;"
    "CREATE INDEX dead ON message (next_attempt_ms) WHERE state = 2;"
    "CREATE TABLE recipient ("
    " id INTEGER PRIMARY KEY,"
    " address TEXT,"
    " state INTEGER NOT NULL,"
    " scope INTEGER NOT NULL,"
    " permanent INTEGER NOT NULL,"
    " ambiguous INTEGER NOT NULL,"
    " status TEXT,"
    " code TEXT,"
    " text TEXT,"
    " fix TEXT,"
    " reply TEXT"
    ") STRICT;"
    "CREATE TABLE chunk (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;"
    "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE submission ("
    " message INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL,"
    " UNIQUE (id, uid)"
    ") STRICT;"
    "CREATE TABLE total ("
    " id INTEGER PRIMARY KEY CHECK (id = 1),"
    " last_id INTEGER NOT NULL,"
    " queued INTEGER NOT NULL,"
    " deferred INTEGER NOT NULL,"
    " held INTEGER NOT NULL,"
    " dead INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO total VALUES (1, 0, 0, 0, 0, 0, 0);";

/* What the submitter asked for (RFC 3461, RFC 8689), and who was told what: message.ret is enum
 * store_ret, recipient.notify the bits of enum store_notify. event is what happened to a
 * message that is still here, one row for the same again and again. by_state finds the few that
 * are not queued among a million that are, and the other way round. total.told_ms is when the
 * administrator was last told of dead mail, untold has what is news. spent is how many messages
 * went to a smarthost with a rate, for slots of time that begin at at_ms. The index due by uid
 * lets the users take turns: what is due of each is found without a look at the mail of the
 * others. */
static const char version_2[] =
    "DROP INDEX due;"
    "CREATE INDEX due ON message (uid, next_attempt_ms) WHERE state = 0;"
    "ALTER TABLE message ADD COLUMN envid TEXT;"
    "ALTER TABLE message ADD COLUMN ret INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN require_tls INTEGER NOT NULL"
    " DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN warned INTEGER NOT NULL"
    " DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN report INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE total ADD COLUMN told_ms INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX untold ON message (next_attempt_ms)"
    " WHERE state = 2 AND told = 0;"
    "ALTER TABLE recipient ADD COLUMN notify INTEGER NOT NULL"
    " DEFAULT 0;"
    "ALTER TABLE recipient ADD COLUMN orcpt TEXT;"
    "CREATE TABLE event ("
    " id INTEGER PRIMARY KEY,"
    " since_ms INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL,"
    " times INTEGER NOT NULL,"
    " relay TEXT,"
    " text TEXT"
    ") STRICT;"
    "CREATE TABLE spent ("
    " smarthost TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL,"
    " messages INTEGER NOT NULL,"
    " PRIMARY KEY (smarthost, at_ms)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX by_state ON message (state);";

/* From version i to the next. */
static const char *const steps[SCHEMA_VERSION] = {version_1, version_2};

/* All steps from version on. The caller begins and commits. */
static int raise_version(sqlite3 *db, int64_t version)
{
    int rc = SQLITE_OK;
    for (; rc == SQLITE_OK && version < SCHEMA_VERSION; version++)
        rc = sql_exec(db, steps[version]);
    if (rc != SQLITE_OK)
        return rc;
    char text[64];
    snprintf(text, sizeof text, "PRAGMA user_version = %d", SCHEMA_VERSION);
    return sql_exec(db, text);
}

int schema_migrate(sqlite3 *db, int64_t version)
{
    int rc = sql_exec(db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = raise_version(db, version);
    if (rc == SQLITE_OK)
        rc = sql_exec(db, "COMMIT");
    /* What this one returns adds nothing to the error that led here. */
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(db))
        (void)!sql_exec(db, "ROLLBACK");
    return rc;
}

/* Page size and incremental vacuum can only be set before the first table. Pages of 4 KiB were
 * as fast as 8 KiB one by one and a third faster in groups, for messages of 4 KiB. */
static int make_tables(sqlite3 *db)
{
    char text[256];
    snprintf(text, sizeof text,
             "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;"
             "PRAGMA synchronous = FULL; PRAGMA application_id = %d;",
             SCHEMA_APPLICATION_ID);
    int rc = sql_exec(db, text);
    if (rc == SQLITE_OK)
        rc = schema_migrate(db, 0);
    return rc == SQLITE_OK ? sql_exec(db, "PRAGMA journal_mode = WAL") : rc;
}

int schema_make(const char *path, const char *vfs, struct err *err)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs);
    if (rc == SQLITE_OK)
        rc = make_tables(db);
    char words[256];
    sql_words(db, rc, words, sizeof words);
    int closed = sqlite3_close(db);
    if (rc == SQLITE_OK && closed == SQLITE_OK)
        return 0;
    return err_set(err, "cannot make the queue's database %s: %s", path, words);
}

int schema_check_version(const char *path, int64_t version, struct err *err)
{
    if (version >= 1 && version <= SCHEMA_VERSION)
        return 0;
    if (version > SCHEMA_VERSION)
        return err_set(err,
                       "%s has format %lld, written by a newer tranter; this one reads up to "
                       "format %d: install the newer version again",
                       path, (long long)version, SCHEMA_VERSION);
    return err_set(err,
                   "%s has format %lld, which no tranter has written: move it out of the "
                   "spool",
                   path, (long long)version);
}
