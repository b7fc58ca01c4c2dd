/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked about the daemon itself. */
#include "control_client.h"

#include "clock.h"
#include "gather.h"

#include <sysexits.h>

/* "warning-age=4h" */
static bool read_limit(struct alarm_limits *limits, struct str word)
{
    size_t n = str_find(word, '=');
    return n < word.n && alarm_limit(limits, str_head(word, n), str_tail(word, n + 1));
}

void control_ask_status(struct client *c, struct str words)
{
    const struct control_facts *facts = &c->control->facts;
    const struct status_source source = {facts->store,
                                         facts->relay,
                                         &c->control->configuration,
                                         aliases_problem(facts->aliases),
                                         facts->started_ms,
                                         clock_wall_ms()};
    struct alarm_limits limits = alarm_defaults;
    bool json = false;
    struct buf text;
    for (struct str word = str_word(&words, " "); word.n; word = str_word(&words, " ")) {
        if (str_eq(word, STR_LIT("json")))
            json = true;
        else if (!read_limit(&limits, word))
            control_client_note(c, EX_USAGE,
                                "\"%.*s\" is no limit; write a time such as 4h for an age, a "
                                "number for messages, 0 for none",
                                STR_FMT(str_head(word, 64)));
    }
    buf_init(&text, 1024 * 1024);
    if (c->code == EX_OK) {
        enum alarm_level verdict = status_put(&text, json, &source, &limits);
        control_client_put(c, &text);
        control_client_note(c, (int)verdict, "%s", "");
    }
    buf_release(&text);
    control_client_finish(c);
}

void control_status_line(const struct control *control, struct buf *out)
{
    const struct control_facts *facts = &control->facts;
    status_put_line(out,
                    &(struct status_source){facts->store, facts->relay, &control->configuration,
                                            aliases_problem(facts->aliases), facts->started_ms,
                                            clock_wall_ms()});
}

void control_ask_metrics(struct client *c, struct str words)
{
    const struct control_facts *facts = &c->control->facts;
    struct buf text;
    (void)words;
    buf_init(&text, 4 * 1024 * 1024);
    gather_text(&text, &(struct gather_source){facts->store, facts->relay, facts->tally,
                                               facts->started_ms,
                                               c->control->configuration.failure[0] != '\0'});
    control_client_put(c, &text);
    buf_release(&text);
    control_client_finish(c);
}

void control_ask_reload(struct client *c, struct str words)
{
    struct err err;
    (void)words;
    if (control_client_may(c, "reload the configuration")) {
        int result = c->control->facts.reload(c->control->facts.arg, &err);
        if (result != 0)
            control_client_note(c, result < 0 ? EX_CONFIG : EX_TEMPFAIL, "%s", err.text);
    }
    control_client_finish(c);
}
