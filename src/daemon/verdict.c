/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict.h"

#include "printable.h"

static void put_counts(struct buf *out, const enum outcome_event *events, unsigned n)
{
    const char *comma = "";
    for (int event = OUTCOME_SENT; event <= OUTCOME_EXPIRED; event++) {
        unsigned count = 0;
        for (unsigned i = 0; i < n; i++)
            count += events[i] == (enum outcome_event)event;
        if (count == 0)
            continue;
        buf_printf(out, "%s%u %s", comma, count, outcome_event_name((enum outcome_event)event));
        comma = ", ";
    }
}

void verdict_put(struct buf *out, const struct store_message *m, const unsigned *index,
                 const enum outcome_event *events, unsigned n)
{
    unsigned i = 0;
    put_counts(out, events, n);
    while (i < n && events[i] == OUTCOME_SENT)
        i++;
    if (i == n)
        return;
    const struct store_recipient *r = &m->recipients[index[i]];
    buf_puts(out, ": <");
    printable_put(out, str_of(r->address), 300);
    buf_printf(out, "> %s: ", fault_scope_name(r->fault.scope));
    printable_put(out, str_of(r->fault.reply[0] ? r->fault.reply : r->fault.text), 600);
}
