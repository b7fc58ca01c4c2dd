/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "history.h"

#include "schema.h"

enum statement {
    LAST,
    ADD,
    REPEAT,
    FORGET,
    RENUMBER,
    DROP,
    N_STATEMENTS
};
_Static_assert((int)N_STATEMENTS == (int)HISTORY_STATEMENTS, "room");

static const char *const statement_texts[N_STATEMENTS] = {
    [LAST] = ("SELECT id, relay IS ?3 AND text IS ?4 FROM event WHERE id BETWEEN ?1 AND ?2"
              " ORDER BY id DESC LIMIT 1"),
    [ADD] = "INSERT INTO event VALUES (?1, ?2, ?2, 1, ?3, ?4)",
    [REPEAT] = "UPDATE event SET time_ms = ?2, times = times + 1 WHERE id = ?1",
    [FORGET] = "DELETE FROM event WHERE id BETWEEN ?1 AND ?2",
    [RENUMBER] = "UPDATE event SET id = id - ?3 WHERE id BETWEEN ?1 AND ?2",
    [DROP] = "DELETE FROM event WHERE id BETWEEN ?1 AND ?2",
};

int history_open(struct history *h, sqlite3 *db)
{
    return sql_prepare(db, statement_texts, h->statements, N_STATEMENTS);
}

void history_close(struct history *h)
{
    sql_finalize(h->statements, N_STATEMENTS);
}

/* The numbers of a message's rows are used up: the rows go back to where they began. */
static int renumber(struct history *h, int64_t first, int64_t *row)
{
    int64_t oldest = *row - (STORE_EVENTS_MAX - 1);
    int rc = sql_run(h->statements[RENUMBER],
                     SQL_VALUES(SQL_INT(oldest), SQL_INT(*row - 1), SQL_INT(oldest - first)));
    *row = first + STORE_EVENTS_MAX - 1;
    return rc;
}

/* *row is the last event's, or before the first one; *same tells whether event is that again.
 */
static int find_last(struct history *h, store_id id, const struct store_event *event,
                     int64_t *row, bool *same)
{
    sqlite3_stmt *st = h->statements[LAST];
    int rc = sql_first(st, SQL_VALUES(SQL_INT(schema_row(id, 0)),
                                      SQL_INT(schema_row(id, SCHEMA_NUMBER_LAST)),
                                      SQL_TEXT(event->relay), SQL_TEXT(event->text)));
    bool found = rc == SQLITE_ROW;
    *row = found ? sqlite3_column_int64(st, 0) : schema_row(id, 0) - 1;
    *same = found && sqlite3_column_int(st, 1) != 0;
    int reset = sqlite3_reset(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? reset : rc;
}

int history_add(struct history *h, store_id id, const struct store_event *event)
{
    int64_t first = schema_row(id, 0);
    int64_t row;
    bool same;
    int rc = find_last(h, id, event, &row, &same);
    if (rc == SQLITE_OK && same)
        return sql_run(h->statements[REPEAT],
                       SQL_VALUES(SQL_INT(row), SQL_INT(event->time_ms)));
    row++;
    if (rc == SQLITE_OK && row - first >= STORE_EVENTS_MAX)
        rc = sql_run(h->statements[FORGET],
                     SQL_VALUES(SQL_INT(first), SQL_INT(row - STORE_EVENTS_MAX)));
    if (rc == SQLITE_OK && row > schema_row(id, SCHEMA_NUMBER_LAST))
        rc = renumber(h, first, &row);
    if (rc != SQLITE_OK)
        return rc;
    return sql_run(h->statements[ADD],
                   SQL_VALUES(SQL_INT(row), SQL_INT(event->time_ms), SQL_TEXT(event->relay),
                              SQL_TEXT(event->text)));
}

int history_drop(struct history *h, store_id id)
{
    return sql_run(
        h->statements[DROP],
        SQL_VALUES(SQL_INT(schema_row(id, 0)), SQL_INT(schema_row(id, SCHEMA_NUMBER_LAST))));
}
