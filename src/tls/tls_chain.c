/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls_chain.h"

#include "printable.h"
#include "tls_private.h"

#include <gnutls/x509.h>
#include <stdio.h>

enum {
    NAMES_SHOWN = 6,
    HASH_BYTES = TLS_CHAIN_SHA256_DIGITS / 2
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

gnutls_x509_crt_t tls_chain_import(const struct tls *t, unsigned i)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(t->session, &n);
    return chain && i < n ? import(&chain[i]) : NULL;
}

int tls_chain_alt_name(gnutls_x509_crt_t crt, unsigned i, char *name, size_t *size)
{
    return gnutls_x509_crt_get_subject_alt_name(crt, i, name, size, NULL);
}

static void to_hex(const unsigned char hash[HASH_BYTES], char text[TLS_CHAIN_SHA256_DIGITS + 1])
{
    for (size_t i = 0; i < HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

/* "" where it cannot be told. */
static void certificate_fingerprint(gnutls_x509_crt_t crt,
                                    char text[TLS_CHAIN_SHA256_DIGITS + 1])
{
    unsigned char hash[HASH_BYTES];
    size_t size = sizeof hash;
    text[0] = '\0';
    if (gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, hash, &size) >= 0)
        to_hex(hash, text);
}

static void key_fingerprint(gnutls_x509_crt_t crt, char text[TLS_CHAIN_SHA256_DIGITS + 1])
{
    unsigned char hash[HASH_BYTES];
    size_t size = sizeof hash;
    text[0] = '\0';
    if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, hash, &size) >= 0)
        to_hex(hash, text);
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
static void tell_names(struct tls_certificate *c, gnutls_x509_crt_t crt)
{
    struct buf names;
    unsigned shown = 0;
    buf_init(&names, 8 * 1024);
    for (unsigned i = 0;; i++) {
        char name[512];
        size_t size = sizeof name;
        int type = tls_chain_alt_name(crt, i, name, &size);
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
    if (shown == 0 && gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                                    common, &size) == 0)
        buf_put(&names, common, size);
    if (buf_len(&names) == 0)
        buf_puts(&names, "nobody");
    printable_cut(c->names, sizeof c->names, buf_str(&names));
    buf_release(&names);
}

typedef int dn_getter(gnutls_x509_crt_t crt, gnutls_datum_t *dn, unsigned flags);

static void tell_dn(char text[TLS_CHAIN_DN_MAX], dn_getter *get, gnutls_x509_crt_t crt)
{
    gnutls_datum_t dn;
    if (get(crt, &dn, 0) < 0) {
        snprintf(text, TLS_CHAIN_DN_MAX, "an unreadable name");
        return;
    }
    printable_cut(text, TLS_CHAIN_DN_MAX, (struct str){(char *)dn.data, dn.size});
    gnutls_free(dn.data);
}

unsigned tls_chain_length(const struct tls *t)
{
    unsigned n = 0;
    return gnutls_certificate_get_peers(t->session, &n) ? n : 0;
}

bool tls_chain_get(const struct tls *t, unsigned i, struct tls_certificate *c)
{
    gnutls_datum_t address = {0};
    gnutls_x509_crt_t crt = tls_chain_import(t, i);
    if (!crt)
        return false;
    tell_names(c, crt);
    tell_dn(c->subject, gnutls_x509_crt_get_dn3, crt);
    tell_dn(c->issuer, gnutls_x509_crt_get_issuer_dn3, crt);
    c->valid_from = gnutls_x509_crt_get_activation_time(crt);
    c->valid_until = gnutls_x509_crt_get_expiration_time(crt);
    c->self_issued = gnutls_x509_crt_check_issuer(crt, crt) != 0;
    c->knows_issuer_address = gnutls_x509_crt_get_authority_info_access(
                                  crt, 0, GNUTLS_IA_CAISSUERS_URI, &address, NULL) >= 0;
    gnutls_free(address.data);
    certificate_fingerprint(crt, c->fingerprint);
    key_fingerprint(crt, c->key_fingerprint);
    gnutls_x509_crt_deinit(crt);
    return true;
}
