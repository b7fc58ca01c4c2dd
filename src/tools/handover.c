/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "handover.h"

#include "drop.h"
#include "reach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <sysexits.h>

enum {
    XID_BYTES = 16,
    PAUSE_MS = 100 /* before a daemon that has just let us down is asked again */
};

struct handover {
    const struct handover_way *way;
    struct submission_envelope part; /* of the transaction in hand */
    struct str top;
    struct source *source;
    char xid[2 * XID_BYTES + 1];
};

/* Without an id there is no second attempt. */
static const char *draw_id(struct handover *h)
{
    unsigned char bytes[XID_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return NULL;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(h->xid + 2 * i, 3, "%02x", bytes[i]);
    return h->xid;
}

static int status_of_errno(int why)
{
    if (why == EACCES || why == EPERM)
        return EX_NOPERM;
    return why == ENAMETOOLONG ? EX_CONFIG : EX_OSERR;
}

static bool may_try_again(struct handover *h, const struct submission_result *r)
{
    if (r->refused_as_is) {
        h->part.as_is = false; /* a field too much is better than no message */
        return source_rewind(h->source);
    }
    return r->lost && h->way->wait_ms > 0 && (!r->in_doubt || r->has_xid) &&
           source_rewind(h->source);
}

static int connect_to_daemon(const struct handover *h, struct submission_result *r)
{
    struct err err;
    int fd = reach_connect(h->way->socket, h->way->wait_ms, &err);
    if (fd >= 0)
        return fd;
    int why = errno;
    *r = (struct submission_result){.exit_status = status_of_errno(why)};
    err_set(&r->reason, "%s; nothing was sent", err.text);
    errno = why;
    return -1;
}

/* The daemon is away for longer than anybody waits. */
static void drop(struct handover *h, struct submission_result *r)
{
    struct err err;
    if (!h->part.xid)
        return;
    if (drop_store(h->way->drop, &h->part, h->top, h->source, &err) == 0) {
        *r =
            (struct submission_result){.exit_status = EX_OK, .n_handled = h->part.n_recipients};
        err_set(&r->reason, "accepted: the mail daemon is away, and will find it in %s",
                h->way->drop);
    } else if (errno != ENOENT) {
        r->exit_status = h->source->error ? EX_IOERR : EX_OSERR;
        err_set(&r->reason, "the mail daemon is away, and %s; nothing was sent", err.text);
    }
}

/* One transaction. What was in doubt once stays so until the daemon says yes: a no to the
 * second attempt does not tell what became of the first. */
static void transact(struct handover *h, struct submission_result *r)
{
    struct submission_result doubt = {.in_doubt = false};
    int attempts = 0;
    do {
        if (attempts++)
            poll(NULL, 0, PAUSE_MS);
        int fd = connect_to_daemon(h, r);
        if (fd < 0 && reach_is_away(errno) && (!doubt.in_doubt || doubt.has_xid))
            drop(h, r);
        if (fd < 0)
            break;
        submission_run(fd, &h->part, h->top, h->source, r);
        if (r->in_doubt)
            doubt = *r;
    } while (attempts < HANDOVER_ATTEMPTS_MAX && may_try_again(h, r));
    if (doubt.in_doubt && r->exit_status != EX_OK)
        *r = doubt;
}

static void count(struct handover_result *result, const struct submission_result *r)
{
    result->exit_status = r->exit_status;
    result->reason = r->reason;
    if (r->exit_status != EX_OK)
        return;
    if (result->n_refused == 0)
        result->refusal = r->refusal;
    result->n_refused += r->n_refused;
    result->n_served += r->n_handled;
}

/* On to the recipients who have not been served. */
static void go_on(struct handover *h, const struct submission_envelope *whole,
                  struct handover_result *result)
{
    h->part.recipients = whole->recipients + result->n_served;
    h->part.n_recipients = whole->n_recipients - result->n_served;
    h->part.n_invalid = 0;
    if (!source_rewind(h->source)) {
        result->exit_status = EX_OSERR;
        err_set(&result->reason, "the message cannot be read a second time");
    }
}

void handover_run(const struct handover_way *way, const struct submission_envelope *envelope,
                  struct str top, struct source *source, struct handover_result *result)
{
    struct handover h = {.way = way, .part = *envelope, .top = top, .source = source};
    *result = (struct handover_result){.n_served = 0};
    while (result->exit_status == EX_OK && result->n_served < envelope->n_recipients) {
        struct submission_result r;
        if (result->n_served)
            go_on(&h, envelope, result);
        if (result->exit_status != EX_OK)
            return;
        h.part.xid = draw_id(&h);
        transact(&h, &r);
        count(result, &r);
    }
}
