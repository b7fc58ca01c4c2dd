/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake_: a message as it comes on standard input, made into what is sent after DATA: mbox
 * line and NULs dropped, line ends made CRLF, dots stuffed (compat 4). On the way through the
 * header it notes what the envelope is made of. Pure: bytes in, bytes out. */
#ifndef TRANTER_INTAKE_H
#define TRANTER_INTAKE_H

#include "canon.h"
#include "header.h"
#include "recipients.h"

enum {
    INTAKE_HEADER_MAX = 1024 * 1024, /* bytes of a header */
    INTAKE_OUT_MAX = 8 * 1024 * 1024 /* twice a header and a feed */
};

enum intake_state {
    INTAKE_HEADER, /* the envelope is not known yet */
    INTAKE_BODY,
    INTAKE_LARGE, /* the header went over INTAKE_HEADER_MAX; what follows is dropped */
    INTAKE_END    /* the last byte has been taken */
};

struct intake {
    enum intake_state state;
    struct buf out; /* wire form, without the final dot; the owner consumes it */
    struct header header;
    struct canon canon;
    uint64_t n_nul;     /* NULs left out */
    uint64_t n_ignored; /* bytes behind the dot that ended the message */
    bool has_from;      /* a From field was met */
    bool has_resent;    /* any Resent- field */
    bool has_resent_from;
    bool resent_over;         /* the first block of Resent- fields is behind us */
    bool resent_named;        /* a Resent-To, -Cc or -Bcc was met */
    struct recipients to;     /* of To, Cc and Bcc */
    struct recipients resent; /* of the first block's Resent-To, -Cc and -Bcc */
};

/* dot_ends: a line "." ends the message. */
void intake_init(struct intake *in, bool dot_ends);
void intake_release(struct intake *in);

/* Take in n bytes (at most 64 KiB at once), all of them unless the state becomes INTAKE_END. */
enum intake_state intake_feed(struct intake *in, const char *bytes, size_t n);

/* End of file: INTAKE_END, or INTAKE_LARGE where that was the state. */
enum intake_state intake_eof(struct intake *in);

/* Whom the header names: those of the resend, where it is one (compat 3.3). */
const struct recipients *intake_recipients(const struct intake *in);

#endif
