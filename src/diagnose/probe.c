/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe.h"

#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STARTTLS,
    IMPLICIT,
    WAYS
};

struct probe {
    struct loop *loop;
    void (*on_done)(void *owner);
    void *owner;
    struct walk *ways[WAYS]; /* NULL: not tried */
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
        return PROBE_PLAIN;
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

static void on_news(void *owner)
{
    struct probe *p = owner;
    for (int i = 0; i < WAYS; i++)
        if (p->done || (p->ways[i] && !walk_facts(p->ways[i])->over))
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
    static const enum conf_tls modes[WAYS] = {CONF_TLS_STARTTLS, CONF_TLS_IMPLICIT};
    const struct conf_smarthost *s = plan->smarthost;
    struct probe *p = mem_new(sizeof *p);
    struct walk_plan way = *plan;
    p->loop = loop;
    p->on_done = on_done;
    p->owner = owner;
    p->result.port = way.port = port;
    way.login = false;
    way.sender = way.recipient = NULL;
    way.limit_ms = PROBE_LIMIT_MS;
    for (int i = 0; i < WAYS; i++) {
        way.tls = modes[i];
        if (port != s->port || s->tls != modes[i])
            p->ways[i] = walk_new(loop, &way, on_news, p);
    }
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
