/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nothing is told to anybody before the outcome is committed: the report lies in the same
 * transaction as the failure it reports, and the log follows the commit. */
#include "settlement.h"

#include "bounce.h"
#include "clock.h"
#include "crypto.h"
#include "log.h"
#include "mem.h"
#include "report.h"
#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>

static struct settlement *new_settlement(const struct settle_context *context,
                                         struct store_message *m)
{
    struct settlement *s = mem_new(sizeof *s);
    s->context = *context;
    conf_ref(s->context.conf);
    s->message = m;
    s->index = mem_array(m->n_recipients, sizeof *s->index);
    s->events = mem_array(m->n_recipients, sizeof *s->events);
    s->known = mem_array(m->n_recipients, sizeof *s->known);
    store_id_format(s->id, m->id);
    return s;
}

static void free_settlement(struct settlement *s)
{
    for (unsigned i = 0; i < s->n; i++)
        free(s->told[i].address);
    free(s->told);
    free(s->known);
    free(s->events);
    free(s->index);
    conf_unref(s->context.conf);
    free(s);
}

/* What the sender asked to be told of the i-th recipient in question; false: nothing. Of one
 * that a server took that reports by itself nothing is left to be told. */
static bool is_news(const struct settlement *s, unsigned i, enum report_action *action)
{
    const struct store_recipient *r = &s->message->recipients[s->index[i]];
    switch (s->events[i]) {
    case OUTCOME_SENT:
        *action = REPORT_RELAYED;
        return !s->dsn && bounce_is_asked(r, STORE_NOTIFY_SUCCESS);
    case OUTCOME_BOUNCED:
    case OUTCOME_EXPIRED:
        *action = REPORT_FAILED;
        return bounce_is_asked(r, STORE_NOTIFY_FAILURE);
    case OUTCOME_DEFERRED:
        break;
    }
    return false;
}

/* What is news of one kind, failure or success. */
static unsigned list_news(const struct settlement *s, bool failure,
                          struct report_recipient *news)
{
    unsigned n = 0;
    enum report_action action;
    for (unsigned i = 0; i < s->n; i++) {
        const struct store_recipient *r = &s->message->recipients[s->index[i]];
        if (is_news(s, i, &action) && failure == (action == REPORT_FAILED))
            news[n++] = (struct report_recipient){
                .address = r->address,
                .orcpt = r->orcpt,
                .action = action,
                .fault = &r->fault,
                .remote = s->remote[0] ? s->remote : NULL,
                .attempt_ms = s->relay[0] ? clock_wall_ms() : 0,
            };
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

/* Did a recipient fail whose sender did not say that he need not know? */
static bool owes_report(const struct store_message *m)
{
    for (unsigned i = 0; i < m->n_recipients; i++) {
        if (m->recipients[i].state == STORE_FAILED &&
            bounce_is_asked(&m->recipients[i], STORE_NOTIFY_FAILURE))
            return true;
    }
    return false;
}

/* kind is for the log, as Postfix has it. False: there is none. */
static bool file_report(struct settlement *s, struct store_outcome *outcome,
                        const struct bounce_facts *facts, const char *kind)
{
    struct bounce b;
    struct settlement_report *r = &s->reports[s->n_reports++];
    r->kind = kind;
    r->result = bounce_write(&b, s->context.store, facts);
    if (r->result != BOUNCE_WRITTEN)
        return false;
    if (outcome->report) {
        outcome->second = b.message;
        outcome->second_content = b.content;
    } else {
        outcome->report = b.message;
        outcome->report_content = b.content;
    }
    settlement_keep_report(r, &b);
    return true;
}

/* The first part of the content into chunk; empty where it cannot be read. */
static void read_head(const struct settlement *s, struct buf *chunk)
{
    buf_init(chunk, STORE_CHUNK_BYTES);
    if (store_read(s->context.store, s->message->id, 0, chunk) < 0)
        buf_clear(chunk);
}

static struct bounce_facts facts_of(const struct settlement *s, const struct buf *head,
                                    const struct report_recipient *news, unsigned n_news)
{
    return (struct bounce_facts){.conf = s->context.conf,
                                 .aliases = s->context.aliases,
                                 .limit = s->context.limit,
                                 .message = s->message,
                                 .head = buf_str(head),
                                 .recipients = news,
                                 .n_recipients = n_news};
}

/* File the reports on what is news, n_failures and n_successes. A null sender gets none, and
 * neither does what answers by itself (RFC 5321 4.5.5, N-008): a message of theirs that failed
 * is kept as dead once nobody waits any more. */
static void file_news(struct settlement *s, struct store_outcome *outcome,
                      const struct report_recipient *failures, unsigned n_failures,
                      const struct report_recipient *successes, unsigned n_successes)
{
    struct store_message *m = s->message;
    struct buf head;
    read_head(s, &head);
    struct bounce_facts bad = facts_of(s, &head, failures, n_failures);
    struct bounce_facts good = facts_of(s, &head, successes, n_successes);
    bool allowed = bounce_is_allowed(m, bad.head);
    if (allowed && n_failures)
        file_report(s, outcome, &bad, "non-delivery");
    if (allowed && n_successes)
        file_report(s, outcome, &good, "delivery status");
    if (!allowed && owes_report(m) && count(m, STORE_WAITING) == 0) {
        m->state = STORE_DEAD;
        m->next_attempt_ms = clock_wall_ms();
    }
    buf_release(&head);
}

static void tell_sender(struct settlement *s, struct store_outcome *outcome)
{
    struct report_recipient *failures = mem_array(s->n, sizeof *failures);
    struct report_recipient *successes = mem_array(s->n, sizeof *successes);
    unsigned n_failures = list_news(s, true, failures);
    unsigned n_successes = list_news(s, false, successes);
    if (n_failures || n_successes || owes_report(s->message))
        file_news(s, outcome, failures, n_failures, successes, n_successes);
    free(failures);
    free(successes);
}

static void on_result(struct waiter *waiter, const struct store_result *result)
{
    struct settlement *s = (struct settlement *)waiter;
    if (result->failure != STORE_OK)
        log_say(LOG_LEVEL_ERROR, s->id, "the outcome could not be recorded: %s",
                result->reason);
    settlement_log(s);
    struct store_message *rest = s->returning && !s->removed && !s->died
                                     ? store_load(s->context.store, result->id)
                                     : NULL;
    if (rest)
        settle_returned(&s->context, rest);
    else
        s->context.on_recorded(s->context.self, result->id);
    free_settlement(s);
}

/* For as long as the message stays. */
static struct store_event new_event(const struct settlement *s)
{
    struct buf text;
    buf_init(&text, VERDICT_MAX);
    verdict_put(&text, s->message, s->index, s->events, s->n);
    struct store_event event = {.time_ms = clock_wall_ms(),
                                .relay = s->relay[0] ? mem_strdup(s->relay) : NULL,
                                .text = buf_strdup(&text)};
    buf_release(&text);
    return event;
}

static void record(struct settlement *s)
{
    struct store_outcome outcome = {.message = s->message};
    tell_sender(s, &outcome);
    s->died = s->message->state == STORE_DEAD;
    s->held = s->message->state == STORE_HELD;
    s->removed = count(s->message, STORE_WAITING) == 0 && !s->died;
    if (!s->removed)
        outcome.event = new_event(s);
    settlement_keep_for_log(s);
    s->waiter.on_result = on_result;
    s->message = NULL;
    store_record(s->context.store, &outcome, &s->waiter);
}

static struct outcome_rules rules_of(const struct settle_context *c)
{
    int64_t lifetime_ms = c->may_expire(c->self) ? c->conf->lifetime_ms : INT64_MAX;
    return (struct outcome_rules){lifetime_ms, c->conf->retry_min_ms, c->conf->retry_max_ms,
                                  c->conf->admin != NULL};
}

/* A smarthost that is broken for a day is probed often, and each probe may be a message. */
static void note_known(struct settlement *s, const struct fault *verdicts)
{
    for (unsigned i = 0; i < s->n; i++) {
        const struct fault *before = &s->message->recipients[s->index[i]].fault;
        enum fault_scope scope = verdicts[i].scope;
        s->known[i] = (scope == FAULT_SERVER || scope == FAULT_ACCOUNT) &&
                      !verdicts[i].ambiguous && scope == before->scope &&
                      str_eq(str_of(verdicts[i].code), str_of(before->code));
    }
}

void settle_attempt(const struct settle_context *context, struct store_message *m,
                    const struct settle_attempt *attempt)
{
    struct settlement *s = new_settlement(context, m);
    struct outcome_rules rules = rules_of(context);
    struct str relay = str_of(attempt->relay);
    s->n = attempt->outcome.n;
    s->dsn = attempt->dsn;
    for (unsigned i = 0; i < s->n; i++)
        s->index[i] = attempt->outcome.index[i];
    snprintf(s->relay, sizeof s->relay, "%s", attempt->relay);
    snprintf(s->remote, sizeof s->remote, "%.*s",
             STR_FMT(str_head(relay, str_find(relay, '['))));
    settlement_set_delays(s, attempt->connected_ms, attempt->sent_ms);
    note_known(s, attempt->outcome.verdicts);
    outcome_apply(m, &attempt->outcome, &rules, clock_wall_ms(), crypto_random32(), s->events);
    record(s);
}

void settle_expired(const struct settle_context *context, struct store_message *m,
                    const struct fault *reason)
{
    struct settlement *s = new_settlement(context, m);
    outcome_expire(m, reason, s->index, &s->n);
    for (unsigned i = 0; i < s->n; i++)
        s->events[i] = OUTCOME_EXPIRED;
    settlement_set_delays(s, 0, 0);
    record(s);
}

void settle_returned(const struct settle_context *context, struct store_message *m)
{
    struct settlement *s = new_settlement(context, m);
    outcome_return(m, s->index, &s->n);
    for (unsigned i = 0; i < s->n; i++)
        s->events[i] = OUTCOME_BOUNCED;
    s->returning = true;
    settlement_set_delays(s, 0, 0);
    record(s);
}

/* When a smarthost was last asked; 0: not known, or none was. */
static int64_t last_attempt_ms(const struct settlement *s)
{
    struct store_event events[STORE_EVENTS_MAX];
    int64_t last_ms = 0;
    unsigned n = store_events(s->context.store, s->message->id, events);
    for (unsigned i = 0; i < n; i++) {
        if (events[i].relay)
            last_ms = events[i].time_ms;
        store_event_release(&events[i]);
    }
    return last_ms;
}

static unsigned list_delayed(const struct settlement *s, const struct fault *reason,
                             struct report_recipient *news)
{
    const struct store_message *m = s->message;
    int64_t attempt_ms = last_attempt_ms(s);
    unsigned n = 0;
    for (unsigned i = 0; i < m->n_recipients; i++) {
        const struct store_recipient *r = &m->recipients[i];
        bool tried = r->fault.scope != FAULT_NONE;
        if (r->state == STORE_WAITING && bounce_is_asked(r, STORE_NOTIFY_DELAY))
            news[n++] = (struct report_recipient){.address = r->address,
                                                  .orcpt = r->orcpt,
                                                  .action = REPORT_DELAYED,
                                                  .fault = tried ? &r->fault : reason,
                                                  .attempt_ms = tried ? attempt_ms : 0};
    }
    return n;
}

static bool file_delay(struct settlement *s, const struct fault *reason,
                       struct store_outcome *outcome)
{
    struct report_recipient *news = mem_array(s->message->n_recipients, sizeof *news);
    unsigned n_news = list_delayed(s, reason, news);
    struct buf head;
    read_head(s, &head);
    struct bounce_facts facts = facts_of(s, &head, news, n_news);
    bool filed = n_news && bounce_is_allowed(s->message, facts.head) &&
                 file_report(s, outcome, &facts, "delay");
    buf_release(&head);
    free(news);
    return filed;
}

bool settle_delayed(const struct settle_context *context, struct store_message *m,
                    const struct fault *reason)
{
    struct settlement *s = new_settlement(context, m);
    struct store_outcome outcome = {.message = m};
    if (!file_delay(s, reason, &outcome)) {
        settlement_log(s);
        store_message_free(m);
        free_settlement(s);
        return false;
    }
    m->warned = true;
    outcome.event = (struct store_event){
        .time_ms = clock_wall_ms(), .text = mem_strdup("the sender was told of the delay")};
    s->waiter.on_result = on_result;
    s->message = NULL;
    store_record(context->store, &outcome, &s->waiter);
    return true;
}
