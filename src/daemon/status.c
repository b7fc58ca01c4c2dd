/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status.h"

#include "mem.h"

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

static void put_advice(struct buf *out, const struct relay_status *s)
{
    if (s->advice)
        buf_printf(out, "  warning: %s: %s; to mend it: %s\n", s->advice->code, s->advice->text,
                   s->advice->fix);
}

static void put_smarthost(struct buf *out, const struct relay_status *s)
{
    char since[40];
    buf_printf(out, "smarthost \"%s\" %s port %u: ", s->name, s->host, s->port);
    if (s->up) {
        buf_printf(out, "up, %u connection%s", s->connections, s->connections == 1 ? "" : "s");
        if (s->dialling)
            buf_printf(out, ", waiting for %u to be ready", s->dialling);
        buf_putc(out, '\n');
        put_rate(out, s);
        put_advice(out, s);
        return;
    }
    buf_printf(out, "down since %s, ", local_time(since, s->down_since_ms));
    if (s->probing)
        buf_puts(out, "tried at this moment\n");
    else if (s->next_probe_ms == 0)
        buf_puts(out, "tried again when there is mail for it\n");
    else
        buf_printf(out, "next probe in %" PRId64 " s\n", (s->next_probe_ms + 999) / 1000);
    buf_printf(out, "  %s %s: %s\n", fault_scope_name(s->fault->scope), s->fault->code,
               s->fault->text);
    if (s->fault->reply[0])
        buf_printf(out, "  the server said: %s\n", s->fault->reply);
    if (s->fault->fix[0])
        buf_printf(out, "  to mend it: %s\n", s->fault->fix);
    put_advice(out, s);
}

struct facts {
    struct store_counts counts;
    struct relay_status *smarthosts; /* n_smarthosts; owned */
    unsigned n_smarthosts;
    const struct status_configuration *configuration;
    const char *warning; /* of the spool, or NULL */
    const char *alias_problem;
    int64_t started_ms;
    int64_t now_ms;
    struct buf verdict; /* its line */
    enum alarm_level level;
};

static void put_text(struct buf *out, const struct facts *f)
{
    const struct store_counts *n = &f->counts;
    const struct status_configuration *c = f->configuration;
    char time[40];
    buf_put(out, buf_str(&f->verdict).p, buf_len(&f->verdict));
    buf_printf(out, "tranterd %s is running, pid %d, since %s\n", PACKAGE_VERSION,
               (int)getpid(), local_time(time, f->started_ms));
    buf_printf(out,
               "queue: %" PRIu64 " new, %" PRIu64 " deferred, %" PRIu64 " held, %" PRIu64
               " dead; %" PRIu64 " Kbytes",
               n->queued, n->deferred, n->held, n->dead, n->bytes / 1024);
    if (n->oldest_ms)
        buf_printf(out, "; the oldest is %" PRId64 " s old", (f->now_ms - n->oldest_ms) / 1000);
    buf_putc(out, '\n');
    for (unsigned i = 0; i < f->n_smarthosts; i++)
        put_smarthost(out, &f->smarthosts[i]);
    buf_printf(out, "configuration: %s, loaded %s\n", c->file, local_time(time, c->loaded_ms));
    if (c->failure[0])
        buf_printf(out,
                   "warning: the last reload was refused, the old configuration stays: %s\n",
                   c->failure);
    if (f->warning)
        buf_printf(out, "warning: %s\n", f->warning);
    if (f->alias_problem)
        buf_printf(out, "warning: %s\n", f->alias_problem);
}

static json_t *smarthost_json(const struct relay_status *s)
{
    json_t *o = json_pack("{s:s, s:s, s:i, s:b, s:i}", "name", s->name, "host", s->host, "port",
                          (int)s->port, "up", s->up, "connections", (int)s->connections);
    json_object_set_new(o, "dialling", json_integer(s->dialling));
    if (s->rate.messages) {
        char rate[CONF_RATE_MAX];
        conf_rate_format(rate, &s->rate);
        json_object_set_new(o, "rate", json_string(rate));
        json_object_set_new(o, "rate_wait_ms", json_integer(s->rate_wait_ms));
    }
    if (s->advice)
        json_object_set_new(o, "advice",
                            json_pack("{s:s, s:s, s:s}", "code", s->advice->code, "reason",
                                      s->advice->text, "fix", s->advice->fix));
    if (!s->up) {
        json_object_set_new(o, "down_since", json_integer(s->down_since_ms / 1000));
        json_object_set_new(o, "probing", json_boolean(s->probing));
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
    struct str line = str_trim(buf_str(&f->verdict));
    json_t *list = json_array();
    for (unsigned i = 0; i < f->n_smarthosts; i++)
        json_array_append_new(list, smarthost_json(&f->smarthosts[i]));
    json_t *o = json_pack(
        "{s:s, s:i, s:I, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:o, s:{s:s, s:I, s:s}, s:s}",
        "version", PACKAGE_VERSION, "pid", (int)getpid(), "started",
        (json_int_t)(f->started_ms / 1000), "queue", "new", (json_int_t)n->queued, "deferred",
        (json_int_t)n->deferred, "held", (json_int_t)n->held, "dead", (json_int_t)n->dead,
        "bytes", (json_int_t)n->bytes, "oldest", (json_int_t)(n->oldest_ms / 1000),
        "smarthosts", list, "configuration", "file", c->file, "loaded",
        (json_int_t)(c->loaded_ms / 1000), "failure", c->failure, "spool_warning",
        f->warning ? f->warning : "");
    json_object_set_new(o, "alias_problem",
                        json_string(f->alias_problem ? f->alias_problem : ""));
    json_object_set_new(o, "verdict", json_string(alarm_name(f->level)));
    json_object_set_new(o, "summary", json_stringn(line.p, line.n));
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text) {
        buf_puts(out, text);
        buf_putc(out, '\n');
    }
    free(text);
    json_decref(o);
}

static struct relay_status *list_smarthosts(const struct relay *relay, unsigned *n)
{
    struct relay_status one;
    *n = 0;
    while (relay_smarthost(relay, *n, &one))
        ++*n;
    struct relay_status *all = mem_array(*n, sizeof *all);
    for (unsigned i = 0; i < *n; i++)
        relay_smarthost(relay, i, &all[i]);
    return all;
}

enum alarm_level status_put(struct buf *out, bool json, const struct status_source *source,
                            const struct alarm_limits *limits)
{
    struct err warning;
    struct facts f = {.configuration = source->configuration,
                      .alias_problem = source->alias_problem,
                      .warning = store_warn(source->store, &warning) ? warning.text : NULL,
                      .started_ms = source->started_ms,
                      .now_ms = source->now_ms};
    store_count(source->store, &f.counts);
    f.smarthosts = list_smarthosts(source->relay, &f.n_smarthosts);
    buf_init(&f.verdict, 128 * 1024);
    f.level = alarm_put(&f.verdict,
                        &(struct alarm_facts){&f.counts, f.now_ms, f.smarthosts, f.n_smarthosts,
                                              f.configuration->failure,
                                              store_free_bytes(source->store),
                                              f.configuration->minimum_free_bytes},
                        limits);
    if (json)
        put_json(out, &f);
    else
        put_text(out, &f);
    buf_release(&f.verdict);
    free(f.smarthosts);
    return f.level;
}

void status_put_line(struct buf *out, const struct status_source *source)
{
    struct store_counts counts;
    unsigned n;
    struct relay_status *smarthosts = list_smarthosts(source->relay, &n);
    size_t begin = buf_len(out);
    store_count(source->store, &counts);
    alarm_reasons(out,
                  &(struct alarm_facts){&counts, source->now_ms, smarthosts, n,
                                        source->configuration->failure,
                                        store_free_bytes(source->store),
                                        source->configuration->minimum_free_bytes},
                  &alarm_defaults);
    if (buf_len(out) == begin)
        buf_puts(out, "running");
    free(smarthosts);
}
