/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bounce_: a report about recipients of a message, as a message itself, to be queued together
 * with what it tells of. */
#ifndef TRANTER_BOUNCE_H
#define TRANTER_BOUNCE_H

#include "aliases.h"
#include "conf.h"
#include "report.h"
#include "report_limit.h"
#include "store.h"

struct bounce {
    struct store_message *message; /* to be taken by the store */
    struct buf content;            /* likewise */
    char id[STORE_ID_MAX];
    bool dead; /* it is one too many for who reads it, and kept instead of sent */
};

enum bounce_result {
    BOUNCE_WRITTEN,
    BOUNCE_TOO_MANY, /* who reads it got too many within the hour */
    BOUNCE_NOBODY    /* the sender's alias leads to nobody */
};

/* May anything be reported to the sender of m? head is the first part of its content. Not to
 * the null sender, and not about what was sent by a program by itself (RFC 5321 4.5.5, N-008).
 */
bool bounce_is_allowed(const struct store_message *m, struct str head);

/* Did the sender ask to be told of r when event (of enum store_notify) comes? Who did not say
 * asked for failure and delay (RFC 3461 4.1). */
bool bounce_is_asked(const struct store_recipient *r, enum store_notify event);

/* What is reported; all borrowed. */
struct bounce_facts {
    const struct conf *conf;
    const struct aliases *aliases;
    struct report_limit *limit;
    const struct store_message *message;
    struct str head; /* the first part of its content, as far as it is at hand */
    const struct report_recipient *recipients;
    unsigned n_recipients;
};

/* Does it tell of a failure? */
bool bounce_tells_of_failure(const struct bounce_facts *facts);

/* Write the report about facts: to the sender, or where the sender's alias leads. One too many
 * that tells of a failure is written all the same, and dead, so that it can be read and the
 * administrator is told. *b is only set where it is written. */
enum bounce_result bounce_write(struct bounce *b, struct store *store,
                                const struct bounce_facts *facts) ATTR_MUST_CHECK;

#endif
