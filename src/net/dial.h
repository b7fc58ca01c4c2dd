/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dial_: name to connected descriptor: getaddrinfo in a helper thread, then its addresses in a
 * race. */
#ifndef TRANTER_DIAL_H
#define TRANTER_DIAL_H

#include "fault.h"
#include "loop.h"

#include <sys/socket.h>

struct dial;

/* Resolve host (an IP address is taken as it is) and connect to port: its addresses in the
 * order getaddrinfo gives (RFC 6724), 16 at most and 12 of a family, IPv6 and IPv4 in turn,
 * each a quarter of a second after the one before or at once when that has failed (RFC 8305);
 * the first that connects is taken. The resolver and each address get at most timeout_ms.
 * on_done(owner, fd, fault) is called once from the loop: fd is connected and the owner's,
 * fault NULL; or fd is -1 and fault (borrowed) says for which addresses what failed. The dial
 * frees itself after. */
struct dial *dial_new(struct loop *loop, const char *host, uint16_t port, int64_t timeout_ms,
                      void (*on_done)(void *owner, int fd, const struct fault *fault),
                      void *owner);

/* Give up; on_done is not called. */
void dial_cancel(struct dial *d);

enum dial_state {
    DIAL_UNTRIED,
    DIAL_UNDER_WAY, /* another was faster */
    DIAL_FAILED,
    DIAL_CONNECTED
};

struct dial_address {
    struct sockaddr_storage address;
    socklen_t length;
    enum dial_state state;
    int error;       /* why it FAILED, an errno */
    int64_t took_ms; /* since it was begun */
};

struct dial_report {
    const struct dial_address *addresses; /* n, in the order in which they are tried */
    unsigned n;
    const char *canonical; /* the name that host is an alias of; NULL: of none */
    int64_t resolved_ms;   /* how long the resolver took; -1: there was no name to look up */
    int64_t connected_ms;  /* how long after that */
    bool missed_ipv6;      /* IPv6 came first and does not work from here; IPv4 does */
};

/* What was found out. For on_done, and as long as it runs. */
struct dial_report dial_report(const struct dial *d);

#endif
