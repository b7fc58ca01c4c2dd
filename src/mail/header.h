/* SPDX-License-Identifier: GPL-3.0-or-later */
/* header_: splits a message's header block into fields as it streams in (RFC 5322 2.2). Lines
 * end with LF or CRLF. Lines "From ..." and ">From ..." at the very start, which mailbox files
 * have, are dropped (N-045). */
#ifndef TRANTER_HEADER_H
#define TRANTER_HEADER_H

#include "buf.h"

enum header_event_type {
    HEADER_MORE,  /* feed it more */
    HEADER_FIELD, /* .name and .value of a whole field, folding kept */
    HEADER_END,   /* the blank line was met and eaten: all that follows is body; or there are no
                     more bytes */
    HEADER_BODY, /* a line that is no field ended the block; it has not been consumed: it is the
                    body's first line */
    HEADER_LARGE /* the block is over its limit */
};

struct header_event {
    enum header_event_type type;
    struct str name;  /* without blanks before the colon */
    struct str value; /* all behind the colon, line ends inside kept as they came, without the
                         last one */
    struct str field; /* the whole field as it came, without the last line end */
};

struct header {
    struct buf pending;   /* what has not been told yet */
    size_t scanned;       /* of pending: bytes known to hold no end of field */
    size_t colon;         /* of pending: index of the colon behind the name; 0: not met yet */
    size_t consumed;      /* of pending: bytes of the field told last */
    uint32_t total_bytes; /* of the block so far */
    uint32_t limit_bytes;
    bool begun;    /* a field was told */
    bool skipping; /* amid a line that is dropped */
    bool eof;
    enum header_event_type end; /* the event that ended the block; HEADER_MORE before */
};

/* Ready for the first byte; the block may have at most limit_bytes, its blank line not counted.
 */
void header_init(struct header *h, uint32_t limit_bytes);
void header_release(struct header *h);

/* Take in n bytes. After HEADER_END or HEADER_BODY what was not the block's is in
 * header_rest(). */
void header_feed(struct header *h, const void *bytes, size_t n);

/* No more bytes: a last field without its line end is a field (compat 4). */
void header_eof(struct header *h);

/* The next event; views are valid until the next call of any header_ function. HEADER_END,
 * HEADER_BODY and HEADER_LARGE are final and told again when asked again. */
enum header_event_type header_next(struct header *h, struct header_event *e);

/* After HEADER_END or HEADER_BODY: the body's bytes that had been fed already. */
struct str header_rest(const struct header *h);

#endif
