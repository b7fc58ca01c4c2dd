/* SPDX-License-Identifier: GPL-3.0-or-later */
/* invalid_: recipients that a client could not read as addresses, and hands in all the same
 * (XINVALID): they fail with the message's acceptance, and its sender gets a report. */
#ifndef TRANTER_INVALID_H
#define TRANTER_INVALID_H

#include "aliases.h"
#include "conf.h"
#include "report_limit.h"
#include "store.h"

/* Those of the message in hand. All zero: none. */
struct invalid {
    unsigned n;
    struct buf head;              /* the first part of the content */
    struct store_recipient *told; /* copies of them, for the log; n, once there is a report */
    char report_id[STORE_ID_MAX]; /* "": nobody gets one */
    bool report_dead;             /* it is kept instead of sent */
};

/* The next one: make *r it, all but what the sender wants to be told. xtext is what the client
 * could not read. */
void invalid_add(struct invalid *in, struct store_recipient *r, struct str xtext);

/* The first part of the content, before it is handed to the store; kept where it is needed. */
void invalid_keep_head(struct invalid *in, struct str head);

/* Put the report, if there is to be one, into a, which has all else. */
void invalid_report(struct invalid *in, struct store *store, const struct conf *conf,
                    const struct aliases *aliases, struct report_limit *limit,
                    struct store_acceptance *a);

/* Say what became of them, once a is committed; id is the message's. */
void invalid_log(const struct invalid *in, const char *id);

void invalid_release(struct invalid *in);

#endif
