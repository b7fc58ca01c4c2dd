/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked about the daemon itself. */
#include "control_client.h"

#include "clock.h"

#include <sysexits.h>

void control_ask_status(struct client *c, struct str words)
{
    const struct control_facts *facts = &c->control->facts;
    struct buf text;
    buf_init(&text, 1024 * 1024);
    status_put(&text, str_eq(str_word(&words, " "), STR_LIT("json")), facts->store,
               facts->relay, &c->control->configuration, facts->started_ms, clock_wall_ms());
    control_client_put(c, &text);
    buf_release(&text);
    control_client_finish(c);
}

void control_ask_reload(struct client *c, struct str words)
{
    struct err err;
    (void)words;
    if (control_client_may(c, "reload the configuration") &&
        c->control->facts.reload(c->control->facts.arg, &err) < 0)
        control_client_note(c, EX_CONFIG, "%s", err.text);
    control_client_finish(c);
}
