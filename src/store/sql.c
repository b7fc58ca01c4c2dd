/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sql.h"

#include "mem.h"

#include <stdio.h>
#include <string.h>

int sql_prepare(sqlite3 *db, const char *const *texts, sqlite3_stmt **statements, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int rc = sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i],
                                    NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

void sql_finalize(sqlite3_stmt **statements, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        sqlite3_finalize(statements[i]);
        statements[i] = NULL;
    }
}

static int bind(sqlite3_stmt *st, int parameter, const struct sql_value *value)
{
    switch (value->type) {
    case SQL_IS_INT:
        return sqlite3_bind_int64(st, parameter, value->i);
    case SQL_IS_TEXT:
        if (!value->p || !*(const char *)value->p)
            return sqlite3_bind_null(st, parameter);
        return sqlite3_bind_text(st, parameter, value->p, -1, SQLITE_STATIC);
    case SQL_IS_BLOB:
        return sqlite3_bind_blob64(st, parameter, value->p, value->n, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

int sql_first(sqlite3_stmt *st, const struct sql_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc = bind(st, (int)i + 1, &values[i]);
        BUG_ON(rc != SQLITE_OK && rc != SQLITE_NOMEM);
        if (rc != SQLITE_OK)
            return rc;
    }
    return sqlite3_step(st);
}

int sql_run(sqlite3_stmt *st, const struct sql_value *values, size_t n)
{
    int rc = sql_first(st, values, n);
    while (rc == SQLITE_ROW)
        rc = sqlite3_step(st);
    int reset = sqlite3_reset(st);
    return rc == SQLITE_DONE ? reset : rc;
}

int sql_number(sqlite3_stmt *st, const struct sql_value *values, size_t n, int64_t *value)
{
    int rc = sql_first(st, values, n);
    if (rc == SQLITE_ROW)
        *value = sqlite3_column_int64(st, 0);
    int reset = sqlite3_reset(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? reset : rc;
}

int sql_exec(sqlite3 *db, const char *text)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL);
}

int sql_exec_number(sqlite3 *db, const char *text, int64_t *value)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, text, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sql_number(st, NULL, 0, value);
    sqlite3_finalize(st);
    return rc;
}

char *sql_column_strdup(sqlite3_stmt *st, int column)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    return mem_strdup(text ? text : "");
}

void sql_column_copy(sqlite3_stmt *st, int column, char *field, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    snprintf(field, size, "%s", text ? text : "");
}

bool sql_is_damage(int rc)
{
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

void sql_words(sqlite3 *db, int rc, char *words, size_t size)
{
    int system = db ? sqlite3_system_errno(db) : 0;
    bool by_system =
        system != 0 && ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_FULL ||
                        (rc & 0xff) == SQLITE_CANTOPEN);
    snprintf(words, size, "%s%s%s (SQLite %d)", sqlite3_errstr(rc), by_system ? ": " : "",
             by_system ? strerror(system) : "", rc);
}
