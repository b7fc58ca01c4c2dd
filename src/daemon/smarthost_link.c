/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smarthost_inner.h"

#include "contact.h"
#include "log.h"
#include "mem.h"
#include "smtp_fault.h"

#include <stdio.h>
#include <stdlib.h>

void smarthost_inner_drop(struct link *link)
{
    struct smarthost *s = link->smarthost;
    TAILQ_REMOVE(&s->links, link, entry);
    s->n_links--;
    s->n_dialling -= link->state == LINK_DIALLING;
    for (unsigned i = 0; i < link->n_attempts; i++)
        attempt_free(link->attempts[(link->first + i) % s->conf->pipeline]);
    free(link->attempts);
    free(link);
    if (s->n_links == 0)
        schedule_probe_void(&s->outage.health);
}

void smarthost_inner_quit(struct link *link)
{
    link->state = LINK_QUITTING;
    delivery_quit(link->delivery);
}

static unsigned messages_max(const struct link *link)
{
    unsigned conf_max = link->smarthost->conf->messages_per_connection;
    unsigned server_max = delivery_messages_max(link->delivery);
    unsigned known_max = link->smarthost->manner.messages_max;
    unsigned max = server_max < conf_max ? server_max : conf_max;
    return known_max < max ? known_max : max;
}

void smarthost_inner_give(struct link *link)
{
    struct smarthost *s = link->smarthost;
    struct attempt *a = smarthost_inner_next(s);
    if (!a)
        return;
    BUG_ON(link->n_attempts == s->conf->pipeline);
    link->attempts[(link->first + link->n_attempts++) % s->conf->pipeline] = a;
    link->state = LINK_BUSY;
    link->messages++;
    delivery_send(link->delivery, attempt_id(a),
                  attempt_transaction(a, delivery_recipients_max(link->delivery)),
                  attempt_has_long_lines(a));
}

void smarthost_inner_employ(struct link *link)
{
    if (link->smarthost->retired || link->messages >= messages_max(link))
        smarthost_inner_quit(link);
    else
        smarthost_inner_give(link);
}

bool smarthost_inner_has_room(const struct link *link)
{
    return link->state == LINK_BUSY && link->fault.scope == FAULT_NONE &&
           smarthost_is_up(link->smarthost) && !link->smarthost->retired &&
           link->messages < messages_max(link) && delivery_has_room(link->delivery);
}

static void note_ipv6(struct smarthost *s, const struct delivery *d)
{
    if (!delivery_missed_ipv6(d) || s->noted_ipv6)
        return;
    s->noted_ipv6 = true;
    log_say(
        LOG_LEVEL_NOTICE, NULL,
        "smarthost \"%s\": IPv6 to %s does not work from here (diag=NET-IPV6); IPv4 is used "
        "after a quarter of a second. Mend IPv6, or prefer IPv4 in /etc/gai.conf",
        s->conf->name, s->conf->host);
}

static void learn_mode(struct smarthost *s, const struct delivery *d)
{
    const struct fault *advice = &s->mode.advice;
    if (mode_learn(&s->mode, s->conf, delivery_trial(d)))
        log_say(LOG_LEVEL_WARNING, NULL, "smarthost \"%s\": diag=%s: %s; to mend it: %s",
                s->conf->name, advice->code, advice->text, advice->fix);
}

static void on_ready(void *self, struct delivery *d)
{
    struct link *link = self;
    struct smarthost *s = link->smarthost;
    bool refused = link->state == LINK_ANSWERED && link->fault.scope != FAULT_NONE;
    if (link->state == LINK_DIALLING) {
        s->n_dialling--;
        snprintf(s->spoken, sizeof s->spoken, "%s", delivery_tls(d));
        snprintf(s->mechanism, sizeof s->mechanism, "%s", delivery_mechanism(d));
        log_say(LOG_LEVEL_DEBUG, NULL, "smarthost \"%s\": ready at %s, TLS %s, AUTH %s",
                s->conf->name, delivery_relay(d), delivery_tls(d), delivery_mechanism(d));
        note_ipv6(s, d);
        learn_mode(s, d);
        if (!smarthost_is_up(s) && !s->outage.late)
            smarthost_inner_recover(s);
    }
    link->state = LINK_IDLE;
    if (!refused)
        link->fault = (struct fault){.scope = FAULT_NONE};
    link->idle_since = loop_now_ms(s->loop);
    if (!refused) {
        smarthost_inner_employ(link);
        return;
    }
    if (!s->retired)
        smarthost_inner_refused(s, &link->fault);
    smarthost_inner_quit(link);
}

static void on_room(void *self, struct delivery *d)
{
    struct link *link = self;
    (void)d;
    if (smarthost_inner_has_room(link))
        smarthost_inner_give(link);
}

static void on_sending(void *self, struct delivery *d, store_id id)
{
    struct link *link = self;
    (void)d;
    store_mark_sending(link->smarthost->store, id);
}

/* It goes at once over a fresh connection. */
static bool is_put_off(const struct fault *f)
{
    return str_eq(str_of(f->code), STR_LIT(SMTP_FAULT_RECONNECT)) ||
           str_eq(str_of(f->code), STR_LIT(SMTP_FAULT_CHUNKING));
}

/* A lost final reply says nothing good of the server either. */
static bool concerns_smarthost(const struct fault *f)
{
    return (f->scope == FAULT_SERVER && !is_put_off(f)) || f->scope == FAULT_ACCOUNT ||
           f->ambiguous;
}

/* A connection that breaks on its first message may break because of that message: it is
 * charged, so that others go first. Where the server gave a reason, or the connection before
 * broke as well, it is the server's doing, and the message is not to wait for longer. */
static void on_verdict(void *self, struct delivery *d, const struct delivery_end *end)
{
    struct link *link = self;
    struct attempt *a = link->attempts[link->first];
    bool first = link->answered == 0 && link->messages == link->n_attempts;
    link->first = (link->first + 1) % link->smarthost->conf->pipeline;
    link->n_attempts--;
    BUG_ON(attempt_id(a) != end->id);
    for (unsigned i = 0; i < end->n && link->fault.scope == FAULT_NONE; i++) {
        if (concerns_smarthost(&end->verdicts[i]))
            link->fault = end->verdicts[i];
    }
    struct smarthost *s = link->smarthost;
    bool suspect = end->broke && first && s->breaks == 0 && link->fault.scope != FAULT_NONE &&
                   !link->fault.reply[0];
    if (suspect)
        s->suspect = attempt_id(a);
    link->answered += !end->broke;
    if (end->n && is_put_off(&end->verdicts[0]))
        rate_refund(&s->rate);
    if (!end->broke && link->fault.scope == FAULT_NONE)
        smarthost_inner_recover(s);
    attempt_end(a, end, delivery_relay(d), suspect);
    if (link->n_attempts == 0)
        link->state = LINK_ANSWERED;
}

/* A connection that carried mail before is simply made anew. */
static void on_break(struct link *link, const struct fault *fault)
{
    bool carried = link->answered > 0 && !fault->ambiguous && !link->fault.ambiguous;
    if (is_put_off(fault) || (fault->scope == FAULT_SERVER && carried))
        return;
    smarthost_inner_broke(link->smarthost, fault);
}

/* After a verdict the server may go without a word; the verdict counts all the same. */
static void on_end_after_verdict(struct link *link, const struct fault *fault)
{
    if (fault->scope != FAULT_NONE)
        on_break(link, fault);
    else if (link->fault.scope != FAULT_NONE)
        smarthost_inner_refused(link->smarthost, &link->fault);
    else
        smarthost_inner_recover(link->smarthost);
}

static void on_dead(void *self, struct delivery *d, const struct fault *fault)
{
    struct link *link = self;
    struct smarthost *s = link->smarthost;
    s->owner.wake(s->owner.self);
    if (link->state != LINK_DIALLING)
        manner_learn(&s->manner, s->conf->name, fault);
    if (link->answered > 0 && link->fault.ambiguous && !link->fault.reply[0])
        manner_lost(&s->manner, s->conf->name, link->answered);
    manner_note(&s->manner, s->conf->name, delivery_oddities(d));
    /* One more than the server bears says nothing of the mode. */
    if (link->state == LINK_DIALLING && smarthost_ready_links(s) == 0)
        learn_mode(s, d);
    if (!s->retired && link->state == LINK_ANSWERED)
        on_end_after_verdict(link, fault);
    if (!s->retired && link->state == LINK_DIALLING && fault->scope != FAULT_NONE)
        smarthost_inner_not_connected(s, fault);
    smarthost_inner_drop(link);
}

/* A certificate that was refused may be good by what the files hold now, such as the system's
 * trust store of which tranterd knows that of the day when it started. */
static void load_trust_afresh(struct smarthost *s)
{
    struct err why;
    bool refused = str_starts_nocase(str_of(s->outage.fault.code), STR_LIT("CERT-"));
    struct tls_context *fresh =
        s->tls && refused && !smarthost_is_up(s) ? contact_tls(s->conf, &why) : NULL;
    if (!fresh)
        return;
    tls_context_free(s->tls);
    s->tls = fresh;
}

void smarthost_inner_connect(struct smarthost *s)
{
    struct link *link = mem_new(sizeof *link);
    link->smarthost = s;
    link->attempts = mem_array(s->conf->pipeline, sizeof *link->attempts);
    TAILQ_INSERT_TAIL(&s->links, link, entry);
    s->n_links++;
    s->n_dialling++;
    if (s->conf->password_file)
        secret_stamp(s->conf->password_file, &s->stamp);
    load_trust_afresh(s);
    schedule_connecting(&s->outage.health);
    link->delivery = delivery_new(
        s->loop, s->store, s->owner_conf, s->conf, s->tls, s->credential, &s->manner, &s->mode,
        &(struct delivery_owner){link, on_ready, on_room, on_sending, on_verdict, on_dead});
}
