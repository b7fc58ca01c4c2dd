/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_client.h"

#include "base64.h"
#include "mem.h"
#include "smtp_dialogue.h"

#include <stdlib.h>
#include <string.h>

/* An event with a fault. There are at most as many as replies were owed, and one more. */
struct smtp_verdict {
    struct smtp_verdict *next;
    enum smtp_client_event_type type;
    unsigned recipient;
    bool final;
    struct fault fault;
};

static void set_times(struct smtp_client *c)
{
    const struct smtp_client_timeouts *t = &c->conf.timeouts;
    const struct {
        enum smtp_dialogue_time time;
        int64_t set_ms, default_ms;
    } times[] = {
        {SMTP_TIME_GREETING, t->greeting_ms, 300000}, {SMTP_TIME_REPLY, t->reply_ms, 300000},
        {SMTP_TIME_STARTTLS, t->starttls_ms, 60000},  {SMTP_TIME_AUTH, t->auth_ms, 120000},
        {SMTP_TIME_DATA, t->data_ms, 120000},         {SMTP_TIME_BLOCK, t->block_ms, 180000},
        {SMTP_TIME_FINAL, t->final_ms, 600000},       {SMTP_TIME_RSET, t->rset_ms, 20000},
        {SMTP_TIME_QUIT, t->quit_ms, 5000},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        c->times_ms[times[i].time] = times[i].set_ms ? times[i].set_ms : times[i].default_ms;
}

struct smtp_client *smtp_client_new(const struct smtp_client_conf *conf, int64_t now_ms)
{
    struct smtp_client *c = mem_new(sizeof *c);
    c->conf = *conf;
    c->now_ms = now_ms;
    c->last = &c->first;
    set_times(c);
    smtp_reply_init(&c->reply, SMTP_REPLY_LINE_MAX);
    buf_init(&c->out, SMTP_CLIENT_OUT_MAX);
    buf_init(&c->response, SMTP_DIALOGUE_CHALLENGE_MAX);
    buf_init(&c->challenge, SMTP_DIALOGUE_CHALLENGE_MAX);
    c->out.secret = true;
    c->response.secret = true;
    c->challenge.secret = true;
    smtp_dialogue_enter(c, conf->tls == SMTP_CLIENT_TLS_IMPLICIT ? SMTP_STAGE_HANDSHAKE
                                                                 : SMTP_STAGE_GREETING);
    c->ask = SMTP_CLIENT_WAIT; /* with implicit TLS its owner is at it already */
    return c;
}

static void drop_verdict(struct smtp_client *c)
{
    struct smtp_verdict *v = c->first;
    c->first = v->next;
    if (!c->first)
        c->last = &c->first;
    free(v);
}

void smtp_client_free(struct smtp_client *c)
{
    if (!c)
        return;
    while (c->first)
        drop_verdict(c);
    smtp_reply_release(&c->reply);
    buf_release(&c->out);
    buf_release(&c->response);
    buf_release(&c->challenge);
    free(c);
}

size_t smtp_client_feed(struct smtp_client *c, const void *bytes, size_t n, int64_t now_ms)
{
    struct str rest = {bytes, n};
    c->now_ms = now_ms;
    while (rest.n > 0 && smtp_dialogue_listens(c)) {
        size_t taken = 0;
        struct err err;
        if (!c->reply_begun)
            c->reply_early = smtp_dialogue_is_early(c);
        enum smtp_reply_result result = smtp_reply_feed(&c->reply, rest, &taken, &err);
        rest = str_tail(rest, taken);
        c->reply_begun = result == SMTP_REPLY_MORE;
        if (result == SMTP_REPLY_GOOD)
            smtp_dialogue_reply(c);
        else if (result == SMTP_REPLY_BAD)
            smtp_dialogue_garbage(c, err.text);
    }
    return n - rest.n;
}

enum smtp_client_event_type smtp_client_next(struct smtp_client *c, struct smtp_client_event *e)
{
    *e = (struct smtp_client_event){.type = c->ask, .caps = &c->caps};
    if (c->first) {
        e->type = c->first->type;
        e->recipient = c->first->recipient;
        e->final = c->first->final;
        e->dsn = smtp_caps_has(&c->caps, SMTP_CAP_DSN);
        e->fault = c->first->fault;
        drop_verdict(c);
        return e->type;
    }
    if (c->ask == SMTP_CLIENT_CHALLENGE)
        e->challenge = buf_str(&c->challenge);
    c->ask = SMTP_CLIENT_WAIT;
    return e->type;
}

void smtp_client_tell(struct smtp_client *c, enum smtp_client_event_type type,
                      unsigned recipient, const struct fault *fault)
{
    struct smtp_verdict *v = mem_new(sizeof *v);
    v->type = type;
    v->recipient = recipient;
    v->final = type == SMTP_CLIENT_RCPT &&
               (fault->scope != FAULT_NONE || c->stage == SMTP_STAGE_FINAL);
    v->fault = *fault;
    *c->last = v;
    c->last = &v->next;
}

struct buf *smtp_client_out(struct smtp_client *c)
{
    return &c->out;
}

int64_t smtp_client_deadline(const struct smtp_client *c)
{
    return c->deadline_ms;
}

void smtp_client_tick(struct smtp_client *c, int64_t now_ms)
{
    c->now_ms = now_ms;
    if (now_ms >= c->deadline_ms)
        smtp_dialogue_timeout(c);
}

/* Is the owner answering what the core has not forgotten? The dialogue may have ended, or be
 * saying goodbye, since it was asked; anything else is a bug. */
static bool still_at(const struct smtp_client *c, enum smtp_stage stage)
{
    bool over = c->stage == SMTP_STAGE_DEAD || c->stage == SMTP_STAGE_QUIT;
    BUG_ON(c->stage != stage && !over);
    return !over;
}

void smtp_client_secured(struct smtp_client *c, size_t left_over, int64_t now_ms)
{
    if (!still_at(c, SMTP_STAGE_HANDSHAKE))
        return;
    c->now_ms = now_ms;
    if (left_over > 0) {
        fault_set(&c->end, FAULT_ACCOUNT, "5.7.0", "STARTTLS-INJECT",
                  "%zu octets came in plain text after STARTTLS was accepted; this is how an "
                  "attack looks, and nothing was sent",
                  left_over);
        fault_fix(&c->end, "try port = 465, which is TLS from the first byte");
        smtp_dialogue_enter(c, SMTP_STAGE_DEAD);
        return;
    }
    /* Nothing that was learned in clear lives on (S-014, S-035). */
    smtp_caps_clear(&c->caps);
    smtp_reply_release(&c->reply);
    smtp_reply_init(&c->reply, SMTP_REPLY_LINE_MAX);
    c->reply_begun = false;
    c->masked = false;
    c->secured = true;
    smtp_dialogue_enter(c, c->conf.tls == SMTP_CLIENT_TLS_IMPLICIT ? SMTP_STAGE_GREETING
                                                                   : SMTP_STAGE_EHLO);
}

void smtp_client_eof(struct smtp_client *c, const char *why)
{
    struct str pending = smtp_reply_pending(&c->reply);
    if (c->stage == SMTP_STAGE_DEAD)
        return;
    if (c->reply_begun && !str_is_digit(pending.n ? pending.p[0] : '0'))
        smtp_dialogue_garbage(c, "not an SMTP reply");
    else
        smtp_dialogue_eof(c, why);
}

void smtp_client_auth(struct smtp_client *c, const char *mechanism, const struct str *initial,
                      int64_t now_ms)
{
    if (!still_at(c, SMTP_STAGE_CHOOSE))
        return;
    size_t n = strlen(mechanism);
    BUG_ON(n == 0 || n >= sizeof c->mechanism);
    memcpy(c->mechanism, mechanism, n + 1);
    c->now_ms = now_ms;
    c->rounds = 0;
    c->has_response = initial != NULL;
    buf_release(&c->response);
    if (initial)
        buf_put_str(&c->response, *initial);
    BUG_ON(c->response.failed);
    size_t encoded = (buf_len(&c->response) + 2) / 3 * 4;
    c->deferred =
        encoded > 0 && sizeof "AUTH  \r\n" - 1 + n + encoded > SMTP_DIALOGUE_COMMAND_MAX;
    smtp_dialogue_enter(c, SMTP_STAGE_AUTH);
}

void smtp_client_auth_response(struct smtp_client *c, struct str response, int64_t now_ms)
{
    if (!still_at(c, SMTP_STAGE_CHALLENGE))
        return;
    c->now_ms = now_ms;
    buf_release(&c->response);
    buf_put_str(&c->response, response);
    BUG_ON(c->response.failed);
    smtp_dialogue_enter(c, SMTP_STAGE_RESPONSE);
}

void smtp_client_auth_cancel(struct smtp_client *c, const struct fault *fault, int64_t now_ms)
{
    bool challenged = c->stage == SMTP_STAGE_CHALLENGE;
    if (!still_at(c, challenged ? SMTP_STAGE_CHALLENGE : SMTP_STAGE_CHOOSE))
        return;
    c->now_ms = now_ms;
    c->end = *fault;
    smtp_dialogue_enter(c, challenged ? SMTP_STAGE_CANCEL : SMTP_STAGE_QUIT);
}

static bool has_8bit(const char *s)
{
    while (*s && !((unsigned char)*s & 0x80))
        s++;
    return *s;
}

bool smtp_client_needs_utf8(const struct smtp_client *c, unsigned recipient)
{
    return !smtp_caps_has(&c->caps, SMTP_CAP_SMTPUTF8) &&
           has_8bit(c->transaction.recipients[recipient].address);
}

bool smtp_client_is_utf8(const struct smtp_transaction *t)
{
    bool found = has_8bit(t->sender);
    for (unsigned i = 0; i < t->n_recipients && !found; i++)
        found = has_8bit(t->recipients[i].address);
    return found;
}

/* A control could end the command line: it was to be refused long before (S-114). */
static void assert_no_controls(const char *text)
{
    for (; text && *text; text++)
        BUG_ON((unsigned char)*text < 0x20 || *text == 0x7f);
}

/* Headers in UTF-8 need no such server (S-073): they go as they are. */
static void set_utf8_needed(struct fault *f, enum fault_scope scope, const char *who,
                            const char *address)
{
    fault_set(f, scope, "5.6.7", "UTF8-NEEDED",
              "the %s's address %s has letters beyond ASCII, and the server does not offer "
              "SMTPUTF8",
              who, address);
    fault_fix(f, "use an address in ASCII");
    f->permanent = true;
}

/* RFC 8689 4.2.1: the next server has proved its name, and promises the same. */
static bool keeps_tls(const struct smtp_client *c)
{
    return c->secured && c->conf.tls_verified && smtp_caps_has(&c->caps, SMTP_CAP_REQUIRETLS);
}

/* What can be said without asking the server. */
static bool cannot_go_out(const struct smtp_client *c, struct fault *f)
{
    const struct smtp_transaction *t = &c->transaction;
    unsigned long long size = t->body_bytes, limit = c->caps.size_bytes;
    if (limit > 0 && size > limit) {
        fault_set(f, FAULT_MESSAGE, "5.3.4", "SIZE-LOCAL",
                  "the message has %llu octets; the server takes %llu", size, limit);
        fault_fix(f, "send less, or ask the provider for a larger limit");
        return true;
    }
    if (has_8bit(t->sender) && !smtp_caps_has(&c->caps, SMTP_CAP_SMTPUTF8)) {
        set_utf8_needed(f, FAULT_MESSAGE, "sender", t->sender);
        return true;
    }
    if (t->require_tls && !keeps_tls(c)) {
        fault_set(f, FAULT_MESSAGE, "5.7.30", "REQUIRETLS",
                  "the sender requires TLS all the way (REQUIRETLS), and %s",
                  c->secured && c->conf.tls_verified ? "the server does not offer that"
                                                     : "the way to the server is not verified");
        fault_fix(f, "send it without REQUIRETLS, or over a smarthost that offers it");
        return true;
    }
    return false;
}

/* Tell those recipients whose addresses the server cannot take. How many are left. */
static unsigned refuse_utf8_recipients(struct smtp_client *c)
{
    unsigned left = c->transaction.n_recipients;
    for (unsigned i = 0; i < c->transaction.n_recipients; i++) {
        struct fault f;
        if (!smtp_client_needs_utf8(c, i))
            continue;
        set_utf8_needed(&f, FAULT_RECIPIENT, "recipient", c->transaction.recipients[i].address);
        smtp_client_tell(c, SMTP_CLIENT_RCPT, i, &f);
        left--;
    }
    return left;
}

void smtp_client_submit(struct smtp_client *c, const struct smtp_transaction *t, int64_t now_ms)
{
    if (!still_at(c, SMTP_STAGE_IDLE))
        return;
    BUG_ON(t->n_recipients == 0 || t->n_recipients > SMTP_CLIENT_RECIPIENTS_MAX);
    assert_no_controls(t->sender);
    assert_no_controls(t->envid);
    for (unsigned i = 0; i < t->n_recipients; i++) {
        assert_no_controls(t->recipients[i].address);
        assert_no_controls(t->recipients[i].orcpt);
    }
    c->now_ms = now_ms;
    c->transaction = *t;
    c->n_sent = c->n_accepted = 0;
    c->mail_refused = false;
    c->content_bytes = 0;
    c->dot = smtp_dot_start();
    memset(c->accepted, 0, sizeof c->accepted);
    struct fault f = {.scope = FAULT_NONE};
    if (cannot_go_out(c, &f) || refuse_utf8_recipients(c) == 0) {
        smtp_client_tell(c, SMTP_CLIENT_DONE, 0, &f);
        smtp_dialogue_enter(c, SMTP_STAGE_IDLE);
        return;
    }
    c->n_transactions++;
    c->under_way = true;
    smtp_dialogue_enter(c, SMTP_STAGE_MAIL);
}

void smtp_client_body(struct smtp_client *c, const void *bytes, size_t n, bool last,
                      int64_t now_ms)
{
    if (!still_at(c, SMTP_STAGE_CONTENT))
        return;
    size_t before = buf_len(&c->out);
    c->now_ms = now_ms;
    c->content_bytes += n;
    smtp_dot_put(&c->dot, &c->out, (struct str){bytes, n});
    BUG_ON(c->out.failed);
    c->out_bytes += buf_len(&c->out) - before;
    if (last)
        smtp_dialogue_enter(c, SMTP_STAGE_FINAL);
    else
        smtp_dialogue_arm(c);
}

void smtp_client_progress(struct smtp_client *c, int64_t now_ms)
{
    c->now_ms = now_ms;
    if (c->stage == SMTP_STAGE_CONTENT || c->stage == SMTP_STAGE_FINAL)
        smtp_dialogue_arm(c);
}

void smtp_client_quit(struct smtp_client *c, int64_t now_ms)
{
    if (!still_at(c, SMTP_STAGE_IDLE))
        return;
    c->now_ms = now_ms;
    c->end = (struct fault){.scope = FAULT_NONE};
    smtp_dialogue_enter(c, SMTP_STAGE_QUIT);
}

const char *smtp_client_state(const struct smtp_client *c)
{
    return smtp_dialogue_name(c);
}

bool smtp_client_was_ready(const struct smtp_client *c)
{
    return c->ready;
}
