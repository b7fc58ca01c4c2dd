/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_: what the neighbouring ports of a smarthost speak: each is connected to in the way
 * that is usual for it, and in the other where that says nothing, all ports at once and each
 * connection for ten seconds at most. Nothing is said but EHLO, STARTTLS and QUIT: never AUTH,
 * never MAIL (G-5). */
#ifndef TRANTER_PROBE_H
#define TRANTER_PROBE_H

#include "walk.h"

enum {
    PROBE_LIMIT_MS = 10 * 1000,
    PROBE_PORTS_MAX = 6
};

/* What a port speaks. */
enum probe_speech {
    PROBE_NOTHING,  /* it cannot be connected to, or says nothing */
    PROBE_STRANGE,  /* something else than SMTP */
    PROBE_CLEAR,    /* SMTP where TLS was to begin; it was not asked for STARTTLS */
    PROBE_PLAIN,    /* SMTP, without TLS */
    PROBE_STARTTLS, /* SMTP with STARTTLS */
    PROBE_IMPLICIT  /* TLS from the first byte */
};

struct probe_result {
    uint16_t port;
    enum probe_speech speech;
    bool verified;                 /* TLS came up, and the certificate is good */
    bool ready;                    /* and its EHLO inside was answered */
    char auth[SMTP_CAPS_AUTH_MAX]; /* the mechanisms that it offers then */
    char words[FAULT_TEXT_MAX];    /* why not, where it is not ready */
};

struct probe;

/* Probe port; of the smarthost's own port only the way that it is not configured
 * for. plan as for walk_new(): its port, tls, login, sender and limit_ms are set here.
 * on_done(owner) is called once from the loop. */
struct probe *probe_new(struct loop *loop, const struct walk_plan *plan, uint16_t port,
                        void (*on_done)(void *owner), void *owner);

/* NULL before on_done. */
const struct probe_result *probe_result(const struct probe *p);

/* May be called at any time. */
void probe_free(struct probe *p);

/* The ports that are worth a probe beside port: PROBE_PORTS_MAX at most, how many. */
unsigned probe_ports(uint16_t port, uint16_t ports[PROBE_PORTS_MAX]);

#endif
