/* SPDX-License-Identifier: GPL-3.0-or-later */
/* envelope_: whom a message in hand goes to. An address without a domain is completed, a local
 * name goes where the aliases say, and nobody is in it twice. */
#ifndef TRANTER_ENVELOPE_H
#define TRANTER_ENVELOPE_H

#include "address_set.h"
#include "aliases.h"
#include "conf.h"
#include "invalid.h"
#include "smtp_command.h"
#include "store.h"

/* Beside its store_message; all zero: of one without recipients. */
struct envelope {
    struct address_set to;
    struct buf ways;        /* for the log: a line for each name that led elsewhere */
    struct invalid invalid; /* recipients that are no addresses */
};

enum envelope_result {
    ENVELOPE_TAKEN,
    ENVELOPE_INVALID, /* it fails, and the sender gets a report */
    ENVELOPE_FULL     /* STORE_RECIPIENTS_MAX would be exceeded; nothing was added */
};

/* address as the message is to have it, with a domain; the caller's. */
char *envelope_complete(struct str address, const struct conf *conf);

/* Add what RCPT says to e and m. What is asked of reports goes with each address that the
 * recipient leads to, with the recipient as it was for ORCPT where it has none. */
enum envelope_result envelope_add(struct envelope *e, struct store_message *m,
                                  const struct smtp_rcpt *rcpt, const struct aliases *aliases,
                                  const struct conf *conf);

/* Tell the log which names led elsewhere; id is the message's. */
void envelope_log(const struct envelope *e, const char *id);

void envelope_release(struct envelope *e);

#endif
