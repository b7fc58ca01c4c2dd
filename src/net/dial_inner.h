/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dial_inner_: what dial.c (its course) and dial_fault.c (its failures) share. */
#ifndef TRANTER_DIAL_INNER_H
#define TRANTER_DIAL_INNER_H

#include "dial.h"
#include "lookup.h"
#include "race.h"

#include <event2/event.h>

enum dial_stage {
    DIAL_RESOLVING,
    DIAL_CONNECTING,
    DIAL_DONE
};

/* An address while it is tried. */
struct dial_runner {
    struct dial *dial;
    int fd; /* -1 */
    struct event *writable;
};

struct dial {
    struct loop *loop;
    char *host;
    uint16_t port;
    int64_t timeout_ms;
    void (*on_done)(void *owner, int fd, const struct fault *fault);
    void *owner;
    enum dial_stage stage;
    struct lookup *lookup;
    struct loop_timer *timer;
    char *canonical;
    int64_t began_ms, resolved_ms;
    struct race race;
    struct dial_address addresses[RACE_MAX]; /* in the order of the race */
    struct dial_runner runners[RACE_MAX];
    unsigned n;
};

/* Every address has failed. */
void dial_fault_of_addresses(struct fault *f, const struct dial *d);

/* There is no address: what getaddrinfo returned, errno, and what DNS says (or NULL). */
void dial_fault_of_resolver(struct fault *f, const struct dial *d, int result, int error,
                            const struct lookup_dns *dns);

#endif
