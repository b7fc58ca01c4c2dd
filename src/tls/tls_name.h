/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tls_name_: the reference identity of a server (RFC 9525, protocol rules T-004 to T-007). */
#ifndef TRANTER_TLS_NAME_H
#define TRANTER_TLS_NAME_H

#include "err.h"
#include "str.h"

enum {
    TLS_NAME_MAX = 253 /* bytes of a DNS name in text, RFC 1035 section 2.3.4 */
};

struct tls_name {
    char
        text[TLS_NAME_MAX + 1]; /* A-labels in lower case without a final dot, or the address */
    unsigned char address[16];  /* in network order, address_bytes of them */
    size_t address_bytes;       /* 4, 16; 0 for a DNS name */
};

/* Bring host (DNS name in any case, U-labels, one final dot allowed; IPv4 or IPv6 literal, a
 * zone is left out) into the form that is looked for in certificates. -1 with *err if it cannot
 * be a host's name. */
int tls_name_set(struct tls_name *name, const char *host, struct err *err) ATTR_MUST_CHECK;

#endif
