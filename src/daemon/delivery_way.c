/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "delivery_inner.h"

#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    SLOW_PART = 20 /* of reply-timeout: a greeting that takes longer is slow */
};

void delivery_inner_start_tls(struct delivery *d)
{
    struct fault f;
    struct tls *tls = contact_session(d->smarthost, d->context, d->alias, &f);
    if (!tls) {
        delivery_inner_die(d, &f);
        return;
    }
    conn_start_tls(d->conn, tls);
}

/* Over a new connection: this one has used up its login, or speaks the wrong mode. */
static void start_over(void *object)
{
    struct delivery *d = object;
    if (d->freed)
        return;
    smtp_client_free(d->smtp);
    d->smtp = NULL;
    d->secured = false;
    d->ending = false;
    delivery_inner_dial(d);
}

static void leave(struct delivery *d)
{
    d->ending = true;
    conn_close(d->conn, 0);
    d->conn = NULL;
    loop_defer(d->loop, start_over, d);
}

bool delivery_inner_turns(struct delivery *d, const struct fault *fault)
{
    if (!d->conn || !mode_turn(&d->trial, d->smarthost, fault))
        return false;
    log_say(LOG_LEVEL_DEBUG, NULL, "smarthost \"%s\": %s; %s is tried", d->smarthost->name,
            d->trial.first.text,
            d->trial.spoken == CONF_TLS_IMPLICIT ? "TLS from the first byte" : "STARTTLS");
    leave(d);
    return true;
}

bool delivery_inner_survives(struct delivery *d, struct fault *fault)
{
    bool again = d->login && login_is_refused(d->login, fault);
    if (d->login)
        d->secret_look = smtp_advice_secret_of(login_secret(d->login));
    login_free(d->login);
    d->login = NULL;
    if (!again)
        return false;
    log_say(LOG_LEVEL_INFO, NULL, "smarthost \"%s\": %s; it is got afresh", d->smarthost->name,
            fault->text);
    leave(d);
    return true;
}

static void on_login_progress(void *owner)
{
    struct delivery *d = owner;
    conn_deadline(d->conn, loop_now_ms(d->loop));
}

void delivery_inner_log_in(struct delivery *d, const struct smtp_caps *caps)
{
    if (!d->login)
        d->login =
            login_new(d->loop, d->smarthost, d->credential, d->smtp, on_login_progress, d);
    login_choose(d->login, caps, conn_tls(d->conn));
}

static void note_login(struct delivery *d)
{
    const char *given_up = login_given_up(d->login);
    snprintf(d->mechanism, sizeof d->mechanism, "%s", login_mechanism(d->login));
    if (given_up)
        log_say(LOG_LEVEL_INFO, NULL,
                "smarthost \"%s\": the server does not take %s, so %s is used",
                d->smarthost->name, given_up, d->mechanism);
}

void delivery_inner_become_ready(struct delivery *d)
{
    struct fault f;
    if (d->login && !login_is_accepted(d->login, &f)) {
        delivery_inner_die(d, &f);
        return;
    }
    if (d->login)
        note_login(d);
    login_free(d->login);
    d->login = NULL;
    if (d->connected_ms < 0)
        d->connected_ms = loop_now_ms(d->loop) - d->dialled_at;
    d->idle = true;
    if (smtp_client_says_literal(d->smtp))
        log_say(
            LOG_LEVEL_WARNING, NULL,
            "%s refuses our name %s at EHLO and takes %s in its place; set hostname to a name "
            "that is this machine's in DNS",
            d->relay, d->conf->ehlo_name, d->literal);
    d->owner.on_ready(d->owner.self, d);
}

bool delivery_inner_awaits_greeting(const struct delivery *d)
{
    return str_eq(str_of(smtp_client_state(d->smtp)), STR_LIT("greeting"));
}

/* The first sign of a server that is overloaded, or of a port that expects TLS at once. */
void delivery_inner_note_slow_greeting(struct delivery *d, int64_t now)
{
    if (!delivery_inner_awaits_greeting(d) || now < d->slow_at)
        return;
    d->slow_at = INT64_MAX;
    log_say(LOG_LEVEL_NOTICE, NULL,
            "smarthost \"%s\": no greeting from %s after %" PRId64
            " s; waiting for up to %" PRId64
            " s; it may be waiting for TLS from the first byte, as port 465 does: see "
            "\"tranterctl diagnose\"",
            d->smarthost->name, d->relay, d->smarthost->reply_timeout_ms / SLOW_PART / 1000,
            d->smarthost->reply_timeout_ms / 1000);
}

static void on_dialled(void *owner, int fd, const struct fault *fault)
{
    struct delivery *d = owner;
    const struct conf_smarthost *s = d->smarthost;
    struct dial_report report = dial_report(d->dial);
    snprintf(d->alias, sizeof d->alias, "%s", report.canonical ? report.canonical : "");
    d->missed_ipv6 = report.missed_ipv6;
    d->dial = NULL;
    struct fault self;
    if (fd >= 0 && contact_is_self(d->conf, fd, &self)) {
        close(fd);
        fd = -1;
        fault = &self;
    }
    if (fd < 0) {
        delivery_inner_die(d, fault);
        return;
    }
    d->trial.begun = true;
    const char *literal = contact_literal(d->conf, fd, d->literal);
    d->conn = conn_new(d->loop, fd, delivery_inner_on_io, d);
    conn_name(d->conn, s->host);
    snprintf(d->relay, sizeof d->relay, "%s[%s]:%u", s->host, conn_peer_address(d->conn),
             s->port);
    struct conf_smarthost spoken = *s;
    spoken.tls = d->trial.spoken;
    struct smtp_client_conf client = contact_client(d->conf, &spoken, literal);
    client.pipelining = d->manner.pipeline > 1;
    client.pipeline = d->manner.pipeline;
    client.chunking = d->manner.chunking;
    d->smtp = smtp_client_new(&client, loop_now_ms(d->loop));
    d->slow_at = loop_now_ms(d->loop) + s->reply_timeout_ms / SLOW_PART;
    if (spoken.tls == CONF_TLS_IMPLICIT)
        delivery_inner_start_tls(d);
    if (!d->ending)
        delivery_inner_pump(d);
}

void delivery_inner_dial(struct delivery *d)
{
    const struct conf_smarthost *s = d->smarthost;
    d->dial = dial_new(d->loop, s->host, s->port, s->connect_timeout_ms, on_dialled, d);
}
