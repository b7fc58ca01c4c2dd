/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conn_: a stream connection: descriptor, two buffers, an optional TLS engine, a deadline.
 *
 * One callback, on_io(owner), tells that something changed: bytes came, room came, TLS is up,
 * the end came, the deadline passed. The owner then looks: conn_in(), conn_end(), ... consumes
 * and writes what it likes. Closing is always deferred: conn_close() may be called anywhere. */
#ifndef TRANTER_CONN_H
#define TRANTER_CONN_H

#include "buf.h"
#include "fault.h"
#include "loop.h"
#include "tls.h"

#include <sys/socket.h>

enum {
    CONN_IN_MAX = 64 * 1024, /* plain bytes kept unread; reading stops above */
    CONN_OUT_LOW =
        128 * 1024 /* conn_out_room() is true below; on_io is called when it becomes so */
};

struct conn;

/* Take over fd (connected, closed here), with TCP_NODELAY where it is TCP. on_io is called from
 * the loop, never from inside a conn_ function. */
struct conn *conn_new(struct loop *loop, int fd, void (*on_io)(void *owner), void *owner);

/* What sentences about the peer call it beside its address: the host name that was asked for.
 */
void conn_name(struct conn *c, const char *name);

/* Give c up. on_io is not called again, and c must not be used again. What is queued is still
 * written and what still comes is thrown away, until the peer has closed too (so that it can
 * read the last reply in peace) or linger_ms have passed; with 0, one write and the end. */
void conn_close(struct conn *c, int64_t linger_ms);

/* Plain bytes that came and were not consumed; consume with buf_consume(). Reading goes on by
 * itself when there is room again. */
struct buf *conn_in(struct conn *c);

/* Queue plain bytes; they go out at the end of the turn in as few writes as possible. The owner
 * minds conn_out_room(): more than 64 MiB fail the connection. Without effect after it failed.
 */
void conn_write(struct conn *c, struct str bytes);

/* Bytes queued (before encryption and after) and not yet taken by the kernel. */
size_t conn_out_bytes(const struct conn *c);
bool conn_out_room(const struct conn *c);

/* Start TLS as a client, once; the engine is taken. Bytes in conn_in() stay there: they came in
 * clear. What was queued before goes out in clear, what is queued from now on in TLS. */
void conn_start_tls(struct conn *c, struct tls *tls);

/* Told once after conn_start_tls(): the handshake is done. */
bool conn_took_secured(struct conn *c);
const struct tls *conn_tls(const struct conn *c); /* NULL in clear */

enum conn_end {
    CONN_OPEN,
    CONN_EOF,   /* a clean end of input; conn_in() may still hold bytes */
    CONN_FAILED /* conn_fault() says why; conn_in() may still hold bytes that came before */
};

enum conn_end conn_end(const struct conn *c);

/* After CONN_FAILED, scope SERVER (or TLS's own); borrowed. NULL before. */
const struct fault *conn_fault(const struct conn *c);

/* on_io is called at this monotonic time (clock_mono_ms()) at the latest, once; INT64_MAX for
 * never. */
void conn_deadline(struct conn *c, int64_t at_ms);

/* "192.0.2.1" or "2001:db8::1" of a TCP peer, "" of a UNIX one; and the port, 0. */
const char *conn_peer_address(const struct conn *c);
uint16_t conn_peer_port(const struct conn *c);

/* The kernel's word about a UNIX peer; false for others. */
bool conn_peer_cred(const struct conn *c, struct ucred *cred);

#endif
