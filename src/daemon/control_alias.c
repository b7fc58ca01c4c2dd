/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked about aliases: newaliases, and sendmail -bv. */
#include "control_client.h"

#include "address.h"
#include "xtext.h"

#include <sysexits.h>

enum {
    ANSWER_MAX = 4 * 1024 * 1024
};

/* Anybody may ask: package scripts call newaliases and count on success. What stands in the
 * file is for those who may do everything. */
void control_ask_aliases(struct client *c, struct str words)
{
    const struct control_facts *facts = &c->control->facts;
    struct err err;
    (void)words;
    int result = facts->renew_aliases(facts->arg, &err);
    const struct alias_table *t = aliases_table(facts->aliases);
    if (result < 0)
        control_client_note(c, EX_CONFIG, "the old aliases stay: %s",
                            c->privileged ? err.text : "the daemon's log says why");
    else if (t->n_problems && c->privileged)
        control_client_note(c, EX_OK, "%s%s", t->problems[0].sentence,
                            t->n_problems > 1 ? "; tranterd -t lists all" : "");
    control_client_finish(c);
}

struct verdict {
    struct buf *out;
    const char *host;
};

/* As Sendmail says it. */
static void put_verdict(void *arg, unsigned depth, struct str address, enum alias_end end)
{
    struct verdict *v = arg;
    (void)depth;
    if (end == ALIAS_END_NOBODY)
        buf_printf(v->out, "/dev/null... deliverable: mailer *file*, user /dev/null\n");
    else
        buf_printf(v->out, "%.*s... deliverable: mailer relay, host %s, user %.*s\n",
                   STR_FMT(address), v->host, STR_FMT(address));
}

void control_ask_verify(struct client *c, struct str words)
{
    const struct control_facts *facts = &c->control->facts;
    struct buf out, mailbox;
    struct str word;
    buf_init(&out, ANSWER_MAX);
    buf_init(&mailbox, 64 * 1024);
    const struct alias_visitor visitor = {
        NULL, put_verdict, &(struct verdict){&out, aliases_host(facts->aliases)}};
    while ((word = str_word(&words, " ")).n) {
        bool exact = word.p[0] == '\\';
        buf_clear(&mailbox);
        if (xtext_is_valid(word))
            xtext_decode(&mailbox, str_tail(word, exact));
        if (address_is_mailbox(buf_str(&mailbox)))
            aliases_expand(facts->aliases, buf_str(&mailbox), exact, &visitor);
        else
            control_client_note(c, EX_NOUSER, "\"%.*s\" is not an address",
                                STR_FMT(str_head(word, 200)));
    }
    if (out.failed)
        control_client_note(c, EX_UNAVAILABLE,
                            "these addresses lead to more than can be said at once; ask in "
                            "parts");
    else
        control_client_put(c, &out);
    buf_release(&mailbox);
    buf_release(&out);
    control_client_finish(c);
}
