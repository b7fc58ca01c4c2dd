/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe.h"

#include "clock.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STARTTLS,
    IMPLICIT,
    WAYS
};

enum {
    SILENCE_MS = 1500 /* then the other way is tried as well */
};

struct probe {
    struct loop *loop;
    void (*on_done)(void *owner);
    void *owner;
    struct walk_plan plan;
    int first;               /* the way that is usual for the port */
    struct walk *ways[WAYS]; /* NULL: not tried */
    bool barred[WAYS];       /* and is not to be */
    struct loop_timer *patience;
    struct probe_result result;
    bool done;
    bool freed;
};

static void free_now(void *object)
{
    free(object);
}

void probe_free(struct probe *p)
{
    if (!p || p->freed)
        return;
    p->freed = true;
    for (int i = 0; i < WAYS; i++)
        walk_free(p->ways[i]);
    loop_timer_free(p->patience);
    loop_defer(p->loop, free_now, p);
}

const struct probe_result *probe_result(const struct probe *p)
{
    return p->done ? &p->result : NULL;
}

/* What one way showed. */
static enum probe_speech speech_of(const struct walk_facts *facts, int way)
{
    const struct transcript_exchange *ehlo = transcript_find(&facts->transcript, "EHLO", 0);
    bool has_tls = facts->secured || facts->n_chain > 0;
    if (!facts->peer[0])
        return PROBE_NOTHING;
    if (has_tls)
        return way == IMPLICIT ? PROBE_IMPLICIT : PROBE_STARTTLS;
    if (way == STARTTLS && transcript_find(&facts->transcript, "STARTTLS", 0))
        return PROBE_STARTTLS;
    if (way == STARTTLS && ehlo && ehlo->code)
        return PROBE_PLAIN;
    if (str_starts_nocase(str_of(facts->fault.code), STR_LIT("MODE-OTHER")) ||
        str_starts_nocase(str_of(facts->fault.code), STR_LIT("MODE-HTTP")))
        return PROBE_STRANGE;
    if (str_starts_nocase(str_of(facts->fault.code), STR_LIT("MODE-PLAIN")))
        return PROBE_CLEAR;
    return PROBE_NOTHING;
}

static void take(struct probe *p, int way)
{
    const struct walk_facts *facts = walk_facts(p->ways[way]);
    enum probe_speech speech = speech_of(facts, way);
    if (speech < p->result.speech || (speech == p->result.speech && p->result.words[0]))
        return;
    p->result.speech = speech;
    p->result.verified = facts->secured;
    p->result.ready = facts->ready;
    snprintf(p->result.auth, sizeof p->result.auth, "%s", facts->ready ? facts->caps.auth : "");
    snprintf(p->result.words, sizeof p->result.words, "%s",
             facts->ready ? "" : facts->fault.text);
}

static void on_news(void *owner);

static void start(struct probe *p, int way)
{
    static const enum conf_tls modes[WAYS] = {CONF_TLS_STARTTLS, CONF_TLS_IMPLICIT};
    if (p->ways[way] || p->barred[way])
        return;
    p->plan.tls = modes[way];
    p->ways[way] = walk_new(p->loop, &p->plan, on_news, p);
}

static bool has_proved(const struct walk *way, int i)
{
    return way && speech_of(walk_facts(way), i) > PROBE_NOTHING;
}

static bool is_over(const struct probe *p)
{
    bool over = true;
    for (int i = 0; i < WAYS; i++)
        over = over && (!p->ways[i] || walk_facts(p->ways[i])->over);
    return over;
}

/* The usual way is over, or keeps silent for long: the other, unless it is clear what the port
 * speaks. */
static void try_other_way(struct probe *p)
{
    const struct walk *first = p->ways[p->first];
    bool reached = !first || walk_facts(first)->peer[0];
    if (reached && !has_proved(first, p->first))
        start(p, !p->first);
}

static void on_patience(void *owner)
{
    struct probe *p = owner;
    if (!p->done)
        try_other_way(p);
}

static void on_news(void *owner)
{
    struct probe *p = owner;
    if (p->done || !is_over(p))
        return;
    try_other_way(p);
    if (!is_over(p))
        return;
    for (int i = 0; i < WAYS; i++)
        if (p->ways[i])
            take(p, i);
    p->done = true;
    p->on_done(p->owner);
}

struct probe *probe_new(struct loop *loop, const struct walk_plan *plan, uint16_t port,
                        void (*on_done)(void *owner), void *owner)
{
    const struct conf_smarthost *s = plan->smarthost;
    struct probe *p = mem_new(sizeof *p);
    p->loop = loop;
    p->on_done = on_done;
    p->owner = owner;
    p->plan = *plan;
    p->result.port = p->plan.port = port;
    p->plan.login = false;
    p->plan.sender = p->plan.recipient = NULL;
    p->plan.limit_ms = PROBE_LIMIT_MS;
    p->first = port == 465 || port == 2465 ? IMPLICIT : STARTTLS;
    p->barred[STARTTLS] = port == s->port && s->tls == CONF_TLS_STARTTLS;
    p->barred[IMPLICIT] = port == s->port && s->tls == CONF_TLS_IMPLICIT;
    if (p->barred[p->first])
        p->first = !p->first;
    start(p, p->first);
    p->patience = loop_timer_new(loop, on_patience, p);
    loop_timer_set(p->patience, clock_mono_ms() + SILENCE_MS);
    return p;
}

unsigned probe_ports(uint16_t port, uint16_t ports[PROBE_PORTS_MAX])
{
    static const uint16_t usual[] = {587, 465, 25, 2587, 2465, 2525};
    bool is_alternative = port == 2525 || port == 2465 || port == 2587;
    unsigned n = 0, of_usual = is_alternative ? 6 : 3;
    ports[n++] = port;
    for (unsigned i = 0; i < of_usual && n < PROBE_PORTS_MAX; i++)
        if (usual[i] != port)
            ports[n++] = usual[i];
    return n;
}
