/* SPDX-License-Identifier: GPL-3.0-or-later */
/* delivery_: one connection to a smarthost, from dialling to goodbye. It drives the client core
 * over conn, TLS and SASL, and reads content from the store. What to send, and what follows
 * from the verdicts, is its owner's business. */
#ifndef TRANTER_DELIVERY_H
#define TRANTER_DELIVERY_H

#include "conf.h"
#include "credential.h"
#include "loop.h"
#include "manner.h"
#include "mode.h"
#include "smtp_client.h"
#include "store.h"
#include "tls.h"

struct delivery;

/* How a transaction ended. */
struct delivery_end {
    store_id id;
    const struct fault *verdicts; /* for the i-th recipient of it; scope NONE was accepted,
                                     .reply has the server's words */
    unsigned n;
    int64_t connected_ms; /* from dialling to ready; 0 on a connection that was ready before */
    int64_t sent_ms;      /* from MAIL to the verdict */
    bool broke;           /* because the dialogue did */
    bool dsn; /* the server offers DSN and got what is asked of reports; where it did not, they
                 are ours to make (RFC 3461 5.2.2) */
};

/* What the owner is told. All calls come from the loop, never from inside a delivery_ function.
 */
struct delivery_owner {
    void *self;

    /* Ready for mail: answer with delivery_send(), delivery_quit(), or later. */
    void (*on_ready)(void *self, struct delivery *d);

    /* Another message may follow those in flight: answer with delivery_send(), or not at all.
     */
    void (*on_room)(void *self, struct delivery *d);

    /* The last octet of message id is about to go out. */
    void (*on_sending)(void *self, struct delivery *d, store_id id);

    /* The oldest transaction ended. After the last of them on_ready or on_dead follows; on_dead
     * alone where it broke. */
    void (*on_verdict)(void *self, struct delivery *d, const struct delivery_end *end);

    /* The connection is over; fault scope NONE after a goodbye. d is freed after this call. */
    void (*on_dead)(void *self, struct delivery *d, const struct fault *fault);
};

/* Dial smarthost (in conf) with its TLS context (NULL where tls = "none"), both referenced, and
 * its credential, which is borrowed. manner and owner are copied; mode is what to begin with.
 */
struct delivery *delivery_new(struct loop *loop, struct store *store, struct conf *conf,
                              const struct conf_smarthost *smarthost,
                              struct tls_context *context, struct credential *credential,
                              const struct manner *manner, const struct mode *mode,
                              const struct delivery_owner *owner);

/* Close at once, without a word to the owner. */
void delivery_free(struct delivery *d);

/* Send message id to n recipients; body_bytes, body_8bit and long_lines are its content's as it
 * is stored. Content that does not fit the server is made to (content.h). sender and recipients
 * are borrowed until on_verdict. Only after on_ready, or while there is room. */
void delivery_send(struct delivery *d, store_id id, const struct smtp_transaction *t,
                   bool long_lines);

/* Could another message follow those in flight? */
bool delivery_has_room(const struct delivery *d);

/* Say goodbye; only after on_ready. */
void delivery_quit(struct delivery *d);

/* How many recipients a transaction may have, and how many transactions the connection, as the
 * server says (RFC 9422); after on_ready. */
unsigned delivery_recipients_max(const struct delivery *d);
unsigned delivery_messages_max(const struct delivery *d);

/* How the modes of TLS that were tried did. Borrowed. */
const struct mode_trial *delivery_trial(const struct delivery *d);

/* IPv6 to it came first, and does not work from here. */
bool delivery_missed_ipv6(const struct delivery *d);

/* What the server does that it should not: enum smtp_client_oddity. */
unsigned delivery_oddities(const struct delivery *d);

/* "smtp.example.com[192.0.2.1]:587", or "none" before a connection. */
const char *delivery_relay(const struct delivery *d);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384" or "none"; "PLAIN" or "none". */
const char *delivery_tls(const struct delivery *d);
const char *delivery_mechanism(const struct delivery *d);

#endif
