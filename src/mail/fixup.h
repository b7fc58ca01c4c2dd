/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fixup_: what a submission server may change in a message (RFC 6409 8), as a stream in wire
 * form (CRLF).
 *
 * Goes out: our Received field; then every field as it came, less Bcc, Resent-Bcc, Return-Path
 * and Content-Length, and with unqualified addresses completed; then Date, Message-ID and From
 * where they are missing (in a resend, which any Resent- field makes it, their Resent- forms
 * instead); a blank line; the body untouched.
 *
 * A first line that is no field begins the body; a mailbox file's "From " line is dropped
 * (N-045). However the bytes are cut, the same goes out. Memory is that of the longest field,
 * and none in the body. */
#ifndef TRANTER_FIXUP_H
#define TRANTER_FIXUP_H

#include "buf.h"
#include "header.h"
#include "line_limit.h"

/* All strings are borrowed while the fixup lives. */
struct fixup_facts {
    const char *hostname;        /* by ... */
    const char *domain;          /* completes addresses */
    const char *peer;            /* from ..., "localhost (uid 1000)"; already safe */
    const char *protocol;        /* with ... */
    const char *id;              /* queue id */
    const char *sender;          /* envelope, completed; "" for the null sender */
    int64_t now_ms;              /* wall clock */
    int32_t zone_minutes;        /* east of UTC */
    uint32_t header_limit_bytes; /* as the submitter sent it, without the blank line */
    bool as_is; /* add nothing but Received, and complete nothing: the message comes from
                   another mail system (sendmail -G) */
};

enum fixup_status {
    FIXUP_OK,
    FIXUP_HEADER_LARGE, /* the header block is over its limit, or grew over out's when its
                           addresses were completed */
    FIXUP_LOOP          /* more than FIXUP_RECEIVED_MAX Received fields (N-030), or
                           FIXUP_OWN_MAX of hostname's tranter (N-031) */
};

enum {
    FIXUP_RECEIVED_MAX = 50,
    FIXUP_OWN_MAX = 3
};

struct fixup {
    struct fixup_facts facts;
    struct header header;
    bool in_body;
    bool started;
    char last_byte;          /* of the body */
    unsigned received;       /* fields met, */
    unsigned own_received;   /* and of those, hostname's tranter's */
    unsigned seen;           /* which of the fields that may be missing were met */
    bool body_8bit;          /* an octet over 127 went by, in the header or the body */
    struct line_limit lines; /* of what went out */
    char message_id[128];    /* the message's own, or the one that was added; for the log.
                                Printable, with brackets */
    enum fixup_status status;
};

void fixup_init(struct fixup *f, const struct fixup_facts *facts);
void fixup_release(struct fixup *f);

/* Take in n bytes of the message in wire form and append what is to be stored to out. Anything
 * but FIXUP_OK is final. */
enum fixup_status fixup_feed(struct fixup *f, struct buf *out, const void *bytes, size_t n);

/* The message ends here: complete the header if the blank line never came; give the last line
 * its CRLF. */
enum fixup_status fixup_end(struct fixup *f, struct buf *out);

#endif
