/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sql_: prepared statements, bound and run. Values are only ever bound, never pasted into the
 * text of a statement. Return values are SQLite's extended result codes. */
#ifndef TRANTER_SQL_H
#define TRANTER_SQL_H

#include "attr.h"
#include "err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One value to bind. What it points to is borrowed until the statement is reset. */
struct sql_value {
    enum {
        SQL_IS_INT,
        SQL_IS_TEXT,
        SQL_IS_BLOB
    } type;
    int64_t i;
    const void *p;
    size_t n;
};

#define SQL_INT(value) ((struct sql_value){.type = SQL_IS_INT, .i = (int64_t)(value)})
/* A NUL-terminated text; NULL or "" is stored as NULL. */
#define SQL_TEXT(text) ((struct sql_value){.type = SQL_IS_TEXT, .p = (text)})
#define SQL_BLOB(bytes, size)                                                                  \
    ((struct sql_value){.type = SQL_IS_BLOB, .p = (bytes), .n = (size)})

#define SQL_VALUES(...)                                                                        \
    ((const struct sql_value[]){__VA_ARGS__}),                                                 \
        sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value)

/* Prepare n statements for the life of a connection. */
int sql_prepare(sqlite3 *db, const char *const *texts, sqlite3_stmt **statements,
                unsigned n) ATTR_MUST_CHECK;
void sql_finalize(sqlite3_stmt **statements, unsigned n);

/* Bind all values (parameters 1 to n) and step once: SQLITE_ROW, SQLITE_DONE or an error. The
 * caller reads the columns and calls sqlite3_reset. */
int sql_first(sqlite3_stmt *st, const struct sql_value *values, size_t n) ATTR_MUST_CHECK;

/* Bind, run to the end, reset. SQLITE_OK or an error. */
int sql_run(sqlite3_stmt *st, const struct sql_value *values, size_t n) ATTR_MUST_CHECK;

/* Bind, run, reset; *value is the first column of the first row, and untouched where there is
 * none (*value is then the caller's default). SQLITE_OK or an error. */
int sql_number(sqlite3_stmt *st, const struct sql_value *values, size_t n,
               int64_t *value) ATTR_MUST_CHECK;

/* Run a fixed text without results: pragmas, BEGIN, COMMIT. */
int sql_exec(sqlite3 *db, const char *text) ATTR_MUST_CHECK;

/* As sql_number, for a text that is run rarely. */
int sql_exec_number(sqlite3 *db, const char *text, int64_t *value) ATTR_MUST_CHECK;

/* A text column as an own NUL-terminated copy (mem_), never NULL; and into a fixed field. */
char *sql_column_strdup(sqlite3_stmt *st, int column);
void sql_column_copy(sqlite3_stmt *st, int column, char *field, size_t size);

/* Whether the code says that the database is not what it must be. */
bool sql_is_damage(int rc);

/* SQLite's words for the last error of db, and the system's where there were any. */
void sql_words(sqlite3 *db, int rc, char *words, size_t size);

#endif
