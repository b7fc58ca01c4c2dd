/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two formats name counters in different ways: OpenMetrics has the type of NAME and the
 * value of NAME_total, Prometheus both of NAME_total. Without a type the value is right in
 * both, and rate() asks for no type; so counters have none. */
#include "metrics.h"

#include <inttypes.h>

struct metric {
    const char *name;
    const char *type; /* NULL: a counter */
    const char *help;
    void (*put)(struct buf *out, const char *name, const struct metrics_facts *f);
};

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static void put_uint(struct buf *out, const char *name, uint64_t value)
{
    buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_quoted(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '\n') {
            buf_puts(out, "\\n");
            continue;
        }
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

static void put_info(struct buf *out, const char *name, const struct metrics_facts *f)
{
    (void)f;
    buf_printf(out, "%s{version=\"%s\"} 1\n", name, PACKAGE_VERSION);
}

static void put_start(struct buf *out, const char *name, const struct metrics_facts *f)
{
    buf_printf(out, "%s %.3f\n", name, seconds(f->started_ms));
}

static void put_reload(struct buf *out, const char *name, const struct metrics_facts *f)
{
    put_uint(out, name, f->reload_failed);
}

static void put_messages(struct buf *out, const char *name, const struct metrics_facts *f)
{
    const struct store_counts *c = &f->counts;
    const struct {
        const char *state;
        uint64_t n;
    } states[] = {
        {"new", c->queued}, {"deferred", c->deferred}, {"held", c->held}, {"dead", c->dead}};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        buf_printf(out, "%s{state=\"%s\"} %" PRIu64 "\n", name, states[i].state, states[i].n);
}

static void put_active(struct buf *out, const char *name, const struct metrics_facts *f)
{
    put_uint(out, name, f->active);
}

static void put_bytes(struct buf *out, const char *name, const struct metrics_facts *f)
{
    put_uint(out, name, f->counts.bytes);
}

static void put_oldest(struct buf *out, const char *name, const struct metrics_facts *f)
{
    int64_t age_ms = f->counts.waiting_ms ? f->now_ms - f->counts.waiting_ms : 0;
    buf_printf(out, "%s %.3f\n", name, seconds(age_ms > 0 ? age_ms : 0));
}

static void put_free(struct buf *out, const char *name, const struct metrics_facts *f)
{
    if (f->free_bytes != UINT64_MAX)
        put_uint(out, name, f->free_bytes);
}

static void put_submissions(struct buf *out, const char *name, const struct metrics_facts *f)
{
    for (int i = 0; i < TALLY_SUBMISSIONS; i++)
        buf_printf(out, "%s{answer=\"%s\"} %" PRIu64 "\n", name,
                   tally_submission_name((enum tally_submission)i), f->tally->submissions[i]);
}

static void put_submitted(struct buf *out, const char *name, const struct metrics_facts *f)
{
    put_uint(out, name, f->tally->accepted_bytes);
}

static void put_outcomes(struct buf *out, const char *name, const struct metrics_facts *f)
{
    for (unsigned i = 0; i < f->tally->n_outcomes; i++) {
        const struct tally_outcome *o = &f->tally->outcomes[i];
        buf_printf(out, "%s{outcome=\"%s\",scope=\"%s\",status=\"%s\"} %" PRIu64 "\n", name,
                   outcome_event_name(o->event), fault_scope_name(o->scope), o->status, o->n);
    }
}

static void put_commits(struct buf *out, const char *name, const struct metrics_facts *f)
{
    const struct store_latency *l = &f->commits;
    uint64_t sum = 0;
    for (unsigned i = 0; i < STORE_LATENCY_BUCKETS; i++) {
        sum += l->n[i];
        if (i < STORE_LATENCY_BUCKETS - 1)
            buf_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                       (double)store_latency_bounds_us[i] / 1e6, sum);
        else
            buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, sum);
    }
    buf_printf(out, "%s_sum %.6f\n%s_count %" PRIu64 "\n", name, (double)l->sum_us / 1e6, name,
               sum);
}

static void put_name(struct buf *out, const char *name, const struct relay_status *s)
{
    buf_printf(out, "%s{smarthost=", name);
    put_quoted(out, s->name);
}

static void put_up(struct buf *out, const char *name, const struct metrics_facts *f)
{
    for (unsigned i = 0; i < f->n_smarthosts; i++) {
        put_name(out, name, &f->smarthosts[i]);
        buf_printf(out, "} %d\n", f->smarthosts[i].up);
    }
}

static void put_since(struct buf *out, const char *name, const struct metrics_facts *f)
{
    for (unsigned i = 0; i < f->n_smarthosts; i++) {
        const struct relay_status *s = &f->smarthosts[i];
        put_name(out, name, s);
        buf_printf(out, "} %.3f\n", seconds(s->up ? s->up_since_ms : s->down_since_ms));
    }
}

static void put_fault(struct buf *out, const char *name, const struct metrics_facts *f)
{
    for (unsigned i = 0; i < f->n_smarthosts; i++) {
        const struct relay_status *s = &f->smarthosts[i];
        if (s->up)
            continue;
        put_name(out, name, s);
        buf_printf(out, ",scope=\"%s\",code=", fault_scope_name(s->fault->scope));
        put_quoted(out, s->fault->code);
        buf_puts(out, "} 1\n");
    }
}

static void put_connections(struct buf *out, const char *name, const struct metrics_facts *f)
{
    for (unsigned i = 0; i < f->n_smarthosts; i++) {
        put_name(out, name, &f->smarthosts[i]);
        buf_printf(out, "} %u\n", f->smarthosts[i].connections);
    }
}

static void put_rate_wait(struct buf *out, const char *name, const struct metrics_facts *f)
{
    for (unsigned i = 0; i < f->n_smarthosts; i++) {
        if (!f->smarthosts[i].rate.messages)
            continue;
        put_name(out, name, &f->smarthosts[i]);
        buf_printf(out, "} %.3f\n", seconds(f->smarthosts[i].rate_wait_ms));
    }
}

/* "TLSv1.3 TLS_AES_256_GCM_SHA384": the version is the first word. */
static void put_session(struct buf *out, const char *name, const struct metrics_facts *f)
{
    for (unsigned i = 0; i < f->n_smarthosts; i++) {
        const struct relay_status *s = &f->smarthosts[i];
        struct str tls = str_of(s->tls);
        if (!s->tls[0])
            continue;
        struct str version = str_word(&tls, " ");
        put_name(out, name, s);
        buf_printf(out, ",tls=\"%.*s\",auth=", STR_FMT(version));
        put_quoted(out, s->mechanism);
        buf_puts(out, "} 1\n");
    }
}

static const struct metric metrics[] = {
    {"tranter_build_info", "gauge", "The version that runs.", put_info},
    {"tranter_start_time_seconds", "gauge", "When it was started, since 1970.", put_start},
    {"tranter_config_reload_failed", "gauge",
     "1 where the last reload was refused, so that an old configuration is in force.",
     put_reload},
    {"tranter_queue_messages", "gauge", "Messages in the queue by state.", put_messages},
    {"tranter_queue_active_messages", "gauge",
     "Messages that are being sent; they are new or deferred as well.", put_active},
    {"tranter_queue_bytes", "gauge", "Content of the messages in the queue.", put_bytes},
    {"tranter_queue_oldest_age_seconds", "gauge",
     "Age of the oldest message that waits to be sent; 0 where none does.", put_oldest},
    {"tranter_spool_free_bytes", "gauge", "Room on the file system of the queue.", put_free},
    {"tranter_submissions_total", NULL, "Messages that were submitted, by our answer.",
     put_submissions},
    {"tranter_submitted_bytes_total", NULL, "Content of the messages that were accepted.",
     put_submitted},
    {"tranter_outcomes_total", NULL,
     "Recipients by what became of them, whose fault it was, and the enhanced status code.",
     put_outcomes},
    {"tranter_commit_duration_seconds", "histogram",
     "How long it took to have accepted messages on the disk.", put_commits},
    {"tranter_smarthost_up", "gauge", "1 where the smarthost takes mail, as far as is known.",
     put_up},
    {"tranter_smarthost_state_since_seconds", "gauge",
     "Since when it has been up or down, since 1970.", put_since},
    {"tranter_smarthost_fault", "gauge", "Why it is down.", put_fault},
    {"tranter_smarthost_connections", "gauge", "Connections that are ready.", put_connections},
    {"tranter_smarthost_rate_wait_seconds", "gauge", "Until its rate lets the next message go.",
     put_rate_wait},
    {"tranter_smarthost_session_info", "gauge",
     "TLS version and AUTH mechanism of its last connection that was ready.", put_session},
};

void metrics_put(struct buf *out, const struct metrics_facts *f)
{
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        const struct metric *m = &metrics[i];
        buf_printf(out, "# HELP %s %s\n", m->name, m->help);
        if (m->type)
            buf_printf(out, "# TYPE %s %s\n", m->name, m->type);
        m->put(out, m->name, f);
    }
    buf_puts(out, "# EOF\n");
}
