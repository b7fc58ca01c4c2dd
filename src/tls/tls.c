/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls_private.h"

#include "mem.h"
#include "printable.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IN_MAX = 1024 * 1024,       /* the owner stops feeding while plain is full, far below */
    OUT_MAX = 64 * 1024 * 1024, /* the owner has a watermark, far below */
    RECORD_BYTES = 16 * 1024,   /* the plain bytes of a record, RFC 8446 section 5.1 */
    IDLE_RECORDS_MAX = 1000 /* key updates, tickets, warnings without data between (T-016) */
};

static ssize_t pull(gnutls_transport_ptr_t transport, void *bytes, size_t n)
{
    struct tls *t = transport;
    struct str in = str_head(buf_str(&t->in), n);
    if (in.n == 0 && !t->ended) {
        t->starved = true;
        gnutls_transport_set_errno(t->session, EAGAIN);
        return -1;
    }
    if (in.n)
        memcpy(bytes, in.p, in.n);
    buf_consume(&t->in, in.n);
    return (ssize_t)in.n;
}

static ssize_t push(gnutls_transport_ptr_t transport, const void *bytes, size_t n)
{
    struct tls *t = transport;
    buf_put(&t->out, bytes, n);
    BUG_ON(t->out.failed);
    return (ssize_t)n;
}

/* SSLKEYLOGFILE in the environment must not make GnuTLS write session keys (T-029). */
static int log_no_keys(gnutls_session_t session, const char *label,
                       const gnutls_datum_t *secret)
{
    (void)session;
    (void)label;
    (void)secret;
    return 0;
}

static void expect(struct tls *t)
{
    static const char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
    t->expected[0] = (gnutls_typed_vdata_st){.type = GNUTLS_DT_DNS_HOSTNAME,
                                             .data = (unsigned char *)t->name.text};
    t->expected[1] = (gnutls_typed_vdata_st){.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                             .data = (unsigned char *)(uintptr_t)purpose};
    gnutls_session_set_verify_cert2(t->session, t->expected, 2, 0);
}

/* Before our own certificate is shown to the peer. */
static int check_fingerprint(gnutls_session_t session)
{
    return tls_certificate_is_pinned(gnutls_session_get_ptr(session)) ? 0 : -1;
}

static void set_up(struct tls *t)
{
    int rc = gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
                                          GNUTLS_NO_TICKETS);
    BUG_ON(rc < 0);
    rc = gnutls_priority_set(t->session, t->context->priority);
    BUG_ON(rc < 0);
    rc = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->context->credentials);
    BUG_ON(rc < 0);
    if (t->name.address_bytes == 0) {
        rc = gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, t->name.text,
                                    strlen(t->name.text));
        BUG_ON(rc < 0);
    }
    if (t->context->verify == TLS_VERIFY_FULL)
        expect(t);
    gnutls_session_set_ptr(t->session, t);
    if (t->context->verify == TLS_VERIFY_FINGERPRINT)
        gnutls_session_set_verify_function(t->session, check_fingerprint);
    gnutls_session_set_keylog_function(t->session, log_no_keys);
    gnutls_transport_set_ptr(t->session, t);
    gnutls_transport_set_pull_function(t->session, pull);
    gnutls_transport_set_push_function(t->session, push);
}

struct tls *tls_new(struct tls_context *context, const char *name, struct err *err)
{
    struct tls *t = mem_new(sizeof *t);
    if (tls_name_set(&t->name, name, err) < 0) {
        free(t);
        return NULL;
    }
    t->context = tls_context_ref(context);
    buf_init(&t->in, IN_MAX);
    buf_init(&t->out, OUT_MAX);
    set_up(t);
    return t;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    gnutls_deinit(t->session);
    tls_context_free(t->context);
    free(t->alias);
    buf_release(&t->in);
    buf_release(&t->out);
    free(t);
}

void tls_know_alias(struct tls *t, const char *alias)
{
    free(t->alias);
    t->alias = mem_strdup(alias);
}

void tls_feed(struct tls *t, const void *bytes, size_t n)
{
    size_t kept = n < TLS_FIRST_MAX - t->first_bytes ? n : TLS_FIRST_MAX - t->first_bytes;
    if (t->stage >= TLS_STAGE_CLOSED || t->ended)
        return;
    if (kept)
        memcpy(t->first + t->first_bytes, bytes, kept);
    t->first_bytes += kept;
    buf_put(&t->in, bytes, n);
    BUG_ON(t->in.failed);
}

void tls_eof(struct tls *t, const char *why)
{
    if (t->ended)
        return;
    t->ended = true;
    printable_cut(t->why, sizeof t->why, str_of(why));
}

static bool is_final(int rc)
{
    return rc < 0 && gnutls_error_is_fatal(rc);
}

/* The verdict is in. Tell the peer, but not one that does not speak TLS or has told us first.
 */
static enum tls_status give_up(struct tls *t, int rc)
{
    if (rc != GNUTLS_E_FATAL_ALERT_RECEIVED && rc != GNUTLS_E_UNEXPECTED_PACKET && !t->ended)
        gnutls_alert_send_appropriate(t->session, rc);
    t->stage = TLS_STAGE_FAILED;
    return TLS_FAILED;
}

static enum tls_status fail(struct tls *t, int rc)
{
    tls_verdict(t, rc);
    return give_up(t, rc);
}

static void describe(struct tls *t)
{
    /* GnuTLS says "TLS1.3"; everybody else says "TLSv1.3". */
    const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(t->session));
    const char *suite = gnutls_ciphersuite_get(t->session);
    snprintf(t->description, sizeof t->description, "TLSv%s %s", version + strlen("TLS"),
             suite);
}

static enum tls_status secure(struct tls *t)
{
    if (t->context->verify == TLS_VERIFY_FULL) {
        /* No handshake should come here unverified. If one does, the password stays here. */
        if (gnutls_session_get_verify_cert_status(t->session) != 0)
            return fail(t, GNUTLS_E_NO_CERTIFICATE_FOUND);
        if (!tls_certificate_names_server(t)) {
            tls_verdict_common_name(t);
            return give_up(t, GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR);
        }
    }
    if (t->context->verify == TLS_VERIFY_FINGERPRINT && !tls_certificate_is_pinned(t))
        return fail(t, GNUTLS_E_CERTIFICATE_ERROR);
    describe(t);
    t->stage = TLS_STAGE_OPEN;
    t->idle_records = 0;
    return TLS_SECURED;
}

/* A record came that was neither data nor the end. */
static bool is_flood(struct tls *t)
{
    return ++t->idle_records > IDLE_RECORDS_MAX;
}

static enum tls_status go_on_handshaking(struct tls *t)
{
    for (;;) {
        t->starved = false;
        int rc = gnutls_handshake(t->session);
        if (rc == GNUTLS_E_SUCCESS)
            return secure(t);
        if (is_final(rc))
            return fail(t, rc);
        if (t->starved)
            return TLS_WANT;
        if (is_flood(t))
            return fail(t, GNUTLS_E_TOO_MANY_EMPTY_PACKETS);
    }
}

/* Renegotiation is never taken up (T-015). */
static void pass_over(struct tls *t, int rc)
{
    if (rc == GNUTLS_E_REHANDSHAKE)
        gnutls_alert_send(t->session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
}

/* Decrypt a piece of what is there straight into plain. */
static ssize_t decrypt(struct tls *t, struct buf *plain)
{
    size_t space = buf_space(plain);
    size_t room = space < RECORD_BYTES ? space : RECORD_BYTES;
    char *end = buf_reserve(plain, room);
    ssize_t n = gnutls_record_recv(t->session, end, room);
    if (n > 0)
        buf_added(plain, (size_t)n);
    return n;
}

static enum tls_status go_on_reading(struct tls *t, struct buf *plain)
{
    while (buf_space(plain) > 0) {
        t->starved = false;
        ssize_t n = decrypt(t, plain);
        if (n > 0) {
            t->idle_records = 0;
        } else if (n == 0) {
            t->stage = TLS_STAGE_CLOSED;
            return TLS_CLOSED;
        } else if (is_final((int)n)) {
            return fail(t, (int)n);
        } else if (t->starved) {
            return TLS_WANT;
        } else if (is_flood(t)) {
            return fail(t, GNUTLS_E_TOO_MANY_EMPTY_PACKETS);
        } else {
            pass_over(t, (int)n);
        }
    }
    return TLS_WANT;
}

enum tls_status tls_next(struct tls *t, struct buf *plain)
{
    switch (t->stage) {
    case TLS_STAGE_HANDSHAKE:
        return go_on_handshaking(t);
    case TLS_STAGE_OPEN:
        return go_on_reading(t, plain);
    case TLS_STAGE_CLOSED:
        return TLS_CLOSED;
    case TLS_STAGE_FAILED:
        return TLS_FAILED;
    }
    return TLS_FAILED;
}

void tls_write(struct tls *t, const void *bytes, size_t n)
{
    const char *p = bytes;
    BUG_ON(t->stage == TLS_STAGE_HANDSHAKE || t->said_bye);
    while (n && t->stage == TLS_STAGE_OPEN) {
        ssize_t sent = gnutls_record_send(t->session, p, n);
        if (sent < 0) {
            fail(t, (int)sent);
            return;
        }
        p += sent;
        n -= (size_t)sent;
    }
}

void tls_bye(struct tls *t)
{
    if (t->said_bye || (t->stage != TLS_STAGE_OPEN && t->stage != TLS_STAGE_CLOSED))
        return;
    t->said_bye = true;
    gnutls_bye(t->session, GNUTLS_SHUT_WR);
}

struct buf *tls_out(struct tls *t)
{
    return &t->out;
}

const struct fault *tls_fault(const struct tls *t)
{
    return &t->fault;
}

const char *tls_description(const struct tls *t)
{
    return t->description;
}

const char *tls_binding(const struct tls *t, struct buf *data)
{
    bool modern = gnutls_protocol_get_version(t->session) >= GNUTLS_TLS1_3;
    bool unforgeable = gnutls_session_get_flags(t->session) & GNUTLS_SFLAGS_EXT_MASTER_SECRET;
    gnutls_datum_t binding = {NULL, 0};
    if (t->stage != TLS_STAGE_OPEN || (!modern && !unforgeable))
        return NULL;
    int rc = gnutls_session_channel_binding(
        t->session, modern ? GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_UNIQUE, &binding);
    if (rc < 0)
        return NULL;
    BUG_ON(binding.size > TLS_BINDING_MAX);
    buf_put(data, binding.data, binding.size);
    gnutls_free(binding.data);
    return modern ? "tls-exporter" : "tls-unique";
}
