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

/* From the null sender to the sender of m, in the name of who submitted m; NULL: to nobody. */
static struct store_message *new_message(struct store *store, const struct bounce_facts *facts,
                                         int64_t now_ms)
{
    const struct store_message *m = facts->message;
    struct readers readers = {.conf = facts->conf};
    const struct alias_visitor visitor = {NULL, add_reader, &readers};
    aliases_expand(facts->aliases, str_of(m->sender), false, &visitor);
    size_t n = readers.to.n;
    struct store_message *report = n ? mem_new(sizeof *report) : NULL;
    if (report) {
        report->id = store_begin(store, now_ms);
        report->sender = mem_strdup("");
        report->n_recipients = (unsigned)n;
        report->recipients = mem_array(n, sizeof *report->recipients);
        for (size_t i = 0; i < n; i++)
            report->recipients[i].address = mem_strdup(readers.to.texts[i]);
        report->uid = m->uid;
        report->gid = m->gid;
        report->require_tls = m->require_tls;
        report->arrival_ms = now_ms;
        report->next_attempt_ms = now_ms;
    }
    address_set_release(&readers.to);
    return report;
}

/* RET is about failures alone (RFC 3461 4.3). What was to go over verified TLS alone does not
 * come back in a report either (N-010). */
static bool comes_back_whole(const struct bounce_facts *facts)
{
    const struct store_message *m = facts->message;
    bool failed = false;
    for (unsigned i = 0; i < facts->n_recipients; i++)
        failed = failed || facts->recipients[i].action == REPORT_FAILED;
    return failed && m->ret == STORE_RET_FULL && !m->require_tls &&
           m->body_bytes <= REPORT_WHOLE_MAX && facts->head.n == m->body_bytes;
}

bool bounce_write(struct bounce *b, struct store *store, const struct bounce_facts *facts)
{
    const struct store_message *m = facts->message;
    int64_t now_ms = clock_wall_ms();
    char id[STORE_ID_MAX];
    b->message = new_message(store, facts, now_ms);
    if (!b->message)
        return false;
    store_id_format(b->id, b->message->id);
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
    return true;
}
