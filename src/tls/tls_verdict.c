/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls_private.h"

#include <string.h>

/* What a fact on the wire means. said goes on where the server's name stands first. */
struct cause {
    const char *code;
    enum fault_scope scope;
    const char *status;
    const char *said;
    const char *fix;
};

static const struct cause plain_banner = {
    "MODE-PLAINBANNER", FAULT_ACCOUNT, "4.7.5", "answered in plain SMTP where TLS was to begin",
    "this port wants STARTTLS: set tls = \"starttls\", or port = 587"};
static const struct cause plain_complaint = {
    "MODE-PLAINSYNC", FAULT_ACCOUNT, "4.7.5",
    "took the start of TLS for bad SMTP commands and answered in plain text",
    "this port wants STARTTLS: set tls = \"starttls\", or port = 587"};
static const struct cause plain_refusal = {
    "MODE-PLAINREFUSE", FAULT_ACCOUNT, "4.7.5",
    "answered in plain SMTP where TLS was to begin, and refuses service",
    "this port wants STARTTLS: set tls = \"starttls\", or port = 587; then see what it says"};
static const struct cause web_server = {
    "MODE-HTTP", FAULT_SERVER, "4.7.5",
    "answered as a web server, a proxy or a captive portal does, not as a mail server",
    "check port, and whether this network lets mail out"};
static const struct cause imap_server = {"MODE-OTHERPROTO", FAULT_ACCOUNT, "4.7.5",
                                         "is an IMAP server on this port",
                                         "set port = 465 or port = 587"};
static const struct cause pop_server = {"MODE-OTHERPROTO", FAULT_ACCOUNT, "4.7.5",
                                        "is a POP3 server on this port",
                                        "set port = 465 or port = 587"};
static const struct cause ssh_server = {"MODE-OTHERPROTO", FAULT_ACCOUNT, "4.7.5",
                                        "is an SSH server on this port",
                                        "set port = 465 or port = 587"};
static const struct cause screen_server = {"MODE-OTHERPROTO", FAULT_ACCOUNT, "4.7.5",
                                           "is a remote screen (VNC) on this port",
                                           "set port = 465 or port = 587"};
static const struct cause no_tls = {"PROTO-GARBAGE", FAULT_SERVER, "4.7.5",
                                    "answered the start of TLS with something else",
                                    "check host and port"};

/* The first row whose prefix fits. All of these are one error to GnuTLS (G-2). */
static const struct {
    const char *prefix;
    const struct cause *cause;
} first_words[] = {
    {"220", &plain_banner},    {"500", &plain_complaint}, {"501", &plain_complaint},
    {"502", &plain_complaint}, {"503", &plain_complaint}, {"421", &plain_refusal},
    {"554", &plain_refusal},   {"HTTP/", &web_server},    {"<", &web_server},
    {"* OK", &imap_server},    {"* BYE", &imap_server},   {"+OK", &pop_server},
    {"-ERR", &pop_server},     {"SSH-", &ssh_server},     {"RFB ", &screen_server},
};

static const struct cause old_version = {
    "TLS-VERSION", FAULT_ACCOUNT, "4.7.5",
    "and this program have no TLS version in common: at least TLS 1.2 is required",
    "the server has to be brought up to date; check that tls-priority allows TLS 1.2 and 1.3"};
static const struct cause no_cipher = {
    "TLS-CIPHER", FAULT_ACCOUNT, "4.7.5",
    "and this program have no method of encryption in common",
    "leave tls-priority at its default; if it is, the server has to be brought up to date"};
static const struct cause wants_client_certificate = {
    "TLS-CLIENTCERT", FAULT_ACCOUNT, "4.7.5", "requires a client certificate",
    "set tls-cert and tls-key to the one that it gave you"};
static const struct cause refuses_client_certificate = {
    "TLS-CLIENTCERT", FAULT_ACCOUNT, "4.7.5", "does not accept our client certificate",
    "check that tls-cert is the one that it gave you, with its chain, and has not expired"};
static const struct cause unknown_name = {
    "TLS-SNI", FAULT_ACCOUNT, "4.7.5", "does not serve that name",
    "check host; the server's own name can be set with tls-name"};
static const struct cause wants_alpn = {
    "TLS-ALPN", FAULT_ACCOUNT, "4.7.5",
    "wants a protocol name (ALPN), which mail servers do not use",
    "check port: it may not be a mail server's"};
static const struct cause not_decoded = {"TLS-ALERT", FAULT_SERVER, "4.7.5",
                                         "ended TLS with alert 50 (Decode error)", ""};
static const struct cause unsafe_renegotiation = {
    "TLS-VERSION", FAULT_ACCOUNT, "4.7.5",
    "does not know safe renegotiation (RFC 5746), without which TLS 1.2 can be tampered with",
    "the server has to be brought up to date"};
static const struct cause no_certificate = {"CERT-INVALID", FAULT_ACCOUNT, "4.7.5",
                                            "showed no certificate that could be verified",
                                            "the server's administrator has to mend it"};
static const struct cause broken_certificate = {"CERT-INVALID", FAULT_ACCOUNT, "4.7.5",
                                                "showed a certificate that cannot be read",
                                                "the server's administrator has to mend it"};
static const struct cause record_flood = {"PROTO-GARBAGE", FAULT_SERVER, "4.7.5",
                                          "sends TLS records without end and without content",
                                          ""};

/* Fatal alerts, RFC 8446 section 6.2. */
static const struct {
    gnutls_alert_description_t alert;
    const struct cause *cause;
} alerts[] = {
    {GNUTLS_A_HANDSHAKE_FAILURE, &no_cipher},
    {GNUTLS_A_INSUFFICIENT_SECURITY, &no_cipher},
    {GNUTLS_A_DECODE_ERROR, &not_decoded},
    {GNUTLS_A_PROTOCOL_VERSION, &old_version},
    {GNUTLS_A_UNRECOGNIZED_NAME, &unknown_name},
    {GNUTLS_A_NO_APPLICATION_PROTOCOL, &wants_alpn},
    {GNUTLS_A_CERTIFICATE_REQUIRED, &wants_client_certificate},
    {GNUTLS_A_BAD_CERTIFICATE, &refuses_client_certificate},
    {GNUTLS_A_UNSUPPORTED_CERTIFICATE, &refuses_client_certificate},
    {GNUTLS_A_CERTIFICATE_REVOKED, &refuses_client_certificate},
    {GNUTLS_A_CERTIFICATE_EXPIRED, &refuses_client_certificate},
    {GNUTLS_A_CERTIFICATE_UNKNOWN, &refuses_client_certificate},
    {GNUTLS_A_UNKNOWN_CA, &refuses_client_certificate},
    {GNUTLS_A_ACCESS_DENIED, &refuses_client_certificate},
};

static const struct {
    int rc;
    const struct cause *cause;
} results[] = {
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, &old_version},
    {GNUTLS_E_UNKNOWN_CIPHER_SUITE, &no_cipher},
    {GNUTLS_E_NO_CIPHER_SUITES, &no_cipher},
    {GNUTLS_E_INSUFFICIENT_SECURITY, &no_cipher},
    {GNUTLS_E_DH_PRIME_UNACCEPTABLE, &no_cipher},
    {GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM, &no_cipher},
    {GNUTLS_E_SAFE_RENEGOTIATION_FAILED, &unsafe_renegotiation},
    {GNUTLS_E_UNSAFE_RENEGOTIATION_DENIED, &unsafe_renegotiation},
    {GNUTLS_E_NO_CERTIFICATE_FOUND, &no_certificate},
    {GNUTLS_E_CERTIFICATE_ERROR, &broken_certificate},
    {GNUTLS_E_TOO_MANY_EMPTY_PACKETS, &record_flood},
    {GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS, &record_flood},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void say(struct tls *t, const struct cause *cause)
{
    fault_set(&t->fault, cause->scope, cause->status, cause->code, "%s %s", t->name.text,
              cause->said);
    fault_fix(&t->fault, "%s", cause->fix);
}

/* A TLS record begins with its content type, RFC 8446 section 5.1: 20 to 24. */
static bool speaks_tls(const struct tls *t)
{
    return t->first_bytes == 0 || (t->first[0] >= 20 && t->first[0] <= 24);
}

static void judge_first_words(struct tls *t)
{
    struct str words = {t->first, t->first_bytes};
    const struct cause *cause = &no_tls;
    if (words.n > 3 && str_is_digit(words.p[0]) && str_is_digit(words.p[1]) &&
        str_is_digit(words.p[2]) && (words.p[3] == ' ' || words.p[3] == '-'))
        cause = &plain_banner;
    for (size_t i = COUNT(first_words); i-- > 0;) {
        if (str_starts_nocase(words, str_of(first_words[i].prefix)))
            cause = first_words[i].cause;
    }
    say(t, cause);
    fault_reply(&t->fault, str_trim(str_head(words, str_find(words, '\n'))));
}

/* Servers refuse a missing or wrong certificate with many alerts, GnuTLS with decode_error. */
static bool may_mean_client_certificate(const struct cause *cause)
{
    return cause == &wants_client_certificate || cause == &refuses_client_certificate ||
           cause == &no_cipher || cause == &not_decoded;
}

static void judge_alert(struct tls *t)
{
    gnutls_alert_description_t alert = gnutls_alert_get(t->session);
    const char *name = gnutls_alert_get_name(alert);
    bool asked = gnutls_certificate_client_get_request_status(t->session) != 0;
    for (size_t i = 0; i < COUNT(alerts); i++) {
        const struct cause *cause = alerts[i].cause;
        if (alerts[i].alert != alert)
            continue;
        if (asked && may_mean_client_certificate(cause))
            cause = t->context->has_certificate ? &refuses_client_certificate
                                                : &wants_client_certificate;
        say(t, cause);
        return;
    }
    fault_set(&t->fault, FAULT_SERVER, "4.7.5", "TLS-ALERT", "%s ended TLS with alert %d (%s)",
              t->name.text, (int)alert, name ? name : "unknown");
}

static void judge_end(struct tls *t)
{
    const char *why = t->why[0] ? t->why : "the connection was closed";
    if (t->stage == TLS_STAGE_OPEN) {
        fault_set(&t->fault, FAULT_SERVER, "4.4.2", "TLS-TRUNCATED",
                  "the connection to %s was cut without the end that TLS asks for: %s",
                  t->name.text, why);
        return;
    }
    fault_set(&t->fault, FAULT_SERVER, "4.4.2", "TLS-CLOSED",
              "%s ended the connection during the start of TLS: %s", t->name.text, why);
    fault_fix(&t->fault,
              "if it stays so, something on the way may block TLS, or this port wants "
              "STARTTLS: try port = 587 or port = 465");
}

void tls_verdict(struct tls *t, int rc)
{
    if (t->stage == TLS_STAGE_HANDSHAKE && !speaks_tls(t)) {
        judge_first_words(t);
        return;
    }
    if (rc == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
        tls_verdict_certificate(t, gnutls_session_get_verify_cert_status(t->session));
        return;
    }
    if (rc == GNUTLS_E_CERTIFICATE_ERROR && t->context->verify == TLS_VERIFY_FINGERPRINT) {
        tls_verdict_fingerprint(t);
        return;
    }
    if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        judge_alert(t);
        return;
    }
    if (t->ended && (rc == GNUTLS_E_PREMATURE_TERMINATION || rc == GNUTLS_E_PULL_ERROR ||
                     rc == GNUTLS_E_UNEXPECTED_PACKET_LENGTH)) {
        judge_end(t);
        return;
    }
    for (size_t i = 0; i < COUNT(results); i++) {
        if (results[i].rc == rc) {
            say(t, results[i].cause);
            return;
        }
    }
    fault_set(&t->fault, FAULT_SERVER, "4.7.5", "TLS-PROTOCOL",
              "%s breaks the TLS protocol: %s", t->name.text, gnutls_strerror(rc));
}
