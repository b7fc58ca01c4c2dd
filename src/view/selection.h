/* SPDX-License-Identifier: GPL-3.0-or-later */
/* selection_: which messages a command is about: all conditions must hold. Pure. */
#ifndef TRANTER_SELECTION_H
#define TRANTER_SELECTION_H

#include "match.h"
#include "queue_state.h"

struct selection {
    bool all;      /* every message, said in so many words */
    store_id *ids; /* n_ids that were named; none: not by id. Owned */
    unsigned n_ids;
    char *from, *to;   /* patterns of the sender and of a recipient; NULL: any. Owned */
    int64_t before_ms; /* it arrived before; wall clock; 0: at any time */
    bool has_uid;
    uid_t uid;          /* of the submitter */
    unsigned states;    /* 1 << enum queue_state of each that is wanted; 0: any */
    struct match match; /* .field 0: none */
};

void selection_release(struct selection *s);

/* Does it say anything but .all? */
bool selection_has_condition(const struct selection *s);

/* What the store is to look for, as bits of struct store_search. */
unsigned selection_store_states(const struct selection *s);

/* How a message looks to who asks. */
struct selection_view {
    bool active; /* being sent at this moment */
    bool waits;  /* nothing can be sent at this moment */
    bool hidden; /* its addresses are not for whoever asks: no condition on them holds */
};

/* Can m be wanted, as far as can be told without its recipients? A false is final. */
bool selection_may_fit(const struct selection *s, const struct store_message *m);

/* Is m wanted? */
bool selection_fits(const struct selection *s, const struct store_message *m,
                    const struct selection_view *view);

#endif
