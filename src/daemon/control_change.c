/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changes messages: each is a store operation, many in flight at once. */
#include "control_client.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <sysexits.h>

enum {
    PENDING_MAX = 256,
    LOOK_BATCH = 1024 /* messages looked at in one turn */
};

/* The message with this id if the client may see it; else the answer says why not. */
static struct store_message *find(struct client *c, struct str word)
{
    store_id id;
    struct store_message *m =
        store_id_parse(word, &id) ? store_load(c->control->facts.store, id) : NULL;
    if (!m) {
        control_client_note(c, EX_NOUSER, "no message %.*s in the queue",
                            STR_FMT(str_head(word, 64)));
        return NULL;
    }
    if (!c->privileged && m->uid != c->uid) {
        control_client_note(c, EX_NOPERM, "message %.*s is not yours",
                            STR_FMT(str_head(word, 64)));
        store_message_free(m);
        return NULL;
    }
    return m;
}

/* One that is being sent is left alone: its attempt is under way, and what the store has noted
 * of it (that the dot is out) must stay. */
static void retry_message(struct client *c, const struct store_message *m)
{
    char id[STORE_ID_MAX];
    store_id_format(id, m->id);
    if (m->state == STORE_DEAD) {
        control_client_note(
            c, EX_USAGE,
            "message %s is dead: it was refused for good; remove it once you have read why",
            id);
        return;
    }
    if (m->state == STORE_HELD) {
        control_client_note(c, EX_USAGE, "message %s is held; release it", id);
        return;
    }
    if (relay_is_active(c->control->facts.relay, m->id))
        return;
    c->pending++;
    store_retry(c->control->facts.store, m->id, clock_wall_ms(), &c->waiter);
}

static void hold_message(struct client *c, const struct store_message *m)
{
    struct store_event event = {.time_ms = clock_wall_ms(), .text = mem_strdup("put on hold")};
    c->pending++;
    store_hold(c->control->facts.store, m->id, &event, &c->waiter);
}

static void release_message(struct client *c, const struct store_message *m)
{
    struct store_event event = {.time_ms = clock_wall_ms(), .text = mem_strdup("released")};
    c->pending++;
    store_release(c->control->facts.store, m->id, event.time_ms, &event, &c->waiter);
}

static void remove_message(struct client *c, const struct store_message *m)
{
    char id[STORE_ID_MAX];
    store_id_format(id, m->id);
    if (relay_is_active(c->control->facts.relay, m->id)) {
        control_client_note(c, EX_TEMPFAIL,
                            "message %s is being sent at this moment; try again", id);
        return;
    }
    log_say(LOG_LEVEL_NOTICE, id, "removed by uid %u", (unsigned)c->uid);
    c->pending++;
    store_remove(c->control->facts.store, m->id, &c->waiter);
}

/* Do c->each to every message, some in each turn. */
static void each_on(struct client *c)
{
    bool more = true;
    for (unsigned i = 0; more && i < LOOK_BATCH && c->pending < PENDING_MAX; i++) {
        struct store_message *m = store_after(c->control->facts.store, c->after);
        more = m != NULL;
        if (!m)
            continue;
        c->after = m->id;
        c->each(c, m);
        store_message_free(m);
    }
    if (!c->pending && more)
        control_client_yield(c);
    else if (!c->pending)
        control_client_finish(c);
}

static void begin_each(struct client *c,
                       void (*each)(struct client *c, const struct store_message *m))
{
    c->go_on = each_on;
    c->each = each;
    each_on(c);
}

static void retry_if_it_fits(struct client *c, const struct store_message *m)
{
    if (m->state == STORE_QUEUED && match_fits(&c->match, m))
        retry_message(c, m);
}

/* Text of a match goes to the end of the request: there may be blanks in it. */
static void retry_match(struct client *c, struct str words)
{
    c->request = mem_strndup(words.p, words.n);
    if (match_read(&c->match, str_of(c->request))) {
        begin_each(c, retry_if_it_fits);
        relay_probe_now(c->control->facts.relay);
    } else {
        control_client_note(c, EX_USAGE, "a part of the queue is I, R or S, a colon, and text");
        control_client_finish(c);
    }
}

void control_ask_retry(struct client *c, struct str words)
{
    const struct control_facts *facts = &c->control->facts;
    if (!control_client_may(c, "retry the queue")) {
        control_client_finish(c);
        return;
    }
    static const struct str match = STR_LIT(" match=");
    if (str_starts_nocase(words, match)) {
        retry_match(c, str_tail(words, match.n));
        return;
    }
    for (struct str word = str_word(&words, " "); word.n; word = str_word(&words, " ")) {
        if (str_eq(word, STR_LIT("all"))) {
            c->pending++;
            facts->sweep(facts->arg);
            store_retry(facts->store, 0, clock_wall_ms(), &c->waiter);
            continue;
        }
        struct store_message *m = find(c, word);
        if (m)
            retry_message(c, m);
        store_message_free(m);
    }
    relay_probe_now(facts->relay);
    if (!c->pending)
        control_client_finish(c);
}

static void change(struct client *c, struct str words,
                   void (*each)(struct client *c, const struct store_message *m))
{
    for (struct str word = str_word(&words, " "); word.n; word = str_word(&words, " ")) {
        if (str_eq(word, STR_LIT("all"))) {
            begin_each(c, each);
            return;
        }
        struct store_message *m = find(c, word);
        if (m)
            each(c, m);
        store_message_free(m);
    }
    if (!c->pending)
        control_client_finish(c);
}

void control_ask_hold(struct client *c, struct str words)
{
    change(c, control_client_may(c, "hold messages") ? words : STR_LIT(""), hold_message);
}

void control_ask_release(struct client *c, struct str words)
{
    change(c, control_client_may(c, "release messages") ? words : STR_LIT(""), release_message);
}

static void remove_if_allowed(struct client *c, const struct store_message *m)
{
    if (c->privileged || m->uid == c->uid)
        remove_message(c, m);
    else
        control_client_note(c, EX_NOPERM,
                            "only your own messages were removed; others are not yours");
}

void control_ask_remove(struct client *c, struct str words)
{
    for (struct str word = str_word(&words, " "); word.n; word = str_word(&words, " ")) {
        if (str_eq(word, STR_LIT("all"))) {
            begin_each(c, remove_if_allowed);
            return;
        }
        struct store_message *m = find(c, word);
        if (m)
            remove_message(c, m);
        store_message_free(m);
    }
    if (!c->pending)
        control_client_finish(c);
}
