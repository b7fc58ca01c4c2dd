/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "diagnosis_text.h"

#include "conclude.h"
#include "steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    INDENT = 32 /* columns before what was learned */
};

static void put_head(struct buf *out, const struct diagnosis *d)
{
    static const char *const modes[] = {
        [CONF_TLS_STARTTLS] = "STARTTLS",
        [CONF_TLS_IMPLICIT] = "TLS from the first byte",
        [CONF_TLS_NONE] = "without TLS",
    };
    const struct conf_smarthost *s = d->smarthost;
    buf_printf(out, "smarthost \"%s\": %s port %u, %s, ", s->name, s->host, s->port,
               modes[s->tls]);
    if (s->user)
        buf_printf(out, "login as %s\n", s->user);
    else
        buf_puts(out, "no login\n");
}

static void put_lines(struct buf *out, struct str lines)
{
    bool first = true;
    for (struct str line; (line = str_word(&lines, "\n")).n; first = false) {
        if (!first)
            buf_printf(out, "\n%*s", INDENT, "");
        buf_put_str(out, line);
    }
    buf_putc(out, '\n');
}

static void put_step(struct buf *out, const struct step *s)
{
    char time[24] = "";
    if (s->took_ms >= 0)
        snprintf(time, sizeof time, "%" PRId64 " ms", s->took_ms);
    const char *state = s->state == STEP_GOOD ? "ok" : "FAILED";
    if (buf_len(&s->learned))
        buf_printf(out, "  %-9s %-7s %10s  ", s->name, state, time);
    else
        buf_printf(out, time[0] ? "  %-9s %-7s %10s" : "  %-9s %s%s", s->name, state, time);
    put_lines(out, buf_str(&s->learned));
}

static void put_certificate(struct buf *out, const struct tls_certificate *c, unsigned i,
                            int64_t now_s)
{
    int64_t days = (c->valid_until - now_s) / 86400;
    char date[16] = "?";
    time_t until = (time_t)c->valid_until;
    struct tm parts;
    if (gmtime_r(&until, &parts))
        strftime(date, sizeof date, "%Y-%m-%d", &parts);
    buf_printf(out, "%*s%u: %s, issued by %s\n", INDENT, "", i, c->subject, c->issuer);
    if (c->valid_until < now_s)
        buf_printf(out, "%*s   expired on %s\n", INDENT, "", date);
    else
        buf_printf(out, "%*s   %" PRId64 " days left, until %s\n", INDENT, "", days, date);
    if (i == 0)
        buf_printf(out, "%*s   for %s\n", INDENT, "", c->names);
    buf_printf(out, "%*s   SHA-256 %s\n%*s   key     %s\n", INDENT, "", c->fingerprint, INDENT,
               "", c->key_fingerprint);
}

static void put_steps(struct buf *out, const struct diagnosis *d, unsigned *shown,
                      int64_t now_s)
{
    struct step steps[STEPS_MAX];
    const struct walk_facts *facts = d->facts;
    unsigned n = steps_of(facts, d->smarthost->tls, d->smarthost->port, steps);
    for (unsigned i = *shown; i < n && steps[i].state != STEP_UNDER_WAY; i++, ++*shown) {
        put_step(out, &steps[i]);
        for (unsigned c = 0; c < facts->n_chain && strcmp(steps[i].name, "TLS") == 0; c++)
            put_certificate(out, &facts->chain[c], c, now_s);
    }
    steps_release(steps, n);
}

static void put_verdict(struct buf *out, const struct diagnosis *d)
{
    const struct fault *f = &d->verdict;
    for (unsigned i = 0; i < d->n_probes; i++) {
        buf_puts(out, "  probe:   ");
        conclude_describe(&d->probes[i], out);
        buf_putc(out, '\n');
    }
    for (unsigned i = 0; i < d->n_notes; i++)
        buf_printf(out, "  note:    %s\n", d->notes[i]);
    if (f->scope == FAULT_NONE) {
        buf_printf(out, "  verdict: mail %s be accepted\n",
                   d->facts->asked_recipient ? "would" : "would probably");
        return;
    }
    buf_printf(out, "  verdict: %s %s: %s\n", fault_scope_name(f->scope), f->code, f->text);
    if (f->reply[0])
        buf_printf(out, "  the server said: %s\n", f->reply);
    if (f->fix[0])
        buf_printf(out, "  to mend it: %s\n", f->fix);
}

void diagnosis_text_put(struct buf *out, const struct diagnosis *d, unsigned *shown,
                        int64_t now_s)
{
    if (*shown == 0) {
        put_head(out, d);
        *shown = 1; /* the head counts as one */
    }
    unsigned steps = *shown - 1;
    put_steps(out, d, &steps, now_s);
    *shown = steps + 1;
    if (d->over)
        put_verdict(out, d);
}
