/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "alarm.h"

#include "conf_value.h"

#include <inttypes.h>
#include <stddef.h>

#define HOURS_MS(n) ((int64_t)(n)*3600 * 1000)

const struct alarm_limits alarm_defaults = {.warning_age_ms = HOURS_MS(4), .warning_dead = 1};

static const struct {
    const char *name;
    size_t offset;
    bool is_age;
} limit_names[] = {
    {"warning-age", offsetof(struct alarm_limits, warning_age_ms), true},
    {"critical-age", offsetof(struct alarm_limits, critical_age_ms), true},
    {"warning-queue", offsetof(struct alarm_limits, warning_queue), false},
    {"critical-queue", offsetof(struct alarm_limits, critical_queue), false},
    {"warning-dead", offsetof(struct alarm_limits, warning_dead), false},
    {"critical-dead", offsetof(struct alarm_limits, critical_dead), false},
};

bool alarm_limit(struct alarm_limits *limits, struct str name, struct str value)
{
    for (size_t i = 0; i < sizeof limit_names / sizeof limit_names[0]; i++) {
        if (!str_eq(name, str_of(limit_names[i].name)))
            continue;
        void *field = (char *)limits + limit_names[i].offset;
        return limit_names[i].is_age ? conf_value_duration(value, field)
                                     : str_u64(value, field);
    }
    return false;
}

const char *alarm_name(enum alarm_level v)
{
    static const char *const names[] = {
        [ALARM_OK] = "OK", [ALARM_WARNING] = "WARNING", [ALARM_CRITICAL] = "CRITICAL"};
    return names[v];
}

static enum alarm_level judge(uint64_t value, uint64_t warning, uint64_t critical)
{
    return critical && value >= critical ? ALARM_CRITICAL
           : warning && value >= warning ? ALARM_WARNING
                                         : ALARM_OK;
}

static uint64_t waiting(const struct alarm_facts *f)
{
    return f->counts->queued + f->counts->deferred;
}

static int64_t oldest_ms(const struct alarm_facts *f)
{
    int64_t age_ms = f->counts->waiting_ms ? f->now_ms - f->counts->waiting_ms : 0;
    return age_ms > 0 ? age_ms : 0;
}

static void put_duration(struct buf *out, int64_t ms)
{
    int64_t minutes = ms / (60 * 1000);
    if (minutes < 1)
        buf_printf(out, "%" PRId64 " s", ms / 1000);
    else if (minutes < 180)
        buf_printf(out, "%" PRId64 " min", minutes);
    else if (minutes < 72 * 60)
        buf_printf(out, "%" PRId64 " h", minutes / 60);
    else
        buf_printf(out, "%" PRId64 " days", minutes / (24 * 60));
}

/* A reason, after those before it. */
static void begin_reason(struct buf *out, size_t begin)
{
    if (buf_len(out) > begin)
        buf_puts(out, "; ");
}

static void put_down(struct buf *out, const struct relay_status *s, int64_t now_ms)
{
    buf_printf(out, "smarthost \"%s\" has been down for ", s->name);
    put_duration(out, now_ms > s->down_since_ms ? now_ms - s->down_since_ms : 0);
    buf_printf(out, ", %s %s: %s", fault_scope_name(s->fault->scope), s->fault->code,
               s->fault->text);
}

/* One that is down is bad where mail waits for it. */
static enum alarm_level judge_smarthosts(struct buf *out, const struct alarm_facts *f,
                                         size_t begin)
{
    unsigned down = 0;
    for (unsigned i = 0; i < f->n_smarthosts; i++) {
        if (f->smarthosts[i].up)
            continue;
        begin_reason(out, begin);
        put_down(out, &f->smarthosts[i], f->now_ms);
        down++;
    }
    if (down == f->n_smarthosts && waiting(f))
        return ALARM_CRITICAL;
    return down ? ALARM_WARNING : ALARM_OK;
}

static enum alarm_level worst(enum alarm_level a, enum alarm_level b)
{
    return a > b ? a : b;
}

static enum alarm_level judge_space(struct buf *out, const struct alarm_facts *f)
{
    if (f->free_bytes >= f->minimum_free_bytes)
        return ALARM_OK;
    buf_printf(out,
               "new mail is refused: the spool's file system has %" PRIu64
               " MB free, minimum-free-space asks for %" PRIu64,
               f->free_bytes / (1024 * 1024), f->minimum_free_bytes / (1024 * 1024));
    return ALARM_CRITICAL;
}

static enum alarm_level judge_queue(struct buf *out, const struct alarm_facts *f,
                                    const struct alarm_limits *limits, size_t begin)
{
    enum alarm_level age = judge((uint64_t)oldest_ms(f), (uint64_t)limits->warning_age_ms,
                                 (uint64_t)limits->critical_age_ms);
    enum alarm_level depth = judge(waiting(f), limits->warning_queue, limits->critical_queue);
    enum alarm_level dead = judge(f->counts->dead, limits->warning_dead, limits->critical_dead);
    if (age != ALARM_OK) {
        begin_reason(out, begin);
        buf_puts(out, "the oldest message has waited for ");
        put_duration(out, oldest_ms(f));
    }
    if (depth != ALARM_OK) {
        begin_reason(out, begin);
        buf_printf(out, "%" PRIu64 " messages wait", waiting(f));
    }
    if (dead != ALARM_OK) {
        begin_reason(out, begin);
        buf_printf(out, "%" PRIu64 " cannot even be returned (dead)", f->counts->dead);
    }
    return worst(worst(age, depth), dead);
}

enum alarm_level alarm_reasons(struct buf *out, const struct alarm_facts *f,
                               const struct alarm_limits *limits)
{
    size_t begin = buf_len(out);
    enum alarm_level v = judge_space(out, f);
    v = worst(v, judge_smarthosts(out, f, begin));
    if (f->reload_failure[0]) {
        begin_reason(out, begin);
        buf_printf(out, "the last reload was refused: %s", f->reload_failure);
        v = worst(v, ALARM_WARNING);
    }
    return worst(v, judge_queue(out, f, limits, begin));
}

enum alarm_level alarm_put(struct buf *out, const struct alarm_facts *f,
                           const struct alarm_limits *limits)
{
    const struct store_counts *n = f->counts;
    struct buf reasons;
    buf_init(&reasons, 64 * 1024);
    enum alarm_level v = alarm_reasons(&reasons, f, limits);
    buf_printf(out, "TRANTER %s - ", alarm_name(v));
    if (buf_len(&reasons) == 0)
        buf_printf(&reasons, "%" PRIu64 " message%s", waiting(f),
                   waiting(f) == 1 ? " waits" : "s wait");
    /* What follows a bar is numbers. */
    for (size_t i = 0; i < buf_len(&reasons); i++) {
        char c = buf_str(&reasons).p[i];
        buf_putc(out, c == '|' ? '/' : c);
    }
    buf_printf(out,
               " | new=%" PRIu64 " deferred=%" PRIu64 " held=%" PRIu64 " dead=%" PRIu64
               " oldest=%" PRId64 "s\n",
               n->queued, n->deferred, n->held, n->dead, oldest_ms(f) / 1000);
    buf_release(&reasons);
    return v;
}
