/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session is in one of four modes, each with a step that does one thing at a time:
 *
 *     COMMAND --DATA, 354--> CONTENT --end of data, EOM answered--> COMMAND
 *     COMMAND --line over its limit--> OVERLONG --LF--> COMMAND
 *     any --QUIT, 421, end of file--> ENDED
 *
 * Octets that may be content are never taken for commands: content that is refused is read to
 * its true end, and a client that sends content after a refused DATA is disconnected. */
#include "smtp_session.h"

#include "mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct smtp_server *smtp_server_new(const struct smtp_server_conf *conf, int64_t now_ms)
{
    struct smtp_server *s = mem_new(sizeof(*s));
    s->conf = *conf;
    if (s->conf.recipient_limit == 0)
        s->conf.recipient_limit = SMTP_SESSION_RECIPIENTS_MAX;
    BUG_ON(s->conf.recipient_limit > SMTP_SESSION_RECIPIENTS_MAX);
    s->since_ms = now_ms;
    s->fed_ms = now_ms;
    buf_init(&s->in, SMTP_SERVER_IN_MAX);
    buf_init(&s->out, SMTP_SESSION_OUT_MAX);
    buf_printf(&s->out, "220 %s ESMTP tranter\r\n", s->conf.hostname);
    return s;
}

void smtp_server_free(struct smtp_server *s)
{
    if (!s)
        return;
    buf_release(&s->in);
    buf_release(&s->out);
    free(s);
}

static void note_fed(struct smtp_server *s, int64_t now_ms)
{
    if (s->restart)
        s->since_ms = now_ms;
    s->restart = false;
    s->fed_ms = now_ms;
}

size_t smtp_server_feed(struct smtp_server *s, const void *bytes, size_t n, int64_t now_ms)
{
    if (s->mode == SMTP_SESSION_ENDED)
        return n;
    note_fed(s, now_ms);
    if (n > buf_space(&s->in))
        n = buf_space(&s->in);
    buf_put(&s->in, bytes, n);
    return n;
}

size_t smtp_server_take(struct smtp_server *s, struct buf *in, int64_t now_ms)
{
    size_t n = buf_len(in);
    if (s->mode == SMTP_SESSION_ENDED) {
        buf_consume(in, n);
        return n;
    }
    note_fed(s, now_ms);
    return buf_move(&s->in, in);
}

static void close_on_http(struct smtp_server *s)
{
    smtp_session_say(s, 421, "4.7.0", "%s closes: this port takes mail, and HTTP came",
                     s->conf.hostname);
    smtp_session_leave(s);
}

/* What ends the session whatever else is wrong with the command. */
static bool must_close(struct smtp_server *s, const struct smtp_command *c, bool clean)
{
    if (s->conf.network && c->verb == SMTP_VERB_HTTP)
        close_on_http(s);
    else if (s->content_refused && (!clean || c->verb == SMTP_VERB_UNKNOWN))
        smtp_session_close_on_content(s);
    else if (s->stopping && c->verb != SMTP_VERB_QUIT)
        smtp_session_close_to_stop(s);
    else
        return false;
    return true;
}

static void take_command(struct smtp_server *s, struct str line)
{
    struct smtp_command c;
    struct smtp_refusal why;
    bool clean = smtp_command_read(&c, line, &why);
    /* The views stay good: only a feed moves what lies in the buffer. */
    buf_consume(&s->in, line.n);
    s->since_ms = s->fed_ms;
    if (must_close(s, &c, clean))
        return;
    s->content_refused = false;
    if (clean)
        smtp_verbs_obey(s, &c);
    else
        smtp_session_refuse(s, &why);
}

static void begin_overlong(struct smtp_server *s)
{
    struct smtp_command c;
    struct smtp_refusal why;
    struct str head = str_head(buf_str(&s->in), SMTP_SERVER_LINE_MAX);
    bool clean = smtp_command_read(&c, head, &why);
    if (must_close(s, &c, clean))
        return;
    s->overlong = 0;
    s->mode = SMTP_SESSION_OVERLONG;
}

/* The next line with its LF, if it is all here and within its limit; else nothing. */
static struct str next_line(const struct smtp_server *s)
{
    struct str head = str_head(buf_str(&s->in), SMTP_SERVER_LINE_MAX);
    size_t lf = str_find(head, '\n');
    return lf < head.n ? str_head(head, lf + 1) : (struct str){"", 0};
}

/* A step does one thing. True: it did, and there may be more; false: it has to wait. */
static bool step_command(struct smtp_server *s)
{
    struct str line = next_line(s);
    if (line.n > 0)
        take_command(s, line);
    else if (buf_len(&s->in) >= SMTP_SERVER_LINE_MAX)
        begin_overlong(s);
    else if (s->eof)
        smtp_session_leave(s);
    else
        return false;
    return true;
}

static void end_overlong(struct smtp_server *s)
{
    static const struct smtp_refusal too_long = {
        500,
        "5.5.2",
        {"This command line is over the limit of 4096 octets: send a shorter one, and content "
         "only after the 354"}};
    s->mode = SMTP_SESSION_COMMAND;
    s->since_ms = s->fed_ms;
    smtp_session_refuse(s, &too_long);
}

/* Throw the line away in pieces of the limit, each of which counts as a bad command: so even a
 * line that never ends has an end. */
static bool step_overlong(struct smtp_server *s)
{
    size_t piece = SMTP_SERVER_LINE_MAX - s->overlong % SMTP_SERVER_LINE_MAX;
    struct str head = str_head(buf_str(&s->in), piece);
    if (head.n == 0) {
        if (s->eof)
            smtp_session_leave(s);
        return s->eof;
    }
    size_t lf = str_find(head, '\n');
    bool ends = lf < head.n;
    size_t used = ends ? lf + 1 : head.n;
    buf_consume(&s->in, used);
    s->overlong += used;
    if (ends)
        end_overlong(s);
    else if (s->overlong % SMTP_SERVER_LINE_MAX == 0)
        smtp_session_charge(s);
    return true;
}

/* The answer to a message: once, or for each recipient (RFC 2033 4.2). */
static void answer_message(struct smtp_server *s, unsigned code, const char *status,
                           const char *text)
{
    unsigned n = s->protocol == SMTP_SESSION_LMTP ? s->recipients : 1;
    for (unsigned i = 0; i < n; i++)
        smtp_session_reply(s, code, status, text);
    s->mode = SMTP_SESSION_COMMAND;
}

static bool is_oversize(const struct smtp_server *s)
{
    return s->conf.message_limit_bytes && s->data.bytes > s->conf.message_limit_bytes;
}

static void refuse_oversize(struct smtp_server *s)
{
    char text[SMTP_SESSION_TEXT_MAX];
    snprintf(text, sizeof(text),
             "The message is over the limit (message-size-limit) of %" PRIu64
             " octets: send less, or have the limit raised",
             s->conf.message_limit_bytes);
    answer_message(s, 552, "5.3.4", text);
    smtp_session_drop(s);
}

static void refuse_flawed(struct smtp_server *s)
{
    static const char *const flaws[] = {
        [SMTP_DATA_CLEAN] = "",
        [SMTP_DATA_BARE_CR] = "a CR without LF behind it: end every line with CR LF",
        [SMTP_DATA_BARE_LF] = "an LF without CR before it: end every line with CR LF",
        [SMTP_DATA_NUL] = "a NUL octet: leave it out, or encode that part in base64",
    };
    char text[SMTP_SESSION_TEXT_MAX];
    snprintf(text, sizeof(text), "Line %" PRIu64 " of the message has %s", s->data.flaw_line,
             flaws[s->data.flaw]);
    answer_message(s, 550, "5.6.11", text);
    smtp_session_drop(s);
}

static void end_content(struct smtp_server *s)
{
    if (is_oversize(s))
        refuse_oversize(s);
    else if (s->data.flaw != SMTP_DATA_CLEAN)
        refuse_flawed(s);
    else
        smtp_session_ask(s, SMTP_SERVER_EOM);
}

/* What is thrown away has a limit, too (L-033). */
static void close_on_flood(struct smtp_server *s)
{
    refuse_oversize(s);
    smtp_session_say(s, 421, "4.3.4", "%s closes: the message is over twice the limit",
                     s->conf.hostname);
    smtp_session_leave(s);
}

static void take_content(struct smtp_server *s, char *content, size_t n)
{
    if (is_oversize(s)) {
        if (s->data.bytes - s->conf.message_limit_bytes > s->conf.message_limit_bytes)
            close_on_flood(s);
    } else if (n > 0 && s->data.flaw == SMTP_DATA_CLEAN) {
        s->event.type = SMTP_SERVER_BODY;
        s->event.body = (struct str){content, n};
    }
}

static bool step_content(struct smtp_server *s)
{
    if (s->data.ended) {
        end_content(s);
        return true;
    }
    char *wire = buf_len(&s->in) ? s->in.memory + s->in.head : NULL;
    size_t n = 0;
    size_t used = wire ? smtp_data_decode(&s->data, wire, buf_len(&s->in), &n) : 0;
    if (used == 0) {
        if (s->eof)
            smtp_session_leave(s);
        return s->eof;
    }
    buf_consume(&s->in, used);
    s->since_ms = s->fed_ms;
    take_content(s, wire, n);
    return true;
}

static bool step_ended(struct smtp_server *s)
{
    if (!s->close_due)
        return false;
    s->close_due = false;
    s->event.type = SMTP_SERVER_CLOSE;
    return true;
}

static bool (*const steps[])(struct smtp_server *s) = {
    [SMTP_SESSION_COMMAND] = step_command,
    [SMTP_SESSION_OVERLONG] = step_overlong,
    [SMTP_SESSION_CONTENT] = step_content,
    [SMTP_SESSION_ENDED] = step_ended,
};

/* A transaction in hand may go on, until it is no longer waited for. */
static bool must_stop(const struct smtp_server *s)
{
    return s->mode != SMTP_SESSION_ENDED &&
           (s->stopping > 1 || (s->stopping && s->envelope != SMTP_SESSION_OPEN));
}

enum smtp_server_event_type smtp_server_next(struct smtp_server *s, struct smtp_server_event *e)
{
    s->event = (struct smtp_server_event){.type = SMTP_SERVER_WAIT};
    bool more = s->asked == SMTP_SERVER_WAIT;
    while (more && s->event.type == SMTP_SERVER_WAIT) {
        if (s->abort_due) {
            s->abort_due = false;
            s->event.type = SMTP_SERVER_ABORT;
        } else if (must_stop(s)) {
            smtp_session_close_to_stop(s);
        } else {
            more = steps[s->mode](s);
        }
    }
    *e = s->event;
    return e->type;
}

static void after_mail(struct smtp_server *s, unsigned code, const char *status,
                       const char *text)
{
    s->envelope = code < 400 ? SMTP_SESSION_OPEN : SMTP_SESSION_SENDER_REFUSED;
    smtp_session_reply(s, code, status, text);
}

static void after_rcpt(struct smtp_server *s, unsigned code, const char *status,
                       const char *text)
{
    if (code < 400) {
        s->recipients++;
        s->invalid_recipients += s->asks_invalid;
    } else
        s->refused_recipients++;
    smtp_session_reply(s, code, status, text);
}

static void after_data(struct smtp_server *s, unsigned code, const char *status,
                       const char *text)
{
    if (code >= 400) {
        smtp_session_reply(s, code, status, text);
        smtp_session_drop(s);
        smtp_session_expect_no_content(s);
        return;
    }
    smtp_data_init(&s->data);
    s->mode = SMTP_SESSION_CONTENT;
    buf_puts(&s->out, "354 Send the message, and a line with a dot alone at its end\r\n");
}

static void after_eom(struct smtp_server *s, unsigned code, const char *status,
                      const char *text)
{
    answer_message(s, code, status, text);
    smtp_session_drop(s);
    if (code < 400) {
        s->errors = 0;
        s->spare = 0;
    }
    /* A session that idles between messages keeps little memory. */
    if (buf_len(&s->in) == 0 && s->in.room > 2 * SMTP_SERVER_LINE_MAX)
        buf_release(&s->in);
}

static void (*const afters[])(struct smtp_server *s, unsigned code, const char *status,
                              const char *text) = {
    [SMTP_SERVER_MAIL] = after_mail,
    [SMTP_SERVER_RCPT] = after_rcpt,
    [SMTP_SERVER_DATA] = after_data,
    [SMTP_SERVER_EOM] = after_eom,
};

void smtp_server_reply(struct smtp_server *s, unsigned code, const char *status,
                       const char *fmt, ...)
{
    BUG_ON(s->asked == SMTP_SERVER_WAIT);
    BUG_ON(code < 200 || code > 599);
    char text[SMTP_SESSION_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    enum smtp_server_event_type asked = s->asked;
    s->asked = SMTP_SERVER_WAIT;
    s->restart = true;
    if (asked == SMTP_SERVER_EOM) /* the owner has it: no ABORT, whatever the answer */
        s->envelope = SMTP_SESSION_NO_SENDER;
    if (code == 421) {
        smtp_session_reply(s, code, status, text);
        smtp_session_leave(s);
        return;
    }
    afters[asked](s, code, status, text);
}

struct buf *smtp_server_out(struct smtp_server *s)
{
    return &s->out;
}

static int64_t timeout_ms(const struct smtp_server *s)
{
    return s->mode == SMTP_SESSION_CONTENT ? s->conf.data_timeout_ms
                                           : s->conf.command_timeout_ms;
}

int64_t smtp_server_deadline(const struct smtp_server *s)
{
    bool waits = s->mode != SMTP_SESSION_ENDED && s->asked == SMTP_SERVER_WAIT;
    return waits && timeout_ms(s) > 0 ? s->since_ms + timeout_ms(s) : INT64_MAX;
}

void smtp_server_tick(struct smtp_server *s, int64_t now_ms)
{
    bool behind = s->mode == SMTP_SESSION_CONTENT && buf_len(&s->in) > SMTP_DATA_HELD_MAX;
    /* The owner was slow with an answer or in taking content; the client is not to blame. */
    if (s->restart || behind) {
        s->restart = false;
        s->since_ms = now_ms;
    }
    if (now_ms < smtp_server_deadline(s))
        return;
    if (s->mode == SMTP_SESSION_CONTENT)
        smtp_session_say(s, 421, "4.4.2",
                         "%s closes: no content came for %" PRId64 " s, behind %" PRIu64
                         " octets; nothing of it was kept",
                         s->conf.hostname, timeout_ms(s) / 1000, s->data.bytes);
    else
        smtp_session_say(s, 421, "4.4.2", "%s closes: no command came for %" PRId64 " s",
                         s->conf.hostname, timeout_ms(s) / 1000);
    smtp_session_leave(s);
}

void smtp_server_eof(struct smtp_server *s)
{
    s->eof = true;
}

void smtp_server_shutdown(struct smtp_server *s, int64_t now_ms)
{
    s->since_ms = now_ms;
    s->stopping++;
}

const char *smtp_server_protocol(const struct smtp_server *s)
{
    static const char *const names[] = {
        [SMTP_SESSION_NOT_GREETED] = "",
        [SMTP_SESSION_SMTP] = "SMTP",
        [SMTP_SESSION_ESMTP] = "ESMTP",
        [SMTP_SESSION_LMTP] = "LMTP",
    };
    if (s->utf8 && s->envelope == SMTP_SESSION_OPEN)
        return s->protocol == SMTP_SESSION_LMTP ? "UTF8LMTP" : "UTF8SMTP";
    return names[s->protocol];
}

const char *smtp_server_peer_name(const struct smtp_server *s)
{
    return s->peer_name;
}
