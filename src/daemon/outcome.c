/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outcome.h"

#include "schedule.h"

#include <stdio.h>

const char *outcome_event_name(enum outcome_event event)
{
    switch (event) {
    case OUTCOME_SENT:
        return "sent";
    case OUTCOME_DEFERRED:
        return "deferred";
    case OUTCOME_BOUNCED:
        return "bounced";
    case OUTCOME_EXPIRED:
        return "expired";
    }
    return "deferred";
}

bool outcome_is_expired(const struct store_message *m, const struct outcome_rules *rules,
                        int64_t now_ms)
{
    return now_ms - m->arrival_ms > rules->lifetime_ms;
}

/* It goes at once with another transaction (S-083). */
static bool is_put_off(const struct fault *f)
{
    return str_eq(str_of(f->code), STR_LIT("RCPT-SPLIT"));
}

static bool is_null_refusal(const struct store_message *m, const struct fault *f)
{
    return m->report && str_eq(str_of(f->code), STR_LIT("SENDER-NULL"));
}

bool outcome_needs_sender(const struct store_message *m, unsigned i)
{
    return is_null_refusal(m, &m->recipients[i].fault);
}

static bool is_untried(const struct store_recipient *r)
{
    return r->state == STORE_WAITING && (r->fault.scope == FAULT_NONE || is_put_off(&r->fault));
}

static bool has_waiting(const struct store_message *m)
{
    for (unsigned i = 0; i < m->n_recipients; i++) {
        if (m->recipients[i].state == STORE_WAITING)
            return true;
    }
    return false;
}

static bool has_untried(const struct store_message *m)
{
    for (unsigned i = 0; i < m->n_recipients; i++) {
        if (is_untried(&m->recipients[i]))
            return true;
    }
    return false;
}

unsigned outcome_select(const struct store_message *m, unsigned *index, unsigned max)
{
    bool untried = has_untried(m);
    unsigned n = 0;
    for (unsigned i = 0; i < m->n_recipients && n < max; i++) {
        const struct store_recipient *r = &m->recipients[i];
        if (untried ? is_untried(r) : r->state == STORE_WAITING)
            index[n++] = i;
    }
    return n;
}

/* Only a proven, permanent fault of the message or of this recipient returns mail. */
static bool returns_mail(const struct fault *f)
{
    return f->permanent && !f->ambiguous &&
           (f->scope == FAULT_MESSAGE || f->scope == FAULT_RECIPIENT);
}

/* The smarthost's own state holds the mail back, so the message is not charged, unless it is
 * suspected to be the cause. A recipient put off to the next transaction is not at fault
 * either. */
static bool is_charged(const struct fault *f, bool suspect)
{
    if (f->scope == FAULT_NONE || f->scope == FAULT_ACCOUNT || is_put_off(f))
        return false;
    return f->scope != FAULT_SERVER || f->ambiguous || suspect;
}

static void expire_recipient(struct store_recipient *r, const struct fault *reason)
{
    r->fault = *reason;
    r->fault.permanent = true;
    snprintf(r->fault.status, sizeof r->fault.status, "5.4.7");
    r->state = STORE_FAILED;
}

/* Mail waits where its sender may not use the account. For a report there is nothing to wait
 * for: the senders it can have are known (N-020). */
static bool has_no_sender(const struct store_message *m, const struct fault *f,
                          const struct outcome_rules *rules)
{
    return m->report && f->scope == FAULT_SENDER && f->permanent &&
           !(rules->has_admin && is_null_refusal(m, f));
}

static enum outcome_event apply_verdict(struct store_recipient *r, const struct fault *f,
                                        bool returns, bool expired)
{
    r->fault = *f;
    if (f->scope == FAULT_NONE) {
        r->state = STORE_SENT;
        return OUTCOME_SENT;
    }
    if (returns) {
        r->state = STORE_FAILED;
        return OUTCOME_BOUNCED;
    }
    if (expired && f->scope != FAULT_SERVER && f->scope != FAULT_ACCOUNT && !is_put_off(f)) {
        expire_recipient(r, f);
        return OUTCOME_EXPIRED;
    }
    return OUTCOME_DEFERRED;
}

/* waits: those that are left were deferred by a charged attempt, this one or one before. */
static void set_next_attempt(struct store_message *m, bool waits, bool ambiguous,
                             const struct outcome_rules *rules, int64_t now_ms, uint32_t random)
{
    m->next_attempt_ms = now_ms;
    if (waits && !has_untried(m)) {
        m->next_attempt_ms +=
            schedule_backoff_ms(m->attempts, rules->retry_min_ms, rules->retry_max_ms, random);
    }
    if (!ambiguous)
        return;
    m->ambiguous++;
    if (m->next_attempt_ms < now_ms + SCHEDULE_AMBIGUOUS_MIN_MS)
        m->next_attempt_ms = now_ms + SCHEDULE_AMBIGUOUS_MIN_MS;
    if (m->ambiguous >= SCHEDULE_AMBIGUOUS_MAX)
        m->state = STORE_HELD;
}

void outcome_apply(struct store_message *m, const struct outcome_attempt *attempt,
                   const struct outcome_rules *rules, int64_t now_ms, uint32_t random,
                   enum outcome_event *events)
{
    bool deferred = false, charged = false, ambiguous = false;
    bool expired =
        outcome_is_expired(m, rules, now_ms) && m->attempts + 1 >= OUTCOME_EXPIRE_ATTEMPTS;
    for (unsigned i = 0; i < attempt->n; i++) {
        const struct fault *f = &attempt->verdicts[i];
        bool returns = returns_mail(f) || has_no_sender(m, f, rules);
        events[i] = apply_verdict(&m->recipients[attempt->index[i]], f, returns, expired);
        if (events[i] != OUTCOME_DEFERRED)
            continue;
        deferred = true;
        charged = charged || (is_charged(f, attempt->suspect) && !is_null_refusal(m, f));
        ambiguous = ambiguous || f->ambiguous;
    }
    if (charged)
        m->attempts++;
    set_next_attempt(m, charged || (!deferred && has_waiting(m)), ambiguous, rules, now_ms,
                     random);
}

void outcome_expire(struct store_message *m, const struct fault *reason, unsigned *index,
                    unsigned *n)
{
    *n = 0;
    for (unsigned i = 0; i < m->n_recipients && *n < OUTCOME_EXPIRE_MAX; i++) {
        struct store_recipient *r = &m->recipients[i];
        if (r->state != STORE_WAITING)
            continue;
        struct fault known = r->fault.scope != FAULT_NONE ? r->fault : *reason;
        expire_recipient(r, &known);
        index[(*n)++] = i;
    }
}

void outcome_return(struct store_message *m, unsigned *index, unsigned *n)
{
    *n = 0;
    for (unsigned i = 0; i < m->n_recipients && *n < OUTCOME_EXPIRE_MAX; i++) {
        struct store_recipient *r = &m->recipients[i];
        struct fault known = r->fault;
        if (r->state != STORE_WAITING)
            continue;
        fault_set(&r->fault, FAULT_MESSAGE, "5.3.0", "RETURNED",
                  "The administrator returned the message before its time. %s%s",
                  known.text[0] ? "What held it up: " : "", known.text);
        fault_fix(&r->fault, "Ask your administrator why, and whether to send it again.");
        snprintf(r->fault.reply, sizeof r->fault.reply, "%s", known.reply);
        r->state = STORE_FAILED;
        index[(*n)++] = i;
    }
}
