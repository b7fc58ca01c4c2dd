/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tls_: TLS client engine over memory (GnuTLS), its policy and its verdicts. No descriptors.
 *
 *     feed what came from the wire to tls_feed(); take what is to go out from tls_out();
 * tls_next() says what happened. */
#ifndef TRANTER_TLS_H
#define TRANTER_TLS_H

#include "buf.h"
#include "err.h"
#include "fault.h"

enum tls_verify {
    TLS_VERIFY_FULL,        /* chain, host name, purpose */
    TLS_VERIFY_NONE,        /* by the administrator's word */
    TLS_VERIFY_FINGERPRINT, /* one of the certificates or keys named, and nothing else */
};

/* Borrowed while tls_context_new() runs. */
struct tls_policy {
    enum tls_verify verify;
    const char
        *fingerprints;     /* blank-separated SHA-256 in 64 lower-case hex digits each, of the
                              server's certificate or of its public key (as
                              SubjectPublicKeyInfo); needed by TLS_VERIFY_FINGERPRINT alone */
    const char *ca_file;   /* PEM; NULL: the system's trust store */
    const char *cert_file; /* client certificate, PEM; NULL: none */
    const char *key_file;
    const char *priority; /* GnuTLS priority string; NULL: TLS_PRIORITY */
};

#define TLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SAFE_RENEGOTIATION"

/* Trust, certificates and priority, loaded once and shared by sessions. Reference counted:
 * sessions keep it. For one thread, with its sessions. */
struct tls_context;

/* NULL with a sentence in *err: an unreadable or empty trust store is an error (T-001), a bad
 * priority string (T-009) or one that allows what is broken (T-008, T-010), no fingerprint
 * where one is to be verified, a client
 * certificate without its key, or a key file that others can read (private_file.h). */
struct tls_context *tls_context_new(const struct tls_policy *policy,
                                    struct err *err) ATTR_MUST_CHECK;

/* Hold a reference; give it back. The last one frees. */
struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_free(struct tls_context *context);

struct tls;

/* A client session with the server called name: DNS name (any case, U-labels, one trailing dot
 * allowed) or IP literal. It is verified against the certificate; SNI is sent for DNS names
 * alone (T-003 to T-007). NULL with *err if name cannot be a host's. */
struct tls *tls_new(struct tls_context *context, const char *name,
                    struct err *err) ATTR_MUST_CHECK;
void tls_free(struct tls *t);

/* DNS says that name is an alias of this. Never trusted (T-004): a refusal names it, where the
 * certificate does. */
void tls_know_alias(struct tls *t, const char *alias);

enum tls_status {
    TLS_WANT,    /* nothing more until bytes come in */
    TLS_SECURED, /* told once: the handshake is done and the peer verified */
    TLS_CLOSED,  /* the peer closed with close_notify */
    TLS_FAILED   /* tls_fault() says why */
};

/* Wire bytes from the peer; all are taken (at most 1 MiB between two calls of tls_next()). */
void tls_feed(struct tls *t, const void *bytes, size_t n);

/* The transport ended. Without a close_notify before, that is a failure (T-017). why as in
 * smtp_client_eof(). */
void tls_eof(struct tls *t, const char *why);

/* Go on: handshake, then decrypt all there is and append it to plain, as far as plain has room.
 * TLS_WANT with plain full: there may be more; call again when it has room, and feed nothing
 * until then. CLOSED and FAILED may come with the last bytes in plain, and stay. Whatever the
 * status, there may be news in tls_out(), an alert also after FAILED. */
enum tls_status tls_next(struct tls *t, struct buf *plain);

/* Encrypt n plain bytes; only after TLS_SECURED and before tls_bye(). Without effect once the
 * session is CLOSED or has failed, which tls_next() tells. */
void tls_write(struct tls *t, const void *bytes, size_t n);

/* Say close_notify. */
void tls_bye(struct tls *t);

/* What is to be written to the wire; the owner consumes it from the front. */
struct buf *tls_out(struct tls *t);

/* After TLS_FAILED: scope SERVER or ACCOUNT (trust settings), code of protocol.md, sentence and
 * fix. Borrowed. */
const struct fault *tls_fault(const struct tls *t);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384" after TLS_SECURED, else "". */
const char *tls_description(const struct tls *t);

enum {
    TLS_BINDING_MAX = 64 /* bytes */
};

/* What ties a login to this session (RFC 5056), after TLS_SECURED: append at most
 * TLS_BINDING_MAX bytes to data, and return the name of the kind. TLS 1.3 has "tls-exporter"
 * (RFC 9266), TLS 1.2 with the extended master secret has "tls-unique" (RFC 5929); without it
 * tls-unique can be forged (RFC 7627), so that NULL says there is none (T-024). */
const char *tls_binding(const struct tls *t, struct buf *data) ATTR_MUST_CHECK;

#endif
