/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIRE_MAX = 256 * 1024 * 1024
};

static void must(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", what, gnutls_strerror(rc));
        abort();
    }
}
#define MUST(call) must((call), #call)

static ssize_t pull(gnutls_transport_ptr_t transport, void *bytes, size_t n)
{
    struct pair *p = transport;
    struct str in = str_head(buf_str(&p->to_server), n);
    if (in.n == 0) {
        gnutls_transport_set_errno(p->server, EAGAIN);
        return -1;
    }
    memcpy(bytes, in.p, in.n);
    buf_consume(&p->to_server, in.n);
    return (ssize_t)in.n;
}

static ssize_t push(gnutls_transport_ptr_t transport, const void *bytes, size_t n)
{
    struct pair *p = transport;
    buf_put(&p->to_client, bytes, n);
    return (ssize_t)n;
}

static void start_server(struct pair *p, const struct identity *identity,
                         const struct peer_options *options)
{
    struct identity own = *identity;
    MUST(gnutls_certificate_allocate_credentials(&p->credentials));
    MUST(gnutls_certificate_set_x509_key(p->credentials, own.chain, (int)own.n, own.key));
    if (options->client_ca)
        MUST(gnutls_certificate_set_x509_trust_file(p->credentials, options->client_ca,
                                                    GNUTLS_X509_FMT_PEM));
    MUST(gnutls_init(&p->server, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL));
    MUST(gnutls_priority_set_direct(p->server, options->priority ? options->priority : "NORMAL",
                                    NULL));
    MUST(gnutls_credentials_set(p->server, GNUTLS_CRD_CERTIFICATE, p->credentials));
    gnutls_certificate_server_set_request(p->server, options->client);
    if (options->client != GNUTLS_CERT_IGNORE)
        gnutls_session_set_verify_cert(p->server, NULL, 0);
    if (options->tickets) {
        MUST(gnutls_session_ticket_key_generate(&p->ticket_key));
        MUST(gnutls_session_ticket_enable_server(p->server, &p->ticket_key));
    }
    gnutls_transport_set_ptr(p->server, p);
    gnutls_transport_set_pull_function(p->server, pull);
    gnutls_transport_set_push_function(p->server, push);
}

void pair_new(struct pair *p, const struct tls_policy *policy, const char *name,
              const struct identity *identity, const struct peer_options *options)
{
    struct err err;
    *p = (struct pair){.step = SIZE_MAX};
    buf_init(&p->to_server, WIRE_MAX);
    buf_init(&p->to_client, WIRE_MAX);
    buf_init(&p->server_plain, WIRE_MAX);
    buf_init(&p->plain, WIRE_MAX);
    struct tls_context *context = tls_context_new(policy, &err);
    p->tls = context ? tls_new(context, name, &err) : NULL;
    if (!p->tls) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    tls_context_free(context);
    start_server(p, identity, options ? options : &(struct peer_options){0});
}

void pair_free(struct pair *p)
{
    tls_free(p->tls);
    gnutls_deinit(p->server);
    gnutls_certificate_free_credentials(p->credentials);
    gnutls_free(p->ticket_key.data);
    buf_release(&p->to_server);
    buf_release(&p->to_client);
    buf_release(&p->server_plain);
    buf_release(&p->plain);
}

static void note_name(struct pair *p)
{
    size_t size = sizeof p->sni;
    unsigned type;
    if (gnutls_server_name_get(p->server, p->sni, &size, &type, 0) < 0)
        p->sni[0] = '\0';
}

static void run_server(struct pair *p)
{
    int rc = 0;
    if (!p->server_up && p->server_rc == 0) {
        do
            rc = gnutls_handshake(p->server);
        while (rc < 0 && rc != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(rc));
        p->server_up = rc == 0;
        note_name(p);
        if (rc < 0 && rc != GNUTLS_E_AGAIN) {
            gnutls_alert_send_appropriate(p->server, rc);
            p->server_rc = rc;
        }
    }
    while (p->server_up && p->server_rc == 0) {
        char bytes[16384];
        ssize_t n = gnutls_record_recv(p->server, bytes, sizeof bytes);
        if (n > 0)
            buf_put(&p->server_plain, bytes, (size_t)n);
        else if (n == 0 || gnutls_error_is_fatal((int)n))
            p->server_rc = n == 0 ? GNUTLS_E_SESSION_EOF : (int)n;
        else if (buf_len(&p->to_server) == 0)
            return;
    }
}

static void run_engine(struct pair *p)
{
    enum tls_status status;
    while ((status = tls_next(p->tls, &p->plain)) == TLS_SECURED)
        p->secured++;
    p->status = status;
}

void pair_run(struct pair *p)
{
    run_engine(p);
    while (buf_len(tls_out(p->tls)) || buf_len(&p->to_client)) {
        buf_put_str(&p->to_server, buf_str(tls_out(p->tls)));
        buf_consume(tls_out(p->tls), buf_len(tls_out(p->tls)));
        run_server(p);
        while (buf_len(&p->to_client)) {
            struct str piece = str_head(buf_str(&p->to_client), p->step);
            piece = str_head(piece, 128 * 1024);
            tls_feed(p->tls, piece.p, piece.n);
            buf_consume(&p->to_client, piece.n);
            run_engine(p);
        }
    }
}

void pair_server_says(struct pair *p, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n) {
        ssize_t sent = gnutls_record_send(p->server, at, n);
        must((int)sent, "gnutls_record_send");
        at += sent;
        n -= (size_t)sent;
    }
}

void pair_server_bye(struct pair *p)
{
    MUST(gnutls_bye(p->server, GNUTLS_SHUT_WR));
}

void pair_cut(struct pair *p, const char *why)
{
    pair_run(p);
    tls_eof(p->tls, why);
    run_engine(p);
}
