/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounce.h"

#include "clock.h"
#include "mem.h"

bool bounce_is_allowed(const struct store_message *m, struct str head)
{
    return m->sender[0] && report_is_wanted(report_header_of(head));
}

bool bounce_is_asked(const struct store_recipient *r, enum store_notify event)
{
    return ((r->notify ? r->notify : STORE_NOTIFY_FAILURE | STORE_NOTIFY_DELAY) & event) != 0;
}

/* From the null sender to the sender of m, in the name of who submitted m. */
static struct store_message *new_message(struct store *store, const struct store_message *m,
                                         int64_t now_ms)
{
    struct store_message *report = mem_new(sizeof *report);
    report->id = store_begin(store, now_ms);
    report->sender = mem_strdup("");
    report->n_recipients = 1;
    report->recipients = mem_array(1, sizeof *report->recipients);
    report->recipients[0].address = mem_strdup(m->sender);
    report->uid = m->uid;
    report->gid = m->gid;
    report->require_tls = m->require_tls;
    report->arrival_ms = now_ms;
    report->next_attempt_ms = now_ms;
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

void bounce_write(struct bounce *b, struct store *store, const struct bounce_facts *facts)
{
    const struct store_message *m = facts->message;
    int64_t now_ms = clock_wall_ms();
    char id[STORE_ID_MAX];
    b->message = new_message(store, m, now_ms);
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
}
