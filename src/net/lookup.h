/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lookup_: getaddrinfo in a thread of its own, so that a resolver that does not answer stops
 * neither the loop nor the exit of the program. */
#ifndef TRANTER_LOOKUP_H
#define TRANTER_LOOKUP_H

#include "lookup_dns.h"
#include "loop.h"

#include <netdb.h>

struct lookup;

enum {
    LOOKUP_THREADS_MAX = 16 /* at once, those included that were given up */
};

/* Ask for the stream addresses of host; on_done(owner) is called once from the loop. NULL where
 * LOOKUP_THREADS_MAX threads still wait for earlier answers, or none can be started. */
struct lookup *lookup_new(struct loop *loop, const char *host, uint16_t port,
                          void (*on_done)(void *owner), void *owner);

/* After on_done: getaddrinfo's result (0 or EAI_), errno for EAI_SYSTEM, and the list, which
 * lives as long as the lookup. */
int lookup_result(const struct lookup *l, int *error, const struct addrinfo **list);

/* After on_done, where there is no address and a reason was looked for: DNS's own words; else
 * NULL. Borrowed. */
const struct lookup_dns *lookup_dns(const struct lookup *l);

/* Give it back, done or not; on_done is not called after. */
void lookup_free(struct lookup *l);

/* Take the place of getaddrinfo and of lookup_dns_ask, in tests alone; NULL puts it back. */
void lookup_replace(int (*resolve)(const char *host, const char *service,
                                   const struct addrinfo *hints, struct addrinfo **list),
                    void (*ask_dns)(const char *host, struct lookup_dns *found));

#endif
