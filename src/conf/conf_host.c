/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_host.h"

#include "conf_value.h"
#include "mem.h"
#include "sockname.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_BYTES = 256 /* of a host name, NUL included */
};

static bool is_qualified(const char *name)
{
    return conf_value_is_domain(str_of(name)) && strchr(name, '.') &&
           !str_starts_nocase(str_of(name), STR_LIT("localhost."));
}

/* The resolver's canonical name for name, where that is a full one; else NULL. The caller's. */
static char *canonical_name(const char *name)
{
    struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return NULL;
    const char *canonical = found->ai_canonname;
    char *copy = canonical && is_qualified(canonical) ? mem_strdup(canonical) : NULL;
    freeaddrinfo(found);
    return copy;
}

static char *find_hostname(void)
{
    char name[NAME_BYTES] = "";
    if (gethostname(name, sizeof name - 1) != 0 || !conf_value_is_domain(str_of(name)))
        return mem_strdup("localhost");
    char *full = is_qualified(name) ? NULL : canonical_name(name);
    return full ? full : mem_strdup(name);
}

/* How much an address says about this machine to others; 0 for nothing. */
static int worth(const struct ifaddrs *i)
{
    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || sockname_is_local(i->ifa_addr))
        return 0;
    char ip[SOCKNAME_TEXT_MAX];
    sockname_ip(i->ifa_addr, ip);
    if (!*ip || str_starts_nocase(str_of(ip), STR_LIT("fe80:")))
        return 0;
    return i->ifa_addr->sa_family == AF_INET ? 2 : 1;
}

static char *own_literal(void)
{
    struct ifaddrs *all = NULL;
    char ip[SOCKNAME_TEXT_MAX] = "127.0.0.1", literal[SOCKNAME_TEXT_MAX + 8];
    int best = 0;
    if (getifaddrs(&all) != 0)
        all = NULL;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        if (worth(i) > best) {
            best = worth(i);
            sockname_ip(i->ifa_addr, ip);
        }
    if (all)
        freeifaddrs(all);
    snprintf(literal, sizeof literal, strchr(ip, ':') ? "[IPv6:%s]" : "[%s]", ip);
    return mem_strdup(literal);
}

/* The first line of mailname in *domain, NULL where there is none. */
static int read_mailname(const char *mailname, char **domain, struct err *err)
{
    char line[NAME_BYTES + 2] = "";
    FILE *f = fopen(mailname, "re");
    *domain = NULL;
    if (!f && errno == ENOENT)
        return 0;
    if (!f)
        return err_set(err, "%s:1: cannot be read: %s; mend that, or set domain", mailname,
                       strerror(errno));
    bool any = fgets(line, sizeof line, f) != NULL;
    fclose(f);
    struct str name = str_trim(str_of(line));
    if (!any || name.n == 0)
        return 0;
    if (!conf_value_is_domain(name))
        return err_set(err,
                       "%s:1: this is not a mail domain; write one such as example.com there, "
                       "or set domain",
                       mailname);
    *domain = mem_strndup(name.p, name.n);
    return 0;
}

int conf_host_complete(struct conf *conf, const struct conf *old, const char *mailname,
                       struct err *err)
{
    if (!conf->domain && read_mailname(mailname, &conf->domain, err) != 0)
        return -1;
    conf->hostname_asked = !conf->hostname;
    if (!conf->hostname)
        conf->hostname =
            old && old->hostname_asked ? mem_strdup(old->hostname) : find_hostname();
    if (!conf->domain)
        conf->domain = mem_strdup(conf->hostname);
    if (!conf->ehlo_name)
        conf->ehlo_name =
            is_qualified(conf->hostname) || conf_value_is_literal(str_of(conf->hostname))
                ? mem_strdup(conf->hostname)
                : own_literal();
    return 0;
}
