/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Due messages are asked for one by one, by connections that are ready for one; here is only
 * decided which smarthosts should have connections at all. */
#include "relay.h"

#include "attempt.h"
#include "clock.h"
#include "mem.h"
#include "smarthost.h"
#include "sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ACTIVE_MAX = 4096,
    DUE_MAX = 64 /* more than that need not be counted */
};

/* The smarthosts of one configuration, in the order written. */
struct smarthost_set {
    struct smarthost **list;
    unsigned n;
    struct smarthost_set *older; /* replaced by a reload, finishing what they have in hand */
};

struct relay {
    struct loop *loop;
    struct store *store;
    struct tally *tally;
    const struct aliases *aliases;
    struct report_limit *limit;
    struct conf *conf;
    struct smarthost_set *smarthosts;
    struct loop_timer *timer;
    store_id *active; /* being sent, or with an outcome that is not committed yet; ascending */
    unsigned n_active;
    int64_t turn; /* the uid that had the last turn */
    struct sweep *sweep;
    char paced[256]; /* the text of relay_paced() */
    unsigned changes;
    bool awake;
    bool stopping;
};

void relay_wake(struct relay *r)
{
    r->awake = true;
}

static void wake(void *self)
{
    relay_wake(self);
}

static void on_recorded(void *self, store_id id)
{
    struct relay *r = self;
    unsigned i = store_id_place(id, r->active, r->n_active);
    BUG_ON(i == r->n_active || r->active[i] != id);
    r->n_active--;
    memmove(&r->active[i], &r->active[i + 1], (r->n_active - i) * sizeof *r->active);
    relay_wake(r);
}

unsigned relay_changes(const struct relay *r)
{
    return r->changes;
}

unsigned relay_active(const struct relay *r)
{
    return r->n_active;
}

bool relay_is_active(const struct relay *r, store_id id)
{
    unsigned i = store_id_place(id, r->active, r->n_active);
    return i < r->n_active && r->active[i] == id;
}

static void set_active(struct relay *r, store_id id)
{
    BUG_ON(r->n_active == ACTIVE_MAX);
    unsigned i = store_id_place(id, r->active, r->n_active);
    memmove(&r->active[i + 1], &r->active[i], (r->n_active - i) * sizeof *r->active);
    r->active[i] = id;
    r->n_active++;
}

static bool may_expire(void *self);

static struct settle_context context_of(struct relay *r)
{
    return (struct settle_context){r->store, r->aliases,  r->limit,   r->conf,
                                   r->tally, on_recorded, may_expire, r};
}

static bool may_expire(void *self)
{
    struct relay *r = self;
    struct settle_context context = context_of(r);
    return sweep_may_expire(r->sweep, &context, loop_now_ms(r->loop));
}

/* Half a message would cost the connection, and all that goes over it. */
static void hold_damaged(struct relay *r, store_id id)
{
    struct store_event event = {
        .time_ms = clock_wall_ms(),
        .text = mem_strdup("put on hold: its content is damaged, the log says where")};
    store_hold(r->store, id, &event, NULL);
}

/* The message that is due the longest of the user whose turn it is. */
static struct attempt *next_attempt(void *self)
{
    struct relay *r = self;
    if (r->n_active == ACTIVE_MAX)
        return NULL;
    store_id id = store_in_turn(r->store, clock_wall_ms(), r->active, r->n_active, &r->turn);
    struct store_message *m = id ? store_load(r->store, id) : NULL;
    if (!m)
        return NULL;
    if (!store_is_whole(r->store, m)) {
        hold_damaged(r, id);
        store_message_free(m);
        return NULL;
    }
    set_active(r, id);
    struct settle_context context = context_of(r);
    return attempt_new(&context, m);
}

static void changed(void *self)
{
    struct relay *r = self;
    r->changes++;
}

/* What the store has noted of an attempt under way must stay, and a lost reply its wait. */
static void retry(void *self, store_id id)
{
    struct relay *r = self;
    struct store_message *m = relay_is_active(r, id) ? NULL : store_load(r->store, id);
    if (m && m->state == STORE_QUEUED && m->ambiguous == 0)
        store_retry(r->store, id, clock_wall_ms(), NULL);
    store_message_free(m);
}

static void free_set(struct smarthost_set *set)
{
    for (unsigned i = 0; i < set->n; i++)
        smarthost_free(set->list[i]);
    free(set->list);
    free(set);
}

static struct smarthost_set *new_set(struct relay *r, struct conf *conf, struct err *err)
{
    struct smarthost_set *set = mem_new(sizeof *set);
    set->list = mem_array(conf->n_smarthosts, sizeof *set->list);
    for (; set->n < conf->n_smarthosts; set->n++) {
        struct smarthost *s = smarthost_new(
            r->loop, r->store, conf, set->n,
            &(struct smarthost_owner){r, next_attempt, retry, changed, wake, set->list}, err);
        if (!s) {
            free_set(set);
            return NULL;
        }
        set->list[set->n] = s;
    }
    return set;
}

static unsigned links_of(const struct smarthost_set *set)
{
    unsigned n = 0;
    for (unsigned i = 0; i < set->n; i++)
        n += smarthost_links(set->list[i]);
    return n;
}

static void retire_set(struct smarthost_set *set)
{
    for (unsigned i = 0; i < set->n; i++)
        smarthost_retire(set->list[i]);
}

/* Those of older configurations whose last connection is over. */
static void free_finished_sets(struct relay *r)
{
    struct smarthost_set **at = &r->smarthosts->older;
    while (*at) {
        struct smarthost_set *set = *at;
        if (links_of(set)) {
            at = &set->older;
            continue;
        }
        *at = set->older;
        free_set(set);
    }
}

struct relay *relay_new(struct loop *loop, struct store *store, struct tally *tally,
                        const struct aliases *aliases, struct report_limit *limit,
                        struct conf *conf, struct err *err)
{
    struct relay *r = mem_new(sizeof *r);
    r->loop = loop;
    r->store = store;
    r->tally = tally;
    r->aliases = aliases;
    r->limit = limit;
    r->smarthosts = new_set(r, conf, err);
    if (!r->smarthosts) {
        free(r);
        return NULL;
    }
    r->conf = conf_ref(conf);
    r->timer = loop_timer_new(loop, wake, r);
    r->active = mem_array(ACTIVE_MAX, sizeof *r->active);
    r->sweep = sweep_new(loop_now_ms(loop));
    r->turn = -1;
    r->awake = true;
    return r;
}

void relay_free(struct relay *r)
{
    if (!r)
        return;
    while (r->smarthosts) {
        struct smarthost_set *set = r->smarthosts;
        r->smarthosts = set->older;
        free_set(set);
    }
    loop_timer_free(r->timer);
    sweep_free(r->sweep);
    conf_unref(r->conf);
    free(r->active);
    free(r);
}

/* Those that older configurations have to a smarthost of this name, and that finish what they
 * have in hand. */
static unsigned links_elsewhere(const struct relay *r, const struct smarthost *s)
{
    unsigned n = 0;
    for (const struct smarthost_set *set = r->smarthosts->older; set; set = set->older)
        for (unsigned i = 0; i < set->n; i++)
            if (strcmp(smarthost_conf(set->list[i])->name, smarthost_conf(s)->name) == 0)
                n += smarthost_links(set->list[i]);
    return n;
}

/* In the order written: the first that is up does the work; those before it that are down are
 * probed, one connection each. */
static void use_smarthosts(struct relay *r, unsigned due)
{
    const struct smarthost_set *set = r->smarthosts;
    for (unsigned i = 0; i < set->n; i++) {
        if (smarthost_is_up(set->list[i])) {
            smarthost_use(set->list[i], due, links_elsewhere(r, set->list[i]));
            return;
        }
        smarthost_probe(set->list[i]);
    }
}

/* The first smarthost that is up, or NULL. */
static const struct smarthost *first_up(const struct relay *r)
{
    for (unsigned i = 0; i < r->smarthosts->n; i++) {
        if (smarthost_is_up(r->smarthosts->list[i]))
            return r->smarthosts->list[i];
    }
    return NULL;
}

const char *relay_route(const struct relay *r)
{
    const struct smarthost *up = first_up(r);
    return smarthost_conf(up ? up : r->smarthosts->list[0])->name;
}

const struct fault *relay_held_by(const struct relay *r)
{
    return first_up(r) ? NULL : smarthost_fault(r->smarthosts->list[0]);
}

static int64_t rate_wait_ms(const struct relay *r, struct smarthost *s)
{
    int64_t at = smarthost_rate_at(s), now = loop_now_ms(r->loop);
    return at == INT64_MAX || at < now ? 0 : at - now;
}

const char *relay_paced(struct relay *r)
{
    const struct smarthost *up = first_up(r);
    for (unsigned i = 0; up && i < r->smarthosts->n; i++) {
        struct smarthost *s = r->smarthosts->list[i];
        int64_t wait_ms = s == up ? rate_wait_ms(r, s) : 0;
        if (wait_ms == 0)
            continue;
        char rate[CONF_RATE_MAX];
        conf_rate_format(rate, &smarthost_conf(s)->rate);
        snprintf(r->paced, sizeof r->paced,
                 "waits for its turn: the rate of smarthost \"%s\" is %s, and the next message "
                 "goes in %" PRId64 " s",
                 smarthost_conf(s)->name, rate, (wait_ms + 999) / 1000);
        return r->paced;
    }
    return NULL;
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A return that somebody waits for. */
struct returning {
    struct relay *relay;
    struct waiter *waiter;
};

static void on_returned(void *self, store_id id)
{
    struct returning *returning = self;
    struct waiter *waiter = returning->waiter;
    on_recorded(returning->relay, id);
    free(returning);
    waiter->on_result(waiter, &(struct store_result){.type = STORE_RECORDED, .id = id});
}

bool relay_return(struct relay *r, store_id id, struct waiter *waiter)
{
    bool busy = relay_is_active(r, id) || r->n_active == ACTIVE_MAX;
    struct store_message *m = busy ? NULL : store_load(r->store, id);
    if (!m || m->state == STORE_DEAD) {
        store_message_free(m);
        return false;
    }
    struct returning *returning = mem_new(sizeof *returning);
    *returning = (struct returning){r, waiter};
    struct settle_context context = context_of(r);
    context.on_recorded = on_returned;
    context.self = returning;
    set_active(r, id);
    settle_returned(&context, m);
    return true;
}

static enum sweep_claim claim(void *self, store_id id)
{
    struct relay *r = self;
    if (r->n_active >= ACTIVE_MAX / 2)
        return SWEEP_FULL;
    if (relay_is_active(r, id))
        return SWEEP_ACTIVE;
    set_active(r, id);
    return SWEEP_CLAIMED;
}

/* While mail is due, more of it changes nothing. */
static void set_timer(struct relay *r, int64_t now, int64_t wall_ms, bool is_due)
{
    int64_t at = sweep_next_at(r->sweep);
    int64_t next_due_ms = is_due ? INT64_MAX : store_next_due(r->store, wall_ms);
    /* Those behind the first that is up are not probed. */
    bool probes = is_due;
    for (unsigned i = 0; i < r->smarthosts->n; i++) {
        struct smarthost *s = r->smarthosts->list[i];
        at = earliest(at, smarthost_quit_idle(s));
        probes = probes && !smarthost_is_up(s);
        if (probes)
            at = earliest(at, smarthost_look_at(s));
        else if (is_due && smarthost_is_up(s))
            at = earliest(at, smarthost_rate_at(s));
    }
    if (next_due_ms != INT64_MAX)
        at = earliest(at, now + (next_due_ms - wall_ms));
    loop_timer_set(r->timer, at);
}

void relay_pump(struct relay *r)
{
    if (!r->awake)
        return;
    r->awake = false;
    free_finished_sets(r);
    if (r->stopping)
        return;
    int64_t now = loop_now_ms(r->loop), wall_ms = clock_wall_ms();
    struct settle_context context = context_of(r);
    sweep_run(r->sweep, &(struct sweep_facts){&context, relay_held_by(r), claim}, now);
    store_id due[DUE_MAX];
    unsigned n = store_due(r->store, wall_ms, r->active, r->n_active, due, DUE_MAX);
    if (n)
        use_smarthosts(r, n);
    set_timer(r, now, wall_ms, n > 0);
}

static void inherit(struct smarthost_set *fresh, const struct smarthost_set *old)
{
    for (unsigned i = 0; i < fresh->n; i++)
        for (unsigned j = 0; j < old->n; j++)
            if (strcmp(smarthost_conf(fresh->list[i])->name,
                       smarthost_conf(old->list[j])->name) == 0)
                smarthost_inherit(fresh->list[i], old->list[j]);
}

int relay_reload(struct relay *r, struct conf *conf, struct err *err)
{
    struct smarthost_set *fresh = new_set(r, conf, err);
    if (!fresh)
        return -1;
    inherit(fresh, r->smarthosts);
    retire_set(r->smarthosts);
    fresh->older = r->smarthosts;
    r->smarthosts = fresh;
    conf_unref(r->conf);
    r->conf = conf_ref(conf);
    r->changes++;
    relay_wake(r);
    return 0;
}

void relay_probe_now(struct relay *r)
{
    for (unsigned i = 0; i < r->smarthosts->n; i++)
        smarthost_probe_now(r->smarthosts->list[i]);
    relay_wake(r);
}

void relay_stop(struct relay *r)
{
    r->stopping = true;
    retire_set(r->smarthosts);
    relay_wake(r);
}

bool relay_is_idle(const struct relay *r)
{
    for (const struct smarthost_set *set = r->smarthosts; set; set = set->older) {
        if (links_of(set))
            return false;
    }
    return r->n_active == 0;
}

bool relay_smarthost(const struct relay *r, unsigned i, struct relay_status *status)
{
    if (i >= r->smarthosts->n)
        return false;
    struct smarthost *s = r->smarthosts->list[i];
    const struct conf_smarthost *conf = smarthost_conf(s);
    int64_t wait_ms = smarthost_next_probe_at(s) - loop_now_ms(r->loop);
    *status = (struct relay_status){
        .name = conf->name,
        .host = conf->host,
        .port = conf->port,
        .up = smarthost_is_up(s),
        .up_since_ms = smarthost_up_since_ms(s),
        .tls = smarthost_tls(s),
        .mechanism = smarthost_mechanism(s),
        .down_since_ms = smarthost_down_since_ms(s),
        .probing = !smarthost_is_up(s) && smarthost_next_probe_at(s) == INT64_MAX,
        .next_probe_ms = wait_ms < 0 || smarthost_next_probe_at(s) == INT64_MAX ? 0 : wait_ms,
        .fault = smarthost_fault(s),
        .advice = smarthost_advice(s),
        .connections = smarthost_ready_links(s),
        .dialling = smarthost_links(s) - smarthost_ready_links(s),
        .rate = conf->rate,
        .rate_wait_ms = rate_wait_ms(r, s),
    };
    return true;
}
