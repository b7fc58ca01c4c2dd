/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message is bound to a connection only when one is ready: so a fault of the way there
 * concerns no message at all. A smarthost that is down has one probe at a time, which is an
 * ordinary connection that would send an ordinary message. */
#include "smarthost.h"

#include "clock.h"
#include "contact.h"
#include "credential.h"
#include "crypto.h"
#include "delivery.h"
#include "log.h"
#include "login.h"
#include "manner.h"
#include "mem.h"
#include "outage.h"
#include "pace.h"
#include "rate.h"
#include "secret.h"
#include "smtp_fault.h"
#include "trust.h"
#include "width.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    LOOK_MS = 2000,           /* between two looks at a password file that may be mended */
    RATE_LASTS_MS = 60 * 1000 /* what counts for so long is kept in the store */
};

struct smarthost {
    struct loop *loop;
    struct store *store;
    struct conf *owner_conf; /* holds conf */
    const struct conf_smarthost *conf;
    struct smarthost_owner owner;
    struct tls_context *tls;
    struct credential *credential;
    struct outage outage;
    int64_t up_since_ms;            /* wall clock */
    char spoken[80], mechanism[40]; /* of the last connection that was ready */
    struct secret_stamp stamp;      /* of the password file when the last connection was made */
    int64_t look_at;                /* when to look for a changed one, in monotonic ms */
    struct width width;
    struct rate rate;
    unsigned breaks;  /* connections in a row that broke in a transaction */
    store_id suspect; /* the message of the first of them, which was charged; 0: none */
    struct manner manner;
    bool noted_ipv6;
    bool retired;
    TAILQ_HEAD(, link) links;
    unsigned n_links, n_dialling;
};

enum link_state {
    LINK_DIALLING,
    LINK_IDLE,
    LINK_BUSY,
    LINK_ANSWERED, /* the last verdict came; ready again or dead comes next */
    LINK_QUITTING
};

/* One connection as its smarthost sees it. */
struct link {
    TAILQ_ENTRY(link) entry;
    struct smarthost *smarthost;
    struct delivery *delivery;
    enum link_state state;
    struct attempt **attempts; /* in flight, a ring of conf->pipeline */
    unsigned first, n_attempts;
    struct fault fault; /* while BUSY or ANSWERED: what of the verdicts concerns the smarthost;
                           scope NONE where they were messages' */
    int64_t idle_since;
    unsigned messages; /* given to it so far */
    unsigned answered; /* of them, by the server */
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
    manner_init(&s->manner, c->pipeline);
    width_init(&s->width, c->connections);
    remember_rate(s);
    struct credential_source source = login_source(c);
    s->credential = credential_new(loop, &source);
    TAILQ_INIT(&s->links);
    return s;
}

static void drop_link(struct link *link)
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

void smarthost_free(struct smarthost *s)
{
    struct link *link;
    if (!s)
        return;
    while ((link = TAILQ_FIRST(&s->links))) {
        delivery_free(link->delivery);
        drop_link(link);
    }
    tls_context_free(s->tls);
    credential_free(s->credential);
    conf_unref(s->owner_conf);
    free(s);
}

static void quit(struct link *link)
{
    link->state = LINK_QUITTING;
    delivery_quit(link->delivery);
}

static unsigned messages_max(const struct link *link)
{
    unsigned conf_max = link->smarthost->conf->messages_per_connection;
    unsigned server_max = delivery_messages_max(link->delivery);
    return server_max < conf_max ? server_max : conf_max;
}

/* The next message, where the rate lets one go. */
static struct attempt *take_next(struct smarthost *s)
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

/* Give the link a message, if one is due. */
static void give(struct link *link)
{
    struct smarthost *s = link->smarthost;
    struct attempt *a = take_next(s);
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

/* Give the link its next message, or a goodbye, or let it wait. */
static void employ(struct link *link)
{
    if (link->smarthost->retired || link->messages >= messages_max(link))
        quit(link);
    else
        give(link);
}

/* May it have another message behind those in flight? A probe has one alone. */
static bool has_room(const struct link *link)
{
    return link->state == LINK_BUSY && link->fault.scope == FAULT_NONE &&
           smarthost_is_up(link->smarthost) && !link->smarthost->retired &&
           link->messages < messages_max(link) && delivery_has_room(link->delivery);
}

static void recover(struct smarthost *s)
{
    if (s->outage.health.failures) {
        log_say(LOG_LEVEL_NOTICE, NULL,
                "smarthost \"%s\" (%s port %u) is up again after %" PRId64 " s", s->conf->name,
                s->conf->host, s->conf->port,
                (loop_now_ms(s->loop) - s->outage.health.down_since) / 1000);
        outage_over(&s->outage);
        s->up_since_ms = clock_wall_ms();
        s->owner.changed(s->owner.self);
        if (s->suspect)
            s->owner.retry(s->owner.self, s->suspect);
    }
    s->breaks = 0;
    s->suspect = 0;
}

/* One line for a change of state, and one when the reason changes; an account's fault needs a
 * person. */
static void log_down(const struct smarthost *s, const struct fault *f)
{
    log_say(f->scope == FAULT_ACCOUNT ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, NULL,
            "smarthost \"%s\" (%s port %u) is down, its mail waits: %s diag=%s: %s%s%s%s%s",
            s->conf->name, s->conf->host, s->conf->port, fault_scope_name(f->scope), f->code,
            f->text, f->reply[0] ? ": " : "", f->reply, f->fix[0] ? "; to mend it: " : "",
            f->fix);
}

static void note_failure(struct smarthost *s, const struct fault *f, bool late)
{
    const struct conf *conf = s->owner_conf;
    struct schedule_pace pace = pace_of(f, late, conf->retry_min_ms, conf->retry_max_ms);
    struct outage_time time = {loop_now_ms(s->loop), clock_wall_ms()};
    if (outage_failed(&s->outage, f, late, time, &pace, crypto_random32()))
        log_down(s, f);
    s->owner.changed(s->owner.self);
    s->look_at = time.now_ms + LOOK_MS;
}

/* It bears so many connections, and one more was one too many. */
static void narrow(struct smarthost *s, unsigned bore, const struct fault *fault)
{
    if (width_refused(&s->width, bore, loop_now_ms(s->loop)))
        log_say(LOG_LEVEL_INFO, NULL,
                "smarthost \"%s\" takes %u connections at once, and not one more: %s",
                s->conf->name, bore, fault->text);
}

/* Some count connections only once there is a message (D-118); those that are left go on. */
static bool is_crowded(const struct smarthost *s, const struct fault *fault)
{
    return smarthost_ready_links(s) > 1 && smarthost_is_up(s) &&
           str_eq(str_of(fault->code), STR_LIT("RATE-CONN"));
}

static void on_refused(struct smarthost *s, const struct fault *fault)
{
    if (is_crowded(s, fault))
        narrow(s, smarthost_ready_links(s) - 1, fault);
    else
        note_failure(s, fault, true);
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
        if (!smarthost_is_up(s) && !s->outage.late)
            recover(s);
    }
    if (link->state == LINK_ANSWERED && !refused)
        recover(s);
    link->state = LINK_IDLE;
    if (!refused)
        link->fault = (struct fault){.scope = FAULT_NONE};
    link->idle_since = loop_now_ms(s->loop);
    if (!refused) {
        employ(link);
        return;
    }
    if (!s->retired)
        on_refused(s, &link->fault);
    quit(link);
}

static void on_room(void *self, struct delivery *d)
{
    struct link *link = self;
    (void)d;
    if (has_room(link))
        give(link);
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
    attempt_end(a, end, delivery_relay(d), suspect);
    if (link->n_attempts == 0)
        link->state = LINK_ANSWERED;
}

/* One message may break one connection; two in a row are the server's doing. A connection that
 * carried mail before is simply made anew. */
static void on_break(struct link *link, const struct fault *fault)
{
    struct smarthost *s = link->smarthost;
    bool carried = link->answered > 0 && !fault->ambiguous && !link->fault.ambiguous;
    if (is_put_off(fault) || (fault->scope == FAULT_SERVER && carried))
        return;
    if (fault->scope == FAULT_MESSAGE && fault->permanent) {
        recover(s); /* it had an answer, if an early one */
        return;
    }
    struct fault theirs = *fault;
    if (theirs.scope != FAULT_ACCOUNT)
        theirs.scope = FAULT_SERVER;
    theirs.ambiguous = false;
    s->breaks++;
    if (s->breaks > 1 || s->outage.health.failures || fault->scope == FAULT_ACCOUNT)
        note_failure(s, &theirs, true);
    else
        log_say(LOG_LEVEL_WARNING, NULL,
                "smarthost \"%s\": the connection broke in a transaction: %s", s->conf->name,
                fault->text);
}

static void on_failed_to_connect(struct smarthost *s, const struct fault *fault)
{
    unsigned ready = smarthost_ready_links(s);
    if (ready)
        narrow(s, ready, fault);
    else
        note_failure(s, fault, false);
}

/* After a verdict the server may go without a word; the verdict counts all the same. */
static void on_end_after_verdict(struct link *link, const struct fault *fault)
{
    if (fault->scope != FAULT_NONE)
        on_break(link, fault);
    else if (link->fault.scope != FAULT_NONE)
        on_refused(link->smarthost, &link->fault);
    else
        recover(link->smarthost);
}

static void on_dead(void *self, struct delivery *d, const struct fault *fault)
{
    struct link *link = self;
    struct smarthost *s = link->smarthost;
    s->owner.wake(s->owner.self);
    if (link->state != LINK_DIALLING)
        manner_learn(&s->manner, s->conf->name, fault);
    manner_note(&s->manner, s->conf->name, delivery_oddities(d));
    if (!s->retired && link->state == LINK_ANSWERED)
        on_end_after_verdict(link, fault);
    if (!s->retired && link->state == LINK_DIALLING && fault->scope != FAULT_NONE)
        on_failed_to_connect(s, fault);
    drop_link(link);
}

static void connect_link(struct smarthost *s)
{
    struct link *link = mem_new(sizeof *link);
    link->smarthost = s;
    link->attempts = mem_array(s->conf->pipeline, sizeof *link->attempts);
    TAILQ_INSERT_TAIL(&s->links, link, entry);
    s->n_links++;
    s->n_dialling++;
    if (s->conf->password_file)
        secret_stamp(s->conf->password_file, &s->stamp);
    schedule_connecting(&s->outage.health);
    link->delivery = delivery_new(
        s->loop, s->store, s->owner_conf, s->conf, s->tls, s->credential, &s->manner,
        &(struct delivery_owner){link, on_ready, on_room, on_sending, on_verdict, on_dead});
}

void smarthost_use(struct smarthost *s, unsigned due)
{
    struct link *link, *next;
    int64_t now = loop_now_ms(s->loop);
    unsigned left = rate_left(&s->rate, now), width = width_at(&s->width, now);
    if (due > left)
        due = left;
    /* The first one proves the way, and that the password is right, for all of them. */
    if (smarthost_ready_links(s) == 0)
        width = 1;
    for (link = TAILQ_FIRST(&s->links); link && due; link = next) {
        next = TAILQ_NEXT(link, entry);
        if (link->state == LINK_IDLE) {
            employ(link);
            due--;
        }
    }
    TAILQ_FOREACH(link, &s->links, entry)
    {
        for (; due && has_room(link); due--)
            give(link);
    }
    while (due > s->n_dialling && s->n_links < width)
        connect_link(s);
}

/* The account's fault may be mended in the file that the password lies in. */
static bool has_new_secret(struct smarthost *s, int64_t now)
{
    struct secret_stamp stamp;
    if (s->outage.fault.scope != FAULT_ACCOUNT || !s->conf->password_file || now < s->look_at)
        return false;
    s->look_at = now + LOOK_MS;
    secret_stamp(s->conf->password_file, &stamp);
    return !secret_stamp_is_same(&stamp, &s->stamp);
}

void smarthost_probe(struct smarthost *s)
{
    int64_t now = loop_now_ms(s->loop);
    if (s->retired || smarthost_is_up(s))
        return;
    if (!s->outage.health.probing && has_new_secret(s, now)) {
        log_say(LOG_LEVEL_NOTICE, NULL,
                "smarthost \"%s\": %s has changed, so the login is tried again", s->conf->name,
                s->conf->password_file);
        smarthost_probe_now(s);
    }
    if (schedule_may_connect(&s->outage.health, now))
        connect_link(s);
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

int64_t smarthost_look_at(const struct smarthost *s)
{
    int64_t at = smarthost_next_probe_at(s);
    bool looks = s->outage.fault.scope == FAULT_ACCOUNT && s->conf->password_file;
    return at != INT64_MAX && looks && s->look_at < at ? s->look_at : at;
}

int64_t smarthost_next_probe_at(const struct smarthost *s)
{
    return smarthost_is_up(s) || s->outage.health.probing ? INT64_MAX
                                                          : s->outage.health.next_probe_at;
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
            quit(link);
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
            drop_link(link);
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
