/* SPDX-License-Identifier: GPL-3.0-or-later */
/* turns_: run a loop until something is so, and never for ever; connected pairs of sockets. */
#ifndef TRANTER_TURNS_H
#define TRANTER_TURNS_H

#include "loop.h"

#include <stddef.h>

/* Run the loop until so(arg), or for a great many turns. The value of so(arg) then. The test
 * program's own timeout ends a wait for an event that never comes. */
bool turns_until(struct loop *loop, bool (*so)(void *arg), void *arg);

/* Run the loop for ms, and return how many turns it took. */
int turns_for(struct loop *loop, int64_t ms);

/* A connected pair: UNIX, or TCP over 127.0.0.1. Both nonblocking. */
void turns_pair(bool tcp, int fds[2]);

/* A TCP socket listening on ip (its port in *port); backlog as for listen(). */
int turns_listening(const char *ip, uint16_t *port, int backlog);

/* Write all of n bytes / read what is there, up to size, to the peer's end in the test's hand.
 * -1 when there is nothing, 0 at the end. */
void turns_send(int fd, const void *bytes, size_t n);
int turns_recv(int fd, void *bytes, size_t size);

#endif
