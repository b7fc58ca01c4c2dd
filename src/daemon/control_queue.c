/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control_client.h"

#include "listing.h"

enum {
    PAGE_BYTES = 32 * 1024
};

static struct listing_view view_of(const struct client *c, const struct store_message *m)
{
    struct relay *relay = c->control->facts.relay;
    return (struct listing_view){
        .active = relay_is_active(relay, m->id),
        .hidden = !c->privileged && m->uid != c->uid,
        .held_by = relay_held_by(relay),
        .paced = relay_paced(relay),
        .smarthost = relay_route(relay),
    };
}

static void list_page(struct client *c, struct buf *page)
{
    struct store_message *m;
    while (buf_len(page) < PAGE_BYTES && (m = store_after(c->control->facts.store, c->after))) {
        struct listing_view view = view_of(c, m);
        c->after = m->id;
        c->listed++;
        c->listed_bytes += m->body_bytes;
        if (c->json)
            listing_json(page, m, &view);
        else
            listing_message(page, m, &view);
        store_message_free(m);
    }
    if (buf_len(page) < PAGE_BYTES) {
        if (!c->json)
            listing_foot(page, c->listed, c->listed_bytes);
        c->go_on = NULL;
    }
}

static void list_on(struct client *c)
{
    while (c->go_on && conn_out_room(c->conn)) {
        struct buf page;
        buf_init(&page, 64 * 1024 * 1024);
        list_page(c, &page);
        control_client_put(c, &page);
        buf_release(&page);
    }
    if (!c->go_on)
        control_client_finish(c);
}

void control_ask_queue(struct client *c, struct str words)
{
    struct store_counts counts;
    struct buf head;
    c->json = str_eq(str_word(&words, " "), STR_LIT("json"));
    c->go_on = list_on;
    store_count(c->control->facts.store, &counts);
    buf_init(&head, sizeof c->control->spool + 256);
    if (!c->json)
        listing_head(&head, c->control->spool,
                     counts.queued + counts.deferred + counts.held + counts.dead);
    control_client_put(c, &head);
    buf_release(&head);
    list_on(c);
}
