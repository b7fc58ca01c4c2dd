/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control_walk.h"

#include "control_client.h"

#include <sysexits.h>

enum {
    NAMED_SHARE = 64 /* messages in a turn that are named one by one */
};

static bool may_fit(const void *arg, const struct store_message *m)
{
    return selection_may_fit(arg, m);
}

void control_walk_begin(struct client *c)
{
    const struct selection *s = &c->question.selection;
    c->walk = (struct walk){
        .search = {.states = selection_store_states(s), .wants = may_fit, .arg = s}};
    control_walk_turn(c);
}

void control_walk_turn(struct client *c)
{
    c->walk.share = c->question.selection.n_ids ? NAMED_SHARE : 1;
}

static bool fits(const struct client *c, const struct store_message *m)
{
    const struct relay *relay = c->control->facts.relay;
    const struct selection_view view = {.active = relay_is_active(relay, m->id),
                                        .waits = relay_held_by(relay) != NULL,
                                        .hidden = control_client_hides(c, m)};
    return selection_fits(&c->question.selection, m, &view);
}

static struct store_message *next_named(struct client *c)
{
    struct walk *w = &c->walk;
    const struct selection *s = &c->question.selection;
    for (; w->n_named < s->n_ids && w->share; w->share--) {
        struct store_message *m = control_client_find(c, s->ids[w->n_named++]);
        if (m && fits(c, m))
            return m;
        store_message_free(m);
    }
    w->over = w->n_named == s->n_ids;
    return NULL;
}

static struct store_message *next_found(struct client *c)
{
    struct walk *w = &c->walk;
    for (;;) {
        while (w->at < w->n_page) {
            struct store_message *m = w->page[w->at++];
            if (fits(c, m))
                return m;
            store_message_free(m);
        }
        w->over = w->search.over;
        if (w->over || !w->share)
            return NULL;
        w->share--;
        w->at = 0;
        w->n_page = store_search(c->control->facts.store, &w->search, w->page, WALK_PAGE);
    }
}

struct store_message *control_walk_next(struct client *c)
{
    return c->question.selection.n_ids ? next_named(c) : next_found(c);
}

void control_walk_end(struct walk *w)
{
    while (w->at < w->n_page)
        store_message_free(w->page[w->at++]);
}
