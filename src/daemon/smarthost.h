/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smarthost_: one smarthost: its connections and its health. It asks its owner for messages
 * when a connection is ready for one. */
#ifndef TRANTER_SMARTHOST_H
#define TRANTER_SMARTHOST_H

#include "attempt.h"
#include "conf.h"
#include "err.h"
#include "fault.h"
#include "loop.h"
#include "store.h"

struct smarthost;

/* What it asks of its owner, from the loop alone. */
struct smarthost_owner {
    void *self;
    struct attempt *(*next_attempt)(void *self); /* the next message, or NULL; taken */
    void (*retry)(void *self, store_id id);      /* it waits for no fault of its own any more */
    void (*changed)(void *self); /* it went down, came back, or is down for another cause */
    void (*wake)(void *self);    /* something changed: look at it at the end of this turn */
    /* The first i of the same configuration: what they loaded is shared where the settings are
     * the same. Looked at by smarthost_new() alone. */
    struct smarthost *const *earlier;
};

/* The i-th smarthost of conf (referenced). loop and store are borrowed for its life, owner is
 * copied. NULL with *err: its trust store or client certificate cannot be loaded. */
struct smarthost *smarthost_new(struct loop *loop, struct store *store, struct conf *conf,
                                unsigned i, const struct smarthost_owner *owner,
                                struct err *err) ATTR_MUST_CHECK;

/* Close everything at once. */
void smarthost_free(struct smarthost *s);

/* Go on with the rate of the one of the same name that a reload replaces. */
void smarthost_inherit(struct smarthost *s, const struct smarthost *old);

/* Take no more messages: finish those in hand, say goodbye, stop dialling. */
void smarthost_retire(struct smarthost *s);

bool smarthost_is_up(const struct smarthost *s);

/* Connections there are, in whatever state; those that are ready. */
unsigned smarthost_links(const struct smarthost *s);
unsigned smarthost_ready_links(const struct smarthost *s);

/* It is up and due messages wait: employ idle connections first, then make new ones. elsewhere
 * is how many connections one that it replaces still has, which count towards its limit. */
void smarthost_use(struct smarthost *s, unsigned due, unsigned elsewhere);

/* When its rate lets the next message go, in monotonic ms; INT64_MAX: now. */
int64_t smarthost_rate_at(struct smarthost *s);

/* It is down: make the one connection that tries, if its time has come, or if its password file
 * has changed after a fault of the account. */
void smarthost_probe(struct smarthost *s);

/* Its time has come. */
void smarthost_probe_now(struct smarthost *s);

/* When the next probe may be made, in monotonic ms; INT64_MAX when it is up or one is under
 * way. */
int64_t smarthost_next_probe_at(const struct smarthost *s);

/* When smarthost_probe() has something to look at: the next probe, or the password file. */
int64_t smarthost_look_at(const struct smarthost *s);

/* Say goodbye on connections that were idle for idle-timeout. When the next one will have been,
 * or INT64_MAX. */
int64_t smarthost_quit_idle(struct smarthost *s);

/* While it is down: why, and since when (wall clock, ms). Borrowed. */
const struct fault *smarthost_fault(const struct smarthost *s);
int64_t smarthost_down_since_ms(const struct smarthost *s);

/* Since when it has been up: since it came back, or since it was made. Wall clock, ms. */
int64_t smarthost_up_since_ms(const struct smarthost *s);

/* What should be set although mail goes out; NULL: nothing. Borrowed. */
const struct fault *smarthost_advice(const struct smarthost *s);

/* Of the last connection that was ready: as delivery_tls() and delivery_mechanism(); "" before
 * any. */
const char *smarthost_tls(const struct smarthost *s);
const char *smarthost_mechanism(const struct smarthost *s);

const struct conf_smarthost *smarthost_conf(const struct smarthost *s);

#endif
