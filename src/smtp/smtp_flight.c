/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transactions from their submission to their end: what can be said without asking the server,
 * and what the end of the dialogue means for each. */
#include "mem.h"
#include "smtp_dialogue.h"

static bool has_8bit(const char *s)
{
    while (*s && !((unsigned char)*s & 0x80))
        s++;
    return *s;
}

bool smtp_flight_leaves_out(const struct smtp_client *c, const struct smtp_flight *f,
                            unsigned recipient)
{
    return !smtp_caps_has(&c->caps, SMTP_CAP_SMTPUTF8) &&
           has_8bit(f->transaction->recipients[recipient].address);
}

bool smtp_flight_is_utf8(const struct smtp_transaction *t)
{
    bool found = has_8bit(t->sender);
    for (unsigned i = 0; i < t->n_recipients && !found; i++)
        found = has_8bit(t->recipients[i].address);
    return found;
}

/* A control could end the command line: it was to be refused long before (S-114). */
static void assert_no_controls(const char *text)
{
    for (; text && *text; text++)
        BUG_ON((unsigned char)*text < 0x20 || *text == 0x7f);
}

static void assert_clean(const struct smtp_transaction *t)
{
    BUG_ON(t->n_recipients == 0 || t->n_recipients > SMTP_CLIENT_RECIPIENTS_MAX);
    assert_no_controls(t->sender);
    assert_no_controls(t->envid);
    for (unsigned i = 0; i < t->n_recipients; i++) {
        assert_no_controls(t->recipients[i].address);
        assert_no_controls(t->recipients[i].orcpt);
    }
}

/* Headers in UTF-8 need no such server (S-073): they go as they are. */
static void set_utf8_needed(struct fault *f, enum fault_scope scope, const char *who,
                            const char *address)
{
    fault_set(f, scope, "5.6.7", "UTF8-NEEDED",
              "the %s's address %s has letters beyond ASCII, and the server does not offer "
              "SMTPUTF8",
              who, address);
    fault_fix(f, "use an address in ASCII");
    f->permanent = true;
}

/* RFC 8689 4.2.1: the next server has proved its name, and promises the same. */
static bool keeps_tls(const struct smtp_client *c)
{
    return c->secured && c->conf.tls_verified && smtp_caps_has(&c->caps, SMTP_CAP_REQUIRETLS);
}

/* What can be said without asking the server. */
static bool cannot_go_out(const struct smtp_client *c, const struct smtp_transaction *t,
                          struct fault *f)
{
    unsigned long long size = t->body_bytes, limit = c->caps.size_bytes;
    if (limit > 0 && size > limit) {
        fault_set(f, FAULT_MESSAGE, "5.3.4", "SIZE-LOCAL",
                  "the message has %llu octets; the server takes %llu", size, limit);
        fault_fix(f, "send less, or ask the provider for a larger limit");
        return true;
    }
    if (has_8bit(t->sender) && !smtp_caps_has(&c->caps, SMTP_CAP_SMTPUTF8)) {
        set_utf8_needed(f, FAULT_MESSAGE, "sender", t->sender);
        return true;
    }
    if (t->require_tls && !keeps_tls(c)) {
        fault_set(f, FAULT_MESSAGE, "5.7.30", "REQUIRETLS",
                  "the sender requires TLS all the way (REQUIRETLS), and %s",
                  c->secured && c->conf.tls_verified ? "the server does not offer that"
                                                     : "the way to the server is not verified");
        fault_fix(f, "send it without REQUIRETLS, or over a smarthost that offers it");
        return true;
    }
    return false;
}

/* Tell those recipients whose addresses the server cannot take. How many are left. */
static unsigned refuse_utf8_recipients(struct smtp_client *c, const struct smtp_flight *flight)
{
    const struct smtp_transaction *t = flight->transaction;
    unsigned left = t->n_recipients;
    for (unsigned i = 0; i < t->n_recipients; i++) {
        struct fault f;
        if (!smtp_flight_leaves_out(c, flight, i))
            continue;
        set_utf8_needed(&f, FAULT_RECIPIENT, "recipient", t->recipients[i].address);
        smtp_client_tell_recipient(c, flight, i, true, &f);
        left--;
    }
    return left;
}

void smtp_flight_judge(struct smtp_flight *f, const struct fault *verdict)
{
    BUG_ON(f->judged);
    f->judged = true;
    f->verdict = *verdict;
}

/* On a connection that was left alone for a while the server may be gone without a word: then
 * only what it had not been sent yet is known not to have arrived (S-086). */
static bool is_sure_of_server(const struct smtp_client *c)
{
    return c->n_flights > 0 || c->n_transactions == 0 ||
           c->now_ms - c->idle_since_ms < SMTP_DIALOGUE_FRESH_MS;
}

void smtp_flight_begin(struct smtp_client *c, const struct smtp_transaction *t)
{
    struct fault fault = {.scope = FAULT_NONE};
    bool sure = is_sure_of_server(c), behind = c->n_flights > 0;
    assert_clean(t);
    BUG_ON(c->n_flights == c->flights_max);
    c->n_flights++;
    struct smtp_flight *f = smtp_flight_newest(c);
    *f = (struct smtp_flight){.transaction = t, .next = SMTP_STAGE_IDLE};
    if (cannot_go_out(c, t, &fault) || refuse_utf8_recipients(c, f) == 0) {
        smtp_flight_judge(f, &fault);
        c->room_news = true;
        return;
    }
    f->number = ++c->n_transactions;
    f->chunked = c->conf.chunking && !c->conf.lmtp && !t->rehearsal &&
                 smtp_caps_has(&c->caps, SMTP_CAP_CHUNKING);
    f->ahead = sure && !t->alone && t->body_bytes <= SMTP_DIALOGUE_AHEAD_MAX;
    f->dot = smtp_dot_start(f->chunked);
    /* A refused BDAT leaves its transaction open, and this one is not to suffer (RFC 3030 2).
     */
    f->next = c->unclean || (behind && f->chunked) ? SMTP_STAGE_RSET : SMTP_STAGE_MAIL;
    c->unclean = false;
}

bool smtp_flight_is_out(const struct smtp_client *c, const struct smtp_flight *f)
{
    return f->whole && f->end_bytes <= c->out_bytes - buf_len(&c->out);
}

static void drop_oldest(struct smtp_client *c)
{
    c->flight_first = (c->flight_first + 1) % c->flights_max;
    c->n_flights--;
    c->room_news = true;
}

void smtp_flight_end_answered(struct smtp_client *c)
{
    struct smtp_flight *f;
    while ((f = smtp_flight_oldest(c)) && f->next == SMTP_STAGE_IDLE && f->n_owed == 0) {
        BUG_ON(!f->judged);
        smtp_client_tell(c, SMTP_CLIENT_DONE, f, &f->verdict);
        drop_oldest(c);
    }
}

/* What the end of the dialogue means for f. c->end is the oldest's. */
static void judge_by_end(const struct smtp_client *c, const struct smtp_flight *f,
                         struct fault *fault)
{
    bool out = smtp_flight_is_out(c, f);
    *fault = c->end;
    if (f->judged && !(c->out_of_step && out))
        *fault = f->verdict;
    else if (out && !c->answered_end)
        smtp_fault_make_ambiguous(fault);
    else if (f != smtp_flight_oldest(c))
        smtp_fault_of_reconnect(fault);
    else
        BUG_ON(fault->scope == FAULT_NONE); /* it would pass for delivered */
}

void smtp_flight_end_all(struct smtp_client *c)
{
    for (unsigned i = 0; i < c->n_flights; i++) {
        const struct smtp_flight *f = &c->flights[(c->flight_first + i) % c->flights_max];
        struct fault fault;
        judge_by_end(c, f, &fault);
        smtp_client_tell(c, SMTP_CLIENT_DONE, f, &fault);
    }
    c->n_flights = 0;
}
