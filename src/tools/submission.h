/* SPDX-License-Identifier: GPL-3.0-or-later */
/* submission_: one attempt to hand a message to the daemon over its socket, as a plain ESMTP
 * dialogue (RFC 5321, 2920). The content streams in constant memory. Whatever goes wrong before
 * the final 250, the final dot has not been sent or has not been answered: nothing else means
 * stored. */
#ifndef TRANTER_SUBMISSION_H
#define TRANTER_SUBMISSION_H

#include "err.h"
#include "source.h"

/* Everything is borrowed; addresses are mailboxes (address.h), the sender may be "". */
struct submission_envelope {
    const char *sender;
    char *const *recipients; /* n_recipients, at least one */
    size_t n_recipients;
    char *const *invalid; /* n_invalid elements, printable, that are no addresses */
    size_t n_invalid;
    const char *notify, *ret, *envelope_id; /* RFC 3461, as in struct options; NULL for none */
    bool as_is;                             /* nothing is to be added to the header (-G) */
    const char *xid; /* 32 hexadecimal digits, the same when it is sent again; NULL for none */
};

struct submission_result {
    int exit_status;    /* 0: the daemon has the message on disk */
    struct err reason;  /* why not; with 0 the daemon's words of acceptance */
    size_t n_handled;   /* of the recipients, from the first: more the daemon does not take in
                           one transaction */
    size_t n_refused;   /* with 0: of those, whom the daemon would not take */
    struct err refusal; /* the first of them, and why */
    bool lost;     /* the connection broke, or the daemon is going: it may be tried again */
    bool in_doubt; /* the end of the message went out and was not answered */
    bool refused_as_is; /* the daemon is of a version that does not know as_is */
    bool has_xid;       /* the daemon knows the envelope's xid: sent again, it is kept once */
};

/* Send the fields of top (in wire form, may be empty) and then what source holds and brings,
 * over the connected non-blocking socket fd, which is closed. */
void submission_run(int fd, const struct submission_envelope *envelope, struct str top,
                    struct source *source, struct submission_result *result);

/* The exit status for a reply that refuses: INTERFACE's table. status is RFC 3463's "5.1.3" or
 * "". Pure. */
int submission_exit_status(unsigned code, const char *status);

/* Append MAIL, all RCPT (those for the invalid first, where caps allow), and DATA, with the
 * parameters that caps (of enum smtp_cap) allow. Pure. */
void submission_put_envelope(struct buf *out, const struct submission_envelope *envelope,
                             unsigned caps);

#endif
