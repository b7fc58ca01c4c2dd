/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A settlement while the store has it; settle.c's and settle_log.c's own. */
#ifndef TRANTER_SETTLEMENT_H
#define TRANTER_SETTLEMENT_H

#include "bounce.h"
#include "settle.h"
#include "waiter.h"

enum {
    SETTLEMENT_REPORTS_MAX = 2 /* programs that read reports of failure expect no good news */
};

/* A report, as the log is to have it. */
struct settlement_report {
    const char *kind; /* in Postfix's words: "non-delivery" */
    enum bounce_result result;
    char id[STORE_ID_MAX];
    bool dead; /* it is kept instead of sent */
    char message_id[160];
    uint64_t bytes;
};

struct settlement {
    struct waiter waiter; /* first */
    struct settle_context context;
    struct store_message *message; /* until the store takes it */

    /* n entries of each: the recipients in question. */
    unsigned n;
    unsigned *index;
    enum outcome_event *events;
    struct store_recipient *told; /* address and fault as they are logged after the commit */
    bool *known; /* that the smarthost puts it off for this reason is in the log already */
    char id[STORE_ID_MAX];
    bool dsn; /* the server reports what it took */
    struct settlement_report reports[SETTLEMENT_REPORTS_MAX];
    unsigned n_reports;
    char relay[320];
    char remote[256];           /* relay without address and port */
    char delay[24], delays[80]; /* seconds, as Postfix has them */
    bool removed, died, held;
    bool returning; /* and there may be more recipients to return it for */
};

/* Since arrival in all; and before this attempt, in the scheduler, connecting, sending. */
void settlement_set_delays(struct settlement *s, int64_t connected_ms, int64_t sent_ms);

/* Keep what the log is to say of each recipient, before the store takes the message. */
void settlement_keep_for_log(struct settlement *s);

/* The same of a report that was written. */
void settlement_keep_report(struct settlement_report *r, const struct bounce *b);

/* All is committed: say so. */
void settlement_log(const struct settlement *s);

#endif
