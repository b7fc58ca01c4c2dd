/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lookup_dns_: why getaddrinfo found nothing, asked of DNS itself. */
#ifndef TRANTER_LOOKUP_DNS_H
#define TRANTER_LOOKUP_DNS_H

#include "sockname.h"

#include <stdbool.h>

struct lookup_dns {
    bool has_mx;                    /* it is a mail domain */
    bool refused;                   /* no server listens there */
    char server[SOCKNAME_TEXT_MAX]; /* the first of resolv.conf; "" unknown */
};

/* Ask for host's MX records; that takes up to some seconds. */
void lookup_dns_ask(const char *host, struct lookup_dns *found);

#endif
