/* SPDX-License-Identifier: GPL-3.0-or-later */
/* owner_: the owner of a connection in tests: what it saw, what it does when told, and the
 * peer's end in the test's hand. */
#ifndef TRANTER_CONN_OWNER_H
#define TRANTER_CONN_OWNER_H

#include "buf.h"
#include "conn.h"

enum {
    OWNER_MUCH = 1024 * 1024
};

struct owner {
    struct loop *loop;
    struct conn *conn;
    int peer;
    struct buf seen;     /* what it took out of conn_in() */
    size_t take_at_once; /* bytes; 0: leave them */
    size_t longest;      /* most that ever waited in conn_in() */
    enum conn_end end;   /* as last seen */
    size_t seen_at_end;  /* bytes seen when the end was first told */
    int secured, calls;
    bool close_when_told;
    struct buf arrived; /* at the peer */
    struct owner *neighbour;
};

/* Look at the connection as on_io does. */
void owner_on_io(void *owner);

/* Take fds[0] for the connection, fds[1] for the peer; or make a pair of sockets for the two.
 */
void owner_open(struct owner *o, struct loop *loop, int fds[2]);
void owner_pair(struct owner *o, struct loop *loop, bool tcp);
void owner_close(struct owner *o);

/* The peer closes; resets a TCP connection; reads all there is into .arrived. */
void owner_close_peer(struct owner *o);
void owner_reset_peer(struct owner *o);
void owner_drain_peer(struct owner *o);

/* OWNER_MUCH bytes, each telling its place. */
struct str owner_pattern(void);

/* The peer sends what the kernel takes of the pattern, some turns long. The bytes sent so far.
 */
size_t owner_flood(struct owner *o, size_t sent);

/* For turns_until(): about an owner. */
bool owner_has_ended(void *owner);
bool owner_has_seen(void *owner);
bool owner_was_told(void *owner);
bool owner_peer_got_much(void *owner);
bool owner_is_cut_off(void *owner);

#endif
