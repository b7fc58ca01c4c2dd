/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "clock.h"
#include "mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store *s;

static void set_up(void)
{
    fixture_make();
    s = fixture_open();
}

static void tear_down(void)
{
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
    fixture_remove();
}

static void reopen(void)
{
    store_close(s);
    s = fixture_open();
}

static void set_fault(struct fault *f, const char *code)
{
    fault_set(f, FAULT_RECIPIENT, "5.1.1", code, "No such person at %s.", "example.org");
    fault_fix(f, "Ask for the right address.");
    fault_reply(f, STR_LIT("550 5.1.1 unknown"));
}

START_TEST(an_outcome_is_kept_for_each_recipient)
{
    store_id id = fixture_accept(s, 1, 100, 3);
    struct store_message *m = store_load(s, id);
    m->recipients[0].state = STORE_SENT;
    m->recipients[1].state = STORE_FAILED;
    set_fault(&m->recipients[1].fault, "RCPT-UNKNOWN");
    fault_set(&m->recipients[2].fault, FAULT_SERVER, "4.4.1", "CONN-REFUSED", "Refused.");
    m->recipients[2].fault.ambiguous = true;
    m->attempts = 2;
    m->ambiguous = 1;
    m->next_attempt_ms = 5000000;
    fixture_record(s, m);
    reopen();
    m = store_load(s, id);
    ck_assert_uint_eq(m->attempts, 2);
    ck_assert_uint_eq(m->ambiguous, 1);
    ck_assert_int_eq(m->next_attempt_ms, 5000000);
    ck_assert_int_eq(m->recipients[0].state, STORE_SENT);
    ck_assert_int_eq(m->recipients[0].fault.scope, FAULT_NONE);
    ck_assert_int_eq(m->recipients[1].state, STORE_FAILED);
    const struct fault *f = &m->recipients[1].fault;
    ck_assert_int_eq(f->scope, FAULT_RECIPIENT);
    ck_assert(f->permanent && !f->ambiguous);
    ck_assert_str_eq(f->status, "5.1.1");
    ck_assert_str_eq(f->code, "RCPT-UNKNOWN");
    ck_assert_str_eq(f->text, "No such person at example.org.");
    ck_assert_str_eq(f->fix, "Ask for the right address.");
    ck_assert_str_eq(f->reply, "550 5.1.1 unknown");
    f = &m->recipients[2].fault;
    ck_assert_int_eq(m->recipients[2].state, STORE_WAITING);
    ck_assert_int_eq(f->scope, FAULT_SERVER);
    ck_assert(!f->permanent && f->ambiguous);
    ck_assert_str_eq(f->reply, "");
    store_message_free(m);
    ck_assert(fixture_same_content(s, id, 1, 100));
}
END_TEST

START_TEST(when_no_recipient_waits_the_message_is_gone)
{
    store_id other = fixture_accept(s, 1, 100, 2);
    store_id id = fixture_accept(s, 2, 100, 2);
    struct store_message *m = store_load(s, id);
    m->recipients[0].state = STORE_SENT;
    m->recipients[1].state = STORE_FAILED;
    fixture_record(s, m);
    ck_assert_ptr_null(store_load(s, id));
    struct buf out;
    buf_init(&out, STORE_CHUNK_BYTES);
    ck_assert_int_eq(store_read(s, id, 0, &out), -1);
    ck_assert(fixture_same_content(s, other, 1, 100));
    reopen();
    ck_assert_ptr_null(store_load(s, id));
}
END_TEST

/* Record m with a report of bytes content number 3. */
static store_id record_with_report(struct store_message *m, size_t bytes)
{
    store_id report = store_begin(s, clock_wall_ms());
    struct store_outcome outcome = {.message = m, .report = fixture_message(report, 1)};
    buf_init(&outcome.report_content, STORE_REPORT_BYTES_MAX);
    fixture_content(&outcome.report_content, 3, bytes);
    store_record(s, &outcome, NULL);
    ck_assert_ptr_null(outcome.message);
    ck_assert_ptr_null(outcome.report);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_RECORDED);
    ck_assert_int_eq(r.failure, STORE_OK);
    return report;
}

static const size_t report_sizes[] = {1, STORE_CHUNK_BYTES, STORE_CHUNK_BYTES + 1,
                                      STORE_REPORT_BYTES_MAX};

START_TEST(a_report_is_queued_with_the_failure_it_tells_of)
{
    store_id id = fixture_accept(s, 1, 100, 1);
    struct store_message *m = store_load(s, id);
    m->recipients[0].state = STORE_FAILED;
    store_id report = record_with_report(m, report_sizes[_i]);
    ck_assert_ptr_null(store_load(s, id));
    m = store_load(s, report);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(m->body_bytes, report_sizes[_i]);
    store_message_free(m);
    ck_assert(fixture_same_content(s, report, 3, report_sizes[_i]));
}
END_TEST

/* Accept a message of which one recipient failed already, with a report of it. */
static struct store_result accept_with_report(const char *submission, size_t bytes,
                                              store_id *report)
{
    struct store_acceptance a = {.message =
                                     fixture_message(store_begin(s, clock_wall_ms()), 2)};
    a.message->recipients[1].state = STORE_FAILED;
    set_fault(&a.message->recipients[1].fault, "RCPT-SYNTAX");
    snprintf(a.message->submission, sizeof a.message->submission, "%s", submission);
    *report = store_begin(s, clock_wall_ms());
    a.report = fixture_message(*report, 1);
    buf_init(&a.chunk, 100);
    buf_init(&a.report_content, STORE_REPORT_BYTES_MAX);
    fixture_content(&a.chunk, 1, 100);
    fixture_content(&a.report_content, 3, bytes);
    store_accept(s, &a, NULL);
    ck_assert_ptr_null(a.message);
    ck_assert_ptr_null(a.report);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_COMMITTED);
    ck_assert_int_eq(r.failure, STORE_OK);
    return r;
}

START_TEST(two_reports_are_queued_with_what_they_tell_of)
{
    store_id id = fixture_accept(s, 1, 100, 2);
    struct store_outcome outcome = {.message = store_load(s, id),
                                    .report = fixture_message(store_begin(s, 0), 1),
                                    .second = fixture_message(store_begin(s, 0), 1)};
    store_id ids[] = {outcome.report->id, outcome.second->id};
    buf_init(&outcome.report_content, 100);
    buf_init(&outcome.second_content, 100);
    buf_puts(&outcome.report_content, "bad\r\n");
    buf_puts(&outcome.second_content, "good news\r\n");
    outcome.message->recipients[0].state = STORE_SENT;
    outcome.message->recipients[1].state = STORE_FAILED;
    store_record(s, &outcome, NULL);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    ck_assert_ptr_null(store_load(s, id));
    for (unsigned i = 0; i < 2; i++) {
        struct buf content;
        buf_init(&content, STORE_CHUNK_BYTES);
        ck_assert_int_eq(store_read(s, ids[i], 0, &content), i ? 11 : 5);
        buf_release(&content);
    }
    struct store_counts counts;
    store_count(s, &counts);
    ck_assert_uint_eq(counts.bytes, 16);
}
END_TEST

START_TEST(a_report_is_queued_with_the_message_it_is_about)
{
    struct store_counts counts;
    store_id report;
    store_id id = accept_with_report("", report_sizes[_i], &report).id;
    reopen();
    ck_assert(fixture_same_content(s, id, 1, 100));
    ck_assert(fixture_same_content(s, report, 3, report_sizes[_i]));
    struct store_message *m = store_load(s, id);
    ck_assert_int_eq(m->recipients[0].state, STORE_WAITING);
    ck_assert_int_eq(m->recipients[1].state, STORE_FAILED);
    ck_assert_str_eq(m->recipients[1].fault.code, "RCPT-SYNTAX");
    store_count(s, &counts);
    ck_assert_uint_eq(counts.queued, 2);
    ck_assert_uint_eq(counts.deferred, 0);
    m->recipients[0].state = STORE_SENT;
    fixture_record(s, m);
    ck_assert_ptr_null(store_load(s, id));
}
END_TEST

START_TEST(a_message_that_comes_again_is_reported_once)
{
    static const char submission[] = "0123456789abcdef0123456789abcdef";
    store_id report, again;
    store_id id = accept_with_report(submission, 10, &report).id;
    ck_assert_int_eq(accept_with_report(submission, 10, &again).first, id);
    ck_assert_ptr_null(store_load(s, again));
    struct store_message *m = store_load(s, report);
    ck_assert_ptr_nonnull(m);
    store_message_free(m);
}
END_TEST

START_TEST(what_was_removed_under_way_stays_removed_and_unreported)
{
    store_id id = fixture_accept(s, 1, 100, 1);
    struct store_message *m = store_load(s, id);
    store_remove(s, id, NULL);
    ck_assert_int_eq(fixture_result(s).type, STORE_RECORDED);
    m->attempts = 1;
    store_id report = record_with_report(m, 10);
    ck_assert_ptr_null(store_load(s, id));
    ck_assert_ptr_null(store_load(s, report));
}
END_TEST

static void set_state(store_id id, enum store_state state)
{
    struct store_message *m = store_load(s, id);
    m->state = state;
    if (state == STORE_DEAD)
        m->recipients[0].state = STORE_FAILED;
    fixture_record(s, m);
}

static enum store_state state_of(store_id id)
{
    struct store_message *m = store_load(s, id);
    ck_assert_ptr_nonnull(m);
    enum store_state state = m->state;
    store_message_free(m);
    return state;
}

static void retry(store_id id, int64_t next_attempt_ms)
{
    store_retry(s, id, next_attempt_ms, &retry);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_RECORDED);
    ck_assert_int_eq(r.failure, STORE_OK);
    ck_assert_int_eq(r.id, id);
    ck_assert_ptr_eq(r.owner, &retry);
}

static unsigned n_due(int64_t now_ms)
{
    store_id ids[16];
    return store_due(s, now_ms, NULL, 0, ids, 16);
}

START_TEST(held_and_dead_messages_are_kept_and_not_due)
{
    store_id held = fixture_accept(s, 1, 100, 1);
    store_id dead = fixture_accept(s, 2, 100, 1);
    set_state(held, STORE_HELD);
    set_state(dead, STORE_DEAD);
    ck_assert_uint_eq(n_due(INT64_MAX), 0);
    ck_assert_int_eq(store_next_due(s, 0), INT64_MAX);
    retry(0, 5);
    retry(held, 5);
    retry(dead, 5);
    ck_assert_int_eq(state_of(held), STORE_HELD);
    ck_assert_int_eq(state_of(dead), STORE_DEAD);
    ck_assert_uint_eq(n_due(INT64_MAX), 0);
    store_remove(s, dead, NULL);
    ck_assert_int_eq(fixture_result(s).type, STORE_RECORDED);
    ck_assert_ptr_null(store_load(s, dead));
}
END_TEST

START_TEST(the_longest_dead_are_found_first)
{
    store_id ids[4], found[4];
    for (unsigned i = 0; i < 4; i++)
        ids[i] = fixture_accept(s, i + 1, 100, 1);
    for (unsigned i = 0; i < 3; i++) {
        struct store_message *m = store_load(s, ids[i]);
        m->state = STORE_DEAD;
        m->next_attempt_ms = 30 - 10 * (int64_t)i; /* 30, 20, 10 */
        m->recipients[0].state = STORE_FAILED;
        fixture_record(s, m);
    }
    ck_assert_uint_eq(store_dead(s, 10, found, 4), 0);
    ck_assert_uint_eq(store_dead(s, 21, found, 4), 2);
    ck_assert_int_eq(found[0], ids[2]);
    ck_assert_int_eq(found[1], ids[1]);
    ck_assert_uint_eq(store_dead(s, INT64_MAX, found, 1), 1);
    ck_assert_uint_eq(store_dead(s, INT64_MAX, found, 4), 3);
}
END_TEST

static void tell(struct store_message *digest, int64_t before_ms)
{
    struct buf content;
    buf_init(&content, 100);
    buf_puts(&content, "dead\r\n");
    store_tell(s, before_ms, digest, &content, NULL);
    ck_assert_uint_eq(buf_len(&content), 0);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_RECORDED);
    ck_assert_int_eq(r.failure, STORE_OK);
}

START_TEST(the_administrator_is_told_once_of_each_dead_message)
{
    store_id ids[3], found[4];
    struct store_counts counts;
    for (unsigned i = 0; i < 3; i++) {
        ids[i] = fixture_accept(s, i, 10, 1);
        struct store_message *m = store_load(s, ids[i]);
        m->state = STORE_DEAD;
        m->next_attempt_ms = 10 + 10 * (int64_t)i; /* 10, 20, 30 */
        m->recipients[0].state = STORE_FAILED;
        fixture_record(s, m);
    }
    store_count(s, &counts);
    ck_assert_int_eq(counts.told_ms, 0);
    ck_assert_uint_eq(store_untold(s, 30, found, 4), 2);
    struct store_message *digest = fixture_message(store_begin(s, 0), 1);
    store_id digest_id = digest->id;
    digest->arrival_ms = 77;
    digest->told = digest->report = true;
    tell(digest, 30);
    ck_assert_uint_eq(store_untold(s, INT64_MAX, found, 4), 1);
    ck_assert_int_eq(found[0], ids[2]);
    ck_assert_uint_eq(store_dead(s, INT64_MAX, found, 4), 3);
    store_count(s, &counts);
    ck_assert_int_eq(counts.told_ms, 77);
    ck_assert_uint_eq(counts.queued, 1);
    struct buf content;
    buf_init(&content, STORE_CHUNK_BYTES);
    ck_assert_int_eq(store_read(s, digest_id, 0, &content), 6);
    buf_release(&content);
    /* A digest that fails itself is no news. */
    struct store_message *m = store_load(s, digest_id);
    m->state = STORE_DEAD;
    m->next_attempt_ms = 5;
    fixture_record(s, m);
    ck_assert_uint_eq(store_untold(s, 30, found, 4), 0);
}
END_TEST

START_TEST(retry_and_removal_of_what_is_not_there_change_nothing)
{
    retry(12345, 5);
    store_remove(s, 12345, NULL);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    ck_assert_ptr_null(store_after(s, 0));
}
END_TEST

START_TEST(retry_of_all_goes_in_slices_and_misses_none)
{
    enum {
        MANY = 2 * TABLES_MESSAGES_AT_ONCE + 5
    };
    for (unsigned i = 0; i < MANY; i++) {
        struct buf chunk;
        buf_init(&chunk, 1);
        struct store_message *m = fixture_message(store_begin(s, 0), 1);
        m->next_attempt_ms = 1000 + i;
        store_commit(s, m, 0, &chunk, NULL);
    }
    for (unsigned i = 0; i < MANY; i++)
        ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    ck_assert_int_eq(store_next_due(s, 7), 1000);
    retry(0, 7);
    ck_assert_int_eq(store_next_due(s, 7), INT64_MAX);
    store_id *ids = mem_array(MANY + 1, sizeof *ids);
    ck_assert_uint_eq(store_due(s, 7, NULL, 0, ids, MANY + 1), MANY);
    free(ids);
}
END_TEST

/* Its result is yet to come. */
static store_id commit_of(uid_t uid, int64_t next_attempt_ms)
{
    struct buf chunk;
    buf_init(&chunk, 1);
    struct store_message *m = fixture_message(store_begin(s, 0), 1);
    store_id id = m->id;
    m->uid = uid;
    m->next_attempt_ms = next_attempt_ms;
    store_commit(s, m, 0, &chunk, NULL);
    return id;
}

static store_id accept_of(uid_t uid, int64_t next_attempt_ms)
{
    store_id id = commit_of(uid, next_attempt_ms);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    return id;
}

static store_id accept_due(int64_t next_attempt_ms)
{
    return accept_of(1000, next_attempt_ms);
}

START_TEST(the_longest_due_comes_first_and_active_ones_not_at_all)
{
    store_id c = accept_due(300);
    store_id a = accept_due(100);
    store_id b = accept_due(200);
    store_id b2 = accept_due(200);
    store_id ids[4];
    ck_assert_uint_eq(store_due(s, 99, NULL, 0, ids, 4), 0);
    ck_assert_uint_eq(store_due(s, 299, NULL, 0, ids, 4), 3);
    ck_assert(ids[0] == a && ids[1] == b && ids[2] == b2);
    ck_assert_uint_eq(store_due(s, 300, (store_id[]){a, b}, 2, ids, 4), 2);
    ck_assert(ids[0] == b2 && ids[1] == c);
    ck_assert_uint_eq(store_due(s, 300, (store_id[]){a}, 1, ids, 1), 1);
    ck_assert(ids[0] == b);
    ck_assert_uint_eq(store_due(s, 300, NULL, 0, ids, 0), 0);
    ck_assert_int_eq(store_next_due(s, 0), 100);
    ck_assert_int_eq(store_next_due(s, 100), 200);
    ck_assert_int_eq(store_next_due(s, 300), INT64_MAX);
}
END_TEST

START_TEST(the_users_take_turns)
{
    static const uid_t nobody_knows = (uid_t)-1;
    store_id mine[3], theirs, unknown[2];
    mine[0] = accept_of(1000, 10);
    mine[1] = accept_of(1000, 20);
    mine[2] = accept_of(1000, 30);
    accept_of(1001, 5000);
    theirs = accept_of(1002, 40);
    unknown[0] = accept_of(nobody_knows, 50);
    unknown[1] = accept_of(nobody_knows, 60);
    const store_id expected[] = {mine[0],    theirs,  unknown[0], mine[1],
                                 unknown[1], mine[2], 0,          0};
    store_id active[8];
    unsigned n = 0;
    int64_t turn = -1;
    for (unsigned i = 0; i < 8; i++) {
        store_id id = store_in_turn(s, 100, active, n, &turn);
        ck_assert_msg(id == expected[i], "turn %u", i);
        unsigned place = store_id_place(id, active, n);
        if (!id)
            continue;
        memmove(&active[place + 1], &active[place], (n - place) * sizeof *active);
        active[place] = id;
        n++;
    }
    ck_assert_int_eq(turn, 1000);
    ck_assert_int_eq(store_in_turn(s, 100, NULL, 0, &turn), theirs);
    ck_assert_int_eq(store_in_turn(s, 100, &mine[0], 1, &turn), unknown[0]);
    ck_assert_int_eq(store_in_turn(s, 100, NULL, 0, &turn), mine[0]);
    ck_assert_int_eq(store_in_turn(s, 9, NULL, 0, &turn), 0);
    ck_assert_int_eq(turn, 1000);
    ck_assert_int_eq(store_next_due(s, 45), 50);
    ck_assert_int_eq(store_next_due(s, 100), 5000);
}
END_TEST

START_TEST(a_turn_among_many_users_costs_little)
{
    enum {
        USERS = 2000
    };
    for (uid_t uid = 0; uid < USERS; uid++)
        commit_of(uid, uid == USERS / 2 ? 50 : 1000 + (int64_t)uid);
    for (uid_t uid = 0; uid < USERS; uid++)
        ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    int64_t turn = -1;
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_ne(store_in_turn(s, 100, NULL, 0, &turn), 0);
    ck_assert_int_eq(store_in_turn(s, 49, NULL, 0, &turn), 0);
    ck_assert_int_eq(store_next_due(s, 100), 1000);
}
END_TEST

START_TEST(what_a_rate_spent_is_remembered_for_its_period)
{
    enum {
        HOUR = 3600 * 1000
    };
    struct store_spent slots[4];
    store_spend(s, "main", 9 * HOUR, HOUR); /* by a clock that was wrong */
    store_spend(s, "spare", 5 * HOUR, HOUR);
    for (unsigned i = 0; i < 3; i++)
        store_spend(s, "main", 5 * HOUR, HOUR);
    store_spend(s, "main", 5 * HOUR + 7, HOUR);
    accept_due(1);
    ck_assert_uint_eq(store_spent(s, "main", 0, slots, 4), 2);
    ck_assert(slots[0].at_ms == 5 * HOUR + 7 && slots[0].messages == 1);
    ck_assert(slots[1].at_ms == 5 * HOUR && slots[1].messages == 3);
    ck_assert_uint_eq(store_spent(s, "main", 5 * HOUR + 1, slots, 4), 1);
    ck_assert_uint_eq(store_spent(s, "main", 0, slots, 1), 1);
    store_spend(s, "main", 7 * HOUR + 7, HOUR);
    accept_due(1);
    store_close(s);
    s = fixture_open();
    ck_assert_uint_eq(store_spent(s, "main", 0, slots, 4), 2);
    ck_assert_uint_eq(store_spent(s, "spare", 0, slots, 4), 1);
    ck_assert_uint_eq(store_spent(s, "another", 0, slots, 4), 0);
}
END_TEST

static void check_times(store_id id, int64_t arrival_ms, int64_t next_attempt_ms)
{
    struct store_message *m = store_load(s, id);
    ck_assert_int_eq(m->arrival_ms, arrival_ms);
    ck_assert_int_eq(m->next_attempt_ms, next_attempt_ms);
    store_message_free(m);
}

static store_id accept_at(int64_t arrival_ms, int64_t next_attempt_ms)
{
    struct buf chunk;
    buf_init(&chunk, 1);
    struct store_message *m = fixture_message(store_begin(s, 0), 1);
    store_id id = m->id;
    m->arrival_ms = arrival_ms;
    m->next_attempt_ms = next_attempt_ms;
    store_commit(s, m, 0, &chunk, NULL);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    return id;
}

START_TEST(the_times_jump_with_the_clock)
{
    store_id old = accept_at(1000, 10500);    /* it is 10000, and waits for 500 */
    store_id later = accept_at(70000, 70000); /* from when the clock was right */
    store_shift(s, 50000, 60000, 3000);
    store_id new = accept_at(60001, 60001); /* after the jump, before it was seen */
    check_times(old, 51000, 60500);
    check_times(later, 70000, 70000);
    check_times(new, 60001, 60001);
    store_shift(s, -50000, 10200, 3000);
    accept_at(1, 1);
    check_times(old, 10200, 10500);
    check_times(later, 10200, 20000);
    check_times(new, 10200, 10200);
}
END_TEST

START_TEST(one_that_knew_the_new_time_is_left_alone)
{
    store_id id = accept_at(1000, 60700); /* recorded after the jump */
    store_shift(s, 50000, 60000, 3000);
    accept_at(1, 1);
    check_times(id, 51000, 60700);
}
END_TEST

START_TEST(counts_follow_every_change)
{
    struct store_counts c;
    store_count(s, &c);
    ck_assert_uint_eq(c.queued + c.deferred + c.held + c.dead + c.bytes, 0);
    ck_assert_int_eq(c.oldest_ms, 0);
    store_id ids[5];
    for (unsigned i = 0; i < 5; i++)
        ids[i] = fixture_accept(s, i, 100 + i, 2);
    set_state(ids[1], STORE_HELD);
    set_state(ids[2], STORE_DEAD);
    struct store_message *m = store_load(s, ids[3]);
    fault_set(&m->recipients[0].fault, FAULT_SERVER, "4.4.1", "CONN-REFUSED", "Refused.");
    fixture_record(s, m);
    m = store_load(s, ids[4]);
    m->recipients[0].state = m->recipients[1].state = STORE_SENT;
    fixture_record(s, m);
    for (int round = 0; round < 2; round++) {
        store_count(s, &c);
        ck_assert_uint_eq(c.queued, 1);
        ck_assert_uint_eq(c.held, 1);
        ck_assert_uint_eq(c.dead, 1);
        ck_assert_uint_eq(c.deferred, 1);
        ck_assert_uint_eq(c.bytes, 100 + 101 + 102 + 103);
        ck_assert_int_eq(c.oldest_ms, 1000000);
        reopen();
    }
}
END_TEST

START_TEST(pages_hold_messages_in_order_with_their_own_recipients)
{
    store_id ids[7];
    for (unsigned i = 0; i < 7; i++)
        ids[i] = fixture_accept(s, i, 10, i + 1);
    store_id after = 0;
    unsigned seen = 0;
    struct store_message *page[3];
    for (unsigned n; (n = store_page(s, after, page, 3)) > 0;)
        for (unsigned i = 0; i < n; i++) {
            after = page[i]->id;
            ck_assert_int_eq(after, ids[seen++]);
            ck_assert_uint_eq(page[i]->n_recipients, seen);
            ck_assert_str_eq(page[i]->recipients[0].address, "recipient-0@example.org");
            store_message_free(page[i]);
        }
    ck_assert_uint_eq(seen, 7);
    struct store_message *m = store_after(s, ids[2]);
    ck_assert_int_eq(m->id, ids[3]);
    store_message_free(m);
    ck_assert_ptr_null(store_after(s, ids[6]));
    ck_assert_ptr_null(store_after(s, INT64_MAX));
    m = store_after(s, INT64_MIN);
    ck_assert_int_eq(m->id, ids[0]);
    store_message_free(m);
    ck_assert_ptr_null(store_load(s, 0));
    ck_assert_ptr_null(store_load(s, INT64_MAX));
}
END_TEST

START_TEST(a_full_house_of_recipients_is_kept)
{
    store_id id = fixture_accept(s, 1, 10, STORE_RECIPIENTS_MAX);
    struct store_message *m = store_load(s, id);
    ck_assert_uint_eq(m->n_recipients, STORE_RECIPIENTS_MAX);
    ck_assert_str_eq(m->recipients[32766].address, "recipient-32766@example.org");
    m->recipients[32766].state = STORE_SENT;
    fixture_record(s, m);
    m = store_load(s, id);
    ck_assert_int_eq(m->recipients[32766].state, STORE_SENT);
    for (unsigned i = 0; i < m->n_recipients; i++)
        m->recipients[i].state = STORE_SENT;
    fixture_record(s, m);
    ck_assert_ptr_null(store_after(s, 0));
}
END_TEST

START_TEST(free_space_is_told)
{
    ck_assert_uint_gt(store_free_bytes(s), 0);
    ck_assert_uint_ne(store_free_bytes(s), UINT64_MAX);
}
END_TEST

static TCase *outcome_tests(void)
{
    TCase *tc = tcase_create("outcome");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, an_outcome_is_kept_for_each_recipient);
    tcase_add_test(tc, two_reports_are_queued_with_what_they_tell_of);
    tcase_add_test(tc, when_no_recipient_waits_the_message_is_gone);
    tcase_add_loop_test(tc, a_report_is_queued_with_the_failure_it_tells_of, 0,
                        (int)(sizeof report_sizes / sizeof *report_sizes));
    tcase_add_loop_test(tc, a_report_is_queued_with_the_message_it_is_about, 0,
                        (int)(sizeof report_sizes / sizeof *report_sizes));
    tcase_add_test(tc, a_message_that_comes_again_is_reported_once);
    tcase_add_test(tc, what_was_removed_under_way_stays_removed_and_unreported);
    tcase_add_test(tc, the_longest_dead_are_found_first);
    tcase_add_test(tc, held_and_dead_messages_are_kept_and_not_due);
    tcase_add_test(tc, the_administrator_is_told_once_of_each_dead_message);
    tcase_add_test(tc, retry_and_removal_of_what_is_not_there_change_nothing);
    tcase_add_test(tc, retry_of_all_goes_in_slices_and_misses_none);
    tcase_add_test(tc, a_full_house_of_recipients_is_kept);
    return tc;
}

static TCase *reading_tests(void)
{
    TCase *tc = tcase_create("reading");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, the_longest_due_comes_first_and_active_ones_not_at_all);
    tcase_add_test(tc, the_users_take_turns);
    tcase_add_test(tc, the_times_jump_with_the_clock);
    tcase_add_test(tc, one_that_knew_the_new_time_is_left_alone);
    tcase_add_test(tc, what_a_rate_spent_is_remembered_for_its_period);
    tcase_add_test(tc, a_turn_among_many_users_costs_little);
    tcase_add_test(tc, counts_follow_every_change);
    tcase_add_test(tc, pages_hold_messages_in_order_with_their_own_recipients);
    tcase_add_test(tc, free_space_is_told);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("queue");
    suite_add_tcase(suite, outcome_tests());
    suite_add_tcase(suite, reading_tests());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
