/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "diagnosis.h"

#include "clock.h"
#include "conclude.h"
#include "contact.h"
#include "mem.h"
#include "notes.h"
#include "sasl.h"

#include <stdlib.h>

enum {
    SILENCE_MS = 3000 /* without a greeting: it may be waiting for TLS */
};

struct diagnosing {
    struct loop *loop;
    const struct conf *conf;
    void (*on_news)(void *owner, const struct diagnosis *d);
    void *owner;
    struct diagnosis d;
    struct walk_plan plan;
    struct tls_context *context;
    struct walk *walk;
    struct walk_facts none; /* where no walk could be begun */
    struct loop_timer *silence;
    struct probe *probes[PROBE_PORTS_MAX];
    unsigned n_probes;
    bool freed;
};

static void free_now(void *object)
{
    struct diagnosing *g = object;
    tls_context_free(g->context);
    free(g);
}

void diagnosing_free(struct diagnosing *g)
{
    if (!g || g->freed)
        return;
    g->freed = true;
    walk_free(g->walk);
    for (unsigned i = 0; i < g->n_probes; i++)
        probe_free(g->probes[i]);
    loop_timer_free(g->silence);
    loop_defer(g->loop, free_now, g);
}

static void tell(struct diagnosing *g)
{
    if (!g->freed)
        g->on_news(g->owner, &g->d);
}

static void finish(struct diagnosing *g)
{
    const struct conf_smarthost *s = g->d.smarthost;
    const char *mechanisms = !s->login ? NULL : s->auth ? s->auth : sasl_default_order();
    for (unsigned i = 0; i < g->n_probes; i++)
        g->d.probes[g->d.n_probes++] = *probe_result(g->probes[i]);
    conclude(&g->d.verdict, s, mechanisms, g->d.probes, g->d.n_probes);
    g->d.exit_status = conclude_exit_status(&g->d.verdict);
    notes_take(&g->d, g->conf, clock_wall_ms() / 1000);
    g->d.over = true;
    tell(g);
}

static bool all_probed(const struct diagnosing *g)
{
    unsigned n = 0;
    while (n < g->n_probes && probe_result(g->probes[n]))
        n++;
    return n == g->n_probes;
}

static bool is_silent(const struct walk_facts *facts)
{
    return !facts->over && facts->peer[0] && facts->transcript.n_answered == 0;
}

/* A server that says nothing is not waited for any longer once it is known to speak TLS. */
static void stop_waiting(struct diagnosing *g)
{
    struct fault f;
    for (unsigned i = 0; i < g->n_probes; i++) {
        const struct probe_result *r = probe_result(g->probes[i]);
        if (!r || r->port != g->d.smarthost->port || r->speech != PROBE_IMPLICIT ||
            !is_silent(g->d.facts))
            continue;
        fault_set(&f, FAULT_SERVER, "4.4.2", "MODE-SILENT",
                  "no greeting in %d s; a server that expects TLS from the first byte waits "
                  "like this",
                  SILENCE_MS / 1000);
        walk_stop(g->walk, &f);
        return;
    }
}

static void on_probed(void *owner)
{
    struct diagnosing *g = owner;
    stop_waiting(g);
    if (all_probed(g) && g->d.facts->over && !g->d.over)
        finish(g);
}

static void start_probes(struct diagnosing *g)
{
    uint16_t ports[PROBE_PORTS_MAX];
    unsigned n = probe_ports(g->d.smarthost->port, ports);
    if (g->n_probes || !g->context)
        return;
    /* Who does not answer at all does not answer in another way. */
    for (unsigned i = g->d.facts->peer[0] ? 0 : 1; i < n; i++)
        g->probes[g->n_probes++] = probe_new(g->loop, &g->plan, ports[i], on_probed, g);
}

static void on_silence(void *owner)
{
    struct diagnosing *g = owner;
    if (is_silent(g->d.facts) && g->plan.tls == CONF_TLS_STARTTLS)
        start_probes(g);
}

static void on_walk(void *owner)
{
    struct diagnosing *g = owner;
    const struct walk_facts *facts = g->d.facts;
    if (!facts->over) {
        if (is_silent(facts) && !g->silence) {
            g->silence = loop_timer_new(g->loop, on_silence, g);
            loop_timer_set(g->silence, clock_mono_ms() + SILENCE_MS);
        }
        tell(g);
        return;
    }
    g->d.verdict = facts->fault;
    contact_advise(&g->d.verdict, g->d.smarthost, facts->secret_look);
    tell(g);
    if (g->freed)
        return;
    if (conclude_wants_probes(&g->d.verdict))
        start_probes(g);
    if (all_probed(g))
        finish(g);
}

/* Without trust there is nothing to walk with. Told from the loop, as all is. */
static void on_no_trust(void *owner)
{
    struct diagnosing *g = owner;
    finish(g);
}

struct diagnosing *diagnosing_new(struct loop *loop, const struct conf *conf,
                                  const struct conf_smarthost *smarthost, const char *sender,
                                  const char *recipient,
                                  void (*on_news)(void *owner, const struct diagnosis *d),
                                  void *owner)
{
    struct diagnosing *g = mem_new(sizeof *g);
    struct err err = {.text = ""};
    *g = (struct diagnosing){.loop = loop,
                             .conf = conf,
                             .on_news = on_news,
                             .owner = owner,
                             .d = {.smarthost = smarthost, .facts = &g->none}};
    if (smarthost->tls != CONF_TLS_NONE)
        g->context = contact_tls(smarthost, &err);
    if (smarthost->tls != CONF_TLS_NONE && !g->context) {
        fault_set(&g->d.verdict, FAULT_ACCOUNT, "5.7.5", "CERT-NOSTORE", "%s", err.text);
        fault_fix(&g->d.verdict,
                  "mend the tls- keys of smarthost \"%s\", or the files they name",
                  smarthost->name);
        g->silence = loop_timer_new(loop, on_no_trust, g);
        loop_timer_set(g->silence, clock_mono_ms());
        return g;
    }
    g->plan = (struct walk_plan){.conf = conf,
                                 .smarthost = smarthost,
                                 .port = smarthost->port,
                                 .tls = smarthost->tls,
                                 .context = g->context,
                                 .login = smarthost->login,
                                 .sender = sender,
                                 .recipient = recipient};
    g->walk = walk_new(loop, &g->plan, on_walk, g);
    g->d.facts = walk_facts(g->walk);
    return g;
}
