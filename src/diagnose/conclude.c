/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conclude.h"

#include "printable.h"
#include "symptom.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

bool conclude_wants_probes(const struct fault *f)
{
    const struct symptom *symptom = symptom_of(f->code);
    return f->scope != FAULT_NONE && symptom && symptom->of_port;
}

int conclude_exit_status(const struct fault *f)
{
    const struct symptom *symptom = symptom_of(f->code);
    if (f->scope == FAULT_NONE)
        return EX_OK;
    if (f->scope == FAULT_ACCOUNT && f->permanent)
        return EX_CONFIG;
    if (symptom)
        return symptom->cure == SYMPTOM_PASSES ? EX_TEMPFAIL : EX_CONFIG;
    return f->permanent || f->scope == FAULT_ACCOUNT ? EX_CONFIG : EX_TEMPFAIL;
}

void conclude_describe(const struct probe_result *r, struct buf *out)
{
    static const char *const speeches[] = {
        [PROBE_NOTHING] = "cannot be used",
        [PROBE_STRANGE] = "speaks something else than SMTP",
        [PROBE_CLEAR] = "speaks SMTP in clear, not TLS from the first byte",
        [PROBE_PLAIN] = "speaks SMTP without STARTTLS",
        [PROBE_STARTTLS] = "speaks SMTP with STARTTLS",
        [PROBE_IMPLICIT] = "speaks TLS from the first byte",
    };
    buf_printf(out, "port %u %s", r->port, speeches[r->speech]);
    if (r->ready)
        buf_printf(out, r->auth[0] ? " and offers the logins %s" : " and offers no login%s",
                   r->auth);
    else if (r->words[0] && r->speech != PROBE_CLEAR)
        buf_printf(out, " (%s)", r->words);
}

static bool share(const char *mechanisms, const char *offered)
{
    struct str rest = str_of(mechanisms);
    for (struct str word; (word = str_word(&rest, " ")).n;) {
        struct str list = str_of(offered);
        for (struct str other; (other = str_word(&list, " ")).n;)
            if (str_eq_nocase(word, other))
                return true;
    }
    return false;
}

static bool would_do(const struct probe_result *r, const char *mechanisms)
{
    return r->verified && r->ready && (!mechanisms || share(mechanisms, r->auth));
}

/* The one to change to: they come in the order of preference. */
static const struct probe_result *best_of(const struct probe_result *results, unsigned n,
                                          uint16_t own, const char *mechanisms)
{
    for (unsigned i = 0; i < n; i++)
        if (results[i].port != own && would_do(&results[i], mechanisms))
            return &results[i];
    return NULL;
}

static bool is_implicit_by_itself(uint16_t port)
{
    return port == 465 || port == 2465;
}

/* "tls = \"implicit\"", unless the port says so. */
static void put_tls(struct buf *out, const struct probe_result *r, const char *before)
{
    bool implicit = r->speech == PROBE_IMPLICIT;
    if (implicit == is_implicit_by_itself(r->port))
        buf_printf(out, "%s leave tls out", before);
    else
        buf_printf(out, "%s set tls = \"%s\"", before, implicit ? "implicit" : "starttls");
}

static void put_change(struct buf *out, const struct probe_result *r)
{
    buf_printf(out, "set port = %u", r->port);
    put_tls(out, r, ", and");
}

/* The sentence goes on, the fix is another one, and a person has to act. */
static void rewrite(struct fault *f, struct buf *text, struct buf *fix)
{
    printable_cut(f->text, sizeof f->text, buf_str(text));
    if (buf_len(fix)) {
        printable_cut(f->fix, sizeof f->fix, buf_str(fix));
        f->scope = FAULT_ACCOUNT;
        f->permanent = true;
        f->status[0] = '5';
    }
}

/* The port is right and the way is wrong. */
static void conclude_way(struct fault *f, const struct conf_smarthost *s,
                         const struct probe_result *own, const struct probe_result *best,
                         struct buf *text, struct buf *fix)
{
    bool implicit = own->speech == PROBE_IMPLICIT;
    buf_printf(text, "%s port %u %s: ", s->host, s->port,
               implicit ? "speaks TLS from the first byte, not STARTTLS"
                        : "speaks SMTP with STARTTLS, not TLS from the first byte");
    buf_puts(text, implicit ? "a TLS handshake was answered" : "EHLO was answered in clear");
    if (!own->verified && own->words[0])
        buf_printf(text, " (and then: %s)", own->words);
    if (own->verified && s->tls_auto && s->verify != CONF_VERIFY_NONE)
        buf_puts(text, "; tls = \"auto\" lets tranterd find that out itself, at the cost of a "
                       "failed connection after each reload");
    buf_printf(fix, "set tls = \"%s\"", implicit ? "implicit" : "starttls");
    if (implicit == is_implicit_by_itself(s->port))
        buf_puts(fix, ", or leave tls out");
    if (best) {
        buf_puts(fix, "; or ");
        put_change(fix, best);
    }
    if (implicit && strcmp(f->code, "MODE-TLSBYTES") != 0)
        snprintf(f->code, sizeof f->code, "MODE-SILENT");
    else if (!implicit && !str_starts_nocase(str_of(f->code), STR_LIT("MODE-PLAIN")))
        snprintf(f->code, sizeof f->code, "MODE-PLAINBANNER");
}

static void conclude_port(const struct fault *f, const struct probe_result *results, unsigned n,
                          const struct probe_result *best, uint16_t own, struct buf *text,
                          struct buf *fix)
{
    buf_puts(text, f->text);
    if (best) {
        buf_puts(text, "; ");
        conclude_describe(best, text);
        put_change(fix, best);
        return;
    }
    buf_puts(text, "; of the ports");
    for (unsigned i = 0, shown = 0; i < n; i++)
        if (results[i].port != own)
            buf_printf(text, "%s %u", shown++ ? "," : "", results[i].port);
    buf_puts(text, " none would do either");
    if (strstr(f->fix, "set port"))
        buf_puts(fix, "ask the provider which host and port take mail from its customers, and "
                      "set those");
}

void conclude(struct fault *f, const struct conf_smarthost *smarthost, const char *mechanisms,
              const struct probe_result *results, unsigned n)
{
    const struct probe_result *own = NULL;
    struct buf text, fix;
    if (n == 0 || !conclude_wants_probes(f))
        return;
    buf_init(&text, 4 * FAULT_TEXT_MAX);
    buf_init(&fix, 4 * FAULT_TEXT_MAX);
    for (unsigned i = 0; i < n; i++)
        if (results[i].port == smarthost->port)
            own = &results[i];
    const struct probe_result *best = best_of(results, n, smarthost->port, mechanisms);
    bool other_way =
        own && ((smarthost->tls == CONF_TLS_STARTTLS && own->speech == PROBE_IMPLICIT) ||
                (smarthost->tls == CONF_TLS_IMPLICIT && own->speech == PROBE_STARTTLS));
    if (other_way)
        conclude_way(f, smarthost, own, best, &text, &fix);
    else
        conclude_port(f, results, n, best, smarthost->port, &text, &fix);
    rewrite(f, &text, &fix);
    buf_release(&text);
    buf_release(&fix);
}
