/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manner_: how much is said to a smarthost at once, learned from what it made of that. What it
 * showed that it cannot do is not asked of it again. */
#ifndef TRANTER_MANNER_H
#define TRANTER_MANNER_H

#include "fault.h"

struct manner {
    unsigned pipeline;     /* transactions in flight; 1: one command after another */
    bool chunking;         /* BDAT where it is offered */
    unsigned messages_max; /* on a connection, before it ends it without a word */
    unsigned ended_after;  /* so many, when it last did that with others in flight; 0: never */
    unsigned oddities;     /* enum smtp_client_oddity, that the log has told */
};

/* pipeline: as configured. */
void manner_init(struct manner *m, unsigned pipeline);

/* Learn from how a dialogue with the smarthost of that name ended, and log what is news. */
void manner_learn(struct manner *m, const char *smarthost, const struct fault *fault);

/* A connection ended without a word after so many messages (at least one), with others in
 * flight, which are in doubt for that. The second time in a row with the same number makes it a
 * habit. */
void manner_lost(struct manner *m, const char *smarthost, unsigned messages);

/* Log those of oddities that are news. */
void manner_note(struct manner *m, const char *smarthost, unsigned oddities);

#endif
