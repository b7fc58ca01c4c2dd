/* SPDX-License-Identifier: GPL-3.0-or-later */
/* metrics_: the daemon in numbers, as text that is OpenMetrics and Prometheus's older format at
 * once. Pure. */
#ifndef TRANTER_METRICS_H
#define TRANTER_METRICS_H

#include "buf.h"
#include "relay.h"
#include "store.h"
#include "tally.h"

/* What is told. Borrowed for the call. */
struct metrics_facts {
    int64_t now_ms, started_ms; /* wall clock */
    struct store_counts counts;
    struct store_latency commits;
    uint64_t free_bytes; /* on the spool's file system; UINT64_MAX: not known */
    unsigned active;     /* messages that are being sent */
    const struct tally *tally;
    bool reload_failed;
    const struct relay_status *smarthosts; /* n_smarthosts */
    unsigned n_smarthosts;
};

void metrics_put(struct buf *out, const struct metrics_facts *f);

#endif
