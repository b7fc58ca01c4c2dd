/* SPDX-License-Identifier: GPL-3.0-or-later */
/* handover_: brings a message to the daemon: as many transactions as it has too many recipients
 * for one, and as many attempts at each as it takes while the daemon restarts. A message whose
 * answer was lost is sent again under the same id, so that the daemon keeps it once. For a
 * daemon that stays away there is the drop directory. */
#ifndef TRANTER_HANDOVER_H
#define TRANTER_HANDOVER_H

#include "submission.h"

enum {
    HANDOVER_ATTEMPTS_MAX = 4 /* connections for a transaction */
};

struct handover_result {
    int exit_status;   /* 0: the message is on disk for everybody */
    struct err reason; /* as in submission_result */
    size_t
        n_refused; /* recipients whom the daemon would not take, although it has the message */
    struct err refusal; /* the first of them, and why */
    size_t n_served;    /* whatever exit_status is, the daemon has it for the first so many */
};

/* Where to. */
struct handover_way {
    const char *socket;
    int64_t wait_ms; /* for a daemon that is away, and again each time when it goes amid an
                        attempt; with 0 there is one attempt */
    const char
        *drop; /* the drop directory, which is used if it is there and the daemon is not */
};

/* Hand over. envelope's xid is not looked at: each transaction draws its own. */
void handover_run(const struct handover_way *way, const struct submission_envelope *envelope,
                  struct str top, struct source *source, struct handover_result *result);

#endif
