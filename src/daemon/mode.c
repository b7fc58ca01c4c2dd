/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mode.h"

#include <string.h>

void mode_init(struct mode *m, const struct conf_smarthost *s)
{
    *m = (struct mode){.spoken = s->tls, .advice = {.scope = FAULT_NONE}};
}

void mode_begin(struct mode_trial *t, const struct mode *m)
{
    *t = (struct mode_trial){.spoken = m->spoken, .works = m->works};
}

static bool is(const struct fault *f, const char *code)
{
    return strcmp(f->code, code) == 0;
}

/* A digit where TLS was to begin; a TLS record, or nothing at all, where a greeting was. */
static bool is_mismatch(const struct mode_trial *t, const struct fault *f)
{
    if (t->spoken == CONF_TLS_IMPLICIT)
        return is(f, "MODE-PLAINBANNER") || is(f, "MODE-PLAINSYNC") ||
               is(f, "MODE-PLAINREFUSE");
    return is(f, "MODE-TLSBYTES") || (is(f, "MODE-SILENT") && !t->works);
}

bool mode_turn(struct mode_trial *t, const struct conf_smarthost *s, const struct fault *f)
{
    if (!s->tls_auto || s->tls == CONF_TLS_NONE || s->verify == CONF_VERIFY_NONE || t->turned ||
        t->proved || !is_mismatch(t, f))
        return false;
    t->turned = true;
    t->first = *f;
    t->spoken = t->spoken == CONF_TLS_IMPLICIT ? CONF_TLS_STARTTLS : CONF_TLS_IMPLICIT;
    return true;
}

const struct fault *mode_fault(const struct mode_trial *t, const struct conf_smarthost *s,
                               const struct fault *f)
{
    return t->turned && !t->proved && t->spoken != s->tls ? &t->first : f;
}

static void advise(struct fault *advice, const struct conf_smarthost *s,
                   const struct mode_trial *t)
{
    bool implicit = t->spoken == CONF_TLS_IMPLICIT;
    fault_set(advice, FAULT_ACCOUNT, "4.7.5", t->first.code,
              "%s port %u speaks %s, which tls = \"auto\" expects there; mail goes out that "
              "way, but finding it out costs a failed connection after each reload",
              s->host, s->port,
              implicit ? "TLS from the first byte, and not STARTTLS"
                       : "SMTP with STARTTLS, and not TLS from the first byte");
    fault_fix(advice, "%s",
              implicit ? "set tls = \"implicit\"" : "set tls = \"starttls\", or port = 587");
}

bool mode_learn(struct mode *m, const struct conf_smarthost *s, const struct mode_trial *t)
{
    if (!t->begun)
        return false;
    m->spoken = t->proved ? t->spoken : s->tls;
    m->works |= t->proved && t->spoken == s->tls;
    if (m->spoken == s->tls)
        m->advice.scope = FAULT_NONE;
    else if (t->turned)
        advise(&m->advice, s, t);
    bool news = m->advice.scope != FAULT_NONE && !m->told;
    m->told |= news;
    return news;
}
