/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "invalid.h"

#include "address.h"
#include "bounce.h"
#include "log.h"
#include "mem.h"
#include "printable.h"
#include "xtext.h"

#include <stdio.h>
#include <stdlib.h>

void invalid_add(struct invalid *in, struct store_recipient *r, struct str xtext)
{
    struct buf words;
    char address[ADDRESS_MAX + 1];
    buf_init(&words, xtext.n);
    xtext_decode(&words, xtext);
    printable_cut(address, sizeof address, buf_str(&words));
    buf_release(&words);
    r->address = mem_strdup(address);
    r->state = STORE_FAILED;
    fault_set(&r->fault, FAULT_RECIPIENT, "5.1.3", "RCPT-SYNTAX", "\"%s\" is not an address",
              address);
    fault_fix(&r->fault, "write it as user@example.com");
    in->n++;
}

void invalid_keep_head(struct invalid *in, struct str head)
{
    if (in->n == 0 || buf_len(&in->head) > 0)
        return;
    buf_init(&in->head, STORE_CHUNK_BYTES);
    buf_put_str(&in->head, str_head(head, STORE_CHUNK_BYTES));
}

static void keep_for_log(struct invalid *in, const struct store_message *m)
{
    unsigned n = 0;
    in->told = mem_array(in->n, sizeof *in->told);
    for (unsigned i = 0; i < m->n_recipients; i++) {
        if (m->recipients[i].state != STORE_FAILED)
            continue;
        in->told[n] = m->recipients[i];
        in->told[n++].address = mem_strdup(m->recipients[i].address);
    }
    BUG_ON(n != in->n);
}

void invalid_report(struct invalid *in, struct store *store, const struct conf *conf,
                    const struct aliases *aliases, struct report_limit *limit,
                    struct store_acceptance *a)
{
    if (in->n == 0)
        return;
    invalid_keep_head(in, buf_str(&a->chunk));
    keep_for_log(in, a->message);
    if (!bounce_is_allowed(a->message, buf_str(&in->head)))
        return;
    struct report_recipient *failed = mem_array(in->n, sizeof *failed);
    unsigned n = 0;
    for (unsigned i = 0; i < in->n; i++) {
        if (bounce_is_asked(&in->told[i], STORE_NOTIFY_FAILURE))
            failed[n++] = (struct report_recipient){.address = in->told[i].address,
                                                    .orcpt = in->told[i].orcpt,
                                                    .fault = &in->told[i].fault,
                                                    .attempt_ms = a->message->arrival_ms};
    }
    struct bounce b;
    const struct bounce_facts facts = {conf,   aliases, limit, a->message, buf_str(&in->head),
                                       failed, n};
    if (n && bounce_write(&b, store, &facts) == BOUNCE_WRITTEN) {
        a->report = b.message;
        a->report_content = b.content;
        snprintf(in->report_id, sizeof in->report_id, "%s", b.id);
        in->report_dead = b.dead;
    }
    free(failed);
}

static void log_recipient(const struct store_recipient *r, const char *id)
{
    const struct fault *f = &r->fault;
    char to[ADDRESS_MAX + 3], tail[FAULT_TEXT_MAX + FAULT_CODE_MAX + 32];
    snprintf(to, sizeof to, "<%s>", r->address);
    snprintf(tail, sizeof tail, "(%s diag=%s: %s)", fault_scope_name(f->scope), f->code,
             f->text);
    const struct log_fact facts[] = {{"to", to},         {"relay", "none"},
                                     {"delay", "0"},     {"delays", "0/0/0/0"},
                                     {"dsn", f->status}, {"status", "bounced"}};
    log_facts(LOG_LEVEL_NOTICE, id, facts, sizeof facts / sizeof facts[0], tail);
}

void invalid_log(const struct invalid *in, const char *id)
{
    for (unsigned i = 0; i < in->n; i++)
        log_recipient(&in->told[i], id);
    if (in->report_id[0])
        log_say(LOG_LEVEL_INFO, id, "sender non-delivery notification: %s%s", in->report_id,
                in->report_dead ? ", kept as dead: the sender got too many within an hour"
                                : "");
}

void invalid_release(struct invalid *in)
{
    for (unsigned i = 0; in->told && i < in->n; i++)
        free(in->told[i].address);
    free(in->told);
    buf_release(&in->head);
    *in = (struct invalid){.n = 0};
}
