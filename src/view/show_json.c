/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "show.h"

#include "header.h"
#include "printable.h"

#include <jansson.h>
#include <stdlib.h>

enum {
    VALUE_MAX = 64 * 1024
};

static json_t *clean(struct str text)
{
    struct buf room;
    buf_init(&room, VALUE_MAX);
    printable_put(&room, text, VALUE_MAX);
    json_t *value = json_stringn(buf_str(&room).p, buf_len(&room));
    buf_release(&room);
    return value;
}

static void set(json_t *o, const char *key, const char *text)
{
    if (text)
        json_object_set_new(o, key, clean(str_of(text)));
}

static json_t *seconds(int64_t ms)
{
    return json_integer(ms / 1000);
}

static void set_fault(json_t *o, const struct fault *fault)
{
    set(o, "scope", fault_scope_name(fault->scope));
    set(o, "code", fault->code);
    set(o, "status", fault->status);
    set(o, "reason", fault->text);
    set(o, "reply", fault->reply);
    set(o, "fix", fault->fix);
}

static json_t *recipients(const struct show_facts *f)
{
    static const char *const states[] = {
        [STORE_WAITING] = "waits", [STORE_SENT] = "sent", [STORE_FAILED] = "failed"};
    const struct store_message *m = f->message;
    char names[40];
    json_t *list = json_array();
    for (unsigned i = 0; i < m->n_recipients && i < SHOW_RECIPIENTS_MAX; i++) {
        const struct store_recipient *r = &m->recipients[i];
        const struct fault *fault = listing_fault(r, f->view);
        json_t *o = json_pack("{s:s}", "state", states[r->state]);
        set(o, "address", r->address);
        if (r->notify)
            set(o, "notify", show_notify(names, r->notify));
        set(o, "orcpt", r->orcpt);
        if (fault && r->state != STORE_SENT)
            set_fault(o, fault);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *history(const struct show_facts *f)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < f->n_events; i++) {
        json_t *o = json_pack("{s:o, s:o, s:i}", "time", seconds(f->events[i].time_ms), "since",
                              seconds(f->events[i].since_ms), "times", (int)f->events[i].times);
        set(o, "relay", f->events[i].relay);
        set(o, "event", f->events[i].text);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *header(struct str head)
{
    json_t *list = json_array();
    struct header h;
    struct header_event e;
    header_init(&h, UINT32_MAX);
    header_feed(&h, head.p, head.n);
    header_eof(&h);
    while (header_next(&h, &e) == HEADER_FIELD)
        json_array_append_new(list, json_pack("{s:o, s:o}", "name", clean(e.name), "value",
                                              clean(str_trim(e.value))));
    header_release(&h);
    return list;
}

void show_json(struct buf *out, const struct show_facts *f)
{
    const struct store_message *m = f->message;
    char id[STORE_ID_MAX];
    enum queue_state state = listing_state(m, f->view);
    store_id_format(id, m->id);
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:b, s:b}",
                  "queue_name", queue_state_postfix_name(state), "queue_id", id, "state",
                  queue_state_name(state), "message_size", (json_int_t)m->body_bytes,
                  "arrival_time", (json_int_t)(m->arrival_ms / 1000), "next_attempt",
                  (json_int_t)(m->next_attempt_ms / 1000), "attempts", (json_int_t)m->attempts,
                  "ambiguous", (json_int_t)m->ambiguous, "gid", (json_int_t)m->gid, "pid",
                  (json_int_t)m->pid, "n_recipients", (json_int_t)m->n_recipients, "smarthost",
                  f->view->smarthost, "require_tls", m->require_tls, "warned", m->warned,
                  "told", m->told);
    json_object_set_new(o, "uid", json_integer(m->uid == (uid_t)-1 ? -1 : (json_int_t)m->uid));
    set(o, "sender", m->sender);
    set(o, "envid", m->envid);
    if (m->ret != STORE_RET_UNSET)
        set(o, "ret", m->ret == STORE_RET_FULL ? "FULL" : "HDRS");
    json_object_set_new(o, "recipients", recipients(f));
    json_object_set_new(o, "history", history(f));
    json_object_set_new(o, "header", header(f->head));
    char *text = json_dumps(o, JSON_COMPACT);
    if (text) {
        buf_puts(out, text);
        buf_putc(out, '\n');
    }
    free(text);
    json_decref(o);
}
