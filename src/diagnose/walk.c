/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "walk.h"

#include "clock.h"
#include "conn.h"
#include "contact.h"
#include "login.h"
#include "mem.h"
#include "smtp_client.h"
#include "sockname.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* Nobody waits five minutes before a terminal. */
    REPLY_MAX_MS = 60 * 1000,
    TLS_MAX_MS = 30 * 1000,
    QUIT_MS = 2 * 1000
};

struct walk {
    struct loop *loop;
    struct walk_plan plan;
    void (*on_news)(void *owner);
    void *owner;
    struct walk_facts facts;
    struct dial *dial;
    struct conn *conn;
    struct smtp_client *smtp;
    struct credential *credential; /* where it logs in */
    struct login *login;           /* from AUTH on */
    struct loop_timer *limit;
    int64_t tls_began_ms;
    struct smtp_recipient recipient;
    struct smtp_transaction transaction;
    char literal[CONTACT_LITERAL_MAX];
    bool rehearsed;
    bool freed;
};

static void free_now(void *object)
{
    struct walk *w = object;
    smtp_client_free(w->smtp);
    transcript_release(&w->facts.transcript);
    free(w->facts.chain);
    free(w);
}

static void let_go(struct walk *w)
{
    if (w->dial)
        dial_cancel(w->dial);
    if (w->conn)
        conn_close(w->conn, 0);
    login_free(w->login);
    credential_free(w->credential);
    loop_timer_free(w->limit);
    w->dial = NULL;
    w->conn = NULL;
    w->login = NULL;
    w->credential = NULL;
    w->limit = NULL;
}

void walk_free(struct walk *w)
{
    if (!w || w->freed)
        return;
    w->freed = true;
    let_go(w);
    loop_defer(w->loop, free_now, w);
}

static void tell(struct walk *w)
{
    if (!w->freed)
        w->on_news(w->owner);
}

static void end(struct walk *w, const struct fault *fault)
{
    if (w->facts.over)
        return;
    w->facts.over = true;
    w->facts.fault = *fault;
    if (w->conn)
        contact_explain_end(&w->facts.fault, conn_fault(w->conn));
    if (w->login)
        w->facts.secret_look = smtp_advice_secret_of(login_secret(w->login));
    let_go(w);
    tell(w);
}

void walk_stop(struct walk *w, const struct fault *fault)
{
    end(w, fault);
}

/* The certificates, also of a handshake that failed over them. */
static void learn_tls(struct walk *w)
{
    const struct tls *tls = w->conn ? conn_tls(w->conn) : NULL;
    unsigned n = tls ? tls_chain_length(tls) : 0;
    if (!tls || w->facts.chain)
        return;
    snprintf(w->facts.tls, sizeof w->facts.tls, "%s", tls_description(tls));
    w->facts.tls_ms = loop_now_ms(w->loop) - w->tls_began_ms;
    if (n == 0)
        return;
    w->facts.chain = mem_array(n, sizeof w->facts.chain[0]);
    for (unsigned i = 0; i < n; i++)
        w->facts.n_chain += tls_chain_get(tls, i, &w->facts.chain[w->facts.n_chain]);
}

static void start_tls(struct walk *w)
{
    struct fault f;
    struct tls *tls =
        contact_session(w->plan.smarthost, w->plan.context, w->facts.canonical, &f);
    if (!tls) {
        end(w, &f);
        return;
    }
    w->tls_began_ms = loop_now_ms(w->loop);
    conn_start_tls(w->conn, tls);
}

/* What the sender is told decides for the recipient, too. */
static void take_verdict(struct walk *w, const struct smtp_client_event *e)
{
    bool refused = e->type == SMTP_CLIENT_DONE && e->fault.scope != FAULT_NONE;
    if (e->type == SMTP_CLIENT_RCPT) {
        w->facts.asked_recipient = true;
        w->facts.recipient = e->fault;
    } else if (refused) {
        w->facts.sender = e->fault;
    }
    w->facts.asked_sender = true;
}

static void become_ready(struct walk *w, const struct smtp_caps *caps)
{
    int64_t now = loop_now_ms(w->loop);
    w->facts.ready = true;
    w->facts.caps = *caps;
    if (!w->plan.sender || w->rehearsed) {
        smtp_client_quit(w->smtp, now);
        return;
    }
    w->rehearsed = true;
    w->recipient = (struct smtp_recipient){.address = w->plan.recipient};
    w->transaction = (struct smtp_transaction){.sender = w->plan.sender,
                                               .recipients = &w->recipient,
                                               .n_recipients = 1,
                                               .rehearsal = true};
    smtp_client_submit(w->smtp, &w->transaction, now);
}

/* Nothing failed on the way, but the sender or the recipient may have been refused. */
static void end_dialogue(struct walk *w, const struct fault *fault)
{
    const struct walk_facts *facts = &w->facts;
    if (fault->scope == FAULT_NONE && facts->sender.scope != FAULT_NONE)
        fault = &facts->sender;
    else if (fault->scope == FAULT_NONE && facts->recipient.scope != FAULT_NONE)
        fault = &facts->recipient;
    end(w, fault);
}

static void learn_mechanism(struct walk *w)
{
    snprintf(w->facts.mechanism, sizeof w->facts.mechanism, "%s",
             w->login ? login_mechanism(w->login) : "");
}

/* The pump goes on from here. */
static void on_login_progress(void *owner)
{
    struct walk *w = owner;
    learn_mechanism(w);
    conn_deadline(w->conn, loop_now_ms(w->loop));
}

static void log_in(struct walk *w, const struct smtp_caps *caps)
{
    if (!w->login)
        w->login =
            login_new(w->loop, w->plan.smarthost, w->credential, w->smtp, on_login_progress, w);
    login_choose(w->login, caps, conn_tls(w->conn));
    learn_mechanism(w);
}

/* A token was got for this walk, so that there is no fresher one. */
static void explain_refusal(struct walk *w, struct fault *fault)
{
    bool again = w->login && !w->facts.logged_in && login_is_refused(w->login, fault);
    (void)again;
}

/* One event of the core. False when it waits. */
static bool take_event(struct walk *w)
{
    struct smtp_client_event e;
    int64_t now = loop_now_ms(w->loop);
    switch (smtp_client_next(w->smtp, &e)) {
    case SMTP_CLIENT_WAIT:
    case SMTP_CLIENT_BODY: /* a rehearsal has none */
        return false;
    case SMTP_CLIENT_STARTTLS:
        if (buf_len(conn_in(w->conn)))
            smtp_client_secured(w->smtp, buf_len(conn_in(w->conn)), now);
        else
            start_tls(w);
        break;
    case SMTP_CLIENT_AUTH:
        log_in(w, e.caps);
        break;
    case SMTP_CLIENT_CHALLENGE:
        login_answer(w->login, e.challenge);
        break;
    case SMTP_CLIENT_IDLE: {
        struct fault f;
        if (w->login && !w->facts.logged_in && !login_is_accepted(w->login, &f)) {
            end(w, &f);
            return false;
        }
        w->facts.logged_in = w->login != NULL;
        become_ready(w, e.caps);
        break;
    }
    case SMTP_CLIENT_ROOM:
        break;
    case SMTP_CLIENT_RCPT:
    case SMTP_CLIENT_DONE:
        take_verdict(w, &e);
        break;
    case SMTP_CLIENT_DEAD:
        explain_refusal(w, &e.fault);
        end_dialogue(w, &e.fault);
        return false;
    }
    return !w->facts.over;
}

static void write_commands(struct walk *w)
{
    struct buf *out = smtp_client_out(w->smtp);
    if (w->facts.over || buf_len(out) == 0)
        return;
    transcript_sent(&w->facts.transcript, buf_str(out), loop_now_ms(w->loop));
    conn_write(w->conn, buf_str(out));
    buf_consume(out, buf_len(out));
}

/* Whose fault an end is, the connection knows where TLS failed, and the core else: it knows
 * what was interrupted. */
static void take_end(struct walk *w)
{
    if (w->facts.over || conn_end(w->conn) == CONN_OPEN || buf_len(conn_in(w->conn)))
        return;
    const struct fault *f = conn_fault(w->conn);
    bool of_tls = f && conn_tls(w->conn) && (!w->facts.secured || f->scope == FAULT_ACCOUNT);
    learn_tls(w);
    if (of_tls) {
        end(w, f);
        return;
    }
    smtp_client_eof(w->smtp, f ? f->text : NULL);
    while (!w->facts.over && take_event(w))
        continue;
}

static void pump(struct walk *w)
{
    int64_t now = loop_now_ms(w->loop);
    bool fed = true;
    while (fed && !w->facts.over) {
        while (!w->facts.over && take_event(w))
            write_commands(w);
        if (w->facts.over)
            return;
        write_commands(w);
        struct buf *in = conn_in(w->conn);
        size_t n = smtp_client_feed(w->smtp, buf_str(in).p, buf_len(in), now);
        transcript_received(&w->facts.transcript, str_head(buf_str(in), n), now);
        if (w->login)
            transcript_hide(&w->facts.transcript, login_secret(w->login));
        buf_consume(in, n);
        fed = n > 0;
    }
    if (!w->facts.over)
        take_end(w);
    if (!w->facts.over)
        conn_deadline(w->conn, smtp_client_deadline(w->smtp));
}

static void on_io(void *owner)
{
    struct walk *w = owner;
    int64_t now = loop_now_ms(w->loop);
    if (conn_took_secured(w->conn)) {
        w->facts.secured = true;
        learn_tls(w);
        transcript_secured(&w->facts.transcript, now);
        smtp_client_secured(w->smtp, 0, now);
    }
    pump(w);
    if (!w->facts.over && now >= smtp_client_deadline(w->smtp)) {
        smtp_client_tick(w->smtp, now);
        pump(w);
    }
    if (!w->facts.over)
        tell(w);
}

static int64_t at_most(int64_t ms, int64_t max_ms)
{
    return ms < max_ms ? ms : max_ms;
}

static void start_dialogue(struct walk *w, const char *literal)
{
    struct conf_smarthost s = *w->plan.smarthost;
    s.tls = w->plan.tls;
    s.reply_timeout_ms = at_most(s.reply_timeout_ms, REPLY_MAX_MS);
    struct smtp_client_conf client = contact_client(w->plan.conf, &s, literal);
    client.login = w->plan.login;
    client.timeouts.starttls_ms = at_most(client.timeouts.starttls_ms, TLS_MAX_MS);
    client.timeouts.quit_ms = QUIT_MS;
    w->smtp = smtp_client_new(&client, loop_now_ms(w->loop));
}

static void learn_way(struct walk *w)
{
    struct dial_report r = dial_report(w->dial);
    w->facts.resolved_ms = r.resolved_ms;
    w->facts.connected_ms = r.connected_ms;
    w->facts.missed_ipv6 = r.missed_ipv6;
    snprintf(w->facts.canonical, sizeof w->facts.canonical, "%s",
             r.canonical ? r.canonical : "");
    for (; w->facts.n_addresses < r.n; w->facts.n_addresses++)
        w->facts.addresses[w->facts.n_addresses] = r.addresses[w->facts.n_addresses];
}

static void on_dialled(void *owner, int fd, const struct fault *fault)
{
    struct walk *w = owner;
    learn_way(w);
    w->dial = NULL;
    struct fault f;
    if (fd >= 0 && contact_is_self(w->plan.conf, fd, &f)) {
        close(fd);
        fd = -1;
        fault = &f;
    }
    if (fd < 0) {
        end(w, fault);
        return;
    }
    const char *literal = contact_literal(w->plan.conf, fd, w->literal);
    w->conn = conn_new(w->loop, fd, on_io, w);
    conn_name(w->conn, w->plan.smarthost->host);
    snprintf(w->facts.peer, sizeof w->facts.peer, "%s", conn_peer_address(w->conn));
    transcript_init(&w->facts.transcript, loop_now_ms(w->loop));
    start_dialogue(w, literal);
    if (w->plan.tls == CONF_TLS_IMPLICIT)
        start_tls(w);
    if (!w->facts.over)
        pump(w);
    if (!w->facts.over)
        tell(w);
}

static void on_limit(void *owner)
{
    struct walk *w = owner;
    struct fault f;
    if (w->smtp && smtp_client_deadline(w->smtp) != INT64_MAX) {
        /* As if its own time were over: what that means, the core knows. */
        smtp_client_tick(w->smtp, smtp_client_deadline(w->smtp));
        while (!w->facts.over && take_event(w))
            continue;
    }
    fault_set(&f, FAULT_SERVER, "4.4.1", "TCP-TIMEOUT", "%s does not answer on port %u",
              w->plan.smarthost->host, w->plan.port);
    end(w, &f);
}

struct walk *walk_new(struct loop *loop, const struct walk_plan *plan,
                      void (*on_news)(void *owner), void *owner)
{
    struct walk *w = mem_new(sizeof *w);
    w->loop = loop;
    w->plan = *plan;
    w->on_news = on_news;
    w->owner = owner;
    w->facts.began_ms = clock_mono_ms();
    w->facts.resolved_ms = w->facts.connected_ms = w->facts.tls_ms = -1;
    struct credential_source source = login_source(plan->smarthost);
    if (plan->login)
        w->credential = credential_new(loop, &source);
    if (plan->limit_ms) {
        w->limit = loop_timer_new(loop, on_limit, w);
        loop_timer_set(w->limit, clock_mono_ms() + plan->limit_ms);
    }
    w->dial = dial_new(loop, plan->smarthost->host, plan->port,
                       plan->limit_ms ? plan->limit_ms : plan->smarthost->connect_timeout_ms,
                       on_dialled, w);
    return w;
}

const struct walk_facts *walk_facts(const struct walk *w)
{
    return &w->facts;
}
