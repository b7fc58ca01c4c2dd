/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attempt_: one attempt at a message: from the envelope to a transaction, from the verdicts to
 * their settlement. */
#ifndef TRANTER_ATTEMPT_H
#define TRANTER_ATTEMPT_H

#include "delivery.h"
#include "settle.h"

struct attempt;

/* An attempt at message (taken; it has waiting recipients). context is copied; its on_recorded
 * is called once what became of it is committed. */
struct attempt *attempt_new(const struct settle_context *context,
                            struct store_message *message);

/* Nothing was tried: give the message back untouched. No on_recorded. */
void attempt_free(struct attempt *a);

/* What to send; borrowed while the attempt lives. At most max recipients: outcome_select(). */
const struct smtp_transaction *attempt_transaction(struct attempt *a, unsigned max);

/* Its content has lines over 998 octets. */
bool attempt_has_long_lines(const struct attempt *a);

store_id attempt_id(const struct attempt *a);

/* The transaction ended so, and the attempt is over and gone. relay is for the log:
 * "host[addr]:port". suspect: if the connection broke, the message may be the cause, and is
 * charged. */
void attempt_end(struct attempt *a, const struct delivery_end *end, const char *relay,
                 bool suspect);

#endif
