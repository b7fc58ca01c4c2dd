/* SPDX-License-Identifier: GPL-3.0-or-later */
/* relay_: which message goes to which smarthost, and when: due messages from the store,
 * connections in deliveries, a health for each smarthost. It knows nothing of submission. */
#ifndef TRANTER_RELAY_H
#define TRANTER_RELAY_H

#include "aliases.h"
#include "conf.h"
#include "err.h"
#include "fault.h"
#include "loop.h"
#include "report_limit.h"
#include "store.h"
#include "tally.h"
#include "waiter.h"

struct relay;

/* Ready to work. loop, store, tally, aliases and limit are borrowed for its life, conf is
 * referenced. NULL with *err: a trust store or client certificate cannot be loaded. */
struct relay *relay_new(struct loop *loop, struct store *store, struct tally *tally,
                        const struct aliases *aliases, struct report_limit *limit,
                        struct conf *conf, struct err *err) ATTR_MUST_CHECK;
void relay_free(struct relay *r);

/* Something may have become due: look at the end of this turn. */
void relay_wake(struct relay *r);

/* Start what can be started. To be called at the end of each turn of the loop. */
void relay_pump(struct relay *r);

/* Follow conf from now on: connections of the old one finish the transaction in hand, every
 * smarthost is tried afresh at once. -1 with *err, and nothing changed, if it cannot be used.
 */
int relay_reload(struct relay *r, struct conf *conf, struct err *err) ATTR_MUST_CHECK;

/* Try smarthosts that are down now. */
void relay_probe_now(struct relay *r);

/* Begin nothing more; finish the transactions in hand. */
void relay_stop(struct relay *r);

/* No transaction and no outcome is pending. */
bool relay_is_idle(const struct relay *r);

/* How many are being sent, or have an outcome that is not committed yet. */
unsigned relay_active(const struct relay *r);

/* Grows whenever a smarthost goes down, comes back, or is down for another cause. */
unsigned relay_changes(const struct relay *r);

/* Return message id to its sender now, as far as it still waits. waiter is told as by the store
 * once that is committed. False: it is being sent, dead, or gone. */
bool relay_return(struct relay *r, store_id id, struct waiter *waiter);

/* Is message id being sent at this moment? */
bool relay_is_active(const struct relay *r, store_id id);

struct relay_status {
    const char *name;
    const char *host;
    uint16_t port;
    bool up;
    int64_t up_since_ms;   /* wall clock, when up: since it came back, or we were told of it */
    int64_t down_since_ms; /* wall clock, when not up */
    bool probing;          /* when not up: it is tried at this moment */
    int64_t next_probe_ms; /* from now, when not up; 0: as soon as mail is due */
    const struct fault *fault;  /* when not up */
    const struct fault *advice; /* what should be set although mail goes out; NULL: nothing */
    const char *tls;       /* of the last connection that was ready: "TLSv1.3 ..." or "none"; ""
                              before       any */
    const char *mechanism; /* and "PLAIN" or "none" */
    unsigned connections;  /* that are ready */
    unsigned dialling;     /* and that are not yet */
    struct conf_rate rate;
    int64_t rate_wait_ms; /* until its rate lets the next message go; 0: now */
};

/* The i-th smarthost of the configuration; false when there is none. Borrowed until the next
 * turn. */
bool relay_smarthost(const struct relay *r, unsigned i, struct relay_status *status);

/* The smarthost that the next message would go to: the first that is up, else the first. Its
 * name, borrowed until the next turn. */
const char *relay_route(const struct relay *r);

/* Why mail waits that is not at fault itself: the first smarthost's fault while no smarthost is
 * up, else NULL. Borrowed until the next turn. */
const struct fault *relay_held_by(const struct relay *r);

/* Why mail waits although that smarthost is up: its rate; NULL where it does not. Borrowed
 * until the next call. */
const char *relay_paced(struct relay *r);

#endif
