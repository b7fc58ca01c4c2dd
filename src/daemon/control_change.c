/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changes messages: each is a store operation, many in flight at once. When whoever asked
 * closes their side, what is under way is finished and nothing more begun. */
#include "control_client.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <inttypes.h>
#include <sysexits.h>

enum {
    PENDING_MAX = 256
};

struct change {
    const char *done;   /* as the count and the log have it */
    unsigned states;    /* 1 << enum store_state of each that it has something to do with */
    bool leaves_active; /* alone, as 75 tells: an attempt under way must come to its end */
    void (*begin)(struct client *c, const struct store_message *m);
};

static struct store_event new_event(const struct client *c)
{
    struct buf text;
    buf_init(&text, 100);
    buf_printf(&text, "%s by uid %lu", c->change->done, (unsigned long)c->uid);
    struct store_event event = {.time_ms = clock_wall_ms(), .text = buf_strdup(&text)};
    buf_release(&text);
    return event;
}

static void begin_retry(struct client *c, const struct store_message *m)
{
    store_retry(c->control->facts.store, m->id, clock_wall_ms(), &c->waiter);
}

static void begin_hold(struct client *c, const struct store_message *m)
{
    struct store_event event = new_event(c);
    store_hold(c->control->facts.store, m->id, &event, &c->waiter);
}

static void begin_release(struct client *c, const struct store_message *m)
{
    struct store_event event = new_event(c);
    store_release(c->control->facts.store, m->id, event.time_ms, &event, &c->waiter);
}

static void begin_remove(struct client *c, const struct store_message *m)
{
    store_remove(c->control->facts.store, m->id, &c->waiter);
}

static void begin_return(struct client *c, const struct store_message *m)
{
    if (relay_return(c->control->facts.relay, m->id, &c->waiter))
        return;
    c->pending--;
    c->left++;
    control_client_note(c, EX_TEMPFAIL, "too much is under way at this moment; try again");
}

static const struct change retry = {"retried", 1U << STORE_QUEUED, .begin = begin_retry},
                           hold = {"held", 1U << STORE_QUEUED, .begin = begin_hold},
                           release = {"released", 1U << STORE_HELD, .begin = begin_release},
                           removal = {"removed",
                                      1U << STORE_QUEUED | 1U << STORE_HELD | 1U << STORE_DEAD,
                                      .leaves_active = true, .begin = begin_remove},
                           giving_up = {"returned", 1U << STORE_QUEUED | 1U << STORE_HELD,
                                        .leaves_active = true, .begin = begin_return};

/* Somebody named a message with which there is nothing to do. */
static void note_misfit(struct client *c, const struct store_message *m)
{
    char id[STORE_ID_MAX];
    store_id_format(id, m->id);
    if (m->state == STORE_DEAD)
        control_client_note(
            c, EX_USAGE,
            "message %s is dead: it was refused for good; remove it once you have read why",
            id);
    else if (m->state == STORE_HELD && c->change != &hold)
        control_client_note(c, EX_USAGE, "message %s is held; release it", id);
    else if (m->state == STORE_QUEUED)
        control_client_note(c, EX_USAGE, "message %s is not held", id);
}

static void change_message(struct client *c, const struct store_message *m)
{
    const struct change *change = c->change;
    char id[STORE_ID_MAX];
    store_id_format(id, m->id);
    bool active = relay_is_active(c->control->facts.relay, m->id);
    if (!c->privileged && m->uid != c->uid) {
        control_client_note(
            c, EX_NOPERM, "only your own messages were %s; others are not yours", change->done);
        c->left++;
    } else if (!(change->states & 1U << m->state)) {
        if (c->question.selection.n_ids)
            note_misfit(c, m);
    } else if (active && change->leaves_active) {
        control_client_note(c, EX_TEMPFAIL,
                            "message %s is being sent at this moment; try again", id);
        c->left++;
    } else if (active && change == &retry) {
        c->done++; /* it is tried already; what the store has noted of that must stay */
    } else {
        if (change != &retry)
            log_say(LOG_LEVEL_NOTICE, id, "%s by uid %lu", change->done, (unsigned long)c->uid);
        c->pending++;
        change->begin(c, m);
    }
}

static void put_count(struct client *c)
{
    struct buf text;
    buf_init(&text, 256);
    if (c->question.json)
        buf_printf(&text, "{\"%s\":%" PRIu64 ",\"left\":%" PRIu64 "}\n", c->change->done,
                   c->done, c->left);
    else if (c->question.count)
        buf_printf(&text, "%s %" PRIu64 " message%s\n", c->change->done, c->done,
                   c->done == 1 ? "" : "s");
    control_client_put(c, &text);
    buf_release(&text);
}

static void finish(struct client *c)
{
    put_count(c);
    control_client_finish(c);
}

/* Some in each turn. */
static void change_on(struct client *c)
{
    struct store_message *m;
    bool stopped = conn_end(c->conn) != CONN_OPEN;
    control_walk_turn(c);
    while (!stopped && c->pending < PENDING_MAX && (m = control_walk_next(c))) {
        change_message(c, m);
        store_message_free(m);
    }
    control_client_progress(c, c->walk.search.looked);
    if (c->pending)
        return;
    if (stopped && !c->walk.over)
        control_client_note(c, EX_TEMPFAIL, "stopped before the end; the rest is as it was");
    if (stopped || c->walk.over)
        finish(c);
    else
        control_client_yield(c);
}

static void begin(struct client *c, const struct change *change)
{
    struct store_counts counts;
    store_count(c->control->facts.store, &counts);
    c->total = counts.queued + counts.deferred + counts.held + counts.dead;
    c->change = change;
    c->go_on = change_on;
    control_walk_begin(c);
    change_on(c);
}

/* Read the question, which must say of what it is. False: it is answered. */
static bool read_question(struct client *c, struct str words)
{
    if (!control_client_read(c, words))
        return false;
    const struct selection *s = &c->question.selection;
    if (s->all || selection_has_condition(s))
        return true;
    control_client_note(c, EX_USAGE, "which messages?");
    control_client_finish(c);
    return false;
}

static bool read_privileged(struct client *c, struct str words, const char *what)
{
    if (control_client_may(c, what))
        return read_question(c, words);
    control_client_finish(c);
    return false;
}

/* All at once, in the store; and what lies in the drop directory. */
static void retry_all(struct client *c)
{
    const struct control_facts *facts = &c->control->facts;
    struct store_counts counts;
    store_count(facts->store, &counts);
    c->change = &retry;
    c->done = counts.queued + counts.deferred;
    c->go_on = finish;
    c->pending++;
    facts->sweep(facts->arg);
    store_retry(facts->store, 0, clock_wall_ms(), &c->waiter);
}

void control_ask_retry(struct client *c, struct str words)
{
    if (!read_privileged(c, words, "retry the queue"))
        return;
    relay_probe_now(c->control->facts.relay);
    if (selection_has_condition(&c->question.selection))
        begin(c, &retry);
    else
        retry_all(c);
}

void control_ask_hold(struct client *c, struct str words)
{
    if (read_privileged(c, words, "hold messages"))
        begin(c, &hold);
}

void control_ask_release(struct client *c, struct str words)
{
    if (read_privileged(c, words, "release messages"))
        begin(c, &release);
}

void control_ask_remove(struct client *c, struct str words)
{
    if (read_question(c, words))
        begin(c, &removal);
}

void control_ask_return(struct client *c, struct str words)
{
    if (read_privileged(c, words, "return messages"))
        begin(c, &giving_up);
}
