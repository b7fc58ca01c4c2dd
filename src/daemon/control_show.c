/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control_client.h"

#include "show.h"

#include <sysexits.h>

static void put_view(struct client *c, const struct store_message *m)
{
    struct store_event events[STORE_EVENTS_MAX];
    struct store *store = c->control->facts.store;
    struct listing_view view = control_client_view(c, m);
    struct buf head, text;
    buf_init(&head, STORE_CHUNK_BYTES);
    buf_init(&text, SHOW_OUT_MAX);
    if (store_read(store, m->id, 0, &head) < 0)
        control_client_note(c, EX_OSERR, "its content cannot be read; see the daemon's log");
    unsigned n = store_events(store, m->id, events);
    const struct show_facts facts = {
        .message = m, .view = &view, .events = events, .n_events = n, .head = buf_str(&head)};
    if (c->question.json)
        show_json(&text, &facts);
    else
        show_text(&text, &facts);
    control_client_put(c, &text);
    while (n)
        store_event_release(&events[--n]);
    buf_release(&head);
    buf_release(&text);
}

/* The content, a chunk whenever there is room for one. It may end before its end: the message
 * was delivered, or removed. */
static void stream_on(struct client *c)
{
    store_id id = c->question.selection.ids[0];
    while (c->go_on && conn_out_room(c->conn)) {
        struct buf chunk;
        buf_init(&chunk, STORE_CHUNK_BYTES);
        ssize_t n = store_read(c->control->facts.store, id, c->chunk++, &chunk);
        control_client_put(c, &chunk);
        buf_release(&chunk);
        if (n < 0)
            control_client_note(c, EX_TEMPFAIL,
                                "this is not all of it: the message has left the queue "
                                "meanwhile, or cannot be read");
        if (n <= 0)
            c->go_on = NULL;
    }
    if (!c->go_on)
        control_client_finish(c);
}

void control_ask_show(struct client *c, struct str words)
{
    if (!control_client_read(c, words))
        return;
    const struct selection *s = &c->question.selection;
    if (s->n_ids != 1) {
        control_client_note(c, EX_USAGE, "one message is shown at a time");
        control_client_finish(c);
        return;
    }
    struct store_message *m = control_client_find(c, s->ids[0]);
    if (m && c->question.raw) {
        c->go_on = stream_on;
        stream_on(c);
    } else {
        if (m)
            put_view(c, m);
        control_client_finish(c);
    }
    store_message_free(m);
}
