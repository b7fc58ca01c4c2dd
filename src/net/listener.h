/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listener_: accepts on UNIX and TCP stream sockets. */
#ifndef TRANTER_LISTENER_H
#define TRANTER_LISTENER_H

#include "err.h"
#include "loop.h"
#include "str.h"

#include <sys/types.h>

struct listener;

/* Listen at where: an absolute socket path, made with mode, or "address:port" ("[v6]:port"). A
 * stale socket file is removed only after a failed connect; anything else in its place is
 * refused (L-003). Missing parent directory: made with 0755. Pauses instead of spinning when
 * descriptors run out (L-073). on_accept(fd, arg) takes fd. NULL with a sentence in *err. */
struct listener *listener_new(struct loop *loop, const char *where, mode_t mode,
                              void (*on_accept)(int fd, void *arg), void *arg, struct err *err);

/* Listen on a socket that is listening already (systemd's); fd is taken. */
struct listener *listener_of_fd(struct loop *loop, int fd, void (*on_accept)(int fd, void *arg),
                                void *arg);

/* What a client is told (and then closed) while descriptors have run out: "421 ...\r\n",
 * copied. Without it clients wait in the kernel's queue. */
void listener_busy_reply(struct listener *l, const char *reply);

/* Stop accepting, for now or for good. A socket file made by listener_new() is removed by
 * listener_free(). */
void listener_pause(struct listener *l, bool pause);
void listener_free(struct listener *l);

/* Is it a TCP socket? Its port; 0 for a UNIX one. */
bool listener_is_network(const struct listener *l);
uint16_t listener_port(const struct listener *l);

#endif
