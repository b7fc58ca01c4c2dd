/* SPDX-License-Identifier: GPL-3.0-or-later */
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
    fixture_remove();
}

/* n messages of 10 bytes with the ids from 1 on, of which those that every divides are in
 * state. */
static void fill(int n, int every, enum store_state state)
{
    char text[512];
    store_close(s);
    snprintf(text, sizeof text,
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
             " INSERT INTO message (id, state, tried, sender, body_bytes, body_8bit, "
             "long_lines, uid,"
             " gid, pid, arrival_ms, next_attempt_ms, attempts, ambiguous)"
             " SELECT i, iif(i %% %d, 0, %d), 0, 's' || i, 10, 0, 0, i %% 7, 0, 0, 0, 0, 0, 0 "
             "FROM n;"
             "INSERT INTO recipient (id, address, state, scope, permanent, ambiguous)"
             " SELECT id << 15, 'r' || id, 0, 0, 0, 0 FROM message",
             n, every, (int)state);
    fixture_sql(text);
    s = fixture_open();
}

/* Search to the end: how many were found, in how many steps; each is state and whole. */
static unsigned search_all(struct store_search *search, unsigned max, unsigned *steps)
{
    struct store_message *page[64];
    store_id before = 0;
    unsigned found = 0;
    for (*steps = 0; !search->over; ++*steps) {
        unsigned n = store_search(s, search, page, max);
        for (unsigned i = 0; i < n; i++) {
            char address[32];
            ck_assert_int_gt(page[i]->id, before);
            before = page[i]->id;
            ck_assert_uint_eq(page[i]->n_recipients, 1);
            snprintf(address, sizeof address, "r%lld", (long long)before);
            ck_assert_str_eq(page[i]->recipients[0].address, address);
            if (search->states)
                ck_assert(search->states & 1U << page[i]->state);
            store_message_free(page[i]);
        }
        found += n;
    }
    return found;
}

START_TEST(everything_is_found_in_pages)
{
    unsigned steps;
    struct store_search nothing = {.after = 0};
    ck_assert_uint_eq(search_all(&nothing, 64, &steps), 0);
    fill(1000, 3, STORE_HELD);
    struct store_search search = {.after = 0};
    ck_assert_uint_eq(search_all(&search, 64, &steps), 1000);
    search = (struct store_search){.after = 900};
    ck_assert_uint_eq(search_all(&search, 64, &steps), 100);
    search = (struct store_search){.states = 1U << STORE_QUEUED};
    ck_assert_uint_eq(search_all(&search, 64, &steps), 667);
    search = (struct store_search){.states = 1U << STORE_HELD | 1U << STORE_DEAD};
    ck_assert_uint_eq(search_all(&search, 64, &steps), 333);
}
END_TEST

/* What is set aside is found by its index: the others are not even looked at. */
START_TEST(the_few_among_the_many_are_found_at_once)
{
    unsigned steps;
    const enum store_state state = _i ? STORE_DEAD : STORE_HELD;
    fill(20 * STORE_LOOK_MAX, 5 * STORE_LOOK_MAX, state);
    struct store_search search = {.states = 1U << state};
    ck_assert_uint_eq(search_all(&search, 64, &steps), 4);
    ck_assert_uint_le(steps, 1);
    search = (struct store_search){.states = 1U << (_i ? STORE_HELD : STORE_DEAD)};
    ck_assert_uint_eq(search_all(&search, 64, &steps), 0);
}
END_TEST

START_TEST(the_few_that_wait_among_the_many_dead_are_found_at_once)
{
    unsigned steps;
    fill(20 * STORE_LOOK_MAX, 1, STORE_DEAD);
    store_close(s);
    char text[128];
    snprintf(text, sizeof text,
             "UPDATE message SET state = 0, arrival_ms = 7 WHERE id %% %d = 0",
             5 * STORE_LOOK_MAX);
    fixture_sql(text);
    s = fixture_open();
    struct store_search search = {.states = 1U << STORE_QUEUED};
    ck_assert_uint_eq(search_all(&search, 64, &steps), 4);
    ck_assert_uint_eq(search.looked, 4);
    ck_assert_uint_le(steps, 1);
}
END_TEST

static bool is_uid_3(const void *arg, const struct store_message *m)
{
    ck_assert_ptr_eq(arg, &s);
    ck_assert_uint_eq(m->n_recipients, 0);
    return m->uid == 3 && m->id > 5 * STORE_LOOK_MAX;
}

START_TEST(a_step_is_short_also_where_it_finds_nothing)
{
    unsigned steps;
    fill(6 * STORE_LOOK_MAX, 2, STORE_DEAD);
    struct store_search search = {.wants = is_uid_3, .arg = &s};
    struct store_message *page[64];
    for (int i = 1; i <= 5; i++) {
        ck_assert_uint_eq(store_search(s, &search, page, 64), 0);
        ck_assert_int_eq(search.after, i * STORE_LOOK_MAX);
        ck_assert(!search.over);
    }
    unsigned found = search_all(&search, 64, &steps);
    ck_assert_uint_ge(found, STORE_LOOK_MAX / 7);
    ck_assert_uint_le(found, STORE_LOOK_MAX / 7 + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("search");
    TCase *tc = tcase_create("search");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, everything_is_found_in_pages);
    tcase_add_loop_test(tc, the_few_among_the_many_are_found_at_once, 0, 2);
    tcase_add_test(tc, the_few_that_wait_among_the_many_dead_are_found_at_once);
    tcase_add_test(tc, a_step_is_short_also_where_it_finds_nothing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
