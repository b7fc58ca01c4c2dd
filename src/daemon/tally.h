/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tally_: what is counted since the start, for metrics. Pure; the loop's alone. */
#ifndef TRANTER_TALLY_H
#define TRANTER_TALLY_H

#include "outcome.h"

enum tally_submission {
    TALLY_ACCEPTED,
    TALLY_DEFERRED, /* 4yz: for later */
    TALLY_REFUSED,  /* 5yz: for good */
    TALLY_SUBMISSIONS
};

enum {
    TALLY_OUTCOMES_MAX = 100 /* kinds that are told apart; further ones are counted together */
};

/* Recipients with one outcome, scope and enhanced status code. */
struct tally_outcome {
    enum outcome_event event;
    enum fault_scope scope;
    char status[FAULT_STATUS_MAX]; /* "other" for those that are counted together */
    uint64_t n;
};

struct tally {
    uint64_t submissions[TALLY_SUBMISSIONS]; /* messages */
    uint64_t accepted_bytes;
    struct tally_outcome outcomes[TALLY_OUTCOMES_MAX];
    unsigned n_outcomes;
};

/* A message was submitted, and answered so. body_bytes counts where it was accepted. */
void tally_submission(struct tally *t, enum tally_submission answer, uint64_t body_bytes);

/* That became of a recipient; status is the one that is logged. */
void tally_outcome(struct tally *t, enum outcome_event event, enum fault_scope scope,
                   const char *status);

/* "accepted", "deferred", "refused" */
const char *tally_submission_name(enum tally_submission answer);

#endif
