/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls_private.h"

#include "buf.h"
#include "clock.h"
#include "printable.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    NAMES_SHOWN = 6,
    NAMES_MAX = 200, /* bytes of the names shown in a sentence */
    DN_MAX = 160,
    DATE_MAX = 32,
    CHAIN_MAX = 16,  /* GnuTLS refuses longer ones */
    HASH_BYTES = 32, /* SHA-256 */
    FINGERPRINT_DIGITS = 2 * HASH_BYTES
};

/* This program was not there before: a clock that says so is wrong (2026-01-01). */
static const int64_t earliest_now = INT64_C(1767225600);

/* What a person has to know about the chain to see why it was refused (T-027). */
struct facts {
    int64_t now; /* seconds since 1970 */
    unsigned chain;
    bool self_issued;
    bool knows_issuer_address;
    char names[NAMES_MAX];
    char subject[DN_MAX];
    char issuer[DN_MAX];     /* of the server's certificate */
    char top_issuer[DN_MAX]; /* of the last one shown */
    char fingerprint[FINGERPRINT_DIGITS + 1];
    char key_fingerprint[FINGERPRINT_DIGITS + 1];
    int64_t valid_from;  /* the latest of the chain */
    int64_t valid_until; /* the earliest of the chain */
};

static gnutls_x509_crt_t import(const gnutls_datum_t *der)
{
    gnutls_x509_crt_t crt;
    if (gnutls_x509_crt_init(&crt) < 0)
        return NULL;
    if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) < 0) {
        gnutls_x509_crt_deinit(crt);
        return NULL;
    }
    return crt;
}

static gnutls_x509_crt_t import_leaf(const struct tls *t)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(t->session, &n);
    return chain && n ? import(&chain[0]) : NULL;
}

/* The i-th subjectAltName, size bytes of it in name; its type, or -1 at the end. */
static int alt_name(gnutls_x509_crt_t crt, unsigned i, char *name, size_t *size)
{
    return gnutls_x509_crt_get_subject_alt_name(crt, i, name, size, NULL);
}

bool tls_certificate_names_server(const struct tls *t)
{
    bool found = false;
    gnutls_x509_crt_t leaf = import_leaf(t);
    if (!leaf)
        return false;
    for (unsigned i = 0; !found; i++) {
        char name[512];
        size_t size = sizeof name;
        int type = alt_name(leaf, i, name, &size);
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

static void to_hex(const unsigned char hash[HASH_BYTES], char text[FINGERPRINT_DIGITS + 1])
{
    for (size_t i = 0; i < HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

/* "" where it cannot be told. */
static void certificate_fingerprint(gnutls_x509_crt_t crt, char text[FINGERPRINT_DIGITS + 1])
{
    unsigned char hash[HASH_BYTES];
    size_t size = sizeof hash;
    text[0] = '\0';
    if (gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, hash, &size) >= 0)
        to_hex(hash, text);
}

static void key_fingerprint(gnutls_x509_crt_t crt, char text[FINGERPRINT_DIGITS + 1])
{
    unsigned char hash[HASH_BYTES];
    size_t size = sizeof hash;
    text[0] = '\0';
    if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, hash, &size) >= 0)
        to_hex(hash, text);
}

static bool is_listed(const char *fingerprints, const char fingerprint[FINGERPRINT_DIGITS + 1])
{
    struct str rest = str_of(fingerprints), word;
    while ((word = str_word(&rest, " ")).n)
        if (str_eq(word, str_of(fingerprint)))
            return true;
    return false;
}

bool tls_certificate_is_pinned(const struct tls *t)
{
    char of_certificate[FINGERPRINT_DIGITS + 1], of_key[FINGERPRINT_DIGITS + 1];
    gnutls_x509_crt_t leaf = import_leaf(t);
    if (!leaf)
        return false;
    certificate_fingerprint(leaf, of_certificate);
    key_fingerprint(leaf, of_key);
    gnutls_x509_crt_deinit(leaf);
    return is_listed(t->context->fingerprints, of_certificate) ||
           is_listed(t->context->fingerprints, of_key);
}

static void put_address(struct buf *out, const char *address, size_t size)
{
    const unsigned char *b = (const unsigned char *)address;
    if (size == 4) {
        buf_printf(out, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        return;
    }
    for (size_t i = 0; i + 1 < size; i += 2)
        buf_printf(out, "%s%x", i ? ":" : "", (unsigned)b[i] << 8 | b[i + 1]);
}

/* "a.example, b.example, 192.0.2.1 and others", or the common name where there is no other. */
static void tell_names(struct facts *facts, gnutls_x509_crt_t leaf)
{
    struct buf names;
    unsigned shown = 0;
    buf_init(&names, 8 * 1024);
    for (unsigned i = 0;; i++) {
        char name[512];
        size_t size = sizeof name;
        int type = alt_name(leaf, i, name, &size);
        if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
            break;
        if (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_IPADDRESS)
            continue;
        if (shown++ == NAMES_SHOWN) {
            buf_puts(&names, " and others");
            break;
        }
        buf_puts(&names, shown > 1 ? ", " : "");
        if (type == GNUTLS_SAN_DNSNAME)
            buf_put(&names, name, size);
        else
            put_address(&names, name, size);
    }
    char common[256];
    size_t size = sizeof common;
    if (shown == 0 && gnutls_x509_crt_get_dn_by_oid(leaf, GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                                    common, &size) == 0)
        buf_put(&names, common, size);
    if (buf_len(&names) == 0)
        buf_puts(&names, "nobody");
    printable_cut(facts->names, sizeof facts->names, buf_str(&names));
    buf_release(&names);
}

typedef int dn_getter(gnutls_x509_crt_t crt, gnutls_datum_t *dn, unsigned flags);

static void tell_dn(char text[DN_MAX], dn_getter *get, gnutls_x509_crt_t crt)
{
    gnutls_datum_t dn;
    if (get(crt, &dn, 0) < 0) {
        snprintf(text, DN_MAX, "an unreadable name");
        return;
    }
    printable_cut(text, DN_MAX, (struct str){(char *)dn.data, dn.size});
    gnutls_free(dn.data);
}

static void tell_leaf(struct facts *facts, gnutls_x509_crt_t leaf)
{
    gnutls_datum_t address = {0};
    tell_names(facts, leaf);
    tell_dn(facts->subject, gnutls_x509_crt_get_dn3, leaf);
    tell_dn(facts->issuer, gnutls_x509_crt_get_issuer_dn3, leaf);
    facts->self_issued = gnutls_x509_crt_check_issuer(leaf, leaf) != 0;
    facts->knows_issuer_address = gnutls_x509_crt_get_authority_info_access(
                                      leaf, 0, GNUTLS_IA_CAISSUERS_URI, &address, NULL) >= 0;
    gnutls_free(address.data);
    certificate_fingerprint(leaf, facts->fingerprint);
    key_fingerprint(leaf, facts->key_fingerprint);
}

static void gather(struct facts *facts, const struct tls *t)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(t->session, &n);
    *facts = (struct facts){
        .now = clock_wall_ms() / 1000, .chain = n, .names = "nobody", .valid_until = INT64_MAX};
    for (unsigned i = 0; i < n && i < CHAIN_MAX; i++) {
        gnutls_x509_crt_t crt = import(&chain[i]);
        if (!crt)
            continue;
        int64_t from = gnutls_x509_crt_get_activation_time(crt);
        int64_t until = gnutls_x509_crt_get_expiration_time(crt);
        if (from > facts->valid_from)
            facts->valid_from = from;
        if (until >= 0 && until < facts->valid_until)
            facts->valid_until = until;
        if (i == 0)
            tell_leaf(facts, crt);
        tell_dn(facts->top_issuer, gnutls_x509_crt_get_issuer_dn3, crt);
        gnutls_x509_crt_deinit(crt);
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
           facts->issuer);
    fault_fix(&t->fault, "the server's administrator has to replace it");
}

/* GnuTLS has the same bit for three causes (T-027). */
static void judge_issuer(struct tls *t, const struct facts *facts)
{
    if (facts->self_issued) {
        refuse(t, FAULT_ACCOUNT, "CERT-SELFSIGNED",
               "the certificate of %s (%s) is signed by nobody but itself, SHA-256 %s",
               t->name.text, facts->subject, facts->fingerprint);
        fault_fix(&t->fault,
                  "if this is your own server's certificate, save it in a file and set "
                  "tls-ca-file to that; or set tls-verify = \"fingerprint\" and "
                  "tls-fingerprint = {\"%s\"}",
                  facts->fingerprint);
    } else if (facts->chain == 1 && facts->knows_issuer_address) {
        refuse(t, FAULT_ACCOUNT, "CERT-CHAIN",
               "%s shows its certificate without that of its issuer, %s", t->name.text,
               facts->issuer);
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
           t->name.text, facts->issuer, date_of(facts->valid_until, until));
    fault_fix(&t->fault, "the server's administrator has to renew it");
}

static void judge_purpose(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_ACCOUNT, "CERT-PURPOSE",
           "the certificate of %s (%s) was not issued for a TLS server", t->name.text,
           facts->subject);
    fault_fix(&t->fault, "the server's administrator has to replace it by one for serverAuth");
}

static void judge_name(struct tls *t, const struct facts *facts)
{
    if (t->name.address_bytes) {
        refuse(t, FAULT_ACCOUNT, "CERT-HOST-IP",
               "%s is an address, and the certificate there is for %s", t->name.text,
               facts->names);
        fault_fix(&t->fault, "set host to one of those names, or keep the address and set "
                             "tls-name to it");
        return;
    }
    refuse(t, FAULT_ACCOUNT, "CERT-HOST", "the certificate is for %s, not for %s", facts->names,
           t->name.text);
    fault_fix(&t->fault, "if one of those names is the server's, set host (or tls-name) to it");
}

static void judge_weak(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_ACCOUNT, "CERT-WEAK",
           "the certificate of %s (issued by %s), or one that it stands on, uses a key or a "
           "signature that is no longer safe",
           t->name.text, facts->issuer);
    fault_fix(&t->fault, "the server's administrator has to replace it");
}

static void judge_staple(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_SERVER, "CERT-STAPLE",
           "the certificate of %s (issued by %s) promises a proof that it is not revoked, and "
           "the server does not send one",
           t->name.text, facts->issuer);
    fault_fix(&t->fault, "the server's administrator has to switch on OCSP stapling");
}

static void judge_other(struct tls *t, const struct facts *facts)
{
    refuse(t, FAULT_ACCOUNT, "CERT-INVALID",
           "the certificates that %s shows (%s, issued by %s) do not form a valid chain",
           t->name.text, facts->subject, facts->issuer);
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
            buf_printf(&text, " (%s)", facts->names);
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
        t->name.text, facts.subject, facts.issuer);
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
           t->name.text, facts.fingerprint, facts.key_fingerprint);
    fault_fix(&t->fault,
              "ask the server's administrator whether it has a new certificate, and only then "
              "add one of these to tls-fingerprint; if it has not, something between here and "
              "the server is intercepting the connection");
}
