/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sockname.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

_Static_assert(SOCKNAME_PATH_MAX + 1 == sizeof(((struct sockaddr_un *)0)->sun_path),
               "sun_path has room for SOCKNAME_PATH_MAX bytes");
_Static_assert(SOCKNAME_TEXT_MAX == INET6_ADDRSTRLEN, "an IPv6 address fits");

static bool read_ip(struct str text, int family, void *binary)
{
    char copy[SOCKNAME_TEXT_MAX];
    if (text.n >= sizeof copy || memchr(text.p, '\0', text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return inet_pton(family, copy, binary) == 1;
}

static bool read_path(struct str text, struct sockaddr_storage *address, socklen_t *length)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (text.n > SOCKNAME_PATH_MAX || memchr(text.p, '\0', text.n))
        return false;
    memcpy(un.sun_path, text.p, text.n);
    memcpy(address, &un, sizeof un);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + text.n + 1);
    return true;
}

bool sockname_of_ip(struct str ip, uint16_t port, struct sockaddr_storage *address,
                    socklen_t *length)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (read_ip(ip, AF_INET, &in.sin_addr)) {
        memcpy(address, &in, sizeof in);
        *length = sizeof in;
        return true;
    }
    if (read_ip(ip, AF_INET6, &in6.sin6_addr)) {
        memcpy(address, &in6, sizeof in6);
        *length = sizeof in6;
        return true;
    }
    return false;
}

bool sockname_parse(struct str text, struct sockaddr_storage *address, socklen_t *length)
{
    if (text.n && text.p[0] == '/')
        return read_path(text, address, length);
    size_t colon = text.n;
    while (colon && text.p[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (colon == 0 || !str_u64(str_tail(text, colon), &port) || port > UINT16_MAX)
        return false;
    struct str ip = str_head(text, colon - 1);
    bool bracketed = ip.n > 1 && ip.p[0] == '[' && ip.p[ip.n - 1] == ']';
    if (bracketed)
        ip = (struct str){ip.p + 1, ip.n - 2};
    bool is_v6 = str_find(ip, ':') < ip.n;
    return is_v6 == bracketed && sockname_of_ip(ip, (uint16_t)port, address, length);
}

bool sockname_is_ip(struct str text)
{
    struct sockaddr_storage address;
    socklen_t length;
    return sockname_of_ip(text, 0, &address, &length);
}

bool sockname_is_local(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
    }
    return address->sa_family == AF_UNIX;
}

void sockname_ip(const struct sockaddr *address, char text[SOCKNAME_TEXT_MAX])
{
    text[0] = '\0';
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, text, SOCKNAME_TEXT_MAX);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        inet_ntop(AF_INET6, &in6.sin6_addr, text, SOCKNAME_TEXT_MAX);
    }
}

uint16_t sockname_port(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohs(in.sin_port);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return ntohs(in6.sin6_port);
    }
    return 0;
}
