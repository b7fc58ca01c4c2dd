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

static unsigned list_failed(const struct settlement *s, struct report_recipient *failed)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n; i++) {
        const struct store_recipient *r = &s->message->recipients[s->index[i]];
        bool asked = bounce_is_asked(r, STORE_NOTIFY_FAILURE);
        if (asked && (s->events[i] == OUTCOME_BOUNCED || s->events[i] == OUTCOME_EXPIRED)) {
            failed[n++] = (struct report_recipient){
                .address = r->address,
                .orcpt = r->orcpt,
                .fault = &r->fault,
                .remote = s->remote[0] ? s->remote : NULL,
                .attempt_ms = s->relay[0] ? clock_wall_ms() : 0,
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
static void return_failed(struct settlement *s, struct store_outcome *outcome)
{
    struct store_message *m = s->message;
    struct report_recipient *failed = mem_array(s->n, sizeof *failed);
    unsigned n_failed = list_failed(s, failed);
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    if (store_read(s->context.store, m->id, 0, &chunk) < 0)
        buf_clear(&chunk);
    bool allowed = bounce_is_allowed(m, buf_str(&chunk));
    struct bounce b;
    if (allowed && n_failed &&
        bounce_write(&b, s->context.store,
                     &(struct bounce_facts){s->context.conf, s->context.aliases, m,
                                            buf_str(&chunk), failed, n_failed})) {
        outcome->report = b.message;
        outcome->report_content = b.content;
        snprintf(s->report_id, sizeof s->report_id, "%s", b.id);
        settlement_keep_report(s, buf_str(&b.content));
    } else if (!allowed && count(m, STORE_WAITING) == 0) {
        m->state = STORE_DEAD;
        m->next_attempt_ms = clock_wall_ms();
    }
    buf_release(&chunk);
    free(failed);
}

static void on_result(struct waiter *waiter, const struct store_result *result)
{
    struct settlement *s = (struct settlement *)waiter;
    if (result->failure != STORE_OK)
        log_say(LOG_LEVEL_ERROR, s->id, "the outcome could not be recorded: %s",
                result->reason);
    settlement_log(s);
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
    if (count(s->message, STORE_FAILED))
        return_failed(s, &outcome);
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

static struct outcome_rules rules_of(const struct conf *conf)
{
    return (struct outcome_rules){conf->lifetime_ms, conf->retry_min_ms, conf->retry_max_ms};
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
    struct outcome_rules rules = rules_of(context->conf);
    struct str relay = str_of(attempt->relay);
    s->n = attempt->outcome.n;
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
