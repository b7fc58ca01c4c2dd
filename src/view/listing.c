/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "listing.h"

#include "printable.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    RECIPIENT_COLUMN = 47, /* Postfix's layout for long queue ids */
    REASON_END = 78
};

static const char hidden_text[] = "(hidden)";

void listing_head(struct buf *out, const char *spool, uint64_t messages)
{
    if (messages == 0)
        return;
    buf_printf(out, "%s/mqueue (%" PRIu64 " request%s)\n", spool, messages,
               messages == 1 ? "" : "s");
    listing_columns(out);
}

void listing_columns(struct buf *out)
{
    buf_puts(out, "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n");
}

void listing_foot(struct buf *out, uint64_t messages, uint64_t bytes, bool whole)
{
    if (messages == 0 && whole)
        buf_puts(out, "Mail queue is empty\n");
    else
        buf_printf(out, "-- %" PRIu64 " Kbytes in %" PRIu64 " Request%s.\n", bytes / 1024,
                   messages, messages == 1 ? "" : "s");
}

const struct fault *listing_fault(const struct store_recipient *r,
                                  const struct listing_view *view)
{
    return r->fault.scope != FAULT_NONE ? &r->fault : view->held_by;
}

enum queue_state listing_state(const struct store_message *m, const struct listing_view *view)
{
    return queue_state_of(m, view->active, view->held_by != NULL);
}

static void put_reason(struct buf *text, const struct fault *f)
{
    buf_printf(text, "%s: %s", fault_scope_name(f->scope), f->text);
    if (f->reply[0])
        buf_printf(text, ": %s", f->reply);
    if (f->fix[0])
        buf_printf(text, "; to mend it: %s", f->fix);
}

static void put_address(struct buf *out, const char *address)
{
    printable_put(out, str_of(address), 400);
}

static bool is_listed(const struct store_message *m, const struct store_recipient *r)
{
    return r->state == STORE_WAITING || (m->state == STORE_DEAD && r->state == STORE_FAILED);
}

/* A reason is written once, before the recipients that share it. */
static void put_recipients(struct buf *out, const struct store_message *m,
                           const struct listing_view *view)
{
    char last[3 * FAULT_TEXT_MAX] = "";
    for (unsigned i = 0; i < m->n_recipients; i++) {
        const struct store_recipient *r = &m->recipients[i];
        if (!is_listed(m, r))
            continue;
        const struct fault *f = view->hidden ? NULL : listing_fault(r, view);
        struct buf reason;
        buf_init(&reason, sizeof last - 1);
        if (f)
            put_reason(&reason, f);
        else if (view->paced && !view->hidden && !view->active && m->state == STORE_QUEUED)
            buf_puts(&reason, view->paced);
        if (buf_len(&reason) && !str_eq(buf_str(&reason), str_of(last))) {
            snprintf(last, sizeof last, "%.*s", STR_FMT(buf_str(&reason)));
            buf_printf(out, "%*s(%s)\n",
                       REASON_END > (int)buf_len(&reason) + 2
                           ? REASON_END - (int)buf_len(&reason) - 2
                           : 0,
                       "", last);
        }
        buf_release(&reason);
        buf_printf(out, "%*s", RECIPIENT_COLUMN, "");
        put_address(out, view->hidden ? hidden_text : r->address);
        buf_putc(out, '\n');
    }
}

void listing_message(struct buf *out, const struct store_message *m,
                     const struct listing_view *view)
{
    char id[STORE_ID_MAX + 1], date[32];
    time_t arrival = (time_t)(m->arrival_ms / 1000);
    struct tm local;
    store_id_format(id, m->id);
    static const char *const marks[QUEUE_STATES] = {
        [QUEUE_ACTIVE] = "*", [QUEUE_HELD] = "!", [QUEUE_DEAD] = "#"};
    const char *mark = marks[listing_state(m, view)];
    snprintf(id + str_of(id).n, 2, "%s", mark ? mark : "");
    if (!localtime_r(&arrival, &local) ||
        !strftime(date, sizeof date, "%a %b %e %H:%M:%S", &local))
        snprintf(date, sizeof date, "-");
    buf_printf(out, "%-17s %8" PRIu64 " %19s ", id, m->body_bytes, date);
    put_address(out, view->hidden ? hidden_text : m->sender[0] ? m->sender : "MAILER-DAEMON");
    buf_putc(out, '\n');
    put_recipients(out, m, view);
    buf_putc(out, '\n');
}

/* JSON text is UTF-8, whatever came in. */
static json_t *clean(const char *text)
{
    struct buf room;
    buf_init(&room, 2 * FAULT_TEXT_MAX);
    printable_put(&room, str_of(text), FAULT_TEXT_MAX);
    json_t *value = json_stringn(buf_str(&room).p, buf_len(&room));
    buf_release(&room);
    return value;
}

static json_t *recipients_json(const struct store_message *m, const struct listing_view *view)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < m->n_recipients; i++) {
        const struct store_recipient *r = &m->recipients[i];
        if (!is_listed(m, r))
            continue;
        const struct fault *f = view->hidden ? NULL : listing_fault(r, view);
        json_t *entry =
            json_pack("{s:o}", "address", clean(view->hidden ? hidden_text : r->address));
        if (f) {
            char reason[3 * FAULT_TEXT_MAX];
            snprintf(reason, sizeof reason, "%s%s%s", f->text, f->reply[0] ? ": " : "",
                     f->reply);
            json_object_set_new(entry, "delay_reason", clean(reason));
            json_object_set_new(entry, "scope", json_string(fault_scope_name(f->scope)));
            json_object_set_new(entry, "code", clean(f->code));
            json_object_set_new(entry, "status", clean(f->status));
            json_object_set_new(entry, "fix", clean(f->fix));
        }
        json_array_append_new(list, entry);
    }
    return list;
}

static const char *first_reason(const struct store_message *m, const struct listing_view *view)
{
    for (unsigned i = 0; i < m->n_recipients && !view->hidden; i++) {
        const struct fault *f =
            is_listed(m, &m->recipients[i]) ? listing_fault(&m->recipients[i], view) : NULL;
        if (f)
            return f->text;
    }
    if (view->paced && !view->hidden && !view->active && m->state == STORE_QUEUED)
        return view->paced;
    return "";
}

void listing_json(struct buf *out, const struct store_message *m,
                  const struct listing_view *view)
{
    char id[STORE_ID_MAX];
    store_id_format(id, m->id);
    enum queue_state state = listing_state(m, view);
    json_t *o = json_object();
    json_object_set_new(o, "queue_name", json_string(queue_state_postfix_name(state)));
    json_object_set_new(o, "queue_id", json_string(id));
    json_object_set_new(o, "arrival_time", json_integer(m->arrival_ms / 1000));
    json_object_set_new(o, "message_size", json_integer((json_int_t)m->body_bytes));
    json_object_set_new(o, "forced_expire", json_false());
    json_object_set_new(o, "sender", clean(view->hidden ? hidden_text : m->sender));
    json_object_set_new(o, "recipients", recipients_json(m, view));
    json_object_set_new(o, "attempts", json_integer(m->attempts));
    json_object_set_new(o, "next_attempt", json_integer(m->next_attempt_ms / 1000));
    json_object_set_new(o, "smarthost", json_string(view->smarthost));
    json_object_set_new(o, "uid", json_integer(m->uid == (uid_t)-1 ? -1 : (json_int_t)m->uid));
    json_object_set_new(o, "state", json_string(queue_state_name(state)));
    json_object_set_new(o, "reason", clean(first_reason(m, view)));
    char *text = json_dumps(o, JSON_COMPACT);
    if (text) {
        buf_puts(out, text);
        buf_putc(out, '\n');
    }
    free(text);
    json_decref(o);
}
