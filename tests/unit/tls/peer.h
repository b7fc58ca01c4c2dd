/* SPDX-License-Identifier: GPL-3.0-or-later */
/* peer_: a TLS server over memory, and the wire between it and the engine under test. */
#ifndef TRANTER_PEER_H
#define TRANTER_PEER_H

#include "authority.h"
#include "buf.h"
#include "tls.h"

struct peer_options {
    const char *priority;                /* NULL: "NORMAL" */
    gnutls_certificate_request_t client; /* whether it asks for a client certificate */
    const char *client_ca;               /* file; NULL: none is trusted */
    bool tickets;
};

/* A server, the engine, and what came of them. */
struct pair {
    struct tls *tls;
    gnutls_session_t server;
    gnutls_certificate_credentials_t credentials;
    gnutls_datum_t ticket_key;
    struct buf to_server;
    struct buf to_client;
    struct buf server_plain; /* what the server decrypted */
    struct buf plain;        /* what the engine decrypted */
    size_t step;             /* bytes fed to the engine at once */
    bool server_up;
    int server_rc; /* its last error, 0 for none */
    unsigned secured;
    enum tls_status status; /* the last other than TLS_SECURED */
    char sni[256];          /* what the server saw; "" for none */
};

/* policy and name as in tls_new(); aborts if they are refused. */
void pair_new(struct pair *p, const struct tls_policy *policy, const char *name,
              const struct identity *identity, const struct peer_options *options);
void pair_free(struct pair *p);

/* Carry bytes both ways until nothing moves. */
void pair_run(struct pair *p);

/* The server sends plain bytes, close_notify, nothing but its end. */
void pair_server_says(struct pair *p, const void *bytes, size_t n);
void pair_server_bye(struct pair *p);
void pair_cut(struct pair *p, const char *why);

#endif
