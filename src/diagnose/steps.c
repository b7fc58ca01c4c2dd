/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steps.h"

#include "sockname.h"

#include <string.h>

enum {
    LEARNED_MAX = 16 * 1024
};

/* The steps while they are put together. */
struct list {
    struct step *steps;
    unsigned n;
    const struct walk_facts *facts;
};

static struct step *add(struct list *list, const char *name)
{
    if (list->n == STEPS_MAX)
        buf_release(&list->steps[--list->n].learned);
    struct step *s = &list->steps[list->n++];
    *s = (struct step){.name = name, .state = STEP_UNDER_WAY, .took_ms = -1};
    buf_init(&s->learned, LEARNED_MAX);
    return s;
}

static void put_ip(struct buf *out, const struct dial_address *a)
{
    char ip[SOCKNAME_TEXT_MAX];
    sockname_ip((const struct sockaddr *)&a->address, ip);
    buf_puts(out, ip);
}

static void add_resolve(struct list *list)
{
    const struct walk_facts *facts = list->facts;
    struct step *s = add(list, "resolve");
    s->took_ms = facts->resolved_ms;
    for (unsigned i = 0; i < facts->n_addresses; i++) {
        buf_puts(&s->learned, i ? ", " : "");
        put_ip(&s->learned, &facts->addresses[i]);
    }
    if (facts->canonical[0])
        buf_printf(&s->learned, " (an alias of %s)", facts->canonical);
    if (facts->n_addresses)
        s->state = STEP_GOOD;
    else if (facts->over)
        s->state = STEP_FAILED;
}

static void put_attempts(struct buf *out, const struct walk_facts *facts)
{
    for (unsigned i = 0; i < facts->n_addresses; i++) {
        const struct dial_address *a = &facts->addresses[i];
        if (a->state != DIAL_FAILED && a->state != DIAL_UNDER_WAY)
            continue;
        buf_puts(out, buf_len(out) ? "\n" : "");
        put_ip(out, a);
        buf_printf(out, ": %s",
                   a->state == DIAL_FAILED ? strerror(a->error) : "no answer so soon");
    }
}

static void add_connect(struct list *list, uint16_t port)
{
    const struct walk_facts *facts = list->facts;
    struct step *s = add(list, "connect");
    s->took_ms = facts->connected_ms;
    if (facts->peer[0]) {
        buf_printf(&s->learned, "%s port %u", facts->peer, port);
        s->state = STEP_GOOD;
    } else if (facts->over) {
        s->state = STEP_FAILED;
    }
    put_attempts(&s->learned, facts);
}

static void add_tls(struct list *list)
{
    const struct walk_facts *facts = list->facts;
    struct step *s = add(list, "TLS");
    s->took_ms = facts->tls_ms;
    buf_puts(&s->learned, facts->tls);
    if (facts->secured)
        s->state = STEP_GOOD;
    else if (facts->over)
        s->state = STEP_FAILED;
}

/* The keywords without their code, in one line. */
static void put_keywords(struct buf *out, struct str lines)
{
    bool first = true;
    str_word(&lines, "\n"); /* the server's name */
    for (struct str line; (line = str_word(&lines, "\n")).n; first = false) {
        buf_puts(out, first ? "" : ", ");
        buf_put_str(out, str_trim(str_tail(line, 4)));
    }
}

static void put_reply(struct buf *out, const struct transcript_exchange *e)
{
    struct str lines = buf_str(&e->lines);
    bool offers = str_starts_nocase(str_of(e->command), STR_LIT("EHLO")) && e->code == 250;
    if (offers)
        put_keywords(out, lines);
    else
        buf_put_str(out, str_trim(lines));
}

static void settle(const struct list *list, struct step *s, const struct transcript_exchange *e)
{
    s->took_ms = e->code ? e->answered_ms - e->asked_ms : -1;
    if (e->code >= 400)
        s->state = STEP_FAILED;
    else if (e->code)
        s->state = STEP_GOOD;
    else if (list->facts->over)
        s->state = STEP_FAILED;
}

/* AUTH and the answers to its challenges are one step. The last exchange of it. */
static unsigned add_auth(struct list *list, unsigned at)
{
    const struct transcript *t = &list->facts->transcript;
    struct step *s = add(list, "AUTH");
    unsigned last = at;
    while (t->exchanges[last].code == 334 && last + 1 < t->n)
        last++;
    struct str command = str_of(t->exchanges[at].command);
    str_word(&command, " ");
    struct str mechanism = str_word(&command, " ");
    settle(list, s, &t->exchanges[last]);
    if (s->took_ms >= 0)
        s->took_ms = t->exchanges[last].answered_ms - t->exchanges[at].asked_ms;
    buf_printf(&s->learned, "%.*s", STR_FMT(mechanism));
    if (t->exchanges[last].code && t->exchanges[last].code != 334) {
        buf_puts(&s->learned, ": ");
        put_reply(&s->learned, &t->exchanges[last]);
    } else {
        s->state = list->facts->over ? STEP_FAILED : STEP_UNDER_WAY;
    }
    return last;
}

static const char *name_of(const char *command)
{
    static const char *const names[] = {"EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "RSET"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_starts_nocase(str_of(command), str_of(names[i])))
            return names[i];
    return NULL;
}

static void add_exchange(struct list *list, const struct transcript_exchange *e,
                         const char *name)
{
    struct step *s = add(list, name);
    settle(list, s, e);
    put_reply(&s->learned, e);
}

static void add_dialogue(struct list *list, enum conf_tls tls)
{
    const struct transcript *t = &list->facts->transcript;
    bool tls_told = tls == CONF_TLS_NONE;
    for (unsigned i = 0; i < t->n; i++) {
        const struct transcript_exchange *e = &t->exchanges[i];
        if (!tls_told && (e->secured || (tls == CONF_TLS_IMPLICIT && i == 0))) {
            add_tls(list);
            tls_told = true;
            if (!list->facts->secured)
                return;
        }
        const char *name = i == 0 ? "greeting" : name_of(e->command);
        if (str_starts_nocase(str_of(e->command), STR_LIT("AUTH ")))
            i = add_auth(list, i);
        else if (name)
            add_exchange(list, e, name);
        if (!tls_told && name && strcmp(name, "STARTTLS") == 0 && e->code == 220) {
            add_tls(list);
            tls_told = true;
        }
    }
}

/* What could not even be begun. */
static void add_missing(struct list *list)
{
    static const struct {
        const char *code, *name;
    } missing[] = {{"STARTTLS-MISSING", "STARTTLS"},
                   {"MBOX-MASKED", "STARTTLS"},
                   {"AUTH-", "AUTH"},
                   {"CRED-", "AUTH"}};
    const struct walk_facts *facts = list->facts;
    bool failed = list->n > 0 && list->steps[list->n - 1].state == STEP_FAILED;
    if (!facts->over || facts->fault.scope == FAULT_NONE || failed)
        return;
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        if (str_starts_nocase(str_of(facts->fault.code), str_of(missing[i].code))) {
            add(list, missing[i].name)->state = STEP_FAILED;
            return;
        }
    }
}

unsigned steps_of(const struct walk_facts *facts, enum conf_tls tls, uint16_t port,
                  struct step steps[STEPS_MAX])
{
    struct list list = {steps, 0, facts};
    if (!facts->began_ms)
        return 0;
    if (facts->resolved_ms >= 0 || facts->n_addresses == 0)
        add_resolve(&list);
    if (facts->n_addresses)
        add_connect(&list, port);
    if (facts->peer[0])
        add_dialogue(&list, tls);
    add_missing(&list);
    return list.n;
}

void steps_release(struct step *steps, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_release(&steps[i].learned);
}
