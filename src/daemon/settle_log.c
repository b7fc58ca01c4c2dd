/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "settlement.h"

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void settlement_keep_report(struct settlement_report *r, const struct bounce *b)
{
    struct str content = buf_str(&b->content);
    static const struct str field = STR_LIT("\r\nMessage-ID: ");
    const char *at = memmem(content.p, content.n, field.p, field.n);
    BUG_ON(!at);
    struct str value = str_tail(content, (size_t)(at - content.p) + field.n);
    value = str_head(value, str_find(value, '\r'));
    snprintf(r->message_id, sizeof r->message_id, "%.*s", STR_FMT(value));
    snprintf(r->id, sizeof r->id, "%s", b->id);
    r->bytes = content.n;
    r->dead = b->dead;
}

void settlement_keep_for_log(struct settlement *s)
{
    s->told = mem_array(s->n, sizeof *s->told);
    for (unsigned i = 0; i < s->n; i++) {
        s->told[i] = s->message->recipients[s->index[i]];
        s->told[i].address = mem_strdup(s->told[i].address);
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

static void log_recipient(const struct settlement *s, unsigned i)
{
    const struct fault *f = &s->told[i].fault;
    enum outcome_event event = s->events[i];
    char to[400], tail[3 * FAULT_TEXT_MAX], status[FAULT_STATUS_MAX];
    snprintf(to, sizeof to, "<%s>", s->told[i].address);
    put_status(status, f, event);
    tally_outcome(s->context.tally, event, f->scope, status);
    if (event == OUTCOME_SENT)
        snprintf(tail, sizeof tail, "(%s)", f->reply);
    else
        snprintf(tail, sizeof tail, "(%s diag=%s: %s%s%s)", fault_scope_name(f->scope), f->code,
                 f->text, f->reply[0] ? ": " : "", f->reply);
    const struct log_fact facts[] = {
        {"to", to},          {"relay", s->relay[0] ? s->relay : "none"},
        {"delay", s->delay}, {"delays", s->delays},
        {"dsn", status},     {"status", outcome_event_name(event)},
    };
    enum log_level level = event == OUTCOME_SENT                      ? LOG_LEVEL_INFO
                           : event == OUTCOME_DEFERRED && s->known[i] ? LOG_LEVEL_DEBUG
                                                                      : LOG_LEVEL_NOTICE;
    log_facts(level, s->id, facts, sizeof facts / sizeof facts[0], tail);
}

/* A report enters the queue as any message does. */
static void log_report(const struct settlement *s, const struct settlement_report *r)
{
    char size[24];
    if (r->result != BOUNCE_WRITTEN) {
        log_say(LOG_LEVEL_NOTICE, s->id, "no sender %s notification: %s", r->kind,
                r->result == BOUNCE_NOBODY ? "the sender's alias leads to nobody"
                                           : "the sender got too many reports within an hour");
        return;
    }
    snprintf(size, sizeof size, "%" PRIu64, r->bytes);
    log_say(LOG_LEVEL_INFO, s->id, "sender %s notification: %s", r->kind, r->id);
    log_facts(LOG_LEVEL_INFO, r->id, &(struct log_fact){"message-id", r->message_id}, 1, NULL);
    log_facts(LOG_LEVEL_INFO, r->id,
              (struct log_fact[]){{"from", "<>"}, {"size", size}, {"nrcpt", "1"}}, 3,
              r->dead ? "(queue dead)" : "(queue active)");
    if (r->dead)
        log_say(LOG_LEVEL_WARNING, r->id,
                "kept as dead: the sender of %s got %d reports within an hour; read it with "
                "\"tranterctl show %s\", then drop it with \"tranterctl remove %s\"",
                s->id, REPORT_LIMIT_AN_HOUR, r->id, r->id);
}

/* What becomes of the message where that is more than waiting. */
static void log_end(const struct settlement *s)
{
    if (s->removed)
        log_say(LOG_LEVEL_INFO, s->id, "removed");
    if (s->died)
        log_say(LOG_LEVEL_WARNING, s->id,
                "kept as dead: it failed, and nobody is to be told; read why with \"tranterctl "
                "queue\", then drop it with \"tranterctl remove %s\"",
                s->id);
    if (s->held)
        log_say(LOG_LEVEL_WARNING, s->id,
                "held: its final reply was lost %d times, so it may have arrived; ask the "
                "recipient, then \"tranterctl release %s\" or \"tranterctl remove %s\"",
                SCHEDULE_AMBIGUOUS_MAX, s->id, s->id);
}

/* Two digits that say something: "0.05", "1.2", "312". */
static void put_seconds(char text[24], int64_t ms)
{
    double seconds = ms < 0 ? 0 : (double)ms / 1000;
    snprintf(text, 24, seconds < 10 ? "%.2g" : "%.0f", seconds);
}

void settlement_set_delays(struct settlement *s, int64_t connected_ms, int64_t sent_ms)
{
    char before[24], connect[24], send[24];
    int64_t total_ms = clock_wall_ms() - s->message->arrival_ms;
    put_seconds(s->delay, total_ms);
    put_seconds(before, total_ms - connected_ms - sent_ms);
    put_seconds(connect, connected_ms);
    put_seconds(send, sent_ms);
    snprintf(s->delays, sizeof s->delays, "%s/0/%s/%s", before, connect, send);
}

void settlement_log(const struct settlement *s)
{
    for (unsigned i = 0; i < s->n; i++)
        log_recipient(s, i);
    for (unsigned i = 0; i < s->n_reports; i++)
        log_report(s, &s->reports[i]);
    log_end(s);
}
