/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outcome_: what an attempt means for a message: which recipients are done, which wait, until
 * when, and who has to be told. Pure. */
#ifndef TRANTER_OUTCOME_H
#define TRANTER_OUTCOME_H

#include "store.h"

enum {
    OUTCOME_EXPIRE_MAX = 1000,  /* recipients that one report can name */
    OUTCOME_EXPIRE_ATTEMPTS = 3 /* before a verdict may end what is over its lifetime */
};

struct outcome_rules {
    int64_t lifetime_ms, retry_min_ms, retry_max_ms;
    bool has_admin; /* there is an address of the administrator's */
};

/* An attempt at a message: verdicts[i] belongs to recipient index[i] of the message. Scope
 * NONE: delivered. */
struct outcome_attempt {
    const unsigned *index;
    const struct fault *verdicts;
    unsigned n;
    bool suspect; /* where the connection broke, the message may be the cause: charge it */
};

/* Choose recipients for a transaction of at most max: those that wait and were never tried, or
 * put off by the server to another transaction; when there are none, all that wait. Their
 * indices go to index; returns how many. */
unsigned outcome_select(const struct store_message *m, unsigned *index, unsigned max);

/* m is a report of ours, and the server refused the null sender for its recipient i: it is to
 * go under the administrator's address, if there is one (N-020). */
bool outcome_needs_sender(const struct store_message *m, unsigned i);

enum outcome_event {
    OUTCOME_SENT,
    OUTCOME_DEFERRED,
    OUTCOME_BOUNCED,
    OUTCOME_EXPIRED
};

/* Apply attempt to m at wall time now_ms: states and faults of its recipients, attempts,
 * ambiguous, next_attempt_ms; events[i] (room for attempt->n) says what became of index[i]. The
 * server's and the account's faults charge nobody: m is due again at once, behind all that is
 * due already, since it is the smarthost that waits. So is a message with recipients left that
 * no transaction had room for yet, and a report that outcome_needs_sender(). One that goes
 * under no sender at all has failed. random is any 32 bits. */
void outcome_apply(struct store_message *m, const struct outcome_attempt *attempt,
                   const struct outcome_rules *rules, int64_t now_ms, uint32_t random,
                   enum outcome_event *events);

/* m has outlived rules->lifetime_ms. */
bool outcome_is_expired(const struct store_message *m, const struct outcome_rules *rules,
                        int64_t now_ms);

/* Give up on recipients that still wait, OUTCOME_EXPIRE_MAX at once. reason is what held up
 * those that have no fault of their own. Their indices go to index (room for OUTCOME_EXPIRE_MAX
 * or n_recipients), *n of them. */
void outcome_expire(struct store_message *m, const struct fault *reason, unsigned *index,
                    unsigned *n);

/* The same at the administrator's word, before its time: they fail for having been returned,
 * whatever held them up is told with it. */
void outcome_return(struct store_message *m, unsigned *index, unsigned *n);

/* "sent", "deferred", "bounced", "expired" */
const char *outcome_event_name(enum outcome_event event);

#endif
