/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sweep.h"

#include "clock.h"
#include "digest.h"
#include "log.h"
#include "mem.h"
#include "schedule.h"
#include "steady.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    EVERY_MS = 60 * 1000,
    FAIR_CHANCE_MS = 3600 * 1000, /* nothing is decided by age before it had one */
    DEAD_MAX = 64,                /* removed in one sweep */
    EXPIRED_MAX = 32,             /* read at once */
    DELAYED_MAX = 32,             /* read at once, */
    DELAYED_STEPS = 8,            /* and so often before others have their turn, */
    SOON_MS = 100                 /* of so long */
};

struct sweep {
    struct steady steady;
    int64_t next_at;
    int64_t digest_at; /* not before: the last one may not be in the database yet */
    store_id delayed;  /* up to this message senders were told of a delay, or need not be */
};

struct sweep *sweep_new(int64_t now_ms)
{
    struct sweep *s = mem_new(sizeof *s);
    steady_begin(&s->steady, now_ms, clock_wall_ms());
    s->next_at = now_ms;
    return s;
}

void sweep_free(struct sweep *s)
{
    free(s);
}

int64_t sweep_next_at(const struct sweep *s)
{
    return s->next_at;
}

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t longest_wait_ms(const struct settle_context *c)
{
    return c->conf->retry_max_ms > SCHEDULE_AMBIGUOUS_MIN_MS ? c->conf->retry_max_ms
                                                             : SCHEDULE_AMBIGUOUS_MIN_MS;
}

/* Times that no backoff can have set are of a clock that has been put back since. */
static void mend_times(const struct settle_context *c)
{
    int64_t wall_ms = clock_wall_ms();
    if (store_next_due(c->store, wall_ms + longest_wait_ms(c) + EVERY_MS) == INT64_MAX)
        return;
    log_say(LOG_LEVEL_WARNING, NULL,
            "mail waits for a time too far ahead, so the clock was wrong once: all is due now");
    store_retry(c->store, 0, wall_ms, NULL);
}

/* Settle what is expired of page, which is n messages (taken). False where the next ones need
 * no look: they are younger, or too much is under way. */
static bool expire_page(const struct sweep_facts *facts, struct store_message **page,
                        unsigned n, const struct fault *reason)
{
    const struct settle_context *c = facts->context;
    struct outcome_rules rules = {.lifetime_ms = c->conf->lifetime_ms};
    bool more = true;
    for (unsigned i = 0; i < n; i++) {
        int64_t wall_ms = clock_wall_ms();
        bool expired = more && outcome_is_expired(page[i], &rules, wall_ms);
        enum sweep_claim claim = expired ? facts->claim(c->self, page[i]->id) : SWEEP_ACTIVE;
        more = more && (expired || page[i]->arrival_ms > wall_ms) && claim != SWEEP_FULL;
        if (claim == SWEEP_CLAIMED)
            settle_expired(c, page[i], reason);
        else
            store_message_free(page[i]);
    }
    return more;
}

/* Messages that outlived the lifetime while their smarthost was away. The oldest have the
 * smallest ids; only one that came while the clock was wrong has a later arrival. */
static void return_expired(const struct sweep_facts *facts)
{
    struct fault waited;
    fault_set(&waited, FAULT_SERVER, "5.4.7", "EXPIRED",
              "the message waited longer than lifetime allows");
    struct store_search search = {.states = 1U << STORE_QUEUED};
    struct store_message *page[EXPIRED_MAX];
    bool more = true;
    while (more && !search.over) {
        unsigned n = store_search(facts->context->store, &search, page, EXPIRED_MAX);
        more = n > 0 && expire_page(facts, page, n, facts->held_by ? facts->held_by : &waited);
    }
}

/* Messages that wait for too long, from sweep.delayed on. */
struct delayed {
    int64_t before_ms; /* they arrived before, */
    int64_t now_ms;    /* and one that will arrive is of a clock that was wrong once */
    store_id *young;   /* the first that does not wait for so long; 0: not met yet */
};

static bool is_delayed(const void *arg, const struct store_message *m)
{
    const struct delayed *d = arg;
    bool young = m->arrival_ms >= d->before_ms && m->arrival_ms <= d->now_ms;
    if (young && *d->young == 0)
        *d->young = m->id;
    return *d->young == 0 && m->arrival_ms < d->before_ms && !m->warned && m->sender[0];
}

/* Tell the senders of page, which is n messages (taken). *rest is the first that has to wait
 * for another sweep, since somebody works on it, or too much is under way; 0: none. */
static enum sweep_claim warn_page(const struct sweep_facts *facts, struct store_message **page,
                                  unsigned n, store_id *rest)
{
    const struct settle_context *c = facts->context;
    enum sweep_claim claim = SWEEP_CLAIMED;
    struct fault waited;
    fault_set(&waited, FAULT_SERVER, "4.4.7", "WAITING",
              "The message waits in the queue of this host.");
    const struct fault *reason = facts->held_by ? facts->held_by : &waited;
    *rest = 0;
    for (unsigned i = 0; i < n; i++) {
        store_id id = page[i]->id;
        if (claim == SWEEP_CLAIMED)
            claim = facts->claim(c->self, id);
        if (claim != SWEEP_CLAIMED && *rest == 0)
            *rest = id;
        if (claim != SWEEP_CLAIMED)
            store_message_free(page[i]);
        else if (!settle_delayed(c, page[i], reason))
            c->on_recorded(c->self, id);
    }
    return claim;
}

/* One step on. False: that was all for now. */
static bool warn_on(struct sweep *s, const struct sweep_facts *facts)
{
    const struct settle_context *c = facts->context;
    int64_t wall_ms = clock_wall_ms();
    store_id young = 0, rest;
    struct delayed delayed = {wall_ms - c->conf->warn_after_ms, wall_ms, &young};
    struct store_search search = {.states = 1U << STORE_QUEUED,
                                  .wants = is_delayed,
                                  .arg = &delayed,
                                  .after = s->delayed};
    struct store_message *page[DELAYED_MAX];
    unsigned n = store_search(c->store, &search, page, DELAYED_MAX);
    enum sweep_claim claim = warn_page(facts, page, n, &rest);
    s->delayed = rest ? rest - 1 : young ? young - 1 : search.after;
    return claim == SWEEP_FULL || (!rest && !young && !search.over);
}

static void warn_of_delay(struct sweep *s, const struct sweep_facts *facts, int64_t now_ms)
{
    bool more = true;
    for (unsigned i = 0; more && i < DELAYED_STEPS; i++)
        more = warn_on(s, facts);
    if (more)
        s->next_at = now_ms + SOON_MS;
}

/* What could not even be returned, and has been looked at or never will be. */
static void remove_dead(const struct settle_context *c)
{
    store_id ids[DEAD_MAX];
    unsigned n = store_dead(c->store, clock_wall_ms() - c->conf->keep_dead_ms, ids, DEAD_MAX);
    for (unsigned i = 0; i < n; i++) {
        char id[STORE_ID_MAX];
        store_id_format(id, ids[i]);
        log_say(LOG_LEVEL_WARNING, id, "removed: it has been dead for longer than keep-dead");
        store_remove(c->store, ids[i], NULL);
    }
}

/* How long the clock has been steady. When it jumps, so do the times in the queue. */
static int64_t look_at_clock(struct sweep *s, const struct settle_context *c, int64_t now_ms)
{
    int64_t jump_ms, wall_ms = clock_wall_ms();
    int64_t steady_ms = steady_look(&s->steady, now_ms, wall_ms, &jump_ms);
    if (jump_ms == 0)
        return steady_ms;
    log_say(LOG_LEVEL_WARNING, NULL,
            "the clock was put %s by %" PRId64 " s, and the times of queued mail with it",
            jump_ms > 0 ? "ahead" : "back", (jump_ms > 0 ? jump_ms : -jump_ms) / 1000);
    store_shift(c->store, jump_ms, wall_ms, longest_wait_ms(c));
    return steady_ms;
}

bool sweep_may_expire(struct sweep *s, const struct settle_context *c, int64_t now_ms)
{
    return look_at_clock(s, c, now_ms) >= shorter(c->conf->lifetime_ms, FAIR_CHANCE_MS);
}

void sweep_run(struct sweep *s, const struct sweep_facts *facts, int64_t now_ms)
{
    const struct conf *conf = facts->context->conf;
    int64_t steady_ms = look_at_clock(s, facts->context, now_ms);
    if (now_ms < s->next_at)
        return;
    s->next_at = now_ms + shorter(EVERY_MS, shorter(conf->lifetime_ms, conf->keep_dead_ms));
    if (conf->warn_after_ms)
        s->next_at = shorter(s->next_at, now_ms + conf->warn_after_ms);
    mend_times(facts->context);
    if (steady_ms >= shorter(conf->lifetime_ms, FAIR_CHANCE_MS))
        return_expired(facts);
    if (conf->warn_after_ms && steady_ms >= shorter(conf->warn_after_ms, FAIR_CHANCE_MS))
        warn_of_delay(s, facts, now_ms);
    if (steady_ms >= shorter(conf->keep_dead_ms, FAIR_CHANCE_MS))
        remove_dead(facts->context);
    if (now_ms >= s->digest_at && digest_send(facts->context))
        s->digest_at = now_ms + EVERY_MS;
}
