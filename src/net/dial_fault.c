/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "buf.h"
#include "dial_inner.h"
#include "sockname.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
    DETAILS_MAX = 300 /* bytes about the single addresses in a sentence */
};

/* From the failure that says most to the one that says least. */
static const struct cause {
    int error; /* 0: any other */
    const char *code, *sentence, *fix;
} causes[] = {
    {ECONNREFUSED, "TCP-REFUSED", "refuses connections",
     "check host and port of the smarthost; submission uses port 587 (STARTTLS) or 465 (TLS)"},
    {ECONNRESET, "TCP-RST-EARLY", "closes connections before it says a word",
     "it may refuse this machine's address, or so many connections"},
    {ETIMEDOUT, "TCP-TIMEOUT", "does not answer",
     "a firewall may be in the way, or the provider does not offer this port: try the other of "
     "587 and 465"},
    {EACCES, "TCP-PERM", "may not be connected to from here",
     "a rule of this machine forbids it: look at its firewall and at the service's sandbox"},
    {EPERM, "TCP-PERM", "may not be connected to from here",
     "a rule of this machine forbids it: look at its firewall and at the service's sandbox"},
    {EHOSTUNREACH, "NET-UNREACH", "cannot be reached", "look at this machine's network"},
    {ENETUNREACH, "NET-UNREACH", "cannot be reached", "look at this machine's network"},
    {ENETDOWN, "NET-UNREACH", "cannot be reached", "look at this machine's network"},
    {0, "NET-UNREACH", "cannot be connected to", "look at this machine's network"},
};

enum {
    N_CAUSES = sizeof causes / sizeof causes[0]
};

static const struct cause *cause_of(const struct dial *d)
{
    unsigned best = N_CAUSES - 1;
    for (unsigned i = 0; i < d->n; i++) {
        unsigned at = 0;
        while (causes[at].error && causes[at].error != d->addresses[i].error)
            at++;
        if (at < best)
            best = at;
    }
    return &causes[best];
}

static const struct sockaddr *address_of(const struct dial *d, unsigned i)
{
    return (const struct sockaddr *)&d->addresses[i].address;
}

static void put_details(const struct dial *d, struct buf *details)
{
    for (unsigned i = 0; i < d->n && !details->failed; i++) {
        char ip[SOCKNAME_TEXT_MAX];
        sockname_ip(address_of(d, i), ip);
        buf_printf(details, "%s%s: %s", i ? "; " : "", ip, strerror(d->addresses[i].error));
    }
}

static bool is_ipv6(const struct sockaddr *address)
{
    return address->sa_family == AF_INET6;
}

/* RFC 1918, RFC 6598, RFC 4193, link-local. */
static bool is_private(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (is_ipv6(address)) {
        memcpy(&v6, address, sizeof v6);
        return (v6.sin6_addr.s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
    }
    memcpy(&v4, address, sizeof v4);
    uint32_t ip = ntohl(v4.sin_addr.s_addr);
    return ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8 || ip >> 22 == 0x191 ||
           ip >> 16 == 0xa9fe;
}

static bool all_are(const struct dial *d, bool (*such)(const struct sockaddr *address))
{
    unsigned n = 0;
    while (n < d->n && such(address_of(d, n)))
        n++;
    return n == d->n;
}

/* Names that are meant for this network alone. */
static bool is_inner_name(struct str host)
{
    static const struct str ends[] = {
        STR_LIT("localhost"), STR_LIT("local"), STR_LIT("localdomain"), STR_LIT("internal"),
        STR_LIT("intranet"),  STR_LIT("lan"),   STR_LIT("home"),        STR_LIT("corp"),
        STR_LIT("home.arpa"), STR_LIT("test"),
    };
    if (sockname_is_ip(host) || str_find(host, '.') == host.n)
        return true;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct str end = ends[i];
        if (host.n > end.n && host.p[host.n - end.n - 1] == '.' &&
            str_eq_nocase(str_tail(host, host.n - end.n), end))
            return true;
    }
    return false;
}

/* A name of the Internet that leads to where no provider can be. */
static bool is_led_astray(struct fault *f, const struct dial *d, int error, struct str details)
{
    char ip[SOCKNAME_TEXT_MAX];
    sockname_ip(address_of(d, 0), ip);
    if (is_inner_name(str_of(d->host)))
        return false;
    if (error == ECONNREFUSED && all_are(d, sockname_is_local)) {
        fault_set(f, FAULT_SERVER, "4.4.1", "DNS-LOOPBACK",
                  "%s resolves to this machine (%s), which refuses connections on port %u",
                  d->host, ip, d->port);
        fault_fix(f, "look for the name in /etc/hosts, and check host");
        return true;
    }
    if (all_are(d, is_private)) {
        fault_set(f, FAULT_SERVER, "4.4.1", "DNS-PRIVATE",
                  "%s resolves to a private address, which does not answer on port %u (%.*s); "
                  "this network may be redirecting DNS",
                  d->host, d->port, STR_FMT(details));
        fault_fix(f, "look at this machine's network (a captive portal?), and check host");
        return true;
    }
    return false;
}

void dial_fault_of_addresses(struct fault *f, const struct dial *d)
{
    const struct cause *cause = cause_of(d);
    const char *code = cause->code, *fix = cause->fix;
    struct buf details;
    buf_init(&details, DETAILS_MAX);
    put_details(d, &details);
    if (cause->error == ETIMEDOUT && d->port == 25) {
        code = "TCP-TIMEOUT-25";
        fix = "many providers block port 25; use port = 587 or port = 465";
    }
    if (cause->error == ENETUNREACH && all_are(d, is_ipv6)) {
        code = "NET-IPV6ONLY";
        fix = "it has IPv6 addresses alone and this machine has no IPv6";
    }
    if (!is_led_astray(f, d, cause->error, buf_str(&details))) {
        fault_set(f, FAULT_SERVER, "4.4.1", code, "%s %s on port %u (%.*s%s)", d->host,
                  cause->sentence, d->port, STR_FMT(buf_str(&details)),
                  details.failed ? "; and others" : "");
        fault_fix(f, "%s", fix);
    }
    buf_release(&details);
}

static void blame_name(struct fault *f, const struct dial *d, const struct lookup_dns *dns)
{
    if (dns && dns->has_mx) {
        fault_set(f, FAULT_SERVER, "4.4.4", "DNS-MXONLY",
                  "%s is a mail domain, not a server: it has no address of its own", d->host);
        fault_fix(f, "set host to the name of its submission server, often smtp.%.200s",
                  d->host);
        return;
    }
    fault_set(f, FAULT_SERVER, "4.4.4", "DNS-NODATA", "%s exists but has no IP address",
              d->host);
    fault_fix(f,
              "a mail domain is no server: its submission server has another name, often "
              "smtp.%.200s",
              d->host);
}

void dial_fault_of_resolver(struct fault *f, const struct dial *d, int result, int error,
                            const struct lookup_dns *dns)
{
    const char *server = dns ? dns->server : "";
    if (result == EAI_NONAME) {
        fault_set(f, FAULT_SERVER, "4.4.4", "DNS-NXDOMAIN", "the name %s does not exist in DNS",
                  d->host);
        fault_fix(f, "check the spelling of host");
    } else if (result == EAI_NODATA || result == EAI_ADDRFAMILY) {
        blame_name(f, d, dns);
    } else if ((dns && dns->refused) || (result == EAI_SYSTEM && error == ECONNREFUSED)) {
        fault_set(f, FAULT_SERVER, "4.4.3", "DNS-NORESOLVER",
                  "the resolver%s%s refused the question for %s", server[0] ? " at " : "",
                  server, d->host);
        fault_fix(f, "see whether it runs (/etc/resolv.conf names it) and can be reached from "
                     "the service's sandbox");
    } else {
        fault_set(f, FAULT_SERVER, "4.4.3", "DNS-TEMP",
                  "no answer from the resolver%s%s for %s (%s)", server[0] ? " at " : "",
                  server, d->host,
                  result == EAI_SYSTEM ? strerror(error) : gai_strerror(result));
        fault_fix(f, "see whether \"getent hosts %.200s\" answers", d->host);
    }
}
