/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_client.h"

#include "base64.h"
#include "mem.h"
#include "smtp_dialogue.h"

#include <stdlib.h>
#include <string.h>

/* An event with a fault. There are at most as many as replies were owed, and one more for each
 * transaction and the end. */
struct smtp_verdict {
    struct smtp_verdict *next;
    enum smtp_client_event_type type;
    const struct smtp_transaction *transaction;
    unsigned recipient;
    bool final, broke;
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
    /* LMTP's replies to the content are as many as its recipients. */
    c->flights_max = conf->pipeline > 1 && !conf->lmtp ? conf->pipeline : 1;
    c->flights = mem_array(c->flights_max, sizeof *c->flights);
    c->owed_max = c->flights_max * SMTP_DIALOGUE_OWED_MAX;
    c->owed = mem_array(c->owed_max, sizeof *c->owed);
    set_times(c);
    smtp_reply_init(&c->reply, SMTP_REPLY_LINE_MAX);
    buf_init(&c->out, SMTP_CLIENT_OUT_MAX);
    buf_init(&c->response, SMTP_CLIENT_RESPONSE_MAX);
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
    free(c->flights);
    free(c->owed);
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
    const struct smtp_flight *newest = smtp_flight_newest(c);
    if (c->first) {
        e->type = c->first->type;
        e->transaction = c->first->transaction;
        e->recipient = c->first->recipient;
        e->final = c->first->final;
        e->broke = c->first->broke;
        e->dsn = smtp_caps_has(&c->caps, SMTP_CAP_DSN);
        e->fault = c->first->fault;
        drop_verdict(c);
        return e->type;
    }
    if (c->ask == SMTP_CLIENT_BODY)
        e->transaction = newest->transaction;
    if (c->ask == SMTP_CLIENT_CHALLENGE)
        e->challenge = buf_str(&c->challenge);
    c->ask = SMTP_CLIENT_WAIT;
    return e->type;
}

static struct smtp_verdict *add_verdict(struct smtp_client *c, const struct smtp_flight *f)
{
    struct smtp_verdict *v = mem_new(sizeof *v);
    v->transaction = f ? f->transaction : NULL;
    *c->last = v;
    c->last = &v->next;
    return v;
}

void smtp_client_tell(struct smtp_client *c, enum smtp_client_event_type type,
                      const struct smtp_flight *f, const struct fault *fault)
{
    struct smtp_verdict *v = add_verdict(c, f);
    v->type = type;
    v->broke = c->stage == SMTP_STAGE_DEAD;
    v->fault = *fault;
}

void smtp_client_tell_recipient(struct smtp_client *c, const struct smtp_flight *f,
                                unsigned recipient, bool final, const struct fault *fault)
{
    struct smtp_verdict *v = add_verdict(c, f);
    v->type = SMTP_CLIENT_RCPT;
    v->recipient = recipient;
    v->final = final;
    v->fault = *fault;
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
    c->literal = false;
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
    if (challenged || !c->descended)
        c->end = *fault;
    smtp_dialogue_enter(c, challenged ? SMTP_STAGE_CANCEL : SMTP_STAGE_QUIT);
}

void smtp_client_submit(struct smtp_client *c, const struct smtp_transaction *t, int64_t now_ms)
{
    bool idle = c->n_flights == 0;
    if (!smtp_dialogue_has_room(c) && !still_at(c, SMTP_STAGE_IDLE))
        return;
    c->now_ms = now_ms;
    c->ask = SMTP_CLIENT_WAIT;
    smtp_flight_begin(c, t);
    smtp_dialogue_go_on(c);
    if (idle)
        smtp_dialogue_arm(c);
}

bool smtp_client_has_room(const struct smtp_client *c)
{
    return smtp_dialogue_has_room(c);
}

/* The last of f's content is in out. */
static void end_content(struct smtp_client *c, struct smtp_flight *f)
{
    f->next = SMTP_STAGE_IDLE;
    f->whole = true;
    if (f->chunked) {
        BUG_ON(f->content_bytes != f->transaction->body_bytes);
        size_t before = buf_len(&c->out);
        smtp_dot_end(&f->dot, &c->out);
        c->out_bytes += buf_len(&c->out) - before;
        c->owed[(c->owed_first + c->n_owed - 1) % c->owed_max].sent_bytes = c->out_bytes;
    } else {
        smtp_dialogue_send(c, SMTP_STAGE_FINAL);
    }
    f->end_bytes = c->out_bytes;
    c->room_news = true;
}

void smtp_client_body(struct smtp_client *c, const void *bytes, size_t n, bool last,
                      int64_t now_ms)
{
    struct smtp_flight *f = smtp_flight_newest(c);
    bool over = c->stage == SMTP_STAGE_DEAD || c->stage == SMTP_STAGE_QUIT;
    if (over)
        return;
    BUG_ON(!f || !f->asked || f->whole);
    size_t before = buf_len(&c->out);
    c->now_ms = now_ms;
    f->content_bytes += n;
    BUG_ON(f->chunked && f->content_bytes > f->transaction->body_bytes);
    smtp_dot_put(&f->dot, &c->out, (struct str){bytes, n});
    c->out_bytes += buf_len(&c->out) - before;
    if (last)
        end_content(c, f);
    BUG_ON(c->out.failed);
    smtp_dialogue_go_on(c);
    if (f == smtp_flight_oldest(c) && smtp_dialogue_is_sending(c))
        smtp_dialogue_arm(c);
}

void smtp_client_progress(struct smtp_client *c, int64_t now_ms)
{
    c->now_ms = now_ms;
    if (smtp_dialogue_is_sending(c))
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

unsigned smtp_client_oddities(const struct smtp_client *c)
{
    return c->oddities;
}

bool smtp_client_says_literal(const struct smtp_client *c)
{
    return c->literal;
}

const char *smtp_client_state(const struct smtp_client *c)
{
    return smtp_dialogue_name(c);
}

bool smtp_client_was_ready(const struct smtp_client *c)
{
    return c->ready;
}
