/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dispatch.h"

#include "log.h"
#include "mem.h"

#include <stdlib.h>

struct dispatch *dispatch_new(struct store *store, store_id id,
                              const struct smtp_transaction *t)
{
    struct dispatch *d = mem_new(sizeof *d);
    d->id = id;
    d->transaction = *t;
    d->verdicts = mem_array(t->n_recipients, sizeof *d->verdicts);
    d->content = content_new(store, id, t->body_bytes, t->body_8bit);
    return d;
}

void dispatch_free(struct dispatch *d)
{
    if (!d)
        return;
    content_free(d->content);
    free(d->verdicts);
    free(d);
}

enum content_status dispatch_prepare(struct dispatch *d)
{
    enum content_status status = content_measure(d->content);
    if (status == CONTENT_END) {
        d->transaction.body_bytes = content_bytes(d->content);
        d->transaction.body_8bit = content_is_8bit(d->content);
    }
    return status;
}

void dispatch_judge(struct dispatch *d, const struct fault *fault)
{
    for (unsigned i = 0; i < d->transaction.n_recipients; i++) {
        if (d->verdicts[i].scope == FAULT_NONE)
            d->verdicts[i] = *fault;
    }
}

void dispatch_log_changes(const struct dispatch *d, const char *relay, bool takes_8bit)
{
    char id[STORE_ID_MAX];
    struct fit_changes c = content_changes(d->content);
    if (!c.folded && !c.broken && !c.encoded)
        return;
    store_id_format(id, d->id);
    log_say(LOG_LEVEL_INFO, id,
            "content changed to fit %s: header lines folded: %u, body lines broken: %u, parts "
            "encoded anew: %u%s",
            relay, c.folded, c.broken, c.encoded,
            takes_8bit ? "" : "; it does not offer 8BITMIME");
}
