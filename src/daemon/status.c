/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *local_time(char text[40], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    if (!localtime_r(&seconds, &local) || !strftime(text, 40, "%Y-%m-%d %H:%M:%S", &local))
        snprintf(text, 40, "-");
    return text;
}

static void put_rate(struct buf *out, const struct relay_status *s)
{
    char rate[CONF_RATE_MAX];
    if (s->rate_wait_ms == 0)
        return;
    conf_rate_format(rate, &s->rate);
    buf_printf(out, "  rate %s: the next message goes in %" PRId64 " s\n", rate,
               (s->rate_wait_ms + 999) / 1000);
}

static void put_smarthost(struct buf *out, const struct relay_status *s)
{
    char since[40];
    buf_printf(out, "smarthost \"%s\" %s port %u: ", s->name, s->host, s->port);
    if (s->up) {
        buf_printf(out, "up, %u connection%s\n", s->connections,
                   s->connections == 1 ? "" : "s");
        put_rate(out, s);
        return;
    }
    buf_printf(out, "down since %s, next probe in %" PRId64 " s\n",
               local_time(since, s->down_since_ms), (s->next_probe_ms + 999) / 1000);
    buf_printf(out, "  %s %s: %s\n", fault_scope_name(s->fault->scope), s->fault->code,
               s->fault->text);
    if (s->fault->reply[0])
        buf_printf(out, "  the server said: %s\n", s->fault->reply);
    if (s->fault->fix[0])
        buf_printf(out, "  to mend it: %s\n", s->fault->fix);
}

struct facts {
    struct store_counts counts;
    const struct relay *relay;
    const struct status_configuration *configuration;
    const char *warning; /* of the spool, or NULL */
    int64_t started_ms;
    int64_t now_ms;
};

static void put_text(struct buf *out, const struct facts *f)
{
    const struct store_counts *n = &f->counts;
    const struct status_configuration *c = f->configuration;
    char time[40];
    struct relay_status s;
    buf_printf(out, "tranterd %s is running, pid %d, since %s\n", PACKAGE_VERSION,
               (int)getpid(), local_time(time, f->started_ms));
    buf_printf(out,
               "queue: %" PRIu64 " new, %" PRIu64 " deferred, %" PRIu64 " held, %" PRIu64
               " dead; %" PRIu64 " Kbytes",
               n->queued, n->deferred, n->held, n->dead, n->bytes / 1024);
    if (n->oldest_ms)
        buf_printf(out, "; the oldest is %" PRId64 " s old", (f->now_ms - n->oldest_ms) / 1000);
    buf_putc(out, '\n');
    for (unsigned i = 0; relay_smarthost(f->relay, i, &s); i++)
        put_smarthost(out, &s);
    buf_printf(out, "configuration: %s, loaded %s\n", c->file, local_time(time, c->loaded_ms));
    if (c->failure[0])
        buf_printf(out,
                   "warning: the last reload was refused, the old configuration stays: %s\n",
                   c->failure);
    if (f->warning)
        buf_printf(out, "warning: %s\n", f->warning);
}

static json_t *smarthost_json(const struct relay_status *s)
{
    json_t *o = json_pack("{s:s, s:s, s:i, s:b, s:i}", "name", s->name, "host", s->host, "port",
                          (int)s->port, "up", s->up, "connections", (int)s->connections);
    if (s->rate.messages) {
        char rate[CONF_RATE_MAX];
        conf_rate_format(rate, &s->rate);
        json_object_set_new(o, "rate", json_string(rate));
        json_object_set_new(o, "rate_wait_ms", json_integer(s->rate_wait_ms));
    }
    if (!s->up) {
        json_object_set_new(o, "down_since", json_integer(s->down_since_ms / 1000));
        json_object_set_new(o, "next_probe_ms", json_integer(s->next_probe_ms));
        json_object_set_new(o, "scope", json_string(fault_scope_name(s->fault->scope)));
        json_object_set_new(o, "code", json_string(s->fault->code));
        json_object_set_new(o, "reason", json_string(s->fault->text));
        json_object_set_new(o, "reply", json_string(s->fault->reply));
        json_object_set_new(o, "fix", json_string(s->fault->fix));
    }
    return o;
}

static void put_json(struct buf *out, const struct facts *f)
{
    const struct store_counts *n = &f->counts;
    const struct status_configuration *c = f->configuration;
    struct relay_status s;
    json_t *list = json_array();
    for (unsigned i = 0; relay_smarthost(f->relay, i, &s); i++)
        json_array_append_new(list, smarthost_json(&s));
    json_t *o = json_pack(
        "{s:s, s:i, s:I, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:o, s:{s:s, s:I, s:s}, s:s}",
        "version", PACKAGE_VERSION, "pid", (int)getpid(), "started",
        (json_int_t)(f->started_ms / 1000), "queue", "new", (json_int_t)n->queued, "deferred",
        (json_int_t)n->deferred, "held", (json_int_t)n->held, "dead", (json_int_t)n->dead,
        "bytes", (json_int_t)n->bytes, "oldest", (json_int_t)(n->oldest_ms / 1000),
        "smarthosts", list, "configuration", "file", c->file, "loaded",
        (json_int_t)(c->loaded_ms / 1000), "failure", c->failure, "spool_warning",
        f->warning ? f->warning : "");
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text) {
        buf_puts(out, text);
        buf_putc(out, '\n');
    }
    free(text);
    json_decref(o);
}

void status_put(struct buf *out, bool json, struct store *store, const struct relay *relay,
                const struct status_configuration *configuration, int64_t started_ms,
                int64_t now_ms)
{
    struct err warning;
    struct facts f = {.relay = relay,
                      .configuration = configuration,
                      .warning = store_warn(store, &warning) ? warning.text : NULL,
                      .started_ms = started_ms,
                      .now_ms = now_ms};
    store_count(store, &f.counts);
    if (json)
        put_json(out, &f);
    else
        put_text(out, &f);
}
