/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_internal.h"

#include "log.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>

void store_message_free(struct store_message *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->n_recipients; i++) {
        free(m->recipients[i].address);
        free(m->recipients[i].orcpt);
    }
    free(m->recipients);
    free(m->envid);
    free(m->sender);
    free(m);
}

void store_event_release(struct store_event *e)
{
    free(e->relay);
    free(e->text);
    *e = (struct store_event){.text = NULL};
}

int store_event_fd(const struct store *s)
{
    return s->event_fd;
}

enum store_result_type store_next(struct store *s, struct store_result *r)
{
    struct operation *op = writer_next(&s->writer);
    if (!op) {
        *r = (struct store_result){.type = STORE_NOTHING};
        return STORE_NOTHING;
    }
    *r = op->result;
    /* Once what became of it is recorded, and not before. */
    bool over = op->type == OPERATION_RECORD || op->type == OPERATION_REMOVE;
    if (over && r->type == STORE_RECORDED && r->failure == STORE_OK)
        marks_clear(&s->marks, r->id);
    operation_free(op);
    return r->type;
}

store_id store_begin(struct store *s, int64_t now_ms)
{
    s->last_id = store_id_next(s->last_id, now_ms);
    BUG_ON(s->last_id > SCHEMA_ID_LAST);
    return s->last_id;
}

static void take_content(struct operation *op, struct buf *content)
{
    op->content = *content;
    buf_init(content, content->max);
}

void store_append(struct store *s, store_id id, unsigned n, struct buf *chunk, void *owner)
{
    BUG_ON(id <= 0 || id > s->last_id);
    BUG_ON(buf_len(chunk) != STORE_CHUNK_BYTES || n >= STORE_RECIPIENTS_MAX);
    struct operation *op = operation_new(OPERATION_APPEND, id, owner);
    op->n = n;
    take_content(op, chunk);
    writer_add(&s->writer, op);
}

static void check_report(const struct store *s, struct store_message *report,
                         const struct buf *content)
{
    if (!report)
        return;
    BUG_ON(report->id <= 0 || report->id > s->last_id);
    BUG_ON(buf_len(content) > STORE_REPORT_BYTES_MAX);
    report->body_bytes = buf_len(content);
}

static void take_report(const struct store *s, struct operation *op,
                        struct store_message *report, struct buf *content)
{
    check_report(s, report, content);
    op->report = report;
    op->report_content = *content;
}

void store_accept(struct store *s, struct store_acceptance *a, void *owner)
{
    struct store_message *m = a->message;
    BUG_ON(m->id <= 0 || m->id > s->last_id);
    BUG_ON(m->n_recipients == 0 || m->n_recipients > STORE_RECIPIENTS_MAX);
    BUG_ON(buf_len(&a->chunk) > STORE_CHUNK_BYTES || a->n > STORE_RECIPIENTS_MAX);
    m->body_bytes = (uint64_t)a->n * STORE_CHUNK_BYTES + buf_len(&a->chunk);
    struct operation *op = operation_new(OPERATION_COMMIT, m->id, owner);
    op->message = m;
    op->n = a->n;
    op->content = a->chunk;
    take_report(s, op, a->report, &a->report_content);
    *a = (struct store_acceptance){.message = NULL};
    writer_add(&s->writer, op);
}

void store_commit(struct store *s, struct store_message *m, unsigned n, struct buf *chunk,
                  void *owner)
{
    struct store_acceptance a = {.message = m, .n = n, .chunk = *chunk};
    buf_init(chunk, chunk->max);
    store_accept(s, &a, owner);
}

void store_abort(struct store *s, store_id id)
{
    BUG_ON(id <= 0 || id > s->last_id);
    writer_add(&s->writer, operation_new(OPERATION_SWEEP, id, NULL));
}

void store_record(struct store *s, struct store_outcome *outcome, void *owner)
{
    struct operation *op = operation_new(OPERATION_RECORD, outcome->message->id, owner);
    op->message = outcome->message;
    take_report(s, op, outcome->report, &outcome->report_content);
    check_report(s, outcome->second, &outcome->second_content);
    op->second = outcome->second;
    op->second_content = outcome->second_content;
    op->event = outcome->event;
    *outcome = (struct store_outcome){.message = NULL};
    writer_add(&s->writer, op);
}

void store_tell(struct store *s, int64_t before_ms, struct store_message *digest,
                struct buf *content, void *owner)
{
    struct operation *op = operation_new(OPERATION_TELL, digest->id, owner);
    op->before_ms = before_ms;
    take_report(s, op, digest, content);
    buf_init(content, content->max);
    writer_add(&s->writer, op);
}

void store_mark_sending(struct store *s, store_id id)
{
    marks_set(&s->marks, id);
}

void store_retry(struct store *s, store_id id, int64_t next_attempt_ms, void *owner)
{
    struct operation *op = operation_new(OPERATION_RETRY, id, owner);
    op->next_attempt_ms = next_attempt_ms;
    writer_add(&s->writer, op);
}

static void change(struct store *s, enum operation_type type, store_id id,
                   int64_t next_attempt_ms, struct store_event *event, void *owner)
{
    struct operation *op = operation_new(type, id, owner);
    op->next_attempt_ms = next_attempt_ms;
    op->event = *event;
    *event = (struct store_event){.text = NULL};
    writer_add(&s->writer, op);
}

void store_hold(struct store *s, store_id id, struct store_event *event, void *owner)
{
    change(s, OPERATION_HOLD, id, 0, event, owner);
}

void store_release(struct store *s, store_id id, int64_t next_attempt_ms,
                   struct store_event *event, void *owner)
{
    change(s, OPERATION_RELEASE, id, next_attempt_ms, event, owner);
}

void store_shift(struct store *s, int64_t jump_ms, int64_t now_ms, int64_t longest_ms)
{
    struct operation *op = operation_new(OPERATION_SHIFT, 0, NULL);
    op->jump_ms = jump_ms;
    op->period_ms = longest_ms;
    op->now_ms = now_ms;
    writer_add(&s->writer, op);
}

void store_spend(struct store *s, const char *smarthost, int64_t at_ms, int64_t period_ms)
{
    struct operation *op = operation_new(OPERATION_SPEND, 0, NULL);
    op->smarthost = mem_strdup(smarthost);
    op->now_ms = at_ms;
    op->period_ms = period_ms;
    writer_add(&s->writer, op);
}

void store_remove(struct store *s, store_id id, void *owner)
{
    writer_add(&s->writer, operation_new(OPERATION_REMOVE, id, owner));
}

/* A read that fails is as bad as a write that does: what the loop would do next rests on it. */
static bool reading_failed(struct store *s, int rc)
{
    bool disturbed = s->visiting && visit_is_disturbed(&s->visit);
    if (disturbed && !s->visit_err.text[0])
        (void)err_set(&s->visit_err, "tranterd has started meanwhile; ask it again");
    if (rc == SQLITE_OK || disturbed)
        return disturbed;
    char words[256];
    struct err reason;
    sql_words(s->reader.db, rc, words, sizeof words);
    if (sql_is_damage(rc))
        spool_damaged(s->spool.database, words, &reason);
    else
        err_set(&reason, "reading the queue's database %s failed: %s", s->spool.database,
                words);
    if (!s->visiting)
        writer_break(&s->writer, reason.text);
    else if (!s->visit_err.text[0])
        s->visit_err = reason;
    return true;
}

unsigned store_due(struct store *s, int64_t now_ms, const store_id *active, unsigned n_active,
                   store_id *ids, unsigned max)
{
    unsigned n;
    int rc = reader_due(&s->reader, now_ms, active, n_active, ids, &n, max);
    return reading_failed(s, rc) ? 0 : n;
}

store_id store_in_turn(struct store *s, int64_t now_ms, const store_id *active,
                       unsigned n_active, int64_t *turn)
{
    store_id id;
    int rc = reader_in_turn(&s->reader, now_ms, active, n_active, turn, &id);
    return reading_failed(s, rc) ? 0 : id;
}

unsigned store_spent(struct store *s, const char *smarthost, int64_t since_ms,
                     struct store_spent *slots, unsigned max)
{
    unsigned n;
    int rc = reader_spent(&s->reader, smarthost, since_ms, slots, &n, max);
    return reading_failed(s, rc) ? 0 : n;
}

unsigned store_dead(struct store *s, int64_t before_ms, store_id *ids, unsigned max)
{
    unsigned n;
    int rc = reader_dead(&s->reader, before_ms, false, ids, &n, max);
    return reading_failed(s, rc) ? 0 : n;
}

unsigned store_untold(struct store *s, int64_t before_ms, store_id *ids, unsigned max)
{
    unsigned n;
    int rc = reader_dead(&s->reader, before_ms, true, ids, &n, max);
    return reading_failed(s, rc) ? 0 : n;
}

int64_t store_next_due(struct store *s, int64_t now_ms)
{
    int64_t due_ms;
    int rc = reader_next_due(&s->reader, now_ms, &due_ms);
    return reading_failed(s, rc) ? INT64_MAX : due_ms;
}

static unsigned read_page(struct store *s, store_id first, store_id last,
                          struct store_message **page, unsigned max)
{
    unsigned n = 0;
    if (last > SCHEMA_ID_LAST)
        last = SCHEMA_ID_LAST;
    if (first <= 0 || first > last || max == 0)
        return 0;
    int rc = reader_page(&s->reader, first, last, page, &n, max);
    if (!reading_failed(s, rc))
        return n;
    while (n > 0)
        store_message_free(page[--n]);
    return 0;
}

struct store_message *store_load(struct store *s, store_id id)
{
    struct store_message *m = NULL;
    return read_page(s, id, id, &m, 1) ? m : NULL;
}

struct store_message *store_after(struct store *s, store_id after)
{
    struct store_message *m = NULL;
    return store_page(s, after, &m, 1) ? m : NULL;
}

unsigned store_page(struct store *s, store_id after, struct store_message **page, unsigned max)
{
    if (after < 0)
        after = 0;
    return after >= SCHEMA_ID_LAST ? 0 : read_page(s, after + 1, SCHEMA_ID_LAST, page, max);
}

unsigned store_search(struct store *s, struct store_search *search, struct store_message **page,
                      unsigned max)
{
    unsigned n = 0;
    int rc = reader_search(&s->reader, search, page, &n, max);
    if (!reading_failed(s, rc))
        return n;
    while (n > 0)
        store_message_free(page[--n]);
    search->over = true;
    return 0;
}

unsigned store_events(struct store *s, store_id id, struct store_event events[STORE_EVENTS_MAX])
{
    unsigned n;
    int rc = reader_events(&s->reader, id, events, &n);
    return reading_failed(s, rc) ? 0 : n;
}

ssize_t store_read(struct store *s, store_id id, unsigned n, struct buf *out)
{
    size_t bytes;
    if (id <= 0 || id > SCHEMA_ID_LAST || n > STORE_RECIPIENTS_MAX)
        return -1;
    int rc = reader_chunk(&s->reader, id, n, out, &bytes);
    struct err err;
    BUG_ON(rc == SQLITE_TOOBIG);
    bool whole = rc == SQLITE_OK ||
                 (rc == SQLITE_EMPTY && annex_read(&s->annex, id, n, bytes, out, &err) == 0);
    if (s->visiting && reading_failed(s, SQLITE_OK))
        return -1;
    if (whole)
        return (ssize_t)bytes;
    if (rc == SQLITE_MISMATCH)
        err_set(&err, "a part of the content in %s has another length", s->spool.database);
    char text[STORE_ID_MAX];
    store_id_format(text, id);
    if (rc == SQLITE_MISMATCH || rc == SQLITE_EMPTY)
        log_say(LOG_LEVEL_ERROR, text,
                "the content is damaged: %s; put it back from a backup, or remove the message "
                "with \"tranterctl remove %s\"",
                err.text, text);
    else if (rc != SQLITE_NOTFOUND)
        reading_failed(s, rc);
    return -1;
}

bool store_is_whole(struct store *s, const struct store_message *m)
{
    struct buf last;
    if (!annex_has(&s->annex, m->body_bytes))
        return true;
    buf_init(&last, STORE_CHUNK_BYTES);
    ssize_t n =
        store_read(s, m->id, (unsigned)((m->body_bytes - 1) / STORE_CHUNK_BYTES), &last);
    buf_release(&last);
    return n > 0;
}

void store_count(struct store *s, struct store_counts *counts)
{
    int rc = reader_count(&s->reader, counts);
    if (reading_failed(s, rc))
        *counts = (struct store_counts){0};
}

void store_latency(struct store *s, struct store_latency *latency)
{
    writer_latency(&s->writer, latency);
}

uint64_t store_free_bytes(const struct store *s)
{
    return spool_free_bytes(&s->spool);
}

bool store_warn(const struct store *s, struct err *warning)
{
    return spool_warn(&s->spool, warning);
}

bool store_visit_failed(const struct store *s, struct err *err)
{
    *err = s->visit_err;
    return s->visit_err.text[0];
}
