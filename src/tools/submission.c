/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "submission.h"

#include "address.h"
#include "smtp_caps.h"
#include "smtp_reply.h"
#include "xtext.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 * 1024,
    FILL_BYTES = 64 * 1024,
    COMMANDS_MAX = 256 * 1024 * 1024, /* an envelope is bounded by argv and the header */
    REPLY_MS = 300 * 1000,
    FINAL_MS = 600 * 1000
};

enum state {
    STATE_GREETING,
    STATE_EHLO,
    STATE_MAIL,
    STATE_RCPT,
    STATE_DATA,
    STATE_CONTENT,
    STATE_FINAL,
    STATE_OVER
};

struct submission {
    int fd;
    struct submission_envelope envelope; /* of this transaction */
    struct str top;
    struct source *source;
    struct submission_result *result;
    enum state state;
    struct smtp_reply reply;
    struct buf commands;
    bool broken;       /* writing failed: only what the daemon said last is still of interest */
    size_t n_invalid;  /* that were sent: their answers come first */
    size_t n_answered; /* recipients, with those */
    size_t n_accepted;
    int refusal_status; /* exit status for the first recipient refused */
    bool deferred;      /* a recipient was refused for now */
};

int submission_exit_status(unsigned code, const char *status)
{
    static const struct {
        const char *prefix;
        int exit_status;
    } rows[] = {
        {"5.1.", EX_DATAERR},      /* an address */
        {"5.6.", EX_DATAERR},      /* the message's form */
        {"5.7.", EX_NOPERM},       /* policy */
        {"5.5.3", EX_UNAVAILABLE}, /* too many recipients */
        {"5.5.", EX_SOFTWARE},     /* we spoke out of turn */
    };
    if (code / 100 != 5)
        return EX_OSERR;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strncmp(status, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].exit_status;
    }
    return EX_UNAVAILABLE;
}

static bool needs_utf8(const struct submission_envelope *e)
{
    bool needs = address_is_utf8(str_of(e->sender));
    for (size_t i = 0; !needs && i < e->n_recipients; i++)
        needs = address_is_utf8(str_of(e->recipients[i]));
    return needs;
}

static void end_recipient(struct buf *out, const struct submission_envelope *e, bool dsn)
{
    if (dsn && e->notify)
        buf_printf(out, " NOTIFY=%s", e->notify);
    buf_puts(out, "\r\n");
}

void submission_put_envelope(struct buf *out, const struct submission_envelope *e,
                             unsigned caps)
{
    bool dsn = (caps & SMTP_CAP_DSN) != 0;
    bool own = (caps & SMTP_CAP_XTRANTER) != 0;
    buf_printf(out, "MAIL FROM:<%s>", e->sender);
    if (caps & SMTP_CAP_8BITMIME)
        buf_puts(out, " BODY=8BITMIME");
    if ((caps & SMTP_CAP_SMTPUTF8) && needs_utf8(e))
        buf_puts(out, " SMTPUTF8");
    if (dsn && e->ret)
        buf_printf(out, " RET=%s", e->ret);
    if (dsn && e->envelope_id) {
        buf_puts(out, " ENVID=");
        xtext_put(out, str_of(e->envelope_id));
    }
    if (own && e->xid)
        buf_printf(out, " XID=%s", e->xid);
    if (own && e->as_is)
        buf_puts(out, " XASIS");
    buf_puts(out, "\r\n");
    for (size_t i = 0; own && i < e->n_invalid; i++) {
        buf_puts(out, "RCPT TO:<MAILER-DAEMON> XINVALID=");
        xtext_put(out, str_of(e->invalid[i]));
        end_recipient(out, e, dsn);
    }
    for (size_t i = 0; i < e->n_recipients; i++) {
        bool exact = e->recipients[i][0] == '\\';
        buf_printf(out, "RCPT TO:<%s>%s", e->recipients[i] + exact,
                   exact && own ? " XEXACT" : "");
        end_recipient(out, e, dsn);
    }
    buf_puts(out, "DATA\r\n");
}

static void set_words(struct err *err, const char *what, const struct smtp_reply *reply)
{
    struct buf words;
    buf_init(&words, SMTP_REPLY_MAX * 2);
    smtp_reply_words(reply, &words);
    err_set(err, "%s: %.*s", what, STR_FMT(buf_str(&words)));
    buf_release(&words);
}

static enum state refuse(struct submission *s, const char *what)
{
    s->result->exit_status = submission_exit_status(s->reply.code, s->reply.status);
    s->result->lost = s->reply.code == 421;
    set_words(&s->result->reason, what, &s->reply);
    return STATE_OVER;
}

static bool is_positive(const struct submission *s)
{
    return s->reply.code / 100 == 2;
}

static enum state on_greeting(struct submission *s)
{
    if (!is_positive(s))
        return refuse(s, "the mail daemon takes no mail");
    buf_puts(&s->commands, "EHLO localhost\r\n");
    return STATE_EHLO;
}

/* Only as many recipients as the daemon takes at once (RFC 9422), if the message can be had
 * again for the others: they get all of it, or nobody does. */
static enum state begin_transaction(struct submission *s, const struct smtp_caps *caps)
{
    struct submission_envelope *e = &s->envelope;
    s->n_invalid = caps->set & SMTP_CAP_XTRANTER ? e->n_invalid : 0;
    uint64_t room = caps->limit_rcpt ? caps->limit_rcpt : UINT64_MAX;
    if (s->n_invalid >= room)
        s->n_invalid = e->n_invalid = 0;
    room -= s->n_invalid;
    if (e->n_recipients > room && !source_is_repeatable(s->source)) {
        s->result->exit_status = EX_UNAVAILABLE;
        err_set(
            &s->result->reason,
            "the mail daemon takes %" PRIu64
            " recipients at once (recipient-limit), not %zu, and a message of over %d bytes "
            "can be sent in parts only from a regular file; nothing was queued",
            caps->limit_rcpt, e->n_recipients, SOURCE_KEPT_MAX);
        return STATE_OVER;
    }
    if (e->n_recipients > room)
        e->n_recipients = (size_t)room;
    s->result->n_handled = e->n_recipients;
    s->result->has_xid = e->xid && (caps->set & SMTP_CAP_XTRANTER);
    submission_put_envelope(&s->commands, e, caps->set);
    return STATE_MAIL;
}

static enum state on_ehlo(struct submission *s)
{
    if (!is_positive(s))
        return refuse(s, "the mail daemon takes no mail");
    struct smtp_caps caps;
    struct str line;
    size_t at = 0;
    smtp_caps_clear(&caps);
    for (bool first = true; smtp_reply_line(&s->reply, &at, &line); first = false) {
        if (!first)
            smtp_caps_add(&caps, line);
    }
    return begin_transaction(s, &caps);
}

static enum state on_mail(struct submission *s)
{
    if (is_positive(s))
        return STATE_RCPT;
    s->result->refused_as_is = s->reply.code == 555 && s->envelope.as_is;
    return refuse(s, s->reply.code / 100 == 4 ? "the mail daemon takes no mail now"
                                              : "the mail daemon refused the sender");
}

/* A recipient who is refused for good does not keep the mail from the others. One who is
 * refused for now does: the caller can do nothing but send it all again. */
static enum state on_rcpt(struct submission *s)
{
    const struct submission_envelope *e = &s->envelope;
    struct submission_result *result = s->result;
    size_t n = s->n_answered++;
    if (n < s->n_invalid)
        return STATE_RCPT; /* its author has been told */
    const char *address = e->recipients[n - s->n_invalid];
    char what[ERR_TEXT_MAX];
    snprintf(what, sizeof what, "the mail daemon refused the recipient <%.320s>", address);
    if (is_positive(s)) {
        s->n_accepted++;
    } else if (s->reply.code / 100 != 5 && !s->deferred) {
        s->deferred = true;
        refuse(s, what);
    } else if (result->n_refused++ == 0) {
        s->refusal_status = submission_exit_status(s->reply.code, s->reply.status);
        set_words(&result->refusal, what, &s->reply);
    }
    return s->n_answered < s->n_invalid + e->n_recipients ? STATE_RCPT : STATE_DATA;
}

static enum state on_data(struct submission *s)
{
    if (s->deferred)
        return STATE_OVER;
    if (s->n_accepted == 0) {
        s->result->exit_status = s->refusal_status;
        s->result->reason = s->result->refusal;
        return STATE_OVER;
    }
    if (s->reply.code != 354)
        return refuse(s, "the mail daemon takes no message");
    buf_put_str(&s->commands, s->top);
    return STATE_CONTENT;
}

static enum state on_early_reply(struct submission *s)
{
    return refuse(s, "the mail daemon stopped taking the message");
}

/* What is to be written next; commands go before content. */
static struct buf *outgoing(struct submission *s)
{
    bool content = s->state >= STATE_CONTENT && buf_len(&s->commands) == 0;
    return content ? &s->source->intake.out : &s->commands;
}

/* A yes before the whole message is out cannot be to the message. */
static enum state on_final(struct submission *s)
{
    if (buf_len(outgoing(s)) > 0)
        return on_early_reply(s);
    if (!is_positive(s))
        return refuse(s, "the mail daemon refused the message");
    s->result->exit_status = EX_OK;
    set_words(&s->result->reason, "accepted", &s->reply);
    return STATE_OVER;
}

static const struct {
    const char *waits_for;
    enum state (*on_reply)(struct submission *);
    int timeout_ms;
} states[] = {
    [STATE_GREETING] = {"its greeting", on_greeting, REPLY_MS},
    [STATE_EHLO] = {"its reply to EHLO", on_ehlo, REPLY_MS},
    [STATE_MAIL] = {"its reply to MAIL", on_mail, REPLY_MS},
    [STATE_RCPT] = {"its reply to RCPT", on_rcpt, REPLY_MS},
    [STATE_DATA] = {"its reply to DATA", on_data, REPLY_MS},
    [STATE_CONTENT] = {"it to take the message", on_early_reply, REPLY_MS},
    [STATE_FINAL] = {"its word that the message is stored", on_final, FINAL_MS},
};

static enum state give_up(struct submission *s, const char *what)
{
    const char *advice = s->state == STATE_FINAL
                             ? "it may have been queued all the same: see mailq first"
                             : "nothing was queued; see the daemon's log";
    s->result->exit_status = EX_OSERR;
    s->result->in_doubt = s->state == STATE_FINAL;
    err_set(&s->result->reason, "%s while waiting for %s; %s", what, states[s->state].waits_for,
            advice);
    return STATE_OVER;
}

static void take_replies(struct submission *s, struct str bytes)
{
    while (bytes.n && s->state != STATE_OVER) {
        size_t taken;
        enum smtp_reply_result result = smtp_reply_feed(&s->reply, bytes, &taken, NULL);
        if (result == SMTP_REPLY_BAD)
            s->state = give_up(s, "the mail daemon's reply is not SMTP");
        else if (result == SMTP_REPLY_GOOD)
            s->state = states[s->state].on_reply(s);
        bytes = str_tail(bytes, taken);
    }
}

static bool is_passing(int why)
{
    return why == EINTR || why == EAGAIN;
}

static void receive(struct submission *s)
{
    char bytes[READ_BYTES];
    ssize_t n = recv(s->fd, bytes, sizeof bytes, 0);
    if (n > 0)
        take_replies(s, (struct str){bytes, (size_t)n});
    else if (n == 0 || !is_passing(errno)) {
        s->result->lost = true;
        s->state = give_up(s, "the connection to the mail daemon was lost");
    }
}

static void transmit(struct submission *s, struct buf *out)
{
    struct str text = buf_str(out);
    ssize_t n = send(s->fd, text.p, text.n, MSG_NOSIGNAL);
    if (n < 0)
        s->broken = !is_passing(errno);
    else if (out == &s->commands)
        buf_consume(out, (size_t)n);
    else
        source_take(s->source, (size_t)n);
}

/* The dot goes out only when the last byte of the message was read without an error. */
static void fetch_content(struct submission *s)
{
    struct source *source = s->source;
    source_fill(source, FILL_BYTES);
    if (source->error) {
        s->result->exit_status = EX_IOERR;
        err_set(&s->result->reason, "cannot read the message: %s; nothing was queued",
                strerror(source->error));
        s->state = STATE_OVER;
    } else if (source_is_done(source)) {
        source_end(source);
        s->state = STATE_FINAL;
    }
}

/* What is left of a message that has been read whole goes out in one write with the dot. */
static void turn(struct submission *s)
{
    bool wanting = buf_len(outgoing(s)) == 0 || source_is_done(s->source);
    if (s->state == STATE_CONTENT && !s->broken && wanting)
        fetch_content(s);
    if (s->state == STATE_OVER)
        return;
    struct buf *out = outgoing(s);
    bool writes = buf_len(out) > 0 && !s->broken;
    struct pollfd p = {.fd = s->fd, .events = writes ? POLLIN | POLLOUT : POLLIN};
    int ready = poll(&p, 1, states[s->state].timeout_ms);
    if (ready < 0 && errno != EINTR)
        s->state = give_up(s, "cannot poll the connection to the mail daemon");
    else if (ready == 0)
        s->state = give_up(s, "the mail daemon did not answer in time");
    else if (ready > 0 && (p.revents & ~POLLOUT))
        receive(s);
    else if (ready > 0)
        transmit(s, out);
}

void submission_run(int fd, const struct submission_envelope *envelope, struct str top,
                    struct source *source, struct submission_result *result)
{
    struct submission s = {
        .fd = fd, .envelope = *envelope, .top = top, .source = source, .result = result};
    *result = (struct submission_result){.exit_status = EX_SOFTWARE};
    smtp_reply_init(&s.reply, SMTP_REPLY_LINE_MAX);
    buf_init(&s.commands, COMMANDS_MAX);
    while (s.state != STATE_OVER)
        turn(&s);
    smtp_reply_release(&s.reply);
    buf_release(&s.commands);
    close(fd);
}
