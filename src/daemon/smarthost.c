/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message is bound to a connection only when one is ready: so a fault of the way there
 * concerns no message at all. A smarthost that is down has one probe at a time, which is an
 * ordinary connection that would send an ordinary message. */
#include "smarthost_inner.h"

#include "clock.h"
#include "contact.h"
#include "log.h"
#include "login.h"
#include "mem.h"
#include "trust.h"

#include <stdlib.h>

enum {
    RATE_LASTS_MS = 60 * 1000 /* what counts for so long is kept in the store */
};

/* The system's trust store alone is 25 ms and 3.8 MB each time it is loaded. */
static struct tls_context *find_context(const struct conf_smarthost *c,
                                        struct smarthost *const *earlier, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (earlier[i]->tls && trust_is_same(c, earlier[i]->conf))
            return tls_context_ref(earlier[i]->tls);
    return NULL;
}

/* A rate that outlives a restart: a day's must not begin anew. */
static void remember_rate(struct smarthost *s)
{
    const struct conf_rate *c = &s->conf->rate;
    struct store_spent slots[2 * RATE_SLOTS];
    int64_t now = loop_now_ms(s->loop), wall_ms = clock_wall_ms();
    rate_init(&s->rate, c->messages, c->messages ? c->period_ms : 1, now);
    if (!c->messages)
        return;
    unsigned n = store_spent(s->store, s->conf->name, wall_ms - c->period_ms - s->rate.slot_ms,
                             slots, sizeof slots / sizeof slots[0]);
    for (unsigned i = 0; i < n; i++)
        rate_remember(&s->rate, slots[i].messages,
                      now - (wall_ms - slots[i].at_ms) + s->rate.slot_ms - 1, now);
}

struct smarthost *smarthost_new(struct loop *loop, struct store *store, struct conf *conf,
                                unsigned i, const struct smarthost_owner *owner,
                                struct err *err)
{
    const struct conf_smarthost *c = &conf->smarthosts[i];
    struct tls_context *tls = NULL;
    struct err why;
    if (c->tls != CONF_TLS_NONE)
        tls = find_context(c, owner->earlier, i);
    if (c->tls != CONF_TLS_NONE && !tls && !(tls = contact_tls(c, &why))) {
        trust_place(conf, i, &why, err);
        return NULL;
    }
    struct smarthost *s = mem_new(sizeof *s);
    s->loop = loop;
    s->store = store;
    s->owner_conf = conf_ref(conf);
    s->conf = c;
    s->owner = *owner;
    s->tls = tls;
    s->up_since_ms = clock_wall_ms();
    mode_init(&s->mode, c);
    manner_init(&s->manner, c->pipeline);
    width_init(&s->width, c->connections);
    remember_rate(s);
    struct credential_source source = login_source(c);
    s->credential = credential_new(loop, &source);
    TAILQ_INIT(&s->links);
    return s;
}

void smarthost_free(struct smarthost *s)
{
    struct link *link;
    if (!s)
        return;
    while ((link = TAILQ_FIRST(&s->links))) {
        delivery_free(link->delivery);
        smarthost_inner_drop(link);
    }
    tls_context_free(s->tls);
    credential_free(s->credential);
    conf_unref(s->owner_conf);
    free(s);
}

struct attempt *smarthost_inner_next(struct smarthost *s)
{
    const struct conf_rate *c = &s->conf->rate;
    int64_t now = loop_now_ms(s->loop), wall_ms = clock_wall_ms();
    if (!rate_left(&s->rate, now))
        return NULL;
    struct attempt *a = s->owner.next_attempt(s->owner.self);
    if (!a || !c->messages)
        return a;
    rate_spend(&s->rate, now);
    if (c->period_ms >= RATE_LASTS_MS)
        store_spend(s->store, s->conf->name, wall_ms - wall_ms % s->rate.slot_ms, c->period_ms);
    return a;
}

void smarthost_use(struct smarthost *s, unsigned due, unsigned elsewhere)
{
    struct link *link, *next;
    int64_t now = loop_now_ms(s->loop);
    unsigned left = rate_left(&s->rate, now), width = width_at(&s->width, now);
    if (due > left)
        due = left;
    /* The first one proves the way, and that the password is right, for all of them. */
    if (smarthost_ready_links(s) == 0 || elsewhere >= width)
        width = 1;
    else
        width -= elsewhere;
    for (link = TAILQ_FIRST(&s->links); link && due; link = next) {
        next = TAILQ_NEXT(link, entry);
        if (link->state == LINK_IDLE) {
            smarthost_inner_employ(link);
            due--;
        }
    }
    TAILQ_FOREACH(link, &s->links, entry)
    {
        for (; due && smarthost_inner_has_room(link); due--)
            smarthost_inner_give(link);
    }
    while (due > s->n_dialling && s->n_links < width)
        smarthost_inner_connect(s);
}

void smarthost_probe(struct smarthost *s)
{
    int64_t now = loop_now_ms(s->loop);
    if (s->retired || smarthost_is_up(s))
        return;
    if (!s->outage.health.probing && smarthost_inner_has_new_secret(s, now)) {
        log_say(LOG_LEVEL_NOTICE, NULL,
                "smarthost \"%s\": %s has changed, so the login is tried again", s->conf->name,
                s->conf->password_file);
        smarthost_probe_now(s);
    }
    if (schedule_may_connect(&s->outage.health, now))
        smarthost_inner_connect(s);
}

void smarthost_inherit(struct smarthost *s, const struct smarthost *old)
{
    if (!s->conf->rate.messages || !old->conf->rate.messages)
        return;
    int64_t now = loop_now_ms(s->loop);
    rate_init(&s->rate, s->conf->rate.messages, s->conf->rate.period_ms, now);
    rate_inherit(&s->rate, &old->rate, now);
}

int64_t smarthost_rate_at(struct smarthost *s)
{
    int64_t now = loop_now_ms(s->loop);
    return rate_left(&s->rate, now) ? INT64_MAX : rate_next_at(&s->rate, now);
}

void smarthost_probe_now(struct smarthost *s)
{
    schedule_probe_now(&s->outage.health, loop_now_ms(s->loop));
}

int64_t smarthost_quit_idle(struct smarthost *s)
{
    int64_t now = loop_now_ms(s->loop), next_at = INT64_MAX;
    struct link *link;
    TAILQ_FOREACH(link, &s->links, entry)
    {
        int64_t until = link->idle_since + s->conf->idle_timeout_ms;
        if (link->state != LINK_IDLE)
            continue;
        if (s->retired || until <= now)
            smarthost_inner_quit(link);
        else if (until < next_at)
            next_at = until;
    }
    return next_at;
}

void smarthost_retire(struct smarthost *s)
{
    struct link *link, *next;
    s->retired = true;
    for (link = TAILQ_FIRST(&s->links); link; link = next) {
        next = TAILQ_NEXT(link, entry);
        if (link->state == LINK_DIALLING) {
            delivery_free(link->delivery);
            smarthost_inner_drop(link);
        }
    }
    smarthost_quit_idle(s);
}

bool smarthost_is_up(const struct smarthost *s)
{
    return s->outage.health.failures == 0;
}

unsigned smarthost_links(const struct smarthost *s)
{
    return s->n_links;
}

unsigned smarthost_ready_links(const struct smarthost *s)
{
    return s->n_links - s->n_dialling;
}

const struct fault *smarthost_fault(const struct smarthost *s)
{
    return &s->outage.fault;
}

int64_t smarthost_down_since_ms(const struct smarthost *s)
{
    return s->outage.down_since_ms;
}

int64_t smarthost_up_since_ms(const struct smarthost *s)
{
    return s->up_since_ms;
}

const struct fault *smarthost_advice(const struct smarthost *s)
{
    return s->mode.advice.scope == FAULT_NONE ? NULL : &s->mode.advice;
}

const char *smarthost_tls(const struct smarthost *s)
{
    return s->spoken;
}

const char *smarthost_mechanism(const struct smarthost *s)
{
    return s->mechanism;
}

const struct conf_smarthost *smarthost_conf(const struct smarthost *s)
{
    return s->conf;
}
