/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tables.h"

#include "mem.h"
#include "schema.h"

#include <string.h>

/* These numbers are in the database, and in the text of statements. */
_Static_assert(STORE_QUEUED == 0 && STORE_HELD == 1 && STORE_DEAD == 2, "format");
_Static_assert(STORE_WAITING == 0 && STORE_SENT == 1 && STORE_FAILED == 2, "format");
_Static_assert(FAULT_NONE == 0 && FAULT_SERVER == 1 && FAULT_ACCOUNT == 2, "format");
_Static_assert(FAULT_SENDER == 3 && FAULT_MESSAGE == 4 && FAULT_RECIPIENT == 5, "format");
_Static_assert(STORE_RECIPIENTS_MAX < 1 << SCHEMA_NUMBER_BITS, "rowid");

enum statement {
    BEGIN,
    COMMIT,
    READ_TOTALS,
    WRITE_TOTALS,
    ADD_MESSAGE,
    ADD_RECIPIENT,
    ADD_CHUNK,
    ADD_HALF,
    DROP_HALF,
    NEXT_HALF,
    COUNT_CHUNKS,
    SWEEP_CHUNKS,
    READ_KIND,
    UPDATE_MESSAGE,
    UPDATE_RECIPIENT,
    DROP_MESSAGE,
    DROP_RECIPIENTS,
    DROP_CHUNKS,
    RETRY_MESSAGE,
    SLICE_UPTO,
    RETRY_RANGE,
    HOLD_MESSAGE,
    RELEASE_MESSAGE,
    INTERRUPT_MESSAGE,
    INTERRUPT_RECIPIENTS,
    FIND_SUBMISSION,
    RENEW_SUBMISSION,
    ADD_SUBMISSION,
    FORGET_SUBMISSIONS,
    TELL,
    NOTE_TOLD,
    SPEND,
    FORGET_SPENT,
    SHIFT_AHEAD,
    SHIFT_BACK,
    N_STATEMENTS
};
_Static_assert((int)N_STATEMENTS <= (int)TABLES_STATEMENTS, "room");

static const char *const statement_texts[N_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [READ_TOTALS] = "SELECT last_id, queued, deferred, held, dead, bytes FROM total",
    [WRITE_TOTALS] = "UPDATE total SET last_id = ?1, queued = ?2, deferred = ?3, held = ?4,"
                     " dead = ?5, bytes = ?6",
    [ADD_MESSAGE] = "INSERT INTO message VALUES"
                    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
                    " ?15, ?16, ?17, ?18, ?19, ?20)",
    [ADD_RECIPIENT] = "INSERT INTO recipient VALUES"
                      " (?1, ?11, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12, ?13)",
    [ADD_CHUNK] = "INSERT INTO chunk VALUES (?1, ?2)",
    [ADD_HALF] = "INSERT OR IGNORE INTO half VALUES (?1)",
    [DROP_HALF] = "DELETE FROM half WHERE id = ?1",
    [NEXT_HALF] = "SELECT id FROM half WHERE id > ?1 ORDER BY id LIMIT 1",
    [COUNT_CHUNKS] = "SELECT count(*) FROM chunk WHERE id BETWEEN ?1 AND ?2",
    [SWEEP_CHUNKS] = "DELETE FROM chunk WHERE id IN"
                     " (SELECT id FROM chunk WHERE id BETWEEN ?1 AND ?2 LIMIT ?3)",
    [READ_KIND] = "SELECT state, tried, body_bytes FROM message WHERE id = ?1",
    [UPDATE_MESSAGE] = "UPDATE message SET state = ?2, tried = ?3, next_attempt_ms = ?4,"
                       " attempts = ?5, ambiguous = ?6, warned = ?7, told = ?8 WHERE id = ?1",
    [UPDATE_RECIPIENT] = "UPDATE recipient SET state = ?2, scope = ?3, permanent = ?4,"
                         " ambiguous = ?5, status = ?6, code = ?7, text = ?8, fix = ?9,"
                         " reply = ?10 WHERE id = ?1 AND state = 0",
    [DROP_MESSAGE] = "DELETE FROM message WHERE id = ?1",
    [DROP_RECIPIENTS] = "DELETE FROM recipient WHERE id BETWEEN ?1 AND ?2",
    [DROP_CHUNKS] = "DELETE FROM chunk WHERE id BETWEEN ?1 AND ?2",
    [RETRY_MESSAGE] = "UPDATE message SET next_attempt_ms = ?2 WHERE id = ?1 AND state = 0",
    [SLICE_UPTO] = "SELECT id FROM message WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2",
    [RETRY_RANGE] = "UPDATE message SET next_attempt_ms = ?3"
                    " WHERE id > ?1 AND id <= ?2 AND state = 0",
    [HOLD_MESSAGE] = "UPDATE message SET state = 1 WHERE id = ?1",
    [RELEASE_MESSAGE] = "UPDATE message SET state = 0, next_attempt_ms = ?2 WHERE id = ?1",
    [INTERRUPT_MESSAGE] = "UPDATE message SET tried = 1, ambiguous = ambiguous + 1,"
                          " next_attempt_ms = max(next_attempt_ms, ?2) WHERE id = ?1",
    [INTERRUPT_RECIPIENTS] =
        "UPDATE recipient SET scope = 1, permanent = 0, ambiguous = 1,"
        " status = '4.4.2', code = 'LOST-AFTERDOT', fix = NULL, reply = NULL,"
        " text = 'tranterd was stopped after everything was sent and before the smarthost"
        " confirmed it; it may arrive twice.'"
        " WHERE id BETWEEN ?1 AND ?2 AND state = 0",
    [FIND_SUBMISSION] = "SELECT message FROM submission WHERE id = ?1 AND uid = ?2",
    [RENEW_SUBMISSION] = "UPDATE submission SET time_ms = max(time_ms + 1, ?2)"
                         " WHERE message = ?1",
    [ADD_SUBMISSION] = "INSERT INTO submission VALUES (?1, ?2, ?3, ?4)",
    [FORGET_SUBMISSIONS] = "DELETE FROM submission WHERE message IN"
                           " (SELECT message FROM submission ORDER BY message LIMIT ?3)"
                           " AND time_ms NOT BETWEEN ?1 AND ?2",
    [TELL] = "UPDATE message INDEXED BY untold SET told = 1"
             " WHERE state = 2 AND told = 0 AND next_attempt_ms < ?1",
    [NOTE_TOLD] = "UPDATE total SET told_ms = ?1",
    [SPEND] = "INSERT INTO spent VALUES (?1, ?2, 1)"
              " ON CONFLICT DO UPDATE SET messages = messages + 1",
    /* What lies after the old time was written by a clock that was right before, or is. */
    [SHIFT_AHEAD] = "UPDATE message SET arrival_ms = arrival_ms + ?3,"
                    " next_attempt_ms = next_attempt_ms"
                    " + iif(next_attempt_ms <= ?4 - ?3 + ?5, ?3, 0)"
                    " WHERE id > ?1 AND id <= ?2 AND arrival_ms <= ?4 - ?3",
    /* What lies after the new time cannot be. */
    [SHIFT_BACK] = "UPDATE message SET arrival_ms = min(arrival_ms, ?4),"
                   " next_attempt_ms = max(min(next_attempt_ms, ?4), next_attempt_ms + ?3)"
                   " WHERE id > ?1 AND id <= ?2 AND (arrival_ms > ?4 OR next_attempt_ms > ?4)",
    [FORGET_SPENT] = "DELETE FROM spent WHERE smarthost = ?1 AND at_ms NOT BETWEEN ?2 AND ?3",
};

#define FIRST_ROW(id) SQL_INT(schema_row((id), 0))
#define LAST_ROW(id) SQL_INT(schema_row((id), STORE_RECIPIENTS_MAX))

/* What a message counts as. */
struct kind {
    bool found;
    int64_t state;
    int64_t tried;
    int64_t body_bytes;
};

static void count(struct totals *totals, const struct kind *kind, int64_t sign)
{
    if (kind->state == STORE_HELD)
        totals->held += sign;
    else if (kind->state == STORE_DEAD)
        totals->dead += sign;
    else if (kind->tried)
        totals->deferred += sign;
    else
        totals->queued += sign;
    totals->bytes += sign * kind->body_bytes;
}

static int read_kind(struct tables *t, store_id id, struct kind *kind)
{
    sqlite3_stmt *st = t->statements[READ_KIND];
    int rc = sql_first(st, SQL_VALUES(SQL_INT(id)));
    kind->found = rc == SQLITE_ROW;
    if (kind->found) {
        kind->state = sqlite3_column_int64(st, 0);
        kind->tried = sqlite3_column_int64(st, 1);
        kind->body_bytes = sqlite3_column_int64(st, 2);
    }
    int reset = sqlite3_reset(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? reset : rc;
}

static int read_totals(struct tables *t)
{
    sqlite3_stmt *st = t->statements[READ_TOTALS];
    int rc = sql_first(st, NULL, 0);
    if (rc == SQLITE_ROW) {
        t->totals = (struct totals){
            .last_id = sqlite3_column_int64(st, 0),
            .queued = sqlite3_column_int64(st, 1),
            .deferred = sqlite3_column_int64(st, 2),
            .held = sqlite3_column_int64(st, 3),
            .dead = sqlite3_column_int64(st, 4),
            .bytes = sqlite3_column_int64(st, 5),
        };
        t->saved = t->totals;
    }
    int reset = sqlite3_reset(st);
    if (rc == SQLITE_DONE)
        return SQLITE_CORRUPT;
    return rc == SQLITE_ROW ? reset : rc;
}

int tables_open(struct tables *t, sqlite3 *db, const struct annex *annex)
{
    *t = (struct tables){.db = db, .annex = annex};
    int rc = sql_prepare(db, statement_texts, t->statements, N_STATEMENTS);
    if (rc == SQLITE_OK)
        rc = history_open(&t->history, db);
    return rc == SQLITE_OK ? read_totals(t) : rc;
}

int tables_close(struct tables *t)
{
    sql_finalize(t->statements, N_STATEMENTS);
    history_close(&t->history);
    int rc = sqlite3_close(t->db);
    t->db = NULL;
    return rc;
}

int tables_begin(struct tables *t)
{
    t->saved = t->totals;
    return sql_run(t->statements[BEGIN], NULL, 0);
}

int tables_commit(struct tables *t)
{
    const struct totals *now = &t->totals;
    int rc = SQLITE_OK;
    if (memcmp(now, &t->saved, sizeof *now) != 0)
        rc = sql_run(t->statements[WRITE_TOTALS],
                     SQL_VALUES(SQL_INT(now->last_id), SQL_INT(now->queued),
                                SQL_INT(now->deferred), SQL_INT(now->held), SQL_INT(now->dead),
                                SQL_INT(now->bytes)));
    return rc == SQLITE_OK ? sql_run(t->statements[COMMIT], NULL, 0) : rc;
}

void tables_roll_back(struct tables *t)
{
    /* Some errors have rolled back already. What this one returns adds nothing to the error
     * that led here. */
    if (!sqlite3_get_autocommit(t->db))
        (void)!sql_exec(t->db, "ROLLBACK");
    t->totals = t->saved;
}

static int write_recipient(struct tables *t, enum statement statement, int64_t row,
                           const struct store_recipient *r)
{
    const struct fault *f = &r->fault;
    const struct sql_value values[] = {
        SQL_INT(row),          SQL_INT(r->state),   SQL_INT(f->scope),    SQL_INT(f->permanent),
        SQL_INT(f->ambiguous), SQL_TEXT(f->status), SQL_TEXT(f->code),    SQL_TEXT(f->text),
        SQL_TEXT(f->fix),      SQL_TEXT(f->reply),  SQL_TEXT(r->address), SQL_INT(r->notify),
        SQL_TEXT(r->orcpt),
    };
    size_t n = sizeof values / sizeof *values;
    return sql_run(t->statements[statement], values, statement == ADD_RECIPIENT ? n : n - 3);
}

static bool was_tried(const struct store_message *m)
{
    if (m->attempts || m->ambiguous)
        return true;
    for (unsigned i = 0; i < m->n_recipients; i++)
        if (m->recipients[i].state != STORE_WAITING ||
            m->recipients[i].fault.scope != FAULT_NONE)
            return true;
    return false;
}

static int add_message(struct tables *t, const struct store_message *m)
{
    struct kind kind = {
        .state = m->state, .tried = false, .body_bytes = (int64_t)m->body_bytes};
    int rc = sql_run(
        t->statements[ADD_MESSAGE],
        SQL_VALUES(SQL_INT(m->id), SQL_INT(m->state), SQL_INT(kind.tried), SQL_TEXT(m->sender),
                   SQL_INT(m->body_bytes), SQL_INT(m->body_8bit), SQL_INT(m->long_lines),
                   SQL_INT(m->uid), SQL_INT(m->gid), SQL_INT(m->pid), SQL_INT(m->arrival_ms),
                   SQL_INT(m->next_attempt_ms), SQL_INT(m->attempts), SQL_INT(m->ambiguous),
                   SQL_TEXT(m->envid), SQL_INT(m->ret), SQL_INT(m->require_tls),
                   SQL_INT(m->warned), SQL_INT(m->told), SQL_INT(m->report)));
    for (unsigned i = 0; rc == SQLITE_OK && i < m->n_recipients; i++)
        rc = write_recipient(t, ADD_RECIPIENT, schema_row(m->id, i), &m->recipients[i]);
    if (rc == SQLITE_OK) {
        count(&t->totals, &kind, 1);
        if (m->id > t->totals.last_id)
            t->totals.last_id = m->id;
    }
    return rc;
}

static int add_chunk(struct tables *t, store_id id, unsigned n, struct str bytes)
{
    return sql_run(t->statements[ADD_CHUNK],
                   SQL_VALUES(SQL_INT(schema_row(id, n)), SQL_BLOB(bytes.p, bytes.n)));
}

static int apply_append(struct tables *t, struct operation *op)
{
    int rc = sql_run(t->statements[ADD_HALF], SQL_VALUES(SQL_INT(op->id)));
    if (rc != SQLITE_OK)
        return rc;
    if (op->id > t->totals.last_id)
        t->totals.last_id = op->id;
    return add_chunk(t, op->id, op->n, buf_str(&op->content));
}

/* A message is never made visible with a part missing, whatever became of its appends. What is
 * in its file is counted there. */
static int adopt_chunks(struct tables *t, const struct operation *op)
{
    int64_t found = 0;
    int rc = sql_number(t->statements[COUNT_CHUNKS],
                        SQL_VALUES(FIRST_ROW(op->id), LAST_ROW(op->id)), &found);
    if (rc != SQLITE_OK)
        return rc;
    if (found != (op->n < t->annex->from ? op->n : t->annex->from))
        return SQLITE_CONSTRAINT;
    return sql_run(t->statements[DROP_HALF], SQL_VALUES(SQL_INT(op->id)));
}

/* The oldest lie at one end. A time far ahead was given by a clock that was wrong. */
static int forget_submissions(struct tables *t, int64_t now_ms)
{
    static const int64_t day_ms = 24 * 60 * 60 * 1000;
    t->submissions = 0;
    return sql_run(t->statements[FORGET_SUBMISSIONS],
                   SQL_VALUES(SQL_INT(now_ms - STORE_SUBMISSION_DAYS * day_ms),
                              SQL_INT(now_ms + day_ms), SQL_INT(TABLES_SUBMISSIONS_AT_ONCE)));
}

static int apply_forget(struct tables *t, struct operation *op)
{
    int rc = forget_submissions(t, op->now_ms);
    if (rc == SQLITE_OK && sqlite3_changes(t->db) == TABLES_SUBMISSIONS_AT_ONCE)
        op->rest = OPERATION_AGAIN;
    return rc;
}

/* Remember the submission of op's message, or find in op->first that it was committed before.
 * Finding it is a write as well: the commit then waits for the disk, on which the first one may
 * not be yet when the daemon was killed. */
static int take_submission(struct tables *t, struct operation *op)
{
    const struct store_message *m = op->message;
    int rc = sql_number(t->statements[FIND_SUBMISSION],
                        SQL_VALUES(SQL_TEXT(m->submission), SQL_INT(m->uid)), &op->first);
    if (rc == SQLITE_OK && op->first)
        return sql_run(t->statements[RENEW_SUBMISSION],
                       SQL_VALUES(SQL_INT(op->first), SQL_INT(m->arrival_ms)));
    if (rc == SQLITE_OK && ++t->submissions > TABLES_SUBMISSIONS_AT_ONCE / 2)
        rc = forget_submissions(t, m->arrival_ms);
    if (rc != SQLITE_OK)
        return rc;
    return sql_run(t->statements[ADD_SUBMISSION],
                   SQL_VALUES(SQL_INT(m->id), SQL_TEXT(m->submission), SQL_INT(m->uid),
                              SQL_INT(m->arrival_ms)));
}

static int add_report(struct tables *t, const struct store_message *report,
                      const struct buf *content)
{
    struct str rest = buf_str(content);
    int rc = add_message(t, report);
    for (unsigned n = 0; rc == SQLITE_OK && rest.n > 0; n++) {
        rc = add_chunk(t, report->id, n, str_head(rest, STORE_CHUNK_BYTES));
        rest = str_tail(rest, STORE_CHUNK_BYTES);
    }
    return rc;
}

/* Those that op has. */
static int add_reports(struct tables *t, const struct operation *op)
{
    int rc = op->report ? add_report(t, op->report, &op->report_content) : SQLITE_OK;
    return rc == SQLITE_OK && op->second ? add_report(t, op->second, &op->second_content) : rc;
}

static int apply_commit(struct tables *t, struct operation *op)
{
    int rc = op->message->submission[0] ? take_submission(t, op) : SQLITE_OK;
    if (rc == SQLITE_OK && op->first) {
        op->rest = OPERATION_LITTER;
        return rc;
    }
    if (rc == SQLITE_OK && op->n > 0)
        rc = adopt_chunks(t, op);
    if (rc == SQLITE_OK)
        rc = add_message(t, op->message);
    if (rc == SQLITE_OK && op->n < t->annex->from && buf_len(&op->content) > 0)
        rc = add_chunk(t, op->id, op->n, buf_str(&op->content));
    if (rc == SQLITE_OK)
        rc = add_reports(t, op);
    return rc;
}

static int erase(struct tables *t, struct operation *op, const struct kind *kind)
{
    int rc = sql_run(t->statements[DROP_MESSAGE], SQL_VALUES(SQL_INT(op->id)));
    if (rc == SQLITE_OK)
        rc = sql_run(t->statements[DROP_RECIPIENTS],
                     SQL_VALUES(FIRST_ROW(op->id), LAST_ROW(op->id)));
    if (rc == SQLITE_OK)
        rc = history_drop(&t->history, op->id);
    if (rc != SQLITE_OK)
        return rc;
    count(&t->totals, kind, -1);
    op->drops_annex = annex_has(t->annex, (uint64_t)kind->body_bytes);
    if (kind->body_bytes > (int64_t)TABLES_CHUNKS_AT_ONCE * STORE_CHUNK_BYTES) {
        op->rest = OPERATION_LITTER;
        return sql_run(t->statements[ADD_HALF], SQL_VALUES(SQL_INT(op->id)));
    }
    return sql_run(t->statements[DROP_CHUNKS], SQL_VALUES(FIRST_ROW(op->id), LAST_ROW(op->id)));
}

static int note(struct tables *t, const struct operation *op)
{
    return op->event.text ? history_add(&t->history, op->id, &op->event) : SQLITE_OK;
}

/* One that was put on hold while it was under way stays there. */
static int update(struct tables *t, const struct store_message *m, struct kind *kind)
{
    count(&t->totals, kind, -1);
    if (kind->state != STORE_HELD || m->state == STORE_DEAD)
        kind->state = m->state;
    kind->tried = kind->tried || was_tried(m);
    count(&t->totals, kind, 1);
    int rc = sql_run(t->statements[UPDATE_MESSAGE],
                     SQL_VALUES(SQL_INT(m->id), SQL_INT(kind->state), SQL_INT(kind->tried),
                                SQL_INT(m->next_attempt_ms), SQL_INT(m->attempts),
                                SQL_INT(m->ambiguous), SQL_INT(m->warned), SQL_INT(m->told)));
    for (unsigned i = 0; rc == SQLITE_OK && i < m->n_recipients; i++)
        rc = write_recipient(t, UPDATE_RECIPIENT, schema_row(m->id, i), &m->recipients[i]);
    return rc;
}

static bool any_waiting(const struct store_message *m)
{
    for (unsigned i = 0; i < m->n_recipients; i++)
        if (m->recipients[i].state == STORE_WAITING)
            return true;
    return false;
}

/* A message that was removed by hand while it was under way stays removed, and nobody wants a
 * report about it. */
static int apply_record(struct tables *t, struct operation *op)
{
    const struct store_message *m = op->message;
    struct kind kind;
    int rc = read_kind(t, m->id, &kind);
    if (rc != SQLITE_OK || !kind.found)
        return rc;
    if (any_waiting(m) || m->state == STORE_DEAD) {
        rc = update(t, m, &kind);
        if (rc == SQLITE_OK)
            rc = note(t, op);
    } else {
        rc = erase(t, op, &kind);
    }
    return rc == SQLITE_OK ? add_reports(t, op) : rc;
}

static int apply_remove(struct tables *t, struct operation *op)
{
    struct kind kind;
    int rc = read_kind(t, op->id, &kind);
    return rc == SQLITE_OK && kind.found ? erase(t, op, &kind) : rc;
}

static int apply_tell(struct tables *t, struct operation *op)
{
    int rc = sql_run(t->statements[TELL], SQL_VALUES(SQL_INT(op->before_ms)));
    if (rc == SQLITE_OK)
        rc = sql_run(t->statements[NOTE_TOLD], SQL_VALUES(SQL_INT(op->report->arrival_ms)));
    return rc == SQLITE_OK ? add_reports(t, op) : rc;
}

static int retry_one(struct tables *t, const struct operation *op)
{
    return sql_run(t->statements[RETRY_MESSAGE],
                   SQL_VALUES(SQL_INT(op->id), SQL_INT(op->next_attempt_ms)));
}

/* Find the end of the next slice, so that new mail need not wait for a million rows. */
static int cut_slice(struct tables *t, struct operation *op)
{
    op->after_next = SCHEMA_ID_LAST;
    int rc = sql_number(t->statements[SLICE_UPTO],
                        SQL_VALUES(SQL_INT(op->after), SQL_INT(TABLES_MESSAGES_AT_ONCE - 1)),
                        &op->after_next);
    if (rc == SQLITE_OK && op->after_next < SCHEMA_ID_LAST)
        op->rest = OPERATION_AGAIN;
    return rc;
}

static int retry_all(struct tables *t, struct operation *op)
{
    int rc = cut_slice(t, op);
    if (rc != SQLITE_OK)
        return rc;
    return sql_run(
        t->statements[RETRY_RANGE],
        SQL_VALUES(SQL_INT(op->after), SQL_INT(op->after_next), SQL_INT(op->next_attempt_ms)));
}

static int apply_shift(struct tables *t, struct operation *op)
{
    int rc = cut_slice(t, op);
    if (rc != SQLITE_OK)
        return rc;
    const struct sql_value values[] = {SQL_INT(op->after), SQL_INT(op->after_next),
                                       SQL_INT(op->jump_ms), SQL_INT(op->now_ms),
                                       SQL_INT(op->period_ms)};
    if (op->jump_ms > 0)
        return sql_run(t->statements[SHIFT_AHEAD], values, 5);
    return sql_run(t->statements[SHIFT_BACK], values, 4);
}

static int apply_retry(struct tables *t, struct operation *op)
{
    return op->id ? retry_one(t, op) : retry_all(t, op);
}

/* From one state to the other; nothing where it is in neither. */
static int change_state(struct tables *t, const struct operation *op, enum store_state from,
                        enum store_state to, bool *changed)
{
    struct kind kind;
    int rc = read_kind(t, op->id, &kind);
    *changed = rc == SQLITE_OK && kind.found && kind.state == from;
    if (!*changed)
        return rc;
    count(&t->totals, &kind, -1);
    kind.state = to;
    count(&t->totals, &kind, 1);
    return note(t, op);
}

static int apply_hold(struct tables *t, struct operation *op)
{
    bool changed;
    int rc = change_state(t, op, STORE_QUEUED, STORE_HELD, &changed);
    if (rc != SQLITE_OK || !changed)
        return rc;
    return sql_run(t->statements[HOLD_MESSAGE], SQL_VALUES(SQL_INT(op->id)));
}

static int apply_release(struct tables *t, struct operation *op)
{
    bool changed;
    int rc = change_state(t, op, STORE_HELD, STORE_QUEUED, &changed);
    if (rc != SQLITE_OK || !changed)
        return rc;
    return sql_run(t->statements[RELEASE_MESSAGE],
                   SQL_VALUES(SQL_INT(op->id), SQL_INT(op->next_attempt_ms)));
}

static int apply_sweep(struct tables *t, struct operation *op)
{
    int rc =
        sql_run(t->statements[SWEEP_CHUNKS], SQL_VALUES(FIRST_ROW(op->id), LAST_ROW(op->id),
                                                        SQL_INT(TABLES_CHUNKS_AT_ONCE)));
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_changes(t->db) == TABLES_CHUNKS_AT_ONCE) {
        op->rest = OPERATION_AGAIN;
        return SQLITE_OK;
    }
    return sql_run(t->statements[DROP_HALF], SQL_VALUES(SQL_INT(op->id)));
}

/* What lies in the future was noted by a clock that was wrong. */
static int apply_spend(struct tables *t, struct operation *op)
{
    int rc =
        sql_run(t->statements[SPEND], SQL_VALUES(SQL_TEXT(op->smarthost), SQL_INT(op->now_ms)));
    if (rc != SQLITE_OK)
        return rc;
    return sql_run(t->statements[FORGET_SPENT],
                   SQL_VALUES(SQL_TEXT(op->smarthost), SQL_INT(op->now_ms - 2 * op->period_ms),
                              SQL_INT(op->now_ms + op->period_ms)));
}

int tables_apply(struct tables *t, struct operation *op)
{
    static int (*const apply[])(struct tables *, struct operation *) = {
        [OPERATION_APPEND] = apply_append, [OPERATION_COMMIT] = apply_commit,
        [OPERATION_RECORD] = apply_record, [OPERATION_RETRY] = apply_retry,
        [OPERATION_HOLD] = apply_hold,     [OPERATION_RELEASE] = apply_release,
        [OPERATION_REMOVE] = apply_remove, [OPERATION_SWEEP] = apply_sweep,
        [OPERATION_FORGET] = apply_forget, [OPERATION_TELL] = apply_tell,
        [OPERATION_SPEND] = apply_spend,   [OPERATION_SHIFT] = apply_shift,
    };
    op->rest = OPERATION_DONE;
    op->first = 0;
    op->drops_annex = false;
    return apply[op->type](t, op);
}

int tables_interrupted(struct tables *t, store_id id, int64_t not_before_ms)
{
    struct kind kind;
    int rc = read_kind(t, id, &kind);
    if (rc != SQLITE_OK || !kind.found)
        return rc;
    count(&t->totals, &kind, -1);
    kind.tried = true;
    count(&t->totals, &kind, 1);
    rc = sql_run(t->statements[INTERRUPT_MESSAGE],
                 SQL_VALUES(SQL_INT(id), SQL_INT(not_before_ms)));
    if (rc != SQLITE_OK)
        return rc;
    return sql_run(t->statements[INTERRUPT_RECIPIENTS],
                   SQL_VALUES(FIRST_ROW(id), LAST_ROW(id)));
}

int tables_has(struct tables *t, store_id id, bool *has)
{
    struct kind kind;
    int rc = read_kind(t, id, &kind);
    *has = kind.found;
    return rc;
}

int tables_next_half(struct tables *t, store_id after, store_id *id)
{
    *id = 0;
    return sql_number(t->statements[NEXT_HALF], SQL_VALUES(SQL_INT(after)), id);
}
