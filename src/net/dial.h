/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dial_: name to connected descriptor: getaddrinfo in a helper thread, then each address in
 * turn. */
#ifndef TRANTER_DIAL_H
#define TRANTER_DIAL_H

#include "fault.h"
#include "loop.h"

struct dial;

/* Resolve host (an IP address is taken as it is) and connect to port: every address in the
 * order getaddrinfo gives (RFC 6724), 16 at most; the resolver and each address get at most
 * timeout_ms. on_done(owner, fd, fault) is called once from the loop: fd is
 * connected and the owner's, fault NULL; or fd is -1 and fault (borrowed) says for which
 * addresses what failed. The dial frees itself after. */
struct dial *dial_new(struct loop *loop, const char *host, uint16_t port, int64_t timeout_ms,
                      void (*on_done)(void *owner, int fd, const struct fault *fault),
                      void *owner);

/* Give up; on_done is not called. */
void dial_cancel(struct dial *d);

#endif
