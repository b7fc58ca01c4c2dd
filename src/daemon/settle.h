/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settle_: what became of a message goes to the store, with the report that it calls for, in
 * one transaction; then to the log. */
#ifndef TRANTER_SETTLE_H
#define TRANTER_SETTLE_H

#include "aliases.h"
#include "conf.h"
#include "outcome.h"
#include "report_limit.h"
#include "store.h"
#include "tally.h"

/* Copied; store, aliases, limit and tally are borrowed, conf referenced until
 * on_recorded(self, id) was called, which is once all is committed. */
struct settle_context {
    struct store *store;
    const struct aliases *aliases;
    struct report_limit *limit;
    struct conf *conf;
    struct tally *tally;
    void (*on_recorded)(void *self, store_id id);
    bool (*may_expire)(void *self); /* may an attempt end what is over its lifetime? */
    void *self;
};

/* How an attempt ended. Borrowed for the call. */
struct settle_attempt {
    struct outcome_attempt outcome;
    const char *relay;    /* for the log: "host[addr]:port" */
    bool dsn;             /* as in delivery_end */
    int64_t connected_ms; /* as in delivery_end */
    int64_t sent_ms;
};

/* An attempt at m (taken) ended. */
void settle_attempt(const struct settle_context *context, struct store_message *m,
                    const struct settle_attempt *attempt);

/* Give up on all recipients of m (taken) that wait, OUTCOME_EXPIRE_MAX at once; reason is what
 * held up those that have no fault of their own. */
void settle_expired(const struct settle_context *context, struct store_message *m,
                    const struct fault *reason);

/* Return m (taken) to its sender now, whatever holds it up: all recipients that wait fail, with
 * one report each time for OUTCOME_EXPIRE_MAX of them. on_recorded is called after the last. */
void settle_returned(const struct settle_context *context, struct store_message *m);

/* Tell the sender of m (taken) that it is still on its way, where he wants to be told; reason
 * is what holds up recipients that have no fault of their own. False: he is not told, nothing
 * is recorded, and on_recorded is not called. */
bool settle_delayed(const struct settle_context *context, struct store_message *m,
                    const struct fault *reason);

#endif
