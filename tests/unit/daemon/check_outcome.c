/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem.h"
#include "outcome.h"
#include "schedule.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MINUTE_MS = 60 * 1000
};

static const struct outcome_rules rules = {
    .lifetime_ms = 432000000, .retry_min_ms = MINUTE_MS, .retry_max_ms = 60 * MINUTE_MS};

static struct store_message *message_to(unsigned n_recipients)
{
    struct store_message *m = mem_new(sizeof *m);
    m->sender = mem_strdup("a@example.org");
    m->n_recipients = n_recipients;
    m->recipients = mem_array(n_recipients, sizeof *m->recipients);
    for (unsigned i = 0; i < n_recipients; i++)
        m->recipients[i].address = mem_strdup("b@example.com");
    m->arrival_ms = 1000;
    return m;
}

static void free_message(struct store_message *m)
{
    for (unsigned i = 0; i < m->n_recipients; i++)
        free(m->recipients[i].address);
    free(m->recipients);
    free(m->sender);
    free(m);
}

static struct fault fault_of(enum fault_scope scope, const char *status, const char *code)
{
    struct fault f;
    fault_set(&f, scope, status, code, "because");
    return f;
}

static const struct verdict_case {
    const char *name;
    enum fault_scope scope;
    const char *status, *code;
    bool ambiguous, suspect, expired;
    enum outcome_event event;
    enum store_recipient_state state;
    unsigned attempts;
    int64_t waits_at_least_ms;
} verdict_cases[] = {
    {"accepted", FAULT_NONE, "2.0.0", "OK", false, false, false, OUTCOME_SENT, STORE_SENT, 0,
     0},
    {"recipient unknown", FAULT_RECIPIENT, "5.1.1", "RCPT", false, false, false,
     OUTCOME_BOUNCED, STORE_FAILED, 0, 0},
    {"recipient later", FAULT_RECIPIENT, "4.2.2", "RCPT", false, false, false, OUTCOME_DEFERRED,
     STORE_WAITING, 1, MINUTE_MS * 3 / 4},
    {"message refused", FAULT_MESSAGE, "5.7.1", "CONTENT", false, false, false, OUTCOME_BOUNCED,
     STORE_FAILED, 0, 0},
    {"message later", FAULT_MESSAGE, "4.7.1", "CONTENT", false, false, false, OUTCOME_DEFERRED,
     STORE_WAITING, 1, MINUTE_MS * 3 / 4},
    {"server never bounces", FAULT_SERVER, "5.0.0", "GREET", false, false, false,
     OUTCOME_DEFERRED, STORE_WAITING, 0, 0},
    {"suspect is charged", FAULT_SERVER, "4.4.2", "EOF", false, true, false, OUTCOME_DEFERRED,
     STORE_WAITING, 1, MINUTE_MS * 3 / 4},
    {"account never bounces", FAULT_ACCOUNT, "5.7.8", "AUTH", false, true, false,
     OUTCOME_DEFERRED, STORE_WAITING, 0, 0},
    {"sender waits", FAULT_SENDER, "5.7.60", "SENDER", false, false, false, OUTCOME_DEFERRED,
     STORE_WAITING, 1, MINUTE_MS * 3 / 4},
    {"put off to the next transaction", FAULT_RECIPIENT, "4.5.3", "RCPT-SPLIT", false, false,
     false, OUTCOME_DEFERRED, STORE_WAITING, 0, 0},
    {"ambiguous waits 15 minutes", FAULT_SERVER, "4.4.2", "LOST", true, false, false,
     OUTCOME_DEFERRED, STORE_WAITING, 1, SCHEDULE_AMBIGUOUS_MIN_MS},
    {"ambiguous is never returned", FAULT_MESSAGE, "5.0.0", "LOST", true, false, false,
     OUTCOME_DEFERRED, STORE_WAITING, 1, SCHEDULE_AMBIGUOUS_MIN_MS},
    {"too old to try again", FAULT_RECIPIENT, "4.2.2", "RCPT", false, false, true,
     OUTCOME_EXPIRED, STORE_FAILED, 0, 0},
    {"old, but put off", FAULT_RECIPIENT, "4.5.3", "RCPT-SPLIT", false, false, true,
     OUTCOME_DEFERRED, STORE_WAITING, 0, 0},
    {"old, but it is the server's fault", FAULT_SERVER, "4.4.2", "EOF", false, false, true,
     OUTCOME_DEFERRED, STORE_WAITING, 0, 0},
};

START_TEST(a_verdict_decides_by_its_scope)
{
    const struct verdict_case *c = &verdict_cases[_i];
    struct store_message *m = message_to(1);
    struct fault f = fault_of(c->scope, c->status, c->code);
    f.ambiguous = c->ambiguous;
    int64_t now = m->arrival_ms + (c->expired ? rules.lifetime_ms + 1 : 5000);
    unsigned attempts = c->expired ? OUTCOME_EXPIRE_ATTEMPTS - 1 : 0;
    m->attempts = attempts;
    unsigned index = 0;
    enum outcome_event event;
    outcome_apply(m, &(struct outcome_attempt){&index, &f, 1, c->suspect}, &rules, now, 0,
                  &event);
    ck_assert_msg(event == c->event, "%s: %s", c->name, outcome_event_name(event));
    ck_assert_msg(m->recipients[0].state == c->state, "%s: state %d", c->name,
                  m->recipients[0].state);
    ck_assert_msg(m->attempts == attempts + c->attempts, "%s: %u attempts", c->name,
                  m->attempts);
    ck_assert_msg(m->next_attempt_ms >= now + c->waits_at_least_ms, "%s: waits too short",
                  c->name);
    ck_assert_msg(c->waits_at_least_ms || m->next_attempt_ms == now, "%s: waits", c->name);
    free_message(m);
}
END_TEST

START_TEST(three_lost_replies_hold_the_message)
{
    struct store_message *m = message_to(1);
    struct fault f = fault_of(FAULT_SERVER, "4.4.2", "LOST");
    f.ambiguous = true;
    unsigned index = 0;
    enum outcome_event event;
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert_int_eq(m->state, STORE_QUEUED);
        outcome_apply(m, &(struct outcome_attempt){&index, &f, 1, false}, &rules, 5000, 0,
                      &event);
        ck_assert_uint_eq(m->ambiguous, i);
    }
    ck_assert_int_eq(m->state, STORE_HELD);
    free_message(m);
}
END_TEST

START_TEST(recipients_beyond_a_transaction_go_first_and_at_once)
{
    struct store_message *m = message_to(5);
    unsigned index[5];
    enum outcome_event events[5];
    struct fault verdicts[2] = {fault_of(FAULT_RECIPIENT, "4.2.2", "RCPT"),
                                fault_of(FAULT_NONE, "2.0.0", "OK")};
    ck_assert_uint_eq(outcome_select(m, index, 2), 2);
    outcome_apply(m, &(struct outcome_attempt){index, verdicts, 2, false}, &rules, 5000, 0,
                  events);
    ck_assert_int_eq(m->next_attempt_ms, 5000);
    ck_assert_uint_eq(outcome_select(m, index, 100), 3);
    ck_assert_uint_eq(index[0], 2);
    struct fault three[3] = {verdicts[1], verdicts[1], verdicts[1]};
    outcome_apply(m, &(struct outcome_attempt){index, three, 3, false}, &rules, 6000, 0,
                  events);
    ck_assert_uint_eq(outcome_select(m, index, 100), 1);
    ck_assert_uint_eq(index[0], 0);
    free_message(m);
}
END_TEST

START_TEST(those_put_off_go_first_and_at_once)
{
    struct store_message *m = message_to(3);
    unsigned index[3];
    enum outcome_event events[3];
    struct fault verdicts[3] = {fault_of(FAULT_RECIPIENT, "4.2.2", "RCPT"),
                                fault_of(FAULT_NONE, "2.0.0", "OK"),
                                fault_of(FAULT_RECIPIENT, "4.5.3", "RCPT-SPLIT")};
    ck_assert_uint_eq(outcome_select(m, index, 100), 3);
    outcome_apply(m, &(struct outcome_attempt){index, verdicts, 3, false}, &rules, 5000, 0,
                  events);
    ck_assert_int_eq(m->next_attempt_ms, 5000);
    ck_assert_uint_eq(outcome_select(m, index, 100), 1);
    ck_assert_uint_eq(index[0], 2);
    free_message(m);
}
END_TEST

START_TEST(those_deferred_before_wait_though_all_the_rest_is_delivered)
{
    struct store_message *m = message_to(2);
    unsigned index[2];
    enum outcome_event events[2];
    struct fault later = fault_of(FAULT_RECIPIENT, "4.2.2", "RCPT");
    struct fault sent = fault_of(FAULT_NONE, "2.0.0", "OK");
    ck_assert_uint_eq(outcome_select(m, index, 1), 1);
    outcome_apply(m, &(struct outcome_attempt){index, &later, 1, false}, &rules, 5000, 0,
                  events);
    ck_assert_uint_eq(outcome_select(m, index, 1), 1);
    outcome_apply(m, &(struct outcome_attempt){index, &sent, 1, false}, &rules, 6000, 0,
                  events);
    ck_assert_int_ge(m->next_attempt_ms, 6000 + rules.retry_min_ms * 3 / 4);
    ck_assert_uint_eq(m->attempts, 1);
    free_message(m);
}
END_TEST

START_TEST(a_clock_that_jumped_returns_nothing_at_the_first_attempt)
{
    struct store_message *m = message_to(1);
    struct fault later = fault_of(FAULT_RECIPIENT, "4.2.2", "RCPT");
    int64_t now = m->arrival_ms + 100 * rules.lifetime_ms;
    unsigned index = 0;
    enum outcome_event event;
    for (unsigned i = 1; i < OUTCOME_EXPIRE_ATTEMPTS; i++) {
        outcome_apply(m, &(struct outcome_attempt){&index, &later, 1, false}, &rules, now, 0,
                      &event);
        ck_assert_int_eq(event, OUTCOME_DEFERRED);
    }
    outcome_apply(m, &(struct outcome_attempt){&index, &later, 1, false}, &rules, now, 0,
                  &event);
    ck_assert_int_eq(event, OUTCOME_EXPIRED);
    free_message(m);
}
END_TEST

START_TEST(one_bad_recipient_leaves_the_others_alone)
{
    struct store_message *m = message_to(3);
    unsigned index[3];
    enum outcome_event events[3];
    struct fault verdicts[3] = {fault_of(FAULT_NONE, "2.0.0", "OK"),
                                fault_of(FAULT_RECIPIENT, "5.1.1", "RCPT"),
                                fault_of(FAULT_RECIPIENT, "4.2.2", "RCPT")};
    ck_assert_uint_eq(outcome_select(m, index, 100), 3);
    outcome_apply(m, &(struct outcome_attempt){index, verdicts, 3, false}, &rules, 5000, 0,
                  events);
    ck_assert_int_eq(m->recipients[0].state, STORE_SENT);
    ck_assert_int_eq(m->recipients[1].state, STORE_FAILED);
    ck_assert_int_eq(m->recipients[2].state, STORE_WAITING);
    free_message(m);
}
END_TEST

START_TEST(expiry_takes_those_that_wait_with_the_reason_they_have)
{
    struct store_message *m = message_to(3);
    m->recipients[0].state = STORE_SENT;
    m->recipients[1].fault = fault_of(FAULT_RECIPIENT, "4.2.2", "FULL");
    struct fault reason = fault_of(FAULT_SERVER, "4.4.1", "TCP-REFUSED");
    unsigned index[3], n;
    outcome_expire(m, &reason, index, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(m->recipients[1].fault.code, "FULL");
    ck_assert_str_eq(m->recipients[2].fault.code, "TCP-REFUSED");
    ck_assert_str_eq(m->recipients[2].fault.status, "5.4.7");
    ck_assert_int_eq(m->recipients[2].state, STORE_FAILED);
    free_message(m);
}
END_TEST

static const struct {
    const char *name;
    bool report, has_admin;
    const char *code, *status;
    enum outcome_event event;
} no_senders[] = {
    {"under the administrator's address", true, true, "SENDER-NULL", "5.7.1", OUTCOME_DEFERRED},
    {"nobody's address", true, false, "SENDER-NULL", "5.7.1", OUTCOME_BOUNCED},
    {"not under that either", true, true, "SENDER-REFUSED", "5.7.60", OUTCOME_BOUNCED},
    {"later", true, true, "SENDER-REFUSED", "4.7.1", OUTCOME_DEFERRED},
    {"no report", false, true, "SENDER-NULL", "5.7.1", OUTCOME_DEFERRED},
};

START_TEST(a_report_goes_under_the_senders_there_are)
{
    struct store_message *m = message_to(1);
    struct fault f = fault_of(FAULT_SENDER, no_senders[_i].status, no_senders[_i].code);
    struct outcome_rules with = rules;
    unsigned index = 0;
    enum outcome_event event;
    m->report = no_senders[_i].report;
    with.has_admin = no_senders[_i].has_admin;
    outcome_apply(m, &(struct outcome_attempt){&index, &f, 1, false}, &with, 5000, 0, &event);
    ck_assert_msg(event == no_senders[_i].event, "%s: %s", no_senders[_i].name,
                  outcome_event_name(event));
    bool other = m->report && _i < 2;
    ck_assert_msg(outcome_needs_sender(m, 0) == other, "%s", no_senders[_i].name);
    if (_i == 0)
        ck_assert(m->attempts == 0 && m->next_attempt_ms == 5000);
    free_message(m);
}
END_TEST

START_TEST(a_return_fails_who_waits_and_tells_what_held_them_up)
{
    struct store_message *m = message_to(3);
    unsigned index[3], n;
    m->recipients[0].fault = fault_of(FAULT_SERVER, "4.4.1", "CONNECT");
    snprintf(m->recipients[0].fault.text, FAULT_TEXT_MAX, "no answer");
    m->recipients[1].state = STORE_SENT;
    outcome_return(m, index, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert(index[0] == 0 && index[1] == 2);
    for (unsigned i = 0; i < n; i++) {
        const struct store_recipient *r = &m->recipients[index[i]];
        ck_assert_int_eq(r->state, STORE_FAILED);
        ck_assert(r->fault.permanent && r->fault.scope == FAULT_MESSAGE);
    }
    ck_assert_ptr_nonnull(strstr(m->recipients[0].fault.text, "What held it up: no answer"));
    ck_assert_ptr_null(strstr(m->recipients[2].fault.text, "held"));
    outcome_return(m, index, &n);
    ck_assert_uint_eq(n, 0);
    free_message(m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outcome");
    TCase *tc = tcase_create("outcome");
    tcase_add_loop_test(tc, a_verdict_decides_by_its_scope, 0,
                        (int)(sizeof verdict_cases / sizeof verdict_cases[0]));
    tcase_add_test(tc, three_lost_replies_hold_the_message);
    tcase_add_test(tc, recipients_beyond_a_transaction_go_first_and_at_once);
    tcase_add_test(tc, those_put_off_go_first_and_at_once);
    tcase_add_test(tc, those_deferred_before_wait_though_all_the_rest_is_delivered);
    tcase_add_test(tc, a_clock_that_jumped_returns_nothing_at_the_first_attempt);
    tcase_add_test(tc, one_bad_recipient_leaves_the_others_alone);
    tcase_add_test(tc, expiry_takes_those_that_wait_with_the_reason_they_have);
    tcase_add_loop_test(tc, a_report_goes_under_the_senders_there_are, 0,
                        sizeof no_senders / sizeof no_senders[0]);
    tcase_add_test(tc, a_return_fails_who_waits_and_tells_what_held_them_up);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
