/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "show.h"

#include "header.h"
#include "printable.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    LINE_MAX_BYTES = 1000
};

static const char *local_time(char text[40], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    if (!localtime_r(&seconds, &local) || !strftime(text, 40, "%Y-%m-%d %H:%M:%S", &local))
        snprintf(text, 40, "-");
    return text;
}

static void put_line(struct buf *out, const char *indent, struct str raw)
{
    buf_puts(out, indent);
    printable_put(out, raw, LINE_MAX_BYTES);
    buf_putc(out, '\n');
}

static void put_field(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%-12s", name);
    put_line(out, "", str_of(value));
}

static void put_submitter(struct buf *out, const struct store_message *m)
{
    if (m->uid == (uid_t)-1)
        buf_puts(out, "submitter:  unknown\n");
    else
        buf_printf(out, "submitter:  uid %lu, gid %lu, pid %ld\n", (unsigned long)m->uid,
                   (unsigned long)m->gid, (long)m->pid);
}

static void put_next(struct buf *out, const struct show_facts *f, enum queue_state state)
{
    char time[40];
    const struct store_message *m = f->message;
    switch (state) {
    case QUEUE_ACTIVE:
        buf_puts(out, "next:       it is being sent at this moment\n");
        break;
    case QUEUE_HELD:
        buf_puts(out, "next:       it waits until it is released\n");
        break;
    case QUEUE_DEAD:
        buf_printf(out, "next:       it died at %s, and is kept for a while\n",
                   local_time(time, m->next_attempt_ms));
        break;
    case QUEUE_QUEUED:
    case QUEUE_DEFERRED:
    case QUEUE_STATES:
        buf_printf(out, "next:       due at %s", local_time(time, m->next_attempt_ms));
        if (f->view->held_by)
            buf_puts(out, ", and tried as soon as a smarthost is up again");
        else if (f->view->smarthost[0])
            buf_printf(out, " through smarthost \"%s\"", f->view->smarthost);
        buf_putc(out, '\n');
    }
}

static void put_wishes(struct buf *out, const struct store_message *m)
{
    if (m->envid)
        put_field(out, "ENVID:", m->envid);
    if (m->ret != STORE_RET_UNSET)
        put_field(out, "RET:", m->ret == STORE_RET_FULL ? "FULL" : "HDRS");
    if (m->require_tls)
        put_field(out, "REQUIRETLS:", "it may go over verified TLS alone");
}

static void put_envelope(struct buf *out, const struct show_facts *f)
{
    char id[STORE_ID_MAX], time[40];
    const struct store_message *m = f->message;
    enum queue_state state = listing_state(m, f->view);
    store_id_format(id, m->id);
    put_field(out, "id:", id);
    put_field(out, "state:", queue_state_name(state));
    put_field(out, "sender:", m->sender[0] ? m->sender : "<>");
    buf_printf(out, "size:       %" PRIu64 " bytes\n", m->body_bytes);
    put_field(out, "arrived:", local_time(time, m->arrival_ms));
    put_submitter(out, m);
    buf_printf(out, "attempts:   %u", m->attempts);
    if (m->ambiguous)
        buf_printf(out, ", and %u whose final reply was lost: it may have arrived",
                   m->ambiguous);
    buf_putc(out, '\n');
    put_next(out, f, state);
    put_wishes(out, m);
    if (m->warned)
        put_field(out, "warned:", "its sender was told of the delay");
    if (m->told)
        put_field(out, "told:", "the administrator was told that it is dead");
}

static void put_fault(struct buf *out, const struct fault *fault)
{
    buf_printf(out, "    %s, %s %s: ", fault_scope_name(fault->scope), fault->code,
               fault->status);
    put_line(out, "", str_of(fault->text));
    if (fault->reply[0])
        put_line(out, "    the server said: ", str_of(fault->reply));
    if (fault->fix[0])
        put_line(out, "    to mend it: ", str_of(fault->fix));
}

static void put_notify(struct buf *out, const struct store_recipient *r)
{
    char names[40];
    if (r->notify)
        put_line(out, "    NOTIFY=", str_of(show_notify(names, r->notify)));
    if (r->orcpt)
        put_line(out, "    ORCPT=", str_of(r->orcpt));
}

static void put_recipients(struct buf *out, const struct show_facts *f)
{
    static const char *const states[] = {
        [STORE_WAITING] = "waits", [STORE_SENT] = "sent", [STORE_FAILED] = "failed"};
    const struct store_message *m = f->message;
    buf_puts(out, "\nRecipients:\n");
    for (unsigned i = 0; i < m->n_recipients && i < SHOW_RECIPIENTS_MAX; i++) {
        const struct store_recipient *r = &m->recipients[i];
        const struct fault *fault = listing_fault(r, f->view);
        buf_printf(out, "  %-6s  ", states[r->state]);
        put_line(out, "", str_of(r->address));
        if (fault && r->state != STORE_SENT)
            put_fault(out, fault);
        put_notify(out, r);
    }
    if (m->n_recipients > SHOW_RECIPIENTS_MAX)
        buf_printf(out, "  and %u more\n", m->n_recipients - SHOW_RECIPIENTS_MAX);
}

static void put_history(struct buf *out, const struct show_facts *f)
{
    char time[40], since[40];
    if (f->n_events)
        buf_puts(out, "\nHistory:\n");
    for (unsigned i = 0; i < f->n_events; i++) {
        const struct store_event *e = &f->events[i];
        buf_printf(out, "  %s  ", local_time(time, e->time_ms));
        if (e->relay) {
            printable_put(out, str_of(e->relay), LINE_MAX_BYTES);
            buf_puts(out, "  ");
        }
        printable_put(out, str_of(e->text), LINE_MAX_BYTES);
        if (e->times > 1)
            buf_printf(out, " (%u times since %s)", e->times, local_time(since, e->since_ms));
        buf_putc(out, '\n');
    }
}

/* A field line by line, as it is folded. */
static void put_folded(struct buf *out, struct str field)
{
    while (field.n) {
        size_t n = str_find(field, '\n');
        struct str line = str_head(field, n);
        bool folded = line.n && (line.p[0] == ' ' || line.p[0] == '\t');
        put_line(out, folded ? "    " : "  ", str_trim(line));
        field = str_tail(field, n + 1);
    }
}

static void put_header(struct buf *out, struct str head)
{
    struct header h;
    struct header_event e;
    header_init(&h, UINT32_MAX);
    header_feed(&h, head.p, head.n);
    header_eof(&h);
    buf_puts(out, "\nHeader:\n");
    while (header_next(&h, &e) == HEADER_FIELD)
        put_folded(out, e.field);
    header_release(&h);
}

const char *show_notify(char names[40], unsigned notify)
{
    static const char *const all[] = {"NEVER", "SUCCESS", "FAILURE", "DELAY"};
    names[0] = '\0';
    for (unsigned i = 0, n = 0; i < sizeof all / sizeof all[0]; i++) {
        if (notify & 1U << i)
            n += (unsigned)snprintf(names + n, 40 - n, "%s%s", n ? "," : "", all[i]);
    }
    return names;
}

void show_text(struct buf *out, const struct show_facts *f)
{
    put_envelope(out, f);
    put_recipients(out, f);
    put_history(out, f);
    put_header(out, f->head);
}
