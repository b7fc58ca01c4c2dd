/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls_private.h"

#include "buf.h"
#include "clock.h"
#include "printable.h"
#include "tls_chain.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    DATE_MAX = 32
};

/* This program was not there before: a clock that says so is wrong (2026-01-01). */
static const int64_t earliest_now = INT64_C(1767225600);

/* What a person has to know about the chain to see why it was refused (T-027). */
struct facts {
    int64_t now; /* seconds since 1970 */
    unsigned chain;
    struct tls_certificate leaf;
    char top_issuer[TLS_CHAIN_DN_MAX]; /* of the last one shown */
    int64_t valid_from;                /* the latest of the chain */
    int64_t valid_until;               /* the earliest of the chain */
};

bool tls_certificate_names_server(const struct tls *t)
{
    bool found = false;
    gnutls_x509_crt_t leaf = tls_chain_import(t, 0);
    if (!leaf)
        return false;
    for (unsigned i = 0; !found; i++) {
        char name[512];
        size_t size = sizeof name;
        int type = tls_chain_alt_name(leaf, i, name, &size);
        if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
            break;
        if (t->name.address_bytes)
            found = type == GNUTLS_SAN_IPADDRESS && size == t->name.address_bytes &&
                    memcmp(name, t->name.address, size) == 0;
        else
            found = type == GNUTLS_SAN_DNSNAME;
    }
    gnutls_x509_crt_deinit(leaf);
    return found;
}

static bool is_listed(const char *fingerprints, const char *fingerprint)
{
    struct str rest = str_of(fingerprints), word, wanted = str_of(fingerprint);
    bool found = false;
    while ((word = str_word(&rest, " ")).n)
        found |= word.n == wanted.n && gnutls_memcmp(word.p, wanted.p, wanted.n) == 0;
    return found;
}

bool tls_certificate_is_pinned(const struct tls *t)
{
    struct tls_certificate leaf;
    return tls_chain_get(t, 0, &leaf) &&
           (is_listed(t->context->fingerprints, leaf.fingerprint) ||
            is_listed(t->context->fingerprints, leaf.key_fingerprint));
}

static void gather(struct facts *facts, const struct tls *t)
{
    struct tls_certificate c;
    *facts = (struct facts){.now = clock_wall_ms() / 1000,
                            .chain = tls_chain_length(t),
                            .leaf.names = "nobody",
                            .valid_until = INT64_MAX};
    for (unsigned i = 0; i < facts->chain && i < TLS_CHAIN_MAX; i++) {
        if (!tls_chain_get(t, i, &c))
            continue;
        if (c.valid_from > facts->valid_from)
            facts->valid_from = c.valid_from;
        if (c.valid_until >= 0 && c.valid_until < facts->valid_until)
            facts->valid_until = c.valid_until;
        if (i == 0)
            facts->leaf = c;
        snprintf(facts->top_issuer, sizeof facts->top_issuer, "%s", c.issuer);
    }
}

static const char *date_of(int64_t seconds, char text[DATE_MAX])
{
    time_t when = (time_t)seconds;
    struct tm parts;
    if (!gmtime_r(&when, &parts) || strftime(text, DATE_MAX, "%Y-%m-%d %H:%M UTC", &parts) == 0)
        return "a date out of reach";
    return text;
}

typedef void judge(struct tls *t, const struct facts *facts);

static void refuse(struct tls *t, enum fault_scope scope, const char *code, const char *fmt,
                   ...) ATTR_PRINTF(4, 5);

static void refuse(struct tls *t, enum fault_scope scope, const char *code, const char *fmt,
                   ...)
{
    char text[FAULT_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fault_set(&t->fault, scope, "4.7.5", code, "%s", text);
}

static void judge_revoked(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_ACCOUNT, "CERT-REVOKED",
           "the certificate of %s (issued by %s) has been revoked", t->name.text,
           facts->leaf.issuer);
    fault_fix(&t->fault, "the server's administrator has to replace it");
}

/* Who is known to put itself between. */
static bool is_interceptor(const char *issuer)
{
    static const char *const words[] = {
        "avast",      "avg ",       "bitdefender", "blue coat", "cisco umbrella", "eset ssl",
        "forcepoint", "fortinet",   "fortigate",   "kaspersky", "mcafee web",     "mitmproxy",
        "netskope",   "norton",     "palo alto",   "sonicwall", "sophos",         "untangle",
        "watchguard", "web shield", "zscaler",
    };
    struct str rest = str_of(issuer);
    for (size_t at = 0; at < rest.n; at++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (str_starts_nocase(str_tail(rest, at), str_of(words[i])))
                return true;
    }
    return false;
}

static bool judge_interception(struct tls *t, const struct facts *facts)
{
    if (!is_interceptor(facts->top_issuer) && !is_interceptor(facts->leaf.issuer))
        return false;
    refuse(t, FAULT_ACCOUNT, "MBOX-INTERCEPT",
           "the server that answered for %s shows a certificate for %s issued by %s: the "
           "connection is being intercepted",
           t->name.text, facts->leaf.names, facts->top_issuer);
    fault_fix(&t->fault, "have that program or firewall let the connection pass; only if the "
                         "interception is wanted, set tls-ca-file to its authority");
    return true;
}

/* GnuTLS has the same bit for three causes (T-027). */
static void judge_issuer(struct tls *t, const struct facts *facts)
{
    if (judge_interception(t, facts))
        return;
    if (facts->leaf.self_issued) {
        refuse(t, FAULT_ACCOUNT, "CERT-SELFSIGNED",
               "the certificate of %s (%s) is signed by nobody but itself, SHA-256 %s",
               t->name.text, facts->leaf.subject, facts->leaf.fingerprint);
        fault_fix(&t->fault,
                  "if this is your own server's certificate, save it in a file and set "
                  "tls-ca-file to that; or set tls-verify = \"fingerprint\" and "
                  "tls-fingerprint = {\"%s\"}",
                  facts->leaf.fingerprint);
    } else if (facts->chain == 1 && facts->leaf.knows_issuer_address) {
        refuse(t, FAULT_ACCOUNT, "CERT-CHAIN",
               "%s shows its certificate without that of its issuer, %s", t->name.text,
               facts->leaf.issuer);
        fault_fix(&t->fault,
                  "the server has to send the full chain; until then, tls-ca-file can "
                  "name a file with the issuer's certificate");
    } else {
        refuse(t, FAULT_ACCOUNT, "CERT-UNKNOWNCA",
               "the certificate of %s comes from %s, which this machine does not trust",
               t->name.text, facts->top_issuer);
        fault_fix(&t->fault,
                  "if that is your own authority, set tls-ca-file to its certificate; if not, "
                  "something between here and the server is intercepting the connection");
    }
}

static bool clock_is_wrong(struct tls *t, const struct facts *facts)
{
    char now[DATE_MAX];
    if (facts->now >= earliest_now)
        return false;
    refuse(t, FAULT_SERVER, "CLOCK-SKEW",
           "this machine's clock says %s, which is wrong, so no certificate can be checked",
           date_of(facts->now, now));
    fault_fix(&t->fault, "set the clock (timedatectl, NTP)");
    return true;
}

static void judge_early(struct tls *t, const struct facts *facts)
{
    char from[DATE_MAX], now[DATE_MAX];
    if (clock_is_wrong(t, facts))
        return;
    refuse(t, FAULT_SERVER, "CERT-NOTYET",
           "the certificate of %s is valid only from %s, and this machine's clock says %s",
           t->name.text, date_of(facts->valid_from, from), date_of(facts->now, now));
    fault_fix(&t->fault, "check this machine's clock");
}

static void judge_late(struct tls *t, const struct facts *facts)
{
    char until[DATE_MAX];
    if (clock_is_wrong(t, facts))
        return;
    refuse(t, FAULT_ACCOUNT, "CERT-EXPIRED",
           "the certificate of %s (issued by %s), or one that it stands on, expired on %s",
           t->name.text, facts->leaf.issuer, date_of(facts->valid_until, until));
    fault_fix(&t->fault, "the server's administrator has to renew it");
}

static void judge_purpose(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_ACCOUNT, "CERT-PURPOSE",
           "the certificate of %s (%s) was not issued for a TLS server", t->name.text,
           facts->leaf.subject);
    fault_fix(&t->fault, "the server's administrator has to replace it by one for serverAuth");
}

static bool covers(const struct tls *t, const char *name)
{
    gnutls_x509_crt_t leaf = name ? tls_chain_import(t, 0) : NULL;
    bool does = leaf && gnutls_x509_crt_check_hostname(leaf, name) != 0;
    gnutls_x509_crt_deinit(leaf);
    return does;
}

static void judge_name(struct tls *t, const struct facts *facts)
{
    if (covers(t, t->alias)) {
        refuse(t, FAULT_ACCOUNT, "CERT-HOST-CNAME",
               "%s is an alias of %s, which the certificate is for", t->name.text, t->alias);
        fault_fix(&t->fault, "if your provider confirms that name, set host = \"%.200s\"",
                  t->alias);
        return;
    }
    if (t->name.address_bytes) {
        refuse(t, FAULT_ACCOUNT, "CERT-HOST-IP",
               "%s is an address, and the certificate there is for %s", t->name.text,
               facts->leaf.names);
        fault_fix(&t->fault, "set host to one of those names, or keep the address and set "
                             "tls-name to it");
        return;
    }
    refuse(t, FAULT_ACCOUNT, "CERT-HOST", "the certificate is for %s, not for %s",
           facts->leaf.names, t->name.text);
    fault_fix(&t->fault, "if one of those names is the server's, set host (or tls-name) to it");
}

static void judge_weak(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_ACCOUNT, "CERT-WEAK",
           "the certificate of %s (issued by %s), or one that it stands on, uses a key or a "
           "signature that is no longer safe",
           t->name.text, facts->leaf.issuer);
    fault_fix(&t->fault, "the server's administrator has to replace it");
}

static void judge_staple(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_SERVER, "CERT-STAPLE",
           "the certificate of %s (issued by %s) promises a proof that it is not revoked, and "
           "the server does not send one",
           t->name.text, facts->leaf.issuer);
    fault_fix(&t->fault, "the server's administrator has to switch on OCSP stapling");
}

static void judge_other(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_ACCOUNT, "CERT-INVALID",
           "the certificates that %s shows (%s, issued by %s) do not form a valid chain",
           t->name.text, facts->leaf.subject, facts->leaf.issuer);
    fault_fix(&t->fault, "the server's administrator has to mend them");
}

/* In the order in which they explain: the first that is there is the cause, the others are
 * named beside it. */
static const struct {
    unsigned bits;
    const char *also;
    judge *judge;
} reasons[] = {
    {GNUTLS_CERT_REVOKED | GNUTLS_CERT_INVALID_OCSP_STATUS, "revoked", judge_revoked},
    {GNUTLS_CERT_SIGNER_NOT_FOUND, "from an unknown issuer", judge_issuer},
    {GNUTLS_CERT_NOT_ACTIVATED, "not valid yet", judge_early},
    {GNUTLS_CERT_EXPIRED, "expired", judge_late},
    {GNUTLS_CERT_PURPOSE_MISMATCH, "not for a TLS server", judge_purpose},
    {GNUTLS_CERT_UNEXPECTED_OWNER, "for another name", judge_name},
    {GNUTLS_CERT_INSECURE_ALGORITHM, "weak", judge_weak},
    {GNUTLS_CERT_MISSING_OCSP_STATUS, "without its proof against revocation", judge_staple},
};

static void add_others(struct tls *t, const struct facts *facts, unsigned status, size_t first)
{
    struct buf text;
    bool some = false;
    buf_init(&text, 2 * FAULT_TEXT_MAX);
    buf_puts(&text, t->fault.text);
    for (size_t i = first + 1; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (!(status & reasons[i].bits))
            continue;
        buf_puts(&text, some ? ", " : "; it is also ");
        buf_puts(&text, reasons[i].also);
        if (reasons[i].judge == judge_name)
            buf_printf(&text, " (%s)", facts->leaf.names);
        some = true;
    }
    printable_cut(t->fault.text, sizeof t->fault.text, buf_str(&text));
    buf_release(&text);
}

void tls_verdict_certificate(struct tls *t, unsigned status)
{
    struct facts facts;
    gather(&facts, t);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (status & reasons[i].bits) {
            reasons[i].judge(t, &facts);
            add_others(t, &facts, status, i);
            return;
        }
    }
    judge_other(t, &facts);
}

void tls_verdict_common_name(struct tls *t)
{
    struct facts facts;
    gather(&facts, t);
    if (t->name.address_bytes) {
        judge_name(t, &facts);
        return;
    }
    refuse(
        t, FAULT_ACCOUNT, "CERT-CNONLY",
        "the certificate of %s (%s, issued by %s) names the server in its common name alone, "
        "which is no longer enough (RFC 9525)",
        t->name.text, facts.leaf.subject, facts.leaf.issuer);
    fault_fix(&t->fault, "the server's administrator has to replace it by one with a "
                         "subjectAltName");
}

void tls_verdict_fingerprint(struct tls *t)
{
    struct facts facts;
    gather(&facts, t);
    refuse(t, FAULT_ACCOUNT, "CERT-PIN",
           "tls-fingerprint does not list the certificate of %s, SHA-256 %s, nor its public "
           "key, SHA-256 %s",
           t->name.text, facts.leaf.fingerprint, facts.leaf.key_fingerprint);
    fault_fix(&t->fault,
              "ask the server's administrator whether it has a new certificate, and only then "
              "add one of these to tls-fingerprint; if it has not, something between here and "
              "the server is intercepting the connection");
}
