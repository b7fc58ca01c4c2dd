/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nothing is told to anybody before the outcome is committed: the report lies in the same
 * transaction as the failure it reports, and the log follows the commit. */
#include "attempt.h"

#include "bounce.h"
#include "clock.h"
#include "crypto.h"
#include "log.h"
#include "mem.h"
#include "report.h"
#include "schedule.h"
#include "waiter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct attempt {
    struct waiter waiter; /* first */
    struct store *store;
    struct conf *conf;
    struct store_message *message;
    void (*on_recorded)(void *self, store_id id);
    void *self;

    struct smtp_transaction transaction;
    struct smtp_recipient recipients[SMTP_CLIENT_RECIPIENTS_MAX];

    /* n entries of each, by place in the transaction. */
    unsigned n;
    unsigned *index;
    enum outcome_event *events;
    struct store_recipient *told; /* address and fault as they are logged after the commit */
    bool *known; /* that the smarthost puts it off for this reason is in the log already */
    char id[STORE_ID_MAX];
    char report_id[STORE_ID_MAX];
    char report_message_id[160];
    uint64_t report_bytes;
    char relay[320];
    char remote[256];           /* relay without address and port */
    char delay[24], delays[80]; /* seconds, as Postfix has them */
    bool removed, died, held;
};

struct attempt *attempt_new(struct store *store, struct conf *conf,
                            struct store_message *message,
                            void (*on_recorded)(void *self, store_id id), void *self)
{
    struct attempt *a = mem_new(sizeof *a);
    a->store = store;
    a->conf = conf_ref(conf);
    a->message = message;
    a->on_recorded = on_recorded;
    a->self = self;
    a->index = mem_array(message->n_recipients, sizeof *a->index);
    store_id_format(a->id, message->id);
    return a;
}

void attempt_free(struct attempt *a)
{
    if (!a)
        return;
    for (unsigned i = 0; a->told && i < a->n; i++)
        free(a->told[i].address);
    free(a->told);
    free(a->known);
    free(a->events);
    free(a->index);
    store_message_free(a->message);
    conf_unref(a->conf);
    free(a);
}

store_id attempt_id(const struct attempt *a)
{
    return a->message->id;
}

static unsigned notify_of(unsigned stored)
{
    return (stored & STORE_NOTIFY_NEVER ? SMTP_NOTIFY_NEVER : 0u) |
           (stored & STORE_NOTIFY_SUCCESS ? SMTP_NOTIFY_SUCCESS : 0u) |
           (stored & STORE_NOTIFY_FAILURE ? SMTP_NOTIFY_FAILURE : 0u) |
           (stored & STORE_NOTIFY_DELAY ? SMTP_NOTIFY_DELAY : 0u);
}

static enum smtp_ret ret_of(enum store_ret stored)
{
    static const enum smtp_ret meanings[] = {
        [STORE_RET_UNSET] = SMTP_RET_UNSET,
        [STORE_RET_FULL] = SMTP_RET_FULL,
        [STORE_RET_HDRS] = SMTP_RET_HDRS,
    };
    return meanings[stored];
}

const struct smtp_transaction *attempt_transaction(struct attempt *a, unsigned max)
{
    const struct store_message *m = a->message;
    a->n = outcome_select(m, a->index,
                          max < SMTP_CLIENT_RECIPIENTS_MAX ? max : SMTP_CLIENT_RECIPIENTS_MAX);
    for (unsigned i = 0; i < a->n; i++) {
        const struct store_recipient *r = &m->recipients[a->index[i]];
        a->recipients[i] = (struct smtp_recipient){r->address, r->orcpt, notify_of(r->notify)};
    }
    a->transaction = (struct smtp_transaction){
        .sender = m->sender,
        .recipients = a->recipients,
        .n_recipients = a->n,
        .body_bytes = m->body_bytes,
        .body_8bit = m->body_8bit,
        .envid = m->envid,
        .ret = ret_of(m->ret),
        .require_tls = m->require_tls,
    };
    return &a->transaction;
}

bool attempt_has_long_lines(const struct attempt *a)
{
    return a->message->long_lines;
}

static void keep_report_for_log(struct attempt *a, struct str content)
{
    static const struct str field = STR_LIT("\r\nMessage-ID: ");
    const char *at = memmem(content.p, content.n, field.p, field.n);
    BUG_ON(!at);
    struct str value = str_tail(content, (size_t)(at - content.p) + field.n);
    value = str_head(value, str_find(value, '\r'));
    snprintf(a->report_message_id, sizeof a->report_message_id, "%.*s", STR_FMT(value));
    a->report_bytes = content.n;
}

static unsigned list_failed(const struct attempt *a, struct report_recipient *failed)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->n; i++) {
        const struct store_recipient *r = &a->message->recipients[a->index[i]];
        bool asked = bounce_is_asked(r, STORE_NOTIFY_FAILURE);
        if (asked && (a->events[i] == OUTCOME_BOUNCED || a->events[i] == OUTCOME_EXPIRED)) {
            failed[n++] = (struct report_recipient){
                .address = r->address,
                .orcpt = r->orcpt,
                .fault = &r->fault,
                .remote = a->remote[0] ? a->remote : NULL,
                .attempt_ms = a->relay[0] ? clock_wall_ms() : 0,
            };
        }
    }
    return n;
}

static unsigned count(const struct store_message *m, enum store_recipient_state state)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->n_recipients; i++)
        n += m->recipients[i].state == state;
    return n;
}

/* File the report for those that failed just now. A null sender gets none, and neither does
 * what answers by itself (RFC 5321 4.5.5, N-008): such a message is kept as dead once nobody
 * waits any more. */
static void return_failed(struct attempt *a, struct store_outcome *outcome)
{
    struct store_message *m = a->message;
    struct report_recipient *failed = mem_array(a->n, sizeof *failed);
    unsigned n_failed = list_failed(a, failed);
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    if (store_read(a->store, m->id, 0, &chunk) < 0)
        buf_clear(&chunk);
    bool allowed = bounce_is_allowed(m, buf_str(&chunk));
    if (allowed && n_failed) {
        struct bounce b;
        bounce_write(&b, a->store,
                     &(struct bounce_facts){a->conf, m, buf_str(&chunk), failed, n_failed});
        outcome->report = b.message;
        outcome->report_content = b.content;
        snprintf(a->report_id, sizeof a->report_id, "%s", b.id);
        keep_report_for_log(a, buf_str(&b.content));
    } else if (!allowed && count(m, STORE_WAITING) == 0) {
        m->state = STORE_DEAD;
        m->next_attempt_ms = clock_wall_ms();
    }
    buf_release(&chunk);
    free(failed);
}

static void keep_for_log(struct attempt *a)
{
    a->told = mem_array(a->n, sizeof *a->told);
    for (unsigned i = 0; i < a->n; i++) {
        a->told[i] = a->message->recipients[a->index[i]];
        a->told[i].address = mem_strdup(a->told[i].address);
    }
}

/* A deferral's code says "later", also where the server or our own check said "never" of the
 * account or the sender. */
static void put_status(char status[FAULT_STATUS_MAX], const struct fault *f,
                       enum outcome_event event)
{
    snprintf(status, FAULT_STATUS_MAX, "%s", f->status[0] ? f->status : "2.0.0");
    if (event == OUTCOME_DEFERRED)
        status[0] = '4';
}

static void log_recipient(const struct attempt *a, unsigned i)
{
    const struct fault *f = &a->told[i].fault;
    enum outcome_event event = a->events[i];
    char to[400], tail[3 * FAULT_TEXT_MAX], status[FAULT_STATUS_MAX];
    snprintf(to, sizeof to, "<%s>", a->told[i].address);
    put_status(status, f, event);
    if (event == OUTCOME_SENT)
        snprintf(tail, sizeof tail, "(%s)", f->reply);
    else
        snprintf(tail, sizeof tail, "(%s diag=%s: %s%s%s)", fault_scope_name(f->scope), f->code,
                 f->text, f->reply[0] ? ": " : "", f->reply);
    const struct log_fact facts[] = {
        {"to", to},          {"relay", a->relay[0] ? a->relay : "none"},
        {"delay", a->delay}, {"delays", a->delays},
        {"dsn", status},     {"status", outcome_event_name(event)},
    };
    enum log_level level = event == OUTCOME_SENT                      ? LOG_LEVEL_INFO
                           : event == OUTCOME_DEFERRED && a->known[i] ? LOG_LEVEL_DEBUG
                                                                      : LOG_LEVEL_NOTICE;
    log_facts(level, a->id, facts, sizeof facts / sizeof facts[0], tail);
}

/* The report enters the queue as any message does. */
static void log_report(const struct attempt *a)
{
    char size[24];
    snprintf(size, sizeof size, "%" PRIu64, a->report_bytes);
    log_say(LOG_LEVEL_INFO, a->id, "sender non-delivery notification: %s", a->report_id);
    log_facts(LOG_LEVEL_INFO, a->report_id,
              &(struct log_fact){"message-id", a->report_message_id}, 1, NULL);
    log_facts(LOG_LEVEL_INFO, a->report_id,
              (struct log_fact[]){{"from", "<>"}, {"size", size}, {"nrcpt", "1"}}, 3,
              "(queue active)");
}

/* What becomes of the message where that is more than waiting. */
static void log_end(const struct attempt *a)
{
    if (a->removed)
        log_say(LOG_LEVEL_INFO, a->id, "removed");
    if (a->died)
        log_say(LOG_LEVEL_WARNING, a->id,
                "kept as dead: it failed, and nobody is to be told; read why with \"tranterctl "
                "queue\", then drop it with \"tranterctl remove %s\"",
                a->id);
    if (a->held)
        log_say(LOG_LEVEL_WARNING, a->id,
                "held: its final reply was lost %d times, so it may have arrived; ask the "
                "recipient, then \"tranterctl release %s\" or \"tranterctl remove %s\"",
                SCHEDULE_AMBIGUOUS_MAX, a->id, a->id);
}

static void on_result(struct waiter *waiter, const struct store_result *result)
{
    struct attempt *a = (struct attempt *)waiter;
    if (result->failure != STORE_OK)
        log_say(LOG_LEVEL_ERROR, a->id, "the outcome could not be recorded: %s",
                result->reason);
    for (unsigned i = 0; i < a->n; i++)
        log_recipient(a, i);
    if (a->report_id[0])
        log_report(a);
    log_end(a);
    a->on_recorded(a->self, result->id);
    attempt_free(a);
}

static void record(struct attempt *a)
{
    struct store_outcome outcome = {.message = a->message};
    if (count(a->message, STORE_FAILED))
        return_failed(a, &outcome);
    a->died = a->message->state == STORE_DEAD;
    a->held = a->message->state == STORE_HELD;
    a->removed = count(a->message, STORE_WAITING) == 0 && !a->died;
    keep_for_log(a);
    a->waiter.on_result = on_result;
    a->message = NULL;
    store_record(a->store, &outcome, &a->waiter);
}

static struct outcome_rules rules_of(const struct conf *conf)
{
    return (struct outcome_rules){conf->lifetime_ms, conf->retry_min_ms, conf->retry_max_ms};
}

/* Two digits that say something: "0.05", "1.2", "312". */
static void put_seconds(char text[24], int64_t ms)
{
    double seconds = ms < 0 ? 0 : (double)ms / 1000;
    snprintf(text, 24, seconds < 10 ? "%.2g" : "%.0f", seconds);
}

/* Since arrival in all; and before this attempt, in the scheduler, connecting, sending. */
static void set_delays(struct attempt *a, int64_t connected_ms, int64_t sent_ms)
{
    char before[24], connect[24], send[24];
    int64_t total_ms = clock_wall_ms() - a->message->arrival_ms;
    put_seconds(a->delay, total_ms);
    put_seconds(before, total_ms - connected_ms - sent_ms);
    put_seconds(connect, connected_ms);
    put_seconds(send, sent_ms);
    snprintf(a->delays, sizeof a->delays, "%s/0/%s/%s", before, connect, send);
}

/* A smarthost that is broken for a day is probed often, and each probe may be a message. */
static void note_known(struct attempt *a, const struct fault *verdicts)
{
    a->known = mem_array(a->n, sizeof *a->known);
    for (unsigned i = 0; i < a->n; i++) {
        const struct fault *before = &a->message->recipients[a->index[i]].fault;
        enum fault_scope scope = verdicts[i].scope;
        a->known[i] = (scope == FAULT_SERVER || scope == FAULT_ACCOUNT) &&
                      !verdicts[i].ambiguous && scope == before->scope &&
                      str_eq(str_of(verdicts[i].code), str_of(before->code));
    }
}

void attempt_end(struct attempt *a, const struct delivery_end *end, const char *relay,
                 bool suspect)
{
    struct outcome_rules rules = rules_of(a->conf);
    a->events = mem_array(a->n, sizeof *a->events);
    snprintf(a->relay, sizeof a->relay, "%s", relay);
    snprintf(a->remote, sizeof a->remote, "%.*s",
             STR_FMT(str_head(str_of(relay), str_find(str_of(relay), '['))));
    set_delays(a, end->connected_ms, end->sent_ms);
    note_known(a, end->verdicts);
    outcome_apply(a->message, &(struct outcome_attempt){a->index, end->verdicts, a->n, suspect},
                  &rules, clock_wall_ms(), crypto_random32(), a->events);
    record(a);
}

void attempt_expire(struct attempt *a, const struct fault *reason)
{
    outcome_expire(a->message, reason, a->index, &a->n);
    a->events = mem_array(a->n, sizeof *a->events);
    a->known = mem_array(a->n, sizeof *a->known);
    for (unsigned i = 0; i < a->n; i++)
        a->events[i] = OUTCOME_EXPIRED;
    set_delays(a, 0, 0);
    record(a);
}
