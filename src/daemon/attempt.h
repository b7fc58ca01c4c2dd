/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attempt_: one attempt at a message: from the envelope to a transaction, from the verdicts to
 * the store, the report and the log. */
#ifndef TRANTER_ATTEMPT_H
#define TRANTER_ATTEMPT_H

#include "conf.h"
#include "delivery.h"
#include "outcome.h"
#include "store.h"

struct attempt;

/* An attempt at message (taken; it has waiting recipients). conf is referenced, store borrowed.
 * on_recorded(self, id) is called, and the attempt is gone, once what became of it is
 * committed. */
struct attempt *attempt_new(struct store *store, struct conf *conf,
                            struct store_message *message,
                            void (*on_recorded)(void *self, store_id id), void *self);

/* Nothing was tried: give the message back untouched. No on_recorded. */
void attempt_free(struct attempt *a);

/* What to send; borrowed while the attempt lives. At most max recipients: outcome_select(). */
const struct smtp_transaction *attempt_transaction(struct attempt *a, unsigned max);

/* Its content has lines over 998 octets. */
bool attempt_has_long_lines(const struct attempt *a);

store_id attempt_id(const struct attempt *a);

/* The transaction ended so. relay is for the log: "host[addr]:port". suspect: if the connection
 * broke, the message may be the cause, and is charged. */
void attempt_end(struct attempt *a, const struct delivery_end *end, const char *relay,
                 bool suspect);

/* Give up on all recipients that wait; reason is what held them up. */
void attempt_expire(struct attempt *a, const struct fault *reason);

#endif
