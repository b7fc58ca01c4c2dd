/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happened to a message, and putting one on hold. */
#include "fixture.h"

#include "mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

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

static struct store_event new_event(int64_t n)
{
    char text[32];
    snprintf(text, sizeof text, "event %d", (int)n);
    return (struct store_event){
        .time_ms = n, .relay = n % 2 ? mem_strdup("relay") : NULL, .text = mem_strdup(text)};
}

static void recorded(void)
{
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_RECORDED);
    ck_assert_int_eq(r.failure, STORE_OK);
}

/* An attempt of message id that ended with event n, in that state. */
static void defer(store_id id, int64_t n, enum store_state state)
{
    struct store_outcome outcome = {.message = store_load(s, id), .event = new_event(n)};
    ck_assert_ptr_nonnull(outcome.message);
    outcome.message->state = state;
    store_record(s, &outcome, NULL);
    ck_assert_ptr_null(outcome.event.text);
    recorded();
}

static void hold(store_id id, int64_t n)
{
    struct store_event event = new_event(n);
    store_hold(s, id, &event, NULL);
    ck_assert_ptr_null(event.text);
    recorded();
}

static void release(store_id id, int64_t next_attempt_ms, int64_t n)
{
    struct store_event event = new_event(n);
    store_release(s, id, next_attempt_ms, &event, NULL);
    recorded();
}

/* Its events are those with the numbers from first to last. */
static void has_events(store_id id, int64_t first, int64_t last)
{
    struct store_event events[STORE_EVENTS_MAX];
    unsigned n = store_events(s, id, events);
    ck_assert_int_eq(n, last - first + 1);
    for (unsigned i = 0; i < n; i++) {
        struct store_event expected = new_event(first + i);
        ck_assert_int_eq(events[i].time_ms, expected.time_ms);
        ck_assert_pstr_eq(events[i].relay, expected.relay);
        ck_assert_str_eq(events[i].text, expected.text);
        ck_assert_int_eq(events[i].since_ms, expected.time_ms);
        ck_assert_uint_eq(events[i].times, 1);
        store_event_release(&expected);
        store_event_release(&events[i]);
    }
}

static enum store_state state_of(store_id id)
{
    struct store_message *m = store_load(s, id);
    ck_assert_ptr_nonnull(m);
    enum store_state state = m->state;
    store_message_free(m);
    return state;
}

static unsigned n_due(int64_t now_ms)
{
    store_id ids[16];
    return store_due(s, now_ms, NULL, 0, ids, 16);
}

START_TEST(the_last_events_of_each_message_are_kept)
{
    store_id other = fixture_accept(s, 1, 100, 1);
    store_id id = fixture_accept(s, 2, 100, 2);
    store_id later = fixture_accept(s, 3, 100, 1);
    defer(other, 7, STORE_QUEUED);
    has_events(id, 0, -1);
    for (int64_t n = 0; n < STORE_EVENTS_MAX; n++)
        defer(id, n, STORE_QUEUED);
    has_events(id, 0, STORE_EVENTS_MAX - 1);
    defer(id, STORE_EVENTS_MAX, STORE_QUEUED);
    defer(id, STORE_EVENTS_MAX + 1, STORE_QUEUED);
    reopen();
    has_events(id, 2, STORE_EVENTS_MAX + 1);
    has_events(other, 7, 7);
    has_events(later, 0, -1);
}
END_TEST

START_TEST(the_numbers_of_events_never_run_out)
{
    char text[128];
    store_id id = fixture_accept(s, 1, 100, 1);
    store_id later = fixture_accept(s, 2, 100, 1);
    for (int64_t n = 0; n < STORE_EVENTS_MAX + 3; n++)
        defer(id, n, STORE_QUEUED);
    store_close(s);
    snprintf(text, sizeof text, "UPDATE event SET id = id + %d - 1 - %d", SCHEMA_NUMBER_LAST,
             STORE_EVENTS_MAX + 2);
    fixture_sql(text);
    s = fixture_open();
    defer(later, 9, STORE_QUEUED);
    int64_t n = STORE_EVENTS_MAX + 3;
    for (; n < 2 * STORE_EVENTS_MAX + 7; n++) {
        defer(id, n, STORE_QUEUED);
        has_events(id, n - STORE_EVENTS_MAX + 1, n);
    }
    has_events(later, 9, 9);
}
END_TEST

START_TEST(what_happens_again_is_counted)
{
    static const int64_t numbers[] = {1, 1, 1, 2, 1};
    store_id other = fixture_accept(s, 1, 100, 1);
    store_id id = fixture_accept(s, 2, 100, 1);
    defer(other, 1, STORE_QUEUED);
    for (unsigned i = 0; i < 5; i++) {
        struct store_outcome outcome = {.message = store_load(s, id),
                                        .event = new_event(numbers[i])};
        outcome.event.time_ms = 100 + i;
        store_record(s, &outcome, NULL);
        recorded();
    }
    struct store_event events[STORE_EVENTS_MAX];
    ck_assert_uint_eq(store_events(s, id, events), 3);
    ck_assert_uint_eq(events[0].times, 3);
    ck_assert_int_eq(events[0].since_ms, 100);
    ck_assert_int_eq(events[0].time_ms, 102);
    ck_assert_uint_eq(events[1].times, 1);
    ck_assert_int_eq(events[2].since_ms, 104);
    for (unsigned i = 0; i < 3; i++)
        store_event_release(&events[i]);
    has_events(other, 1, 1);
}
END_TEST

START_TEST(events_go_with_their_message)
{
    store_id removed = fixture_accept(s, 1, 100, 1);
    store_id sent = fixture_accept(s, 2, 100, 1);
    store_id dead = fixture_accept(s, 3, 100, 1);
    defer(removed, 1, STORE_QUEUED);
    defer(sent, 2, STORE_QUEUED);
    store_remove(s, removed, NULL);
    recorded();
    struct store_outcome outcome = {.message = store_load(s, sent), .event = new_event(3)};
    outcome.message->recipients[0].state = STORE_SENT;
    store_record(s, &outcome, NULL);
    recorded();
    outcome = (struct store_outcome){.message = store_load(s, dead), .event = new_event(4)};
    outcome.message->recipients[0].state = STORE_FAILED;
    outcome.message->state = STORE_DEAD;
    store_record(s, &outcome, NULL);
    recorded();
    has_events(removed, 0, -1);
    has_events(sent, 0, -1);
    has_events(dead, 4, 4);
}
END_TEST

START_TEST(what_is_held_waits_until_it_is_released)
{
    store_id id = fixture_accept(s, 1, 100, 1);
    hold(id, 1);
    ck_assert_int_eq(state_of(id), STORE_HELD);
    hold(id, 2); /* it is held already, and nothing happens */
    reopen();
    ck_assert_int_eq(state_of(id), STORE_HELD);
    ck_assert_uint_eq(n_due(INT64_MAX), 0);
    struct store_counts c;
    store_count(s, &c);
    ck_assert_uint_eq(c.held, 1);
    release(id, 77, 2);
    ck_assert_int_eq(state_of(id), STORE_QUEUED);
    ck_assert_uint_eq(n_due(76), 0);
    ck_assert_uint_eq(n_due(77), 1);
    release(id, 78, 3); /* it is free already */
    ck_assert_uint_eq(n_due(77), 1);
    has_events(id, 1, 2);
    store_count(s, &c);
    ck_assert_uint_eq(c.held, 0);
    ck_assert_uint_eq(c.queued, 1);
}
END_TEST

START_TEST(the_dead_are_neither_held_nor_released)
{
    store_id id = fixture_accept(s, 1, 100, 1);
    struct store_message *m = store_load(s, id);
    m->recipients[0].state = STORE_FAILED;
    m->state = STORE_DEAD;
    fixture_record(s, m);
    hold(id, 1);
    release(id, 5, 2);
    ck_assert_int_eq(state_of(id), STORE_DEAD);
    has_events(id, 0, -1);
    hold(id + 1, 3); /* one that is gone */
}
END_TEST

/* An attempt is under way, with its dot out, when its message is put on hold. */
START_TEST(an_attempt_under_way_leaves_the_rest_on_hold)
{
    store_id id = fixture_accept(s, 1, 100, 2);
    struct store_outcome outcome = {.message = store_load(s, id), .event = new_event(2)};
    store_mark_sending(s, id);
    hold(id, 1);
    ck_assert_int_eq(s->marks.slots[0], id);
    outcome.message->recipients[0].state = STORE_SENT;
    store_record(s, &outcome, NULL);
    recorded();
    ck_assert_int_eq(s->marks.slots[0], 0);
    ck_assert_int_eq(state_of(id), STORE_HELD);
    has_events(id, 1, 2);
    outcome = (struct store_outcome){.message = store_load(s, id)};
    outcome.message->recipients[1].state = STORE_SENT;
    store_record(s, &outcome, NULL);
    recorded();
    ck_assert_ptr_null(store_load(s, id));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *tc = tcase_create("history");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, the_last_events_of_each_message_are_kept);
    tcase_add_test(tc, the_numbers_of_events_never_run_out);
    tcase_add_test(tc, what_happens_again_is_counted);
    tcase_add_test(tc, events_go_with_their_message);
    tcase_add_test(tc, what_is_held_waits_until_it_is_released);
    tcase_add_test(tc, the_dead_are_neither_held_nor_released);
    tcase_add_test(tc, an_attempt_under_way_leaves_the_rest_on_hold);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
