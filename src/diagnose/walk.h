/* SPDX-License-Identifier: GPL-3.0-or-later */
/* walk_: one connection to a smarthost, as the relay makes it, on which nothing is sent:
 * resolve, connect, TLS, EHLO, AUTH, MAIL, RCPT, RSET, QUIT; and a record of what was learned.
 */
#ifndef TRANTER_WALK_H
#define TRANTER_WALK_H

#include "conf.h"
#include "dial.h"
#include "smtp_advice.h"
#include "smtp_caps.h"
#include "tls_chain.h"
#include "transcript.h"

enum {
    WALK_ADDRESSES_MAX = 16
};

/* What is to be done. All is borrowed while the walk lives. */
struct walk_plan {
    const struct conf *conf;
    const struct conf_smarthost *smarthost; /* of conf */
    uint16_t port;                          /* in place of the smarthost's */
    enum conf_tls tls;                      /* likewise */
    struct tls_context *context;
    bool login;            /* as the smarthost says; else say nothing but EHLO and STARTTLS */
    const char *sender;    /* NULL: neither MAIL nor RCPT */
    const char *recipient; /* with sender */
    int64_t limit_ms;      /* of all of it; 0: none but that of each stage */
};

/* How far it came, and what was learned on the way; to be read at any time. */
struct walk_facts {
    /* Where it began, in monotonic ms, and how long each took; -1 not yet, or not needed. */
    int64_t began_ms;
    int64_t resolved_ms, connected_ms, tls_ms;

    struct dial_address addresses[WALK_ADDRESSES_MAX];
    unsigned n_addresses;
    char canonical[256]; /* "" none */
    bool missed_ipv6;
    char peer[64]; /* the address that was connected to; "" none */

    bool secured;
    char tls[96];                  /* tls_description() */
    struct tls_certificate *chain; /* n_chain of them, owned */
    unsigned n_chain;

    struct transcript transcript; /* begins when connected */
    struct smtp_caps caps;        /* of the last EHLO, once it was ready */
    bool ready;                   /* for mail */
    char mechanism[32];
    bool logged_in;
    enum smtp_advice_secret secret_look;

    struct fault sender, recipient; /* scope NONE: accepted, if asked */
    bool asked_sender, asked_recipient;

    bool over;
    struct fault fault; /* how it ended: scope NONE where nothing failed */
};

struct walk;

/* Start. on_news(owner) is called from the loop whenever there is more to be read in the facts,
 * the last time with .over. */
struct walk *walk_new(struct loop *loop, const struct walk_plan *plan,
                      void (*on_news)(void *owner), void *owner);

/* Owned by the walk. */
const struct walk_facts *walk_facts(const struct walk *w);

/* Give up where it is, and say why: it is over with that fault. */
void walk_stop(struct walk *w, const struct fault *fault);

/* May be called at any time. */
void walk_free(struct walk *w);

#endif
