/* SPDX-License-Identifier: GPL-3.0-or-later */
/* show_: one message with all that is known of it: envelope, history, header. Pure but for the
 * zone of local time. */
#ifndef TRANTER_SHOW_H
#define TRANTER_SHOW_H

#include "listing.h"

enum {
    SHOW_RECIPIENTS_MAX = 1000,     /* more are only counted */
    SHOW_OUT_MAX = 16 * 1024 * 1024 /* bytes that either form has at most */
};

/* All borrowed. */
struct show_facts {
    const struct store_message *message;
    const struct listing_view *view;
    const struct store_event *events; /* n_events, the oldest first */
    unsigned n_events;
    struct str head; /* the first part of its content, in wire form */
};

/* Append it as text, controls made harmless. */
void show_text(struct buf *out, const struct show_facts *f);

/* Append it as one JSON object and a newline. */
void show_json(struct buf *out, const struct show_facts *f);

/* "SUCCESS,DELAY": enum store_notify's bits as NOTIFY has them. Returns names. */
const char *show_notify(char names[40], unsigned notify);

#endif
