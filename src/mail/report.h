/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_: a delivery status notification (RFC 3464, 6522, 3834) as a whole message in wire
 * form. Pure. */
#ifndef TRANTER_REPORT_H
#define TRANTER_REPORT_H

#include "buf.h"
#include "fault.h"

struct report_recipient {
    const char *address;
    const struct fault *fault;
    const char *remote; /* "smtp.example.com", or NULL where none was reached */
    int64_t attempt_ms; /* wall clock of the last attempt */
};

/* Everything is borrowed. */
struct report_facts {
    const char *hostname;  /* Reporting-MTA */
    const char *domain;    /* of MAILER-DAEMON@ */
    const char *id;        /* of the message that failed */
    const char *report_id; /* of the report itself; makes Message-ID and boundary its own */
    const char *sender;    /* envelope sender of the message that failed: who gets this */
    int64_t arrival_ms;    /* wall clock */
    int64_t now_ms;
    int32_t zone_minutes;
    struct str header; /* the original header block in wire form, without the blank line; cut
                          where it is large */
    const struct report_recipient *recipients;
    unsigned n_recipients;
};

enum {
    REPORT_HEADER_MAX = 64 * 1024,     /* bytes of the original header that are returned */
    REPORT_BYTES_MAX = 2 * 1024 * 1024 /* of a whole report */
};

/* Append the report: for all recipients that failed together (N-006), Action: failed. It is
 * never longer than REPORT_BYTES_MAX: the text names as many recipients as fit in 256 KiB, the
 * second part lists 2,000 whatever was said and some 10,000 of common size, and the text says
 * how many there are beyond. Nothing that the strings of facts or the header say can begin a
 * field, a part or a line of its own; lines stay within 998 bytes. 8-bit only where an address,
 * a sentence or the header is. */
void report_failure(struct buf *out, const struct report_facts *facts);

/* May a message with this header block be answered with a report? False when its Auto-Submitted
 * field says anything but "no" (N-008, RFC 3834 2). That its sender is not null is the caller's
 * to know. */
bool report_is_wanted(struct str header);

#endif
