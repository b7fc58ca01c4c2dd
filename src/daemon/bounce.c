/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounce.h"

#include "clock.h"
#include "envelope.h"
#include "mem.h"

#include <stdlib.h>

bool bounce_is_allowed(const struct store_message *m, struct str head)
{
    return m->sender[0] && report_is_wanted(report_header_of(head));
}

bool bounce_is_asked(const struct store_recipient *r, enum store_notify event)
{
    return ((r->notify ? r->notify : STORE_NOTIFY_FAILURE | STORE_NOTIFY_DELAY) & event) != 0;
}

/* Whom the report goes to. */
struct readers {
    const struct conf *conf;
    struct address_set to;
};

static void add_reader(void *arg, unsigned depth, struct str address, enum alias_end end)
{
    struct readers *readers = arg;
    (void)depth;
    if (end == ALIAS_END_NOBODY)
        return;
    char *whole = envelope_complete(address, readers->conf);
    address_set_add(&readers->to, str_of(whole));
    free(whole);
}

/* From the null sender to the readers, in the name of who submitted m. */
static struct store_message *new_message(struct store *store, const struct store_message *m,
                                         const struct address_set *to, int64_t now_ms)
{
    struct store_message *report = mem_new(sizeof *report);
    report->id = store_begin(store, now_ms);
    report->sender = mem_strdup("");
    report->n_recipients = (unsigned)to->n;
    report->recipients = mem_array(to->n, sizeof *report->recipients);
    for (size_t i = 0; i < to->n; i++)
        report->recipients[i].address = mem_strdup(to->texts[i]);
    report->uid = m->uid;
    report->gid = m->gid;
    report->require_tls = m->require_tls;
    report->report = true;
    report->arrival_ms = now_ms;
    report->next_attempt_ms = now_ms;
    return report;
}

bool bounce_tells_of_failure(const struct bounce_facts *facts)
{
    for (unsigned i = 0; i < facts->n_recipients; i++) {
        if (facts->recipients[i].action == REPORT_FAILED)
            return true;
    }
    return false;
}

/* RET is about failures alone (RFC 3461 4.3). What was to go over verified TLS alone does not
 * come back in a report either (N-010). */
static bool comes_back_whole(const struct bounce_facts *facts)
{
    const struct store_message *m = facts->message;
    return bounce_tells_of_failure(facts) && m->ret == STORE_RET_FULL && !m->require_tls &&
           m->body_bytes <= REPORT_WHOLE_MAX && facts->head.n == m->body_bytes;
}

static void write_content(struct bounce *b, const struct bounce_facts *facts, int64_t now_ms)
{
    const struct store_message *m = facts->message;
    char id[STORE_ID_MAX];
    store_id_format(id, m->id);
    buf_init(&b->content, STORE_REPORT_BYTES_MAX);
    report_write(&b->content, &(struct report_facts){
                                  .hostname = facts->conf->hostname,
                                  .domain = facts->conf->domain,
                                  .id = id,
                                  .report_id = b->id,
                                  .sender = m->sender,
                                  .arrival_ms = m->arrival_ms,
                                  .now_ms = now_ms,
                                  .zone_minutes = clock_zone_minutes(now_ms),
                                  .envid = m->envid,
                                  .retry_until_ms = m->arrival_ms + facts->conf->lifetime_ms,
                                  .original = facts->head,
                                  .whole = comes_back_whole(facts),
                                  .recipients = facts->recipients,
                                  .n_recipients = facts->n_recipients,
                              });
    BUG_ON(b->content.failed);
    b->message->body_8bit = !str_is_ascii(buf_str(&b->content));
}

static void make_dead(struct bounce *b, int64_t now_ms)
{
    b->dead = true;
    b->message->state = STORE_DEAD;
    b->message->next_attempt_ms = now_ms;
    for (unsigned i = 0; i < b->message->n_recipients; i++) {
        struct store_recipient *r = &b->message->recipients[i];
        r->state = STORE_FAILED;
        fault_set(&r->fault, FAULT_RECIPIENT, "5.7.1", "REPORT-LIMIT",
                  "%d reports within an hour went to this address, and this is one more.",
                  REPORT_LIMIT_AN_HOUR);
        fault_fix(&r->fault, "see what program sends so much that fails");
    }
}

/* Counts it for each that reads it. */
static bool is_too_many(struct report_limit *limit, const struct address_set *to)
{
    bool too_many = false;
    int64_t now_ms = clock_mono_ms();
    for (size_t i = 0; i < to->n; i++)
        too_many = !report_limit_take(limit, to->texts[i], now_ms) || too_many;
    return too_many;
}

/* The report itself. */
static void write_to(struct bounce *b, struct store *store, const struct bounce_facts *facts,
                     const struct address_set *to, bool dead)
{
    int64_t now_ms = clock_wall_ms();
    *b = (struct bounce){.message = new_message(store, facts->message, to, now_ms)};
    store_id_format(b->id, b->message->id);
    write_content(b, facts, now_ms);
    if (dead)
        make_dead(b, now_ms);
}

enum bounce_result bounce_write(struct bounce *b, struct store *store,
                                const struct bounce_facts *facts)
{
    struct readers readers = {.conf = facts->conf};
    const struct alias_visitor visitor = {NULL, add_reader, &readers};
    enum bounce_result result = BOUNCE_NOBODY;
    aliases_expand(facts->aliases, str_of(facts->message->sender), false, &visitor);
    if (readers.to.n) {
        bool too_many = is_too_many(facts->limit, &readers.to);
        result = too_many && !bounce_tells_of_failure(facts) ? BOUNCE_TOO_MANY : BOUNCE_WRITTEN;
        if (result == BOUNCE_WRITTEN)
            write_to(b, store, facts, &readers.to, too_many);
    }
    address_set_release(&readers.to);
    return result;
}
