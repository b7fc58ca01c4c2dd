/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pump is one loop: bytes from the connection into the core, each of the core's events
 * answered, the core's bytes to the connection. Events that concern the owner are told from
 * here; the owner may call back at once, since the core is only ever asked, never asks. */
#include "delivery_inner.h"

#include "log.h"
#include "mem.h"
#include "smtp_fault.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PATIENCE_MS = 2 * 1000 /* a message that takes longer has no others queue up behind it */
};

static void free_now(void *object)
{
    struct delivery *d = object;
    smtp_client_free(d->smtp);
    buf_release(&d->piece);
    struct dispatch *x;
    while ((x = TAILQ_FIRST(&d->queue))) {
        TAILQ_REMOVE(&d->queue, x, entry);
        dispatch_free(x);
    }
    tls_context_free(d->context);
    conf_unref(d->conf);
    free(d);
}

void delivery_free(struct delivery *d)
{
    if (!d)
        return;
    d->ending = d->freed = true;
    login_free(d->login); /* the credential may go before the turn ends */
    d->login = NULL;
    if (d->dial)
        dial_cancel(d->dial);
    d->dial = NULL;
    if (d->conn)
        conn_close(d->conn, 0);
    d->conn = NULL;
    loop_defer(d->loop, free_now, d);
}

void delivery_inner_die(struct delivery *d, const struct fault *fault)
{
    if (d->ending)
        return;
    if (delivery_inner_turns(d, fault))
        return;
    struct fault why = *mode_fault(&d->trial, d->smarthost, fault);
    if (d->conn)
        contact_explain_end(&why, conn_fault(d->conn));
    contact_advise(&why, d->smarthost, d->secret_look);
    d->ending = true;
    if (d->conn && d->smtp) {
        conn_write(d->conn, buf_str(smtp_client_out(d->smtp)));
        conn_close(d->conn, 1000);
        d->conn = NULL;
    }
    d->owner.on_dead(d->owner.self, d, &why);
    delivery_free(d);
}

/* The oldest has its end. */
static void end_oldest(struct delivery *d, const struct fault *fault, bool broke)
{
    struct dispatch *x = TAILQ_FIRST(&d->queue);
    int64_t now = loop_now_ms(d->loop);
    dispatch_judge(x, fault);
    for (unsigned i = 0; i < x->transaction.n_recipients; i++)
        contact_advise(&x->verdicts[i], d->smarthost, d->secret_look);
    struct delivery_end end = {
        .id = x->id,
        .verdicts = x->verdicts,
        .n = x->transaction.n_recipients,
        .connected_ms = d->connected_ms,
        .sent_ms = x->submitted_at ? now - x->submitted_at : 0,
        .broke = broke,
        .dsn = d->takes_dsn,
    };
    TAILQ_REMOVE(&d->queue, x, entry);
    d->connected_ms = 0;
    if (d->preparing == x)
        d->preparing = NULL;
    if (d->sending == x)
        d->sending = NULL;
    d->owner.on_verdict(d->owner.self, d, &end);
    dispatch_free(x);
}

/* The content of the newest cannot be read any more. Those before it have their answers; then
 * closing before its last octet keeps a part of it from being taken for the whole. */
static void break_off(struct delivery *d)
{
    struct dispatch *x = TAILQ_FIRST(&d->queue);
    struct fault f;
    char id[STORE_ID_MAX];
    store_id_format(id, x->id);
    log_say(LOG_LEVEL_ERROR, id, "the content cannot be read from the spool %s; check its disk",
            d->conf->spool);
    fault_set(&f, FAULT_MESSAGE, "4.3.0", "STORE-READ",
              "the content cannot be read from the spool");
    fault_fix(&f, "check the disk that holds %s", d->conf->spool);
    end_oldest(d, &f, false);
    fault_set(&f, FAULT_NONE, "", "", "closed in the middle of a message");
    buf_clear(smtp_client_out(d->smtp));
    delivery_inner_die(d, &f);
}

static void get_stuck(struct delivery *d)
{
    d->stuck = true;
    d->preparing = NULL;
    d->sending = NULL;
}

/* Keep the way out full, and no more than that. True when the last of a content went. */
static bool send_body(struct delivery *d)
{
    int64_t now = loop_now_ms(d->loop);
    bool last = false;
    while (d->sending && conn_out_room(d->conn)) {
        buf_clear(&d->piece);
        enum content_status status = content_read(d->sending->content, &d->piece);
        if (status == CONTENT_BROKEN) {
            get_stuck(d);
            break;
        }
        last = status == CONTENT_END;
        if (last) {
            d->owner.on_sending(d->owner.self, d, d->sending->id);
            content_free(d->sending->content);
            d->sending->content = NULL;
            d->sending = NULL;
        }
        smtp_client_body(d->smtp, buf_str(&d->piece).p, buf_len(&d->piece), last, now);
        struct buf *out = smtp_client_out(d->smtp);
        conn_write(d->conn, buf_str(out));
        buf_consume(out, buf_len(out));
    }
    if (!d->sending)
        buf_release(&d->piece);
    return last;
}

/* Which of those in flight an event speaks of. */
static struct dispatch *dispatch_of(struct delivery *d, const struct smtp_client_event *e)
{
    struct dispatch *x;
    TAILQ_FOREACH(x, &d->queue, entry)
    {
        if (&x->transaction == e->transaction)
            return x;
    }
    BUG_ON(true);
    return NULL;
}

/* The connection is gone before what was prepared for it. */
static void end_unsubmitted(struct delivery *d)
{
    struct fault f;
    smtp_fault_of_reconnect(&f);
    if (!TAILQ_EMPTY(&d->queue))
        end_oldest(d, &f, true);
    BUG_ON(!TAILQ_EMPTY(&d->queue));
}

/* One event of the core. False when it waits. */
static bool take_event(struct delivery *d)
{
    struct smtp_client_event e;
    int64_t now = loop_now_ms(d->loop);
    switch (smtp_client_next(d->smtp, &e)) {
    case SMTP_CLIENT_WAIT:
        return false;
    case SMTP_CLIENT_STARTTLS:
        if (buf_len(conn_in(d->conn)))
            smtp_client_secured(d->smtp, buf_len(conn_in(d->conn)), now);
        else
            delivery_inner_start_tls(d);
        break;
    case SMTP_CLIENT_AUTH:
        delivery_inner_log_in(d, e.caps);
        break;
    case SMTP_CLIENT_CHALLENGE:
        login_answer(d->login, e.challenge);
        break;
    case SMTP_CLIENT_IDLE:
        d->recipients_max = e.caps->limit_rcpt;
        d->messages_max = e.caps->limit_mail;
        d->takes_8bit = smtp_caps_has(e.caps, SMTP_CAP_8BITMIME);
        d->takes_dsn = smtp_caps_has(e.caps, SMTP_CAP_DSN);
        if (TAILQ_EMPTY(&d->queue))
            delivery_inner_become_ready(d);
        break;
    case SMTP_CLIENT_ROOM:
        d->room = true;
        break;
    case SMTP_CLIENT_BODY:
        d->sending = dispatch_of(d, &e);
        break;
    case SMTP_CLIENT_RCPT:
        dispatch_of(d, &e)->verdicts[e.recipient] = e.fault;
        break;
    case SMTP_CLIENT_DONE:
        BUG_ON(dispatch_of(d, &e) != TAILQ_FIRST(&d->queue));
        end_oldest(d, &e.fault, e.broke);
        break;
    case SMTP_CLIENT_DEAD:
        end_unsubmitted(d);
        if (!delivery_inner_survives(d, &e.fault))
            delivery_inner_die(d, &e.fault);
        break;
    }
    return !d->ending;
}

static void write_commands(struct delivery *d)
{
    struct buf *out = smtp_client_out(d->smtp);
    if (!d->ending && buf_len(out)) {
        conn_write(d->conn, buf_str(out));
        buf_consume(out, buf_len(out));
    }
}

/* What a failed handshake means is known to the TLS engine; of all other ends the core knows
 * what they interrupt. */
static void take_end(struct delivery *d)
{
    if (d->ending || conn_end(d->conn) == CONN_OPEN || buf_len(conn_in(d->conn)))
        return;
    bool failed = conn_end(d->conn) == CONN_FAILED;
    const struct fault *f = conn_fault(d->conn);
    /* TLS 1.3 tells of a client certificate that it wants behind the handshake. */
    if (failed && conn_tls(d->conn) && (!d->secured || f->scope == FAULT_ACCOUNT)) {
        delivery_inner_die(d, f);
        return;
    }
    smtp_client_eof(d->smtp, failed ? f->text : NULL);
    while (!d->ending && take_event(d))
        continue;
}

/* What will go out is known: begin. */
static void submit(struct delivery *d, struct dispatch *x)
{
    int64_t now = loop_now_ms(d->loop);
    dispatch_log_changes(x, d->relay, d->takes_8bit);
    x->submitted_at = now;
    smtp_client_submit(d->smtp, &x->transaction, now);
}

/* Go on to find out what will go out, a step a turn of the loop. */
static void prepare(struct delivery *d)
{
    struct dispatch *x = d->preparing;
    enum content_status status = dispatch_prepare(x);
    if (status == CONTENT_BROKEN)
        get_stuck(d);
    if (status != CONTENT_END)
        return;
    d->preparing = NULL;
    submit(d, x);
}

/* Has the owner, which was asked for another message, given one? */
static bool offer_room(struct delivery *d)
{
    const struct dispatch *last = TAILQ_LAST(&d->queue, dispatch_queue);
    if (!d->room || !delivery_has_room(d))
        return false;
    d->room = false;
    d->owner.on_room(d->owner.self, d);
    return last != TAILQ_LAST(&d->queue, dispatch_queue);
}

/* Until the core has seen all that came, and said what there is to say. */
static void converse(struct delivery *d)
{
    int64_t now = loop_now_ms(d->loop);
    bool more = true;
    while (more) {
        while (!d->ending && take_event(d))
            write_commands(d);
        if (d->ending)
            return;
        more = offer_room(d);
        more |= send_body(d);
        write_commands(d);
        struct buf *in = conn_in(d->conn);
        size_t n = smtp_client_feed(d->smtp, buf_str(in).p, buf_len(in), now);
        buf_consume(in, n);
        more |= n > 0;
    }
}

static int64_t wake_at(const struct delivery *d)
{
    int64_t at = d->preparing ? loop_now_ms(d->loop) : smtp_client_deadline(d->smtp);
    return delivery_inner_awaits_greeting(d) && d->slow_at < at ? d->slow_at : at;
}

void delivery_inner_pump(struct delivery *d)
{
    if (d->preparing)
        prepare(d);
    converse(d);
    if (!d->ending)
        take_end(d);
    if (!d->ending && d->stuck &&
        TAILQ_FIRST(&d->queue) == TAILQ_LAST(&d->queue, dispatch_queue))
        break_off(d);
    if (d->ending)
        return;
    d->unsent_bytes = conn_out_bytes(d->conn);
    conn_deadline(d->conn, wake_at(d));
}

void delivery_inner_on_io(void *owner)
{
    struct delivery *d = owner;
    int64_t now = loop_now_ms(d->loop);
    if (conn_took_secured(d->conn)) {
        d->secured = d->trial.proved = true;
        smtp_client_secured(d->smtp, 0, now);
    }
    if (conn_out_bytes(d->conn) < d->unsent_bytes)
        smtp_client_progress(d->smtp, now);
    delivery_inner_pump(d);
    /* What came in time is heard first, however late we are. */
    if (!d->ending && now >= smtp_client_deadline(d->smtp)) {
        smtp_client_tick(d->smtp, now);
        delivery_inner_pump(d);
    }
    if (!d->ending)
        delivery_inner_note_slow_greeting(d, now);
}

struct delivery *delivery_new(struct loop *loop, struct store *store, struct conf *conf,
                              const struct conf_smarthost *smarthost,
                              struct tls_context *context, struct credential *credential,
                              const struct manner *manner, const struct mode *mode,
                              const struct delivery_owner *owner)
{
    struct delivery *d = mem_new(sizeof *d);
    d->loop = loop;
    d->store = store;
    d->conf = conf_ref(conf);
    d->smarthost = smarthost;
    d->context = context ? tls_context_ref(context) : NULL;
    d->manner = *manner;
    mode_begin(&d->trial, mode);
    d->credential = credential;
    d->owner = *owner;
    TAILQ_INIT(&d->queue);
    d->dialled_at = loop_now_ms(loop);
    d->connected_ms = -1;
    buf_init(&d->piece, CONTENT_PIECE_MAX);
    snprintf(d->relay, sizeof d->relay, "none");
    delivery_inner_dial(d);
    return d;
}

void delivery_send(struct delivery *d, store_id id, const struct smtp_transaction *t,
                   bool long_lines)
{
    bool to_7bit = t->body_8bit && !d->takes_8bit;
    BUG_ON(!d->idle && !delivery_has_room(d));
    BUG_ON(t->n_recipients > SMTP_CLIENT_RECIPIENTS_MAX);
    struct dispatch *x = dispatch_new(d->store, id, t);
    TAILQ_INSERT_TAIL(&d->queue, x, entry);
    d->idle = false;
    d->room = false;
    if (long_lines || to_7bit) {
        d->preparing = x;
        content_fit(x->content, to_7bit);
    } else {
        submit(d, x);
    }
    /* The pump goes on from here, in this turn or the next. */
    conn_deadline(d->conn, loop_now_ms(d->loop));
}

bool delivery_has_room(const struct delivery *d)
{
    const struct dispatch *oldest = TAILQ_FIRST(&d->queue);
    return oldest && !d->ending && !d->stuck && !d->preparing && !d->sending &&
           loop_now_ms(d->loop) - oldest->submitted_at < PATIENCE_MS &&
           conn_out_room(d->conn) && smtp_client_has_room(d->smtp);
}

void delivery_quit(struct delivery *d)
{
    BUG_ON(!d->idle);
    d->idle = false;
    smtp_client_quit(d->smtp, loop_now_ms(d->loop));
    conn_deadline(d->conn, loop_now_ms(d->loop));
}

unsigned delivery_recipients_max(const struct delivery *d)
{
    return d->recipients_max && d->recipients_max < SMTP_CLIENT_RECIPIENTS_MAX
               ? (unsigned)d->recipients_max
               : SMTP_CLIENT_RECIPIENTS_MAX;
}

unsigned delivery_messages_max(const struct delivery *d)
{
    return d->messages_max && d->messages_max < UINT_MAX ? (unsigned)d->messages_max : UINT_MAX;
}

const struct mode_trial *delivery_trial(const struct delivery *d)
{
    return &d->trial;
}

bool delivery_missed_ipv6(const struct delivery *d)
{
    return d->missed_ipv6;
}

unsigned delivery_oddities(const struct delivery *d)
{
    return d->smtp ? smtp_client_oddities(d->smtp) : 0;
}

const char *delivery_relay(const struct delivery *d)
{
    return d->relay;
}

const char *delivery_tls(const struct delivery *d)
{
    const struct tls *tls = d->conn ? conn_tls(d->conn) : NULL;
    return tls ? tls_description(tls) : "none";
}

const char *delivery_mechanism(const struct delivery *d)
{
    return d->mechanism[0] ? d->mechanism : "none";
}
