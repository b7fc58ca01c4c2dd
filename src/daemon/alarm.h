/* SPDX-License-Identifier: GPL-3.0-or-later */
/* alarm_: all is well, or how bad it is and why, in one line as monitoring plugins write it.
 * Pure. */
#ifndef TRANTER_ALARM_H
#define TRANTER_ALARM_H

#include "buf.h"
#include "relay.h"
#include "store.h"

/* Exit statuses of monitoring plugins. */
enum alarm_level {
    ALARM_OK,
    ALARM_WARNING,
    ALARM_CRITICAL
};

/* From when on it is bad; 0: never. Age of the oldest message that waits; messages that wait;
 * messages that are dead. */
struct alarm_limits {
    int64_t warning_age_ms, critical_age_ms;
    uint64_t warning_queue, critical_queue;
    uint64_t warning_dead, critical_dead;
};

extern const struct alarm_limits alarm_defaults;

/* Set the limit of this name ("warning-age", "critical-queue", ...) to value ("4h", "1000").
 * False where there is none, or the value is none. */
bool alarm_limit(struct alarm_limits *limits, struct str name,
                 struct str value) ATTR_MUST_CHECK;

struct alarm_facts {
    const struct store_counts *counts;
    int64_t now_ms;                        /* wall clock */
    const struct relay_status *smarthosts; /* n_smarthosts, at least one */
    unsigned n_smarthosts;
    const char *reload_failure;  /* of the last reload; "" where it went well */
    uint64_t free_bytes;         /* on the spool's file system; UINT64_MAX: not known */
    uint64_t minimum_free_bytes; /* less: new mail is refused */
};

/* Append why it is bad, on one line; nothing where it is well. */
enum alarm_level alarm_reasons(struct buf *out, const struct alarm_facts *f,
                               const struct alarm_limits *limits);

/* "TRANTER OK - 3 messages wait | new=3 deferred=0 held=0 dead=0 oldest=4s" and a newline. */
enum alarm_level alarm_put(struct buf *out, const struct alarm_facts *f,
                           const struct alarm_limits *limits);

/* "OK", "WARNING", "CRITICAL" */
const char *alarm_name(enum alarm_level v);

#endif
