/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sweep.h"

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "schedule.h"
#include "steady.h"

#include <stdlib.h>

enum {
    EVERY_MS = 60 * 1000,
    FAIR_CHANCE_MS = 3600 * 1000, /* nothing is decided by age before it had one */
    DEAD_MAX = 64                 /* removed in one sweep */
};

struct sweep {
    struct steady steady;
    int64_t next_at;
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

/* Times that no backoff can have set are of a clock that has been put back since. */
static void mend_times(const struct settle_context *c)
{
    int64_t wall_ms = clock_wall_ms();
    int64_t longest_ms = c->conf->retry_max_ms > SCHEDULE_AMBIGUOUS_MIN_MS
                             ? c->conf->retry_max_ms
                             : SCHEDULE_AMBIGUOUS_MIN_MS;
    if (store_next_due(c->store, wall_ms + longest_ms + EVERY_MS) == INT64_MAX)
        return;
    log_say(LOG_LEVEL_WARNING, NULL,
            "mail waits for a time too far ahead, so the clock was wrong once: all is due now");
    store_retry(c->store, 0, wall_ms, NULL);
}

/* Messages that outlived the lifetime while their smarthost was away. The oldest have the
 * smallest ids; only one that came while the clock was wrong has a later arrival. */
static void return_expired(const struct sweep_facts *facts)
{
    const struct settle_context *c = facts->context;
    struct outcome_rules rules = {c->conf->lifetime_ms, c->conf->retry_min_ms,
                                  c->conf->retry_max_ms};
    struct fault waited;
    fault_set(&waited, FAULT_SERVER, "5.4.7", "EXPIRED",
              "the message waited longer than lifetime allows");
    store_id after = 0;
    struct store_message *m;
    bool more = true;
    while (more && (m = store_after(c->store, after))) {
        int64_t wall_ms = clock_wall_ms();
        bool expired = outcome_is_expired(m, &rules, wall_ms);
        enum sweep_claim claim = SWEEP_ACTIVE;
        after = m->id;
        more = expired || m->arrival_ms > wall_ms;
        if (expired && m->state == STORE_QUEUED)
            claim = facts->claim(c->self, m->id);
        more = more && claim != SWEEP_FULL;
        if (claim == SWEEP_CLAIMED)
            settle_expired(c, m, facts->held_by ? facts->held_by : &waited);
        else
            store_message_free(m);
    }
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

void sweep_run(struct sweep *s, const struct sweep_facts *facts, int64_t now_ms)
{
    const struct conf *conf = facts->context->conf;
    if (now_ms < s->next_at)
        return;
    int64_t steady_ms = steady_look(&s->steady, now_ms, clock_wall_ms());
    s->next_at = now_ms + shorter(EVERY_MS, shorter(conf->lifetime_ms, conf->keep_dead_ms));
    mend_times(facts->context);
    if (steady_ms >= shorter(conf->lifetime_ms, FAIR_CHANCE_MS))
        return_expired(facts);
    if (steady_ms >= shorter(conf->keep_dead_ms, FAIR_CHANCE_MS))
        remove_dead(facts->context);
}
