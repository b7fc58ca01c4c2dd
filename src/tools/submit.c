/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "submit.h"

#include "drop.h"
#include "handover.h"
#include "identity.h"
#include "reach.h"
#include "say.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

enum {
    SENDER_MAX = 1024,
    TOP_MAX = 16 * 1024,
    FIRST_BYTES = 64 * 1024 /* read before connecting: a slow writer of a small message keeps no
                               session of the daemon's waiting */
};

struct submit {
    const char *program;
    const struct options *o;
    struct identity who;
    bool who_known;
    struct buf sender; /* mailbox, empty for the null sender */
    struct buf top;    /* header fields that we add */
    struct recipients to;
    struct source source;
};

static int fail(const struct submit *s, int exit_status, const char *fmt, ...)
    ATTR_PRINTF(3, 4);

static int fail(const struct submit *s, int exit_status, const char *fmt, ...)
{
    struct buf words;
    buf_init(&words, SAY_LINE_MAX * 4);
    va_list args;
    va_start(args, fmt);
    buf_vprintf(&words, fmt, args);
    va_end(args);
    if (!s->o->quiet)
        say(s->program, "%.*s", STR_FMT(buf_str(&words)));
    buf_release(&words);
    return exit_status;
}

/* The password file may be slow or far away; it is asked once, and only if it must be. */
static const struct identity *who(struct submit *s)
{
    if (!s->who_known)
        identity_look_up(&s->who, getuid());
    s->who_known = true;
    return &s->who;
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            return true;
    }
    return false;
}

static int set_sender(struct submit *s)
{
    const char *given = s->o->sender;
    if (!given) {
        buf_puts(&s->sender, who(s)->login);
        return EX_OK;
    }
    struct recipients one;
    recipients_init(&one);
    recipients_add_list(&one, str_of(given));
    bool good = !has_control(given) && one.good.n <= 1 && one.n_bad == 0;
    if (good && one.good.n)
        buf_puts(&s->sender, one.good.texts[0] + (one.good.texts[0][0] == '\\'));
    recipients_release(&one);
    return good && !s->sender.failed
               ? EX_OK
               : fail(s, EX_DATAERR,
                      "the sender \"%.200s\" is not one address; write -f user@example.com, or "
                      "-f '<>' for none",
                      given);
}

static int add_operands(struct submit *s)
{
    for (size_t i = 0; i < s->o->n_operands; i++) {
        const char *operand = s->o->operands[i];
        if (has_control(operand))
            return fail(s, EX_DATAERR,
                        "the recipient \"%.200s\" has a control character in it; nothing was "
                        "sent",
                        operand);
        recipients_add_list(&s->to, str_of(operand));
    }
    return EX_OK;
}

static int check_recipients(const struct submit *s)
{
    const struct recipients *to = &s->to;
    if (to->good.n == 0 && to->n_bad == 0)
        return fail(s, EX_USAGE, "%s",
                    s->o->from_header ? "nobody to send to: no address in To, Cc, Bcc or the "
                                        "arguments"
                                      : "nobody to send to: no address in the arguments");
    if (to->good.n == 0)
        return fail(s, EX_DATAERR, "\"%s\" is not an address%s; nothing was sent", to->bad[0],
                    to->n_bad > 1 ? ", nor is any other" : "");
    if (to->n_bad)
        fail(s, EX_OK, "\"%s\" is not an address%s; the others get the message", to->bad[0],
             to->n_bad > 1 ? ", nor are others" : "");
    return EX_OK;
}

static int read_header(struct submit *s)
{
    struct source *source = &s->source;
    source_fill(source, FIRST_BYTES);
    if (source->error)
        return fail(s, EX_IOERR, "cannot read the message: %s; nothing was sent",
                    strerror(source->error));
    if (source->intake.state == INTAKE_LARGE)
        return fail(s, EX_DATAERR,
                    "the header is over %d bytes; is there no blank line between it and the "
                    "body? Nothing was sent",
                    INTAKE_HEADER_MAX);
    return EX_OK;
}

/* The one field that the daemon cannot write as well: it does not know the name. */
static void add_from(struct submit *s)
{
    const struct intake *in = &s->source.intake;
    bool has = in->has_resent ? in->has_resent_from : in->has_from;
    if (has || s->o->bare || buf_len(&s->sender) == 0)
        return;
    const char *name = s->o->full_name ? s->o->full_name : getenv("NAME");
    identity_put_field(&s->top, in->has_resent ? "Resent-From" : "From",
                       name && *name ? name : who(s)->name, buf_str(&s->sender));
}

static int report(const struct submit *s, const struct handover_result *result)
{
    if (result->exit_status != EX_OK && result->n_served)
        return fail(s, result->exit_status,
                    "%zu recipients, to <%s>, get the message, the others do not: %s",
                    result->n_served, s->to.good.texts[result->n_served - 1],
                    result->reason.text);
    if (result->exit_status != EX_OK)
        return fail(s, result->exit_status, "%s", result->reason.text);
    if (result->n_refused)
        fail(s, EX_OK, "%s; %zu refused, the others get the message", result->refusal.text,
             result->n_refused);
    if (s->o->verbose)
        say(s->program, "%s", result->reason.text);
    return EX_OK;
}

static int hand_over(struct submit *s)
{
    char *sender = buf_strdup(&s->sender);
    struct submission_envelope envelope = {
        .sender = sender,
        .recipients = s->to.good.texts,
        .n_recipients = s->to.good.n,
        .invalid = s->to.bad,
        .n_invalid = s->to.n_kept,
        .notify = s->o->notify,
        .ret = s->o->ret,
        .envelope_id = s->o->envelope_id,
        .as_is = s->o->bare,
    };
    struct handover_result result;
    const struct handover_way way = {reach_submission_path(), reach_wait_ms(), drop_path()};
    handover_run(&way, &envelope, buf_str(&s->top), &s->source, &result);
    free(sender);
    return report(s, &result);
}

/* Nobody is told on standard error of what is as it should be, but who looks for the rest of a
 * message finds it (compat D5, D14). */
static void log_left_out(const struct submit *s)
{
    const struct intake *in = &s->source.intake;
    if (in->n_ignored == 0 && in->n_nul == 0)
        return;
    openlog(s->program, LOG_PID, LOG_MAIL);
    if (in->n_ignored)
        syslog(LOG_NOTICE,
               "uid=%u: the message ended at a line with a dot alone, %" PRIu64
               " bytes or more behind it were not sent; -i makes such a line text",
               (unsigned)getuid(), in->n_ignored);
    if (in->n_nul)
        syslog(LOG_NOTICE, "uid=%u: %" PRIu64 " NUL bytes were left out of the message",
               (unsigned)getuid(), in->n_nul);
    closelog();
}

static int send_message(struct submit *s)
{
    int exit_status = set_sender(s);
    if (exit_status == EX_OK)
        exit_status = add_operands(s);
    if (exit_status == EX_OK && !s->o->from_header)
        exit_status = check_recipients(s);
    if (exit_status == EX_OK)
        exit_status = read_header(s);
    if (exit_status == EX_OK && s->o->from_header) {
        recipients_add_all(&s->to, intake_recipients(&s->source.intake));
        exit_status = check_recipients(s);
    }
    if (exit_status != EX_OK)
        return exit_status;
    add_from(s);
    return hand_over(s);
}

int submit(const char *program, const struct options *o)
{
    struct submit s = {.program = program, .o = o};
    if (!o->from_header && o->n_operands == 0)
        return fail(&s, EX_USAGE,
                    "nobody to send to: name recipients, or take them from the header with -t");
    buf_init(&s.sender, SENDER_MAX);
    buf_init(&s.top, TOP_MAX);
    recipients_init(&s.to);
    source_init(&s.source, STDIN_FILENO, !o->dot_is_data);
    int exit_status = send_message(&s);
    source_drain(&s.source);
    if (exit_status == EX_OK)
        log_left_out(&s);
    source_release(&s.source);
    recipients_release(&s.to);
    buf_release(&s.top);
    buf_release(&s.sender);
    return exit_status;
}
