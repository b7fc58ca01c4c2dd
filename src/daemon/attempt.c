/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "attempt.h"

#include "mem.h"

#include <stdlib.h>

struct attempt {
    struct settle_context context;
    struct store_message *message; /* NULL: it was settled */
    struct smtp_transaction transaction;
    struct smtp_recipient recipients[SMTP_CLIENT_RECIPIENTS_MAX];
    unsigned index[SMTP_CLIENT_RECIPIENTS_MAX]; /* of the message's, by place in the
                                                   transaction, n of them */
    unsigned n;
};

struct attempt *attempt_new(const struct settle_context *context, struct store_message *message)
{
    struct attempt *a = mem_new(sizeof *a);
    a->context = *context;
    conf_ref(a->context.conf);
    a->message = message;
    return a;
}

void attempt_free(struct attempt *a)
{
    if (!a)
        return;
    store_message_free(a->message);
    conf_unref(a->context.conf);
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

/* All its recipients hear the same of the sender. */
static const char *sender_of(const struct attempt *a)
{
    bool other =
        a->n && a->context.conf->admin && outcome_needs_sender(a->message, a->index[0]);
    return other ? a->context.conf->admin : a->message->sender;
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
        .sender = sender_of(a),
        .recipients = a->recipients,
        .n_recipients = a->n,
        .body_bytes = m->body_bytes,
        .body_8bit = m->body_8bit,
        .envid = m->envid,
        .ret = ret_of(m->ret),
        .require_tls = m->require_tls,
        .alone = m->ambiguous > 0,
    };
    return &a->transaction;
}

bool attempt_has_long_lines(const struct attempt *a)
{
    return a->message->long_lines;
}

void attempt_end(struct attempt *a, const struct delivery_end *end, const char *relay,
                 bool suspect)
{
    struct store_message *m = a->message;
    a->message = NULL;
    settle_attempt(&a->context, m,
                   &(struct settle_attempt){
                       .outcome = {a->index, end->verdicts, a->n, suspect},
                       .relay = relay,
                       .dsn = end->dsn,
                       .connected_ms = end->connected_ms,
                       .sent_ms = end->sent_ms,
                   });
    attempt_free(a);
}
