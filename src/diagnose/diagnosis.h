/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnosis_: what is wrong with one smarthost, or that nothing is: a walk to it, where that
 * failed the probes of the neighbouring ports, and the conclusion. */
#ifndef TRANTER_DIAGNOSIS_H
#define TRANTER_DIAGNOSIS_H

#include "probe.h"

enum {
    DIAGNOSIS_NOTES_MAX = 8
};

struct diagnosis {
    const struct conf_smarthost *smarthost;
    const struct walk_facts *facts; /* of the walk; began_ms is 0 where none could be begun */
    struct probe_result probes[PROBE_PORTS_MAX];
    unsigned n_probes;
    char notes[DIAGNOSIS_NOTES_MAX][FAULT_TEXT_MAX]; /* what is no fault, and good to know */
    unsigned n_notes;
    bool over;
    struct fault verdict; /* scope NONE: mail would be accepted */
    int exit_status;      /* 0, 75, 78 */
};

struct diagnosing;

/* Begin with the smarthost of conf (both borrowed), with this sender and recipient.
 * on_news(owner, d) is called from the loop when there is more to be read, the last time with
 * d->over. */
struct diagnosing *diagnosing_new(struct loop *loop, const struct conf *conf,
                                  const struct conf_smarthost *smarthost, const char *sender,
                                  const char *recipient,
                                  void (*on_news)(void *owner, const struct diagnosis *d),
                                  void *owner);

/* May be called at any time. */
void diagnosing_free(struct diagnosing *d);

#endif
