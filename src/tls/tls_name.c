/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls_name.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

enum {
    HOST_MAX = 1024, /* bytes of a name before its U-labels are mapped */
    LABEL_MAX = 63   /* RFC 1035 section 2.3.4 */
};

static bool set_address(struct tls_name *name, const char *host)
{
    char text[INET6_ADDRSTRLEN];
    size_t n = strcspn(host, "%");
    if (n >= sizeof text)
        return false;
    memcpy(text, host, n);
    text[n] = '\0';
    if (inet_pton(AF_INET, host, name->address) == 1) {
        name->address_bytes = 4;
    } else if (inet_pton(AF_INET6, text, name->address) == 1) {
        name->address_bytes = 16;
    } else {
        return false;
    }
    snprintf(name->text, sizeof name->text, "%s", text);
    return true;
}

static bool is_label(struct str label)
{
    if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        if (!str_is_alpha(c) && !str_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* The last label must not be a number: "127.1" is an address to the resolver and a name to
 * everybody else. */
static bool is_dns_name(struct str text)
{
    if (text.n == 0 || text.n > TLS_NAME_MAX)
        return false;
    for (;;) {
        size_t dot = str_find(text, '.');
        struct str label = str_head(text, dot);
        uint64_t number;
        if (!is_label(label))
            return false;
        if (dot == text.n)
            return !str_u64(label, &number);
        text = str_tail(text, dot + 1);
    }
}

static int refuse(struct err *err, const char *host)
{
    return err_set(err,
                   "\"%.300s\" cannot be the name of a host: it must be a DNS name of letters, "
                   "digits, hyphens and dots (at most %d bytes, %d between dots), or an IP "
                   "address",
                   host, TLS_NAME_MAX, LABEL_MAX);
}

static int set_dns_name(struct tls_name *name, struct str text, const char *host,
                        struct err *err)
{
    if (!is_dns_name(text))
        return refuse(err, host);
    for (size_t i = 0; i < text.n; i++)
        name->text[i] = str_lower(text.p[i]);
    name->text[text.n] = '\0';
    name->address_bytes = 0;
    return 0;
}

int tls_name_set(struct tls_name *name, const char *host, struct err *err)
{
    struct str text = str_of(host);
    if (set_address(name, host))
        return 0;
    if (text.n && text.p[text.n - 1] == '.')
        text.n--;
    if (str_is_ascii(text))
        return set_dns_name(name, text, host, err);
    gnutls_datum_t mapped;
    if (text.n > HOST_MAX ||
        gnutls_idna_map(text.p, (unsigned)text.n, &mapped, GNUTLS_IDNA_FORCE_2008) < 0)
        return refuse(err, host);
    int rc = set_dns_name(name, (struct str){(char *)mapped.data, mapped.size}, host, err);
    gnutls_free(mapped.data);
    return rc;
}
