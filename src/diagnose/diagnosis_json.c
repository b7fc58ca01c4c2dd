/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conclude.h"
#include "diagnosis_text.h"
#include "steps.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *text_of(struct str s)
{
    json_t *o = json_stringn(s.p, s.n);
    return o ? o : json_string("");
}

/* An array of the words between separators. */
static json_t *list_of(struct str s, const char *separators, size_t skip)
{
    json_t *list = json_array();
    for (struct str word; (word = str_word(&s, separators)).n;)
        json_array_append_new(list, text_of(str_tail(word, skip)));
    return list;
}

static json_t *steps_json(const struct diagnosis *d)
{
    struct step steps[STEPS_MAX];
    json_t *list = json_array();
    unsigned n = steps_of(d->facts, d->smarthost->tls, d->smarthost->port, steps);
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:I, s:o}", "step", steps[i].name,
                                              "ok", steps[i].state == STEP_GOOD, "ms",
                                              (json_int_t)steps[i].took_ms, "learned",
                                              text_of(buf_str(&steps[i].learned))));
    steps_release(steps, n);
    return list;
}

static json_t *chain_json(const struct walk_facts *facts, int64_t now_s)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < facts->n_chain; i++) {
        const struct tls_certificate *c = &facts->chain[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "subject", c->subject,
                            "issuer", c->issuer, "names", c->names, "not_before",
                            (json_int_t)c->valid_from, "not_after", (json_int_t)c->valid_until,
                            "days_left", (json_int_t)((c->valid_until - now_s) / 86400),
                            "sha256", c->fingerprint, "key_sha256", c->key_fingerprint));
    }
    return list;
}

/* What EHLO offered, in clear or inside TLS; null where it was not said there. */
static json_t *offers_json(const struct walk_facts *facts, bool secured)
{
    const struct transcript_exchange *e;
    json_t *list = NULL;
    for (unsigned i = 0; (e = transcript_find(&facts->transcript, "EHLO", i)); i++) {
        struct str lines = buf_str(&e->lines);
        if (e->secured != secured || e->code != 250)
            continue;
        str_word(&lines, "\n");
        json_decref(list);
        list = list_of(lines, "\n", strlen("250 "));
    }
    return list ? list : json_null();
}

static json_t *probes_json(const struct diagnosis *d)
{
    static const char *const speeches[] = {
        [PROBE_NOTHING] = "nothing",   [PROBE_STRANGE] = "strange",
        [PROBE_CLEAR] = "clear",       [PROBE_PLAIN] = "plain",
        [PROBE_STARTTLS] = "starttls", [PROBE_IMPLICIT] = "implicit",
    };
    json_t *list = json_array();
    for (unsigned i = 0; i < d->n_probes; i++) {
        const struct probe_result *r = &d->probes[i];
        json_array_append_new(
            list, json_pack("{s:i, s:s, s:b, s:b, s:o, s:s}", "port", (int)r->port, "speaks",
                            speeches[r->speech], "verified", r->verified, "ready", r->ready,
                            "auth", list_of(str_of(r->auth), " ", 0), "reason", r->words));
    }
    return list;
}

static json_t *answer_json(bool asked, const struct fault *f)
{
    return asked ? json_boolean(f->scope == FAULT_NONE) : json_null();
}

static json_t *verdict_json(const struct diagnosis *d)
{
    const struct fault *f = &d->verdict;
    return json_pack("{s:b, s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "ok", f->scope == FAULT_NONE,
                     "exit", d->exit_status, "scope", fault_scope_name(f->scope), "code",
                     f->code, "status", f->status, "reason", f->text, "reply", f->reply, "fix",
                     f->fix);
}

static json_t *notes_json(const struct diagnosis *d)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < d->n_notes; i++)
        json_array_append_new(list, json_string(d->notes[i]));
    return list;
}

void diagnosis_json_put(struct buf *out, const struct diagnosis *d, int64_t now_s)
{
    static const char *const modes[] = {
        [CONF_TLS_STARTTLS] = "starttls",
        [CONF_TLS_IMPLICIT] = "implicit",
        [CONF_TLS_NONE] = "none",
    };
    const struct conf_smarthost *s = d->smarthost;
    const struct walk_facts *facts = d->facts;
    json_t *o = json_pack(
        "{s:s, s:s, s:i, s:s, s:s?, s:s, s:o, s:s, s:o, s:{s:o, s:o}, s:s, s:b, s:o, s:o, "
        "s:o, s:o, s:o}",
        "smarthost", s->name, "host", s->host, "port", (int)s->port, "tls", modes[s->tls],
        "user", s->user, "address", facts->peer, "steps", steps_json(d), "cipher", facts->tls,
        "certificates", chain_json(facts, now_s), "capabilities", "clear",
        offers_json(facts, false), "secured", offers_json(facts, true), "mechanism",
        facts->mechanism, "logged_in", facts->logged_in, "sender_accepted",
        answer_json(facts->asked_sender, &facts->sender), "recipient_accepted",
        answer_json(facts->asked_recipient, &facts->recipient), "probes", probes_json(d),
        "notes", notes_json(d), "verdict", verdict_json(d));
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text) {
        buf_puts(out, text);
        buf_putc(out, '\n');
    }
    free(text);
    json_decref(o);
}
