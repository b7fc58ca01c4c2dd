/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conn_inner_: what conn.c (its life) and conn_io.c (its bytes) share. */
#ifndef TRANTER_CONN_INNER_H
#define TRANTER_CONN_INNER_H

#include "conn.h"
#include "loop_task.h"
#include "sockname.h"

#include <event2/event.h>

enum {
    CONN_OUT_MAX = 64 * 1024 * 1024
};

enum conn_stage {
    CONN_IN_USE,
    CONN_CLOSING,   /* writes the rest */
    CONN_LINGERING, /* has written all; waits for the peer's end */
    CONN_GONE       /* closed; freed at the end of the turn */
};

struct conn {
    struct loop *loop;
    int fd;
    void (*on_io)(void *owner);
    void *owner;
    struct event *readable, *writable;
    struct loop_timer *timer; /* deadline, or linger; NULL until one is set */
    struct loop_task flush;   /* at the end of this turn */
    struct loop_task orphan;  /* closing, when the loop is freed */
    struct buf in, out;       /* plain */
    struct tls *tls;
    struct fault *fault;
    char *name;
    enum conn_stage stage;
    enum conn_end end;
    bool secured;      /* the handshake is done */
    bool told_secured; /* and the owner knows */
    bool full;         /* reading stopped: in has no room */
    bool crowded;      /* out had no room when the owner last wrote */
    bool wire_ended;   /* the kernel has no more for us */
    bool write_failed; /* read what is left, then it is over */
    bool said_bye;
    bool heard; /* at least one byte */
    bool is_unix;
    bool in_a_hurry; /* closing without linger */
    uint16_t peer_port;
    char peer_address[SOCKNAME_TEXT_MAX];
};

/* Encrypt and write what can be written now. True if the owner has room again. */
bool conn_inner_flush(struct conn *c);

/* Take what came. True if the owner has something new to look at. */
bool conn_inner_fill(struct conn *c);

/* Go on after in has room again; calls the owner in the next turn where that brought news. */
void conn_inner_resume(struct conn *c);

/* Go on with TLS. True as for fill. */
bool conn_inner_pump(struct conn *c);

/* Nothing can be written any more: what came before is still read and handed out, then the
 * connection has failed. */
void conn_inner_break(struct conn *c, int error);

/* Call on_io in the next turn. */
void conn_inner_poke(struct conn *c);

/* Let libevent watch for input, or not. */
void conn_inner_watch_input(struct conn *c, bool watch);

/* The engine's output, or out itself in clear. */
struct buf *conn_inner_wire(const struct conn *c);

/* Free everything: at once, but for c itself. */
void conn_inner_destroy(struct conn *c);

#endif
