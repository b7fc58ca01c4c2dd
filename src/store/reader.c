/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reader.h"

#include "mem.h"
#include "schema.h"

#include <stdlib.h>

enum statement {
    BEGIN,
    COMMIT,
    NEXT_UID,
    SPENT,
    DUE,
    DEAD,
    UNTOLD,
    NEXT_DUE,
    TOTALS,
    OLDEST,
    OLDEST_WAITING,
    MESSAGES,
    MESSAGES_IN_STATE,
    EVENTS,
    RECIPIENTS,
    CHUNK,
    N_STATEMENTS
};
_Static_assert((int)N_STATEMENTS <= (int)READER_STATEMENTS, "room");

#define MESSAGE_COLUMNS                                                                        \
    "id, state, sender, body_bytes, body_8bit, long_lines, uid, gid, pid, arrival_ms,"         \
    " next_attempt_ms, attempts, ambiguous, envid, ret, require_tls, warned, told, report"

/* The index is named where the planner, who knows nothing of the numbers, may choose by state.
 */
static const char *const statement_texts[N_STATEMENTS] = {
    [BEGIN] = "BEGIN",
    [COMMIT] = "COMMIT",
    [NEXT_UID] = "SELECT uid FROM message INDEXED BY due WHERE state = 0 AND uid > ?1 ORDER BY "
                 "uid LIMIT 1",
    [SPENT] = "SELECT at_ms, messages FROM spent WHERE smarthost = ?1 AND at_ms >= ?2"
              " ORDER BY at_ms DESC LIMIT ?3",
    [DUE] = "SELECT id FROM message INDEXED BY due WHERE state = 0 AND uid = ?1 AND "
            "next_attempt_ms <= ?2"
            " ORDER BY next_attempt_ms, id LIMIT ?3",
    [DEAD] = "SELECT id FROM message INDEXED BY dead WHERE state = 2 AND next_attempt_ms < ?1"
             " ORDER BY next_attempt_ms, id LIMIT ?2",
    [UNTOLD] = "SELECT id FROM message INDEXED BY untold WHERE state = 2 AND told = 0 AND "
               "next_attempt_ms < ?1"
               " ORDER BY next_attempt_ms, id LIMIT ?2",
    /* From one uid to the next, and of each the first row after ?1. */
    [NEXT_DUE] =
        "WITH RECURSIVE user (uid) AS ("
        " SELECT min(uid) FROM message INDEXED BY due WHERE state = 0"
        " UNION ALL"
        " SELECT (SELECT min(uid) FROM message INDEXED BY due WHERE state = 0"
        " AND uid > user.uid)"
        " FROM user WHERE uid IS NOT NULL"
        ") SELECT coalesce(min((SELECT next_attempt_ms FROM message INDEXED BY due"
        " WHERE state = 0"
        " AND uid = user.uid AND next_attempt_ms > ?1 ORDER BY next_attempt_ms LIMIT 1)),"
        " 0x7fffffffffffffff) FROM user",
    [TOTALS] = "SELECT queued, deferred, held, dead, bytes, told_ms FROM total",
    [OLDEST] = "SELECT arrival_ms FROM message ORDER BY id LIMIT 1",
    [OLDEST_WAITING] = "SELECT arrival_ms FROM message INDEXED BY by_state WHERE state = 0"
                       " ORDER BY id LIMIT 1",
    [MESSAGES] = "SELECT " MESSAGE_COLUMNS
                 " FROM message WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3",
    [MESSAGES_IN_STATE] = "SELECT " MESSAGE_COLUMNS " FROM message INDEXED BY by_state"
                          " WHERE state = ?4 AND id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3",
    [RECIPIENTS] =
        "SELECT id, address, state, scope, permanent, ambiguous, status, code, text,"
        " fix, reply, notify, orcpt FROM recipient WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
    [EVENTS] = "SELECT time_ms, relay, text, since_ms, times FROM event WHERE id BETWEEN ?1 "
               "AND ?2 ORDER BY id",
    [CHUNK] = "SELECT m.body_bytes, c.content FROM message AS m"
              " LEFT JOIN chunk AS c ON c.id = ?2 WHERE m.id = ?1",
};

int reader_open(struct reader *r, sqlite3 *db)
{
    *r = (struct reader){.db = db};
    return sql_prepare(db, statement_texts, r->statements, N_STATEMENTS);
}

int reader_close(struct reader *r)
{
    sql_finalize(r->statements, N_STATEMENTS);
    int rc = sqlite3_close(r->db);
    r->db = NULL;
    return rc;
}

static bool is_active(store_id id, const store_id *active, unsigned n_active)
{
    unsigned i = store_id_place(id, active, n_active);
    return i < n_active && active[i] == id;
}

/* The first uid after *uid that has queued mail; -1: none. */
static int next_uid(struct reader *r, int64_t *uid)
{
    int64_t after = *uid;
    *uid = -1;
    return sql_number(r->statements[NEXT_UID], SQL_VALUES(SQL_INT(after)), uid);
}

/* Add to ids what is due of one uid. */
static int add_due(struct reader *r, int64_t uid, int64_t now_ms, const store_id *active,
                   unsigned n_active, store_id *ids, unsigned *n_ids, unsigned max)
{
    sqlite3_stmt *st = r->statements[DUE];
    unsigned n = *n_ids;
    int rc = sql_first(
        st, SQL_VALUES(SQL_INT(uid), SQL_INT(now_ms), SQL_INT((int64_t)(max - n) + n_active)));
    for (; rc == SQLITE_ROW && n < max; rc = sqlite3_step(st)) {
        store_id id = sqlite3_column_int64(st, 0);
        if (!is_active(id, active, n_active))
            ids[n++] = id;
    }
    int reset = sqlite3_reset(st);
    *n_ids = n;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? reset : rc;
}

int reader_due(struct reader *r, int64_t now_ms, const store_id *active, unsigned n_active,
               store_id *ids, unsigned *n_ids, unsigned max)
{
    int64_t uid = -1;
    *n_ids = 0;
    int rc = next_uid(r, &uid);
    while (rc == SQLITE_OK && uid >= 0 && *n_ids < max) {
        rc = add_due(r, uid, now_ms, active, n_active, ids, n_ids, max);
        if (rc == SQLITE_OK)
            rc = next_uid(r, &uid);
    }
    return rc;
}

/* Round the uids once: from the one after *turn to the last, and from the first to *turn. */
int reader_in_turn(struct reader *r, int64_t now_ms, const store_id *active, unsigned n_active,
                   int64_t *turn, store_id *id)
{
    int64_t uid = *turn;
    bool again = false;
    unsigned n = 0;
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK && n == 0) {
        rc = next_uid(r, &uid);
        if (rc == SQLITE_OK && uid < 0 && !again && *turn >= 0) {
            again = true;
            continue;
        }
        if (rc != SQLITE_OK || uid < 0)
            break;
        rc = add_due(r, uid, now_ms, active, n_active, id, &n, 1);
        if (again && uid >= *turn)
            break;
    }
    if (n)
        *turn = uid;
    else
        *id = 0;
    return rc;
}

int reader_spent(struct reader *r, const char *smarthost, int64_t since_ms,
                 struct store_spent *slots, unsigned *n_slots, unsigned max)
{
    sqlite3_stmt *st = r->statements[SPENT];
    unsigned n = 0;
    int rc = sql_first(st, SQL_VALUES(SQL_TEXT(smarthost), SQL_INT(since_ms), SQL_INT(max)));
    for (; rc == SQLITE_ROW; rc = sqlite3_step(st))
        slots[n++] = (struct store_spent){sqlite3_column_int64(st, 0),
                                          (unsigned)sqlite3_column_int64(st, 1)};
    int reset = sqlite3_reset(st);
    *n_slots = n;
    return rc == SQLITE_DONE ? reset : rc;
}

int reader_dead(struct reader *r, int64_t before_ms, bool untold, store_id *ids,
                unsigned *n_ids, unsigned max)
{
    sqlite3_stmt *st = r->statements[untold ? UNTOLD : DEAD];
    unsigned n = 0;
    int rc = sql_first(st, SQL_VALUES(SQL_INT(before_ms), SQL_INT(max)));
    for (; rc == SQLITE_ROW; rc = sqlite3_step(st))
        ids[n++] = sqlite3_column_int64(st, 0);
    int reset = sqlite3_reset(st);
    *n_ids = n;
    return rc == SQLITE_DONE ? reset : rc;
}

int reader_next_due(struct reader *r, int64_t now_ms, int64_t *due_ms)
{
    *due_ms = INT64_MAX;
    return sql_number(r->statements[NEXT_DUE], SQL_VALUES(SQL_INT(now_ms)), due_ms);
}

int reader_count(struct reader *r, struct store_counts *counts)
{
    *counts = (struct store_counts){0};
    sqlite3_stmt *st = r->statements[TOTALS];
    int rc = sql_first(st, NULL, 0);
    if (rc == SQLITE_ROW) {
        counts->queued = (uint64_t)sqlite3_column_int64(st, 0);
        counts->deferred = (uint64_t)sqlite3_column_int64(st, 1);
        counts->held = (uint64_t)sqlite3_column_int64(st, 2);
        counts->dead = (uint64_t)sqlite3_column_int64(st, 3);
        counts->bytes = (uint64_t)sqlite3_column_int64(st, 4);
        counts->told_ms = sqlite3_column_int64(st, 5);
    }
    int reset = sqlite3_reset(st);
    if (rc != SQLITE_ROW || reset != SQLITE_OK)
        return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
    rc = sql_number(r->statements[OLDEST], NULL, 0, &counts->oldest_ms);
    if (rc != SQLITE_OK || counts->queued + counts->deferred == 0)
        return rc;
    return sql_number(r->statements[OLDEST_WAITING], NULL, 0, &counts->waiting_ms);
}

static char *read_optional(sqlite3_stmt *st, int column)
{
    bool absent = sqlite3_column_type(st, column) == SQLITE_NULL;
    return absent ? NULL : sql_column_strdup(st, column);
}

static struct store_message *read_message(sqlite3_stmt *st)
{
    struct store_message *m = mem_new(sizeof *m);
    m->id = sqlite3_column_int64(st, 0);
    m->state = (enum store_state)sqlite3_column_int(st, 1);
    m->sender = sql_column_strdup(st, 2);
    m->body_bytes = (uint64_t)sqlite3_column_int64(st, 3);
    m->body_8bit = sqlite3_column_int(st, 4) != 0;
    m->long_lines = sqlite3_column_int(st, 5) != 0;
    m->uid = (uid_t)sqlite3_column_int64(st, 6);
    m->gid = (gid_t)sqlite3_column_int64(st, 7);
    m->pid = (pid_t)sqlite3_column_int64(st, 8);
    m->arrival_ms = sqlite3_column_int64(st, 9);
    m->next_attempt_ms = sqlite3_column_int64(st, 10);
    m->attempts = (unsigned)sqlite3_column_int64(st, 11);
    m->ambiguous = (unsigned)sqlite3_column_int64(st, 12);
    m->envid = read_optional(st, 13);
    m->ret = (enum store_ret)sqlite3_column_int(st, 14);
    m->require_tls = sqlite3_column_int(st, 15) != 0;
    m->warned = sqlite3_column_int(st, 16) != 0;
    m->told = sqlite3_column_int(st, 17) != 0;
    m->report = sqlite3_column_int(st, 18) != 0;
    return m;
}

/* Room is doubled at powers of two, so that its size need not be kept. */
static struct store_recipient *add_recipient(struct store_message *m)
{
    unsigned n = m->n_recipients;
    if ((n & (n - 1)) == 0)
        m->recipients = mem_resize(m->recipients, n ? 2 * (size_t)n : 1, sizeof *m->recipients);
    m->n_recipients++;
    return &m->recipients[n];
}

static void read_recipient(sqlite3_stmt *st, struct store_recipient *r)
{
    *r = (struct store_recipient){
        .address = sql_column_strdup(st, 1),
        .orcpt = read_optional(st, 12),
        .notify = (unsigned)sqlite3_column_int(st, 11),
        .state = (enum store_recipient_state)sqlite3_column_int(st, 2),
        .fault = {.scope = (enum fault_scope)sqlite3_column_int(st, 3),
                  .permanent = sqlite3_column_int(st, 4) != 0,
                  .ambiguous = sqlite3_column_int(st, 5) != 0},
    };
    struct fault *f = &r->fault;
    sql_column_copy(st, 6, f->status, sizeof f->status);
    sql_column_copy(st, 7, f->code, sizeof f->code);
    sql_column_copy(st, 8, f->text, sizeof f->text);
    sql_column_copy(st, 9, f->fix, sizeof f->fix);
    sql_column_copy(st, 10, f->reply, sizeof f->reply);
}

/* Both tables are in order of id: one walk along the page. */
static int read_recipients(struct reader *r, struct store_message **page, unsigned n_page)
{
    sqlite3_stmt *st = r->statements[RECIPIENTS];
    int rc = sql_first(
        st, SQL_VALUES(SQL_INT(schema_row(page[0]->id, 0)),
                       SQL_INT(schema_row(page[n_page - 1]->id, STORE_RECIPIENTS_MAX))));
    unsigned i = 0;
    for (; rc == SQLITE_ROW; rc = sqlite3_step(st)) {
        store_id id = sqlite3_column_int64(st, 0) >> SCHEMA_NUMBER_BITS;
        while (i < n_page && page[i]->id < id)
            i++;
        if (i < n_page && page[i]->id == id)
            read_recipient(st, add_recipient(page[i]));
    }
    int reset = sqlite3_reset(st);
    return rc == SQLITE_DONE ? reset : rc;
}

static int read_messages(struct reader *r, store_id first, store_id last,
                         struct store_message **page, unsigned *n_page, unsigned max)
{
    sqlite3_stmt *st = r->statements[MESSAGES];
    int rc = sql_first(st, SQL_VALUES(SQL_INT(first), SQL_INT(last), SQL_INT(max)));
    for (; rc == SQLITE_ROW; rc = sqlite3_step(st))
        page[(*n_page)++] = read_message(st);
    int reset = sqlite3_reset(st);
    return rc == SQLITE_DONE ? reset : rc;
}

int reader_page(struct reader *r, store_id first, store_id last, struct store_message **page,
                unsigned *n_page, unsigned max)
{
    *n_page = 0;
    int rc = sql_run(r->statements[BEGIN], NULL, 0);
    if (rc == SQLITE_OK)
        rc = read_messages(r, first, last, page, n_page, max);
    if (rc == SQLITE_OK && *n_page > 0)
        rc = read_recipients(r, page, *n_page);
    int ended = sql_run(r->statements[COMMIT], NULL, 0);
    return rc == SQLITE_OK ? ended : rc;
}

/* The rows that a step of a search looks at: of the index where messages of one state alone are
 * wanted, else all. */
static sqlite3_stmt *begin_search(struct reader *r, const struct store_search *search, int *rc)
{
    int state = STORE_QUEUED;
    while (state <= STORE_DEAD && search->states != 1U << state)
        state++;
    bool one = state <= STORE_DEAD;
    sqlite3_stmt *st = r->statements[one ? MESSAGES_IN_STATE : MESSAGES];
    const struct sql_value values[] = {SQL_INT(search->after + 1), SQL_INT(SCHEMA_ID_LAST),
                                       SQL_INT(STORE_LOOK_MAX), SQL_INT(state)};
    *rc = sql_first(st, values, one ? 4 : 3);
    return st;
}

static bool is_wanted(const struct store_search *search, const struct store_message *m)
{
    if (search->states && !(search->states & 1U << m->state))
        return false;
    return !search->wants || search->wants(search->arg, m);
}

static int search_messages(struct reader *r, struct store_search *search,
                           struct store_message **page, unsigned *n_page, unsigned max)
{
    int rc;
    sqlite3_stmt *st = begin_search(r, search, &rc);
    unsigned looked = 0;
    for (; rc == SQLITE_ROW && *n_page < max; rc = sqlite3_step(st)) {
        struct store_message *m = read_message(st);
        looked++;
        search->after = m->id;
        if (is_wanted(search, m))
            page[(*n_page)++] = m;
        else
            store_message_free(m);
    }
    search->looked += looked;
    search->over = rc == SQLITE_DONE && looked < STORE_LOOK_MAX;
    int reset = sqlite3_reset(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? reset : rc;
}

int reader_search(struct reader *r, struct store_search *search, struct store_message **page,
                  unsigned *n_page, unsigned max)
{
    *n_page = 0;
    int rc = sql_run(r->statements[BEGIN], NULL, 0);
    if (rc == SQLITE_OK)
        rc = search_messages(r, search, page, n_page, max);
    /* One by one: what lies between them was not looked for. */
    for (unsigned i = 0; rc == SQLITE_OK && i < *n_page; i++)
        rc = read_recipients(r, &page[i], 1);
    int ended = sql_run(r->statements[COMMIT], NULL, 0);
    return rc == SQLITE_OK ? ended : rc;
}

int reader_events(struct reader *r, store_id id, struct store_event *events, unsigned *n_events)
{
    sqlite3_stmt *st = r->statements[EVENTS];
    unsigned n = 0;
    int rc = sql_first(st, SQL_VALUES(SQL_INT(schema_row(id, 0)),
                                      SQL_INT(schema_row(id, SCHEMA_NUMBER_LAST))));
    for (; rc == SQLITE_ROW && n < STORE_EVENTS_MAX; rc = sqlite3_step(st))
        events[n++] = (struct store_event){.time_ms = sqlite3_column_int64(st, 0),
                                           .relay = read_optional(st, 1),
                                           .text = sql_column_strdup(st, 2),
                                           .since_ms = sqlite3_column_int64(st, 3),
                                           .times = (unsigned)sqlite3_column_int64(st, 4)};
    int reset = sqlite3_reset(st);
    *n_events = n;
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? reset : rc;
}

/* How long chunk n of a message of body_bytes must be. */
static size_t chunk_bytes(int64_t body_bytes, unsigned n)
{
    int64_t rest = body_bytes - (int64_t)n * STORE_CHUNK_BYTES;
    if (rest <= 0)
        return 0;
    return rest < STORE_CHUNK_BYTES ? (size_t)rest : STORE_CHUNK_BYTES;
}

static int take_chunk(sqlite3_stmt *st, unsigned n, struct buf *out, size_t *bytes)
{
    size_t expected = chunk_bytes(sqlite3_column_int64(st, 0), n);
    if (expected == 0)
        return SQLITE_OK;
    const void *content = sqlite3_column_blob(st, 1);
    if (content && (size_t)sqlite3_column_bytes(st, 1) != expected)
        return SQLITE_MISMATCH;
    if (expected > buf_space(out))
        return SQLITE_TOOBIG;
    *bytes = expected;
    if (!content)
        return SQLITE_EMPTY;
    buf_put(out, content, expected);
    return SQLITE_OK;
}

int reader_chunk(struct reader *r, store_id id, unsigned n, struct buf *out, size_t *bytes)
{
    *bytes = 0;
    sqlite3_stmt *st = r->statements[CHUNK];
    int rc = sql_first(st, SQL_VALUES(SQL_INT(id), SQL_INT(schema_row(id, n))));
    int taken = rc == SQLITE_ROW ? take_chunk(st, n, out, bytes) : SQLITE_OK;
    int reset = sqlite3_reset(st);
    if (rc != SQLITE_ROW)
        return rc == SQLITE_DONE ? SQLITE_NOTFOUND : rc;
    return taken == SQLITE_OK ? reset : taken;
}
