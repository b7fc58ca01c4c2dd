/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_: a delivery status notification (RFC 3464, 6522, 6533, 3834) as a whole message in
 * wire form. Pure. */
#ifndef TRANTER_REPORT_H
#define TRANTER_REPORT_H

#include "buf.h"
#include "fault.h"

/* What became of a recipient (RFC 3464 2.3.3). */
enum report_action {
    REPORT_FAILED,
    REPORT_DELAYED, /* it is still tried */
    REPORT_RELAYED  /* handed to a server that will not report */
};

struct report_recipient {
    const char *address;
    const char *orcpt; /* who the sender wrote to: a type, ";", and xtext; NULL: not said */
    enum report_action action;
    const struct fault *fault; /* why it failed or waits; else scope NONE, .reply has what the
                                  server said */
    const char *remote;        /* "smtp.example.com", or NULL where none was reached */
    int64_t attempt_ms;        /* wall clock of the last attempt; 0: not known, or none */
};

/* Everything is borrowed. */
struct report_facts {
    const char *hostname;  /* Reporting-MTA */
    const char *domain;    /* of MAILER-DAEMON@ */
    const char *id;        /* of the message in question */
    const char *report_id; /* of the report itself; makes Message-ID and boundary its own */
    const char *sender;    /* envelope sender of the message in question: who gets this */
    const char *envid;     /* the sender's own id of it, in xtext; NULL: none */
    int64_t arrival_ms;    /* wall clock */
    int64_t now_ms;
    int64_t retry_until_ms; /* when trying those that are delayed ends */
    int32_t zone_minutes;
    struct str original; /* the message in wire form: at least its header, as far as it is at
                            hand; cut where it is large */
    bool whole; /* original is all of it, and comes back: at most REPORT_WHOLE_MAX bytes. Else
                   its header does */
    const struct report_recipient *recipients;
    unsigned n_recipients;
};

enum {
    REPORT_HEADER_MAX = 64 * 1024,     /* bytes of the original header that are returned, */
    REPORT_WHOLE_MAX = 50 * 1024,      /* and of a message that is returned whole (N-001) */
    REPORT_BYTES_MAX = 2 * 1024 * 1024 /* of a whole report */
};

/* Append the report on all recipients that something became of together (N-006). It is never
 * longer than REPORT_BYTES_MAX: the text names as many recipients as fit in 256 KiB, the second
 * part lists 2,000 whatever was said and some 10,000 of common size, and the text says how many
 * there are beyond. Nothing that the strings of facts or the original say can begin a field, a
 * part or a line of its own; lines stay within 998 bytes. 8-bit only where an address, a
 * sentence or the original is. */
void report_write(struct buf *out, const struct report_facts *facts);

/* May a message with this header block be answered with a report? False when its Auto-Submitted
 * field says anything but "no" (N-008, RFC 3834 2), and when it is such a report itself. That
 * its sender is not null is the caller's to know. */
bool report_is_wanted(struct str header);

/* The header of a message that begins with head, without the blank line. */
struct str report_header_of(struct str head);

#endif
