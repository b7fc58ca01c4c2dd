/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A settlement while the store has it; settle.c's and settle_log.c's own. */
#ifndef TRANTER_SETTLEMENT_H
#define TRANTER_SETTLEMENT_H

#include "bounce.h"
#include "settle.h"
#include "waiter.h"

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
    bool dsn;                     /* the server reports what it took */
    char report_id[STORE_ID_MAX]; /* "": there is none */
    const char *report_kind;      /* as Postfix's log has it: "non-delivery"; NULL: none */
    enum bounce_result report_result;
    bool report_dead; /* it is kept instead of sent */
    char report_message_id[160];
    uint64_t report_bytes;
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

/* The same of the report, whose content this is. */
void settlement_keep_report(struct settlement *s, struct str content);

/* All is committed: say so. */
void settlement_log(const struct settlement *s);

#endif
