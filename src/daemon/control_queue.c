/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control_client.h"

enum {
    PAGE_BYTES = 32 * 1024
};

/* Whether the listing is of all there is, so that it is headed and ended as mailq's. */
static bool is_whole(const struct client *c)
{
    return !selection_has_condition(&c->question.selection);
}

/* What there is to list, until the page is full or this turn's share is used up. */
static void list_page(struct client *c, struct buf *page)
{
    struct store_message *m;
    control_walk_turn(c);
    while (buf_len(page) < PAGE_BYTES && (m = control_walk_next(c))) {
        struct listing_view view = control_client_view(c, m);
        if (!c->question.json && !is_whole(c) && !c->listed)
            listing_columns(page);
        c->listed++;
        c->listed_bytes += m->body_bytes;
        if (c->question.json)
            listing_json(page, m, &view);
        else
            listing_message(page, m, &view);
        store_message_free(m);
    }
    if (!c->walk.over || buf_len(page) >= PAGE_BYTES)
        return;
    if (!c->question.json)
        listing_foot(page, c->listed, c->listed_bytes, is_whole(c));
    c->go_on = NULL;
}

static void list_on(struct client *c)
{
    struct buf page;
    buf_init(&page, 64 * 1024 * 1024);
    if (conn_out_room(c->conn))
        list_page(c, &page);
    control_client_put(c, &page);
    buf_release(&page);
    if (!c->go_on)
        control_client_finish(c);
    else if (conn_out_room(c->conn))
        control_client_yield(c);
}

void control_ask_queue(struct client *c, struct str words)
{
    struct store_counts counts;
    struct buf head;
    if (!control_client_read(c, words))
        return;
    store_count(c->control->facts.store, &counts);
    buf_init(&head, sizeof c->control->spool + 256);
    if (!c->question.json && is_whole(c))
        listing_head(&head, c->control->spool,
                     counts.queued + counts.deferred + counts.held + counts.dead);
    control_client_put(c, &head);
    buf_release(&head);
    control_walk_begin(c);
    c->go_on = list_on;
    list_on(c);
}
