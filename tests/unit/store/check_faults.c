/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scenario, and a fault at each change that it makes to the file system. */
#include "faultfs.h"
#include "fixture.h"

#include "clock.h"
#include "mem.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    N_MESSAGES = 11,
    LOG_PAGES = 16, /* so that the log is checkpointed and begun again several times */
    ROUNDS_BY_CHANCE = 2
};

/* What is known of a message, from what was handed in and what was told. */
struct fate {
    store_id id;
    size_t bytes;
    bool accepted;      /* STORE_COMMITTED without failure */
    bool end_handed_in; /* an outcome or removal that ends it */
    bool end_told;      /* STORE_RECORDED for that */
    store_id report;    /* queued with that end; 0: none */
    unsigned report_of; /* for a report: number of the message it is about */
    bool is_report;
    store_id told_of;            /* report that is queued with its acceptance; 0: none */
    unsigned attempts_handed_in; /* recorded with a later attempt */
    unsigned attempts_told;
    bool held_told;
    bool release_handed_in;
    bool release_told;
};

static struct fate fates[N_MESSAGES];
static struct store *s;
static bool broken;
static bool sync_struck; /* a sync failed before the store was to be closed */

/* The next result for owner. NULL failure text when it went well. */
static bool went_well(const void *owner)
{
    for (;;) {
        struct store_result r = fixture_result(s);
        if (r.type == STORE_BROKEN) {
            ck_assert_str_ne(r.reason, "");
            broken = true;
            continue;
        }
        if (r.owner != owner)
            continue;
        ck_assert(r.failure == STORE_OK || r.reason[0]);
        ck_assert_msg(!broken || r.failure != STORE_OK, "acknowledged after STORE_BROKEN");
        return r.failure == STORE_OK;
    }
}

/* Message number n, with a submission id of its own. */
static struct store_message *submitted(store_id id, unsigned n, unsigned n_recipients)
{
    struct store_message *m = fixture_message(id, n_recipients);
    m->arrival_ms = 1800000000000;
    snprintf(m->submission, sizeof m->submission, "%032x", n);
    return m;
}

static void accept_message(unsigned n, size_t bytes, unsigned n_recipients)
{
    struct fate *f = &fates[n];
    struct buf chunk;
    unsigned number = 0;
    size_t at = 0;
    f->id = store_begin(s, 1800000000000);
    f->bytes = bytes;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    struct buf all;
    buf_init(&all, bytes);
    fixture_content(&all, n, bytes);
    for (; bytes - at > STORE_CHUNK_BYTES; at += STORE_CHUNK_BYTES) {
        buf_put(&chunk, buf_str(&all).p + at, STORE_CHUNK_BYTES);
        store_append(s, f->id, number++, &chunk, f);
        if (!went_well(f)) {
            store_abort(s, f->id);
            buf_release(&all);
            return;
        }
    }
    buf_put(&chunk, buf_str(&all).p + at, bytes - at);
    store_commit(s, submitted(f->id, n, n_recipients), number, &chunk, f);
    f->accepted = went_well(f);
    buf_release(&all);
}

/* One recipient got it, the others wait. */
static void defer(unsigned n)
{
    struct fate *f = &fates[n];
    struct store_message *m = f->accepted ? store_load(s, f->id) : NULL;
    if (!m)
        return;
    store_mark_sending(s, f->id);
    m->recipients[0].state = STORE_SENT;
    m->attempts = ++f->attempts_handed_in;
    struct store_outcome outcome = {.message = m};
    store_record(s, &outcome, f);
    if (went_well(f))
        f->attempts_told = f->attempts_handed_in;
}

/* All have it. */
static void deliver(unsigned n)
{
    struct fate *f = &fates[n];
    struct store_message *m = f->accepted ? store_load(s, f->id) : NULL;
    if (!m)
        return;
    store_mark_sending(s, f->id);
    for (unsigned i = 0; i < m->n_recipients; i++)
        m->recipients[i].state = STORE_SENT;
    struct store_outcome outcome = {.message = m};
    f->end_handed_in = true;
    store_record(s, &outcome, f);
    f->end_told = went_well(f);
}

/* Accept message n, of which a recipient failed already, and the report of it. */
static void accept_reported(unsigned n, unsigned n_report)
{
    struct fate *f = &fates[n];
    struct store_acceptance a = {.report = NULL};
    *f = (struct fate){.id = store_begin(s, 1800000000000), .bytes = 300};
    f->told_of = store_begin(s, 1800000000000);
    fates[n_report] = (struct fate){.id = f->told_of, .bytes = 500, .is_report = true};
    a.message = submitted(f->id, n, 2);
    a.message->recipients[1].state = STORE_FAILED;
    a.report = fixture_message(f->told_of, 1);
    buf_init(&a.chunk, 300);
    buf_init(&a.report_content, 500);
    fixture_content(&a.chunk, n, 300);
    fixture_content(&a.report_content, n_report, 500);
    store_accept(s, &a, f);
    f->accepted = went_well(f);
    fates[n_report].accepted = f->accepted;
}

static void bounce(unsigned n, unsigned n_report)
{
    struct fate *f = &fates[n];
    struct store_message *m = f->accepted ? store_load(s, f->id) : NULL;
    if (!m)
        return;
    for (unsigned i = 0; i < m->n_recipients; i++)
        m->recipients[i].state = STORE_FAILED;
    f->report = store_begin(s, 1800000000000);
    fates[n_report] =
        (struct fate){.id = f->report, .bytes = 500, .is_report = true, .report_of = n};
    struct store_outcome outcome = {.message = m, .report = fixture_message(f->report, 1)};
    buf_init(&outcome.report_content, STORE_REPORT_BYTES_MAX);
    fixture_content(&outcome.report_content, n_report, 500);
    f->end_handed_in = true;
    store_record(s, &outcome, f);
    f->end_told = went_well(f);
}

static void hold(unsigned n, bool releases)
{
    struct fate *f = &fates[n];
    struct store_message *m = f->accepted ? store_load(s, f->id) : NULL;
    if (!m)
        return;
    store_message_free(m);
    struct store_event event = {.time_ms = 4, .text = mem_strdup("put on hold")};
    store_hold(s, f->id, &event, f);
    f->held_told = went_well(f);
    if (!releases)
        return;
    f->release_handed_in = true;
    event = (struct store_event){.time_ms = 5, .text = mem_strdup("released")};
    store_release(s, f->id, 5, &event, f);
    f->release_told = went_well(f);
}

static void remove_message(unsigned n)
{
    struct fate *f = &fates[n];
    if (!f->accepted)
        return;
    f->end_handed_in = true;
    store_remove(s, f->id, f);
    f->end_told = went_well(f);
}

/* Chunks, in a row and in a file, whose message is never committed. */
static void leave_half(void)
{
    struct buf chunk;
    store_id id = store_begin(s, 1800000000000);
    buf_init(&chunk, STORE_CHUNK_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        fixture_content(&chunk, 1, STORE_CHUNK_BYTES);
        store_append(s, id, i, &chunk, &chunk);
        went_well(&chunk);
    }
}

/* See what followed the last operation. */
static void settle(void)
{
    struct store_result r;
    store_retry(s, 1, 0, settle);
    went_well(settle);
    while (store_next(s, &r) != STORE_NOTHING)
        broken = broken || r.type == STORE_BROKEN;
    sync_struck = faultfs_struck_sync();
}

static void run_scenario(void)
{
    const struct store_options options = {.vfs = FAULTFS_NAME,
                                          .now_ms = 1800000000000,
                                          .log_pages_max = LOG_PAGES,
                                          .annex_from = 1};
    struct err err = {""};
    pid_t busy_pid;
    memset(fates, 0, sizeof fates);
    broken = false;
    sync_struck = false;
    s = store_open_with(fixture_path("."), &options, &err, &busy_pid);
    if (!s) {
        ck_assert_str_ne(err.text, "");
        return;
    }
    accept_message(0, 100, 1);
    accept_message(1, 4096, 3);
    accept_message(2, STORE_CHUNK_BYTES + 77, 1);
    defer(1);
    leave_half();
    bounce(0, 3);
    accept_message(4, 4096, 1);
    hold(4, true);
    remove_message(2);
    accept_message(5, 100, 2);
    accept_reported(6, 7);
    accept_message(8, 3 * STORE_CHUNK_BYTES + 5, 2);
    defer(8);
    accept_message(9, 2 * STORE_CHUNK_BYTES, 1);
    deliver(8);
    accept_message(10, 2 * STORE_CHUNK_BYTES + 1, 1);
    hold(10, false);
    settle();
    store_close(s);
}

static struct store *open_on_faultfs(int log_pages_max)
{
    const struct store_options options = {.vfs = FAULTFS_NAME,
                                          .now_ms = 1800000000000,
                                          .log_pages_max = log_pages_max,
                                          .annex_from = 1};
    return fixture_open_with(&options);
}

static void check_present(const struct fate *f, unsigned n, const struct store_message *m,
                          bool killed_only)
{
    ck_assert_uint_eq(m->body_bytes, f->bytes);
    ck_assert_msg(fixture_same_content(s, f->id, n, f->bytes), "content of message %u", n);
    ck_assert_uint_le(m->attempts, f->attempts_handed_in);
    if (killed_only)
        ck_assert_uint_ge(m->attempts, f->attempts_told);
    if (m->attempts)
        ck_assert_int_eq(m->recipients[0].state, STORE_SENT);
    if (killed_only && f->held_told && !f->release_handed_in)
        ck_assert_int_eq(m->state, STORE_HELD);
    if (killed_only && f->release_told)
        ck_assert_int_eq(m->state, STORE_QUEUED);
}

/* killed_only: what was told as recorded must be there too, synced or not. */
static void check_fate(unsigned n, bool killed_only)
{
    const struct fate *f = &fates[n];
    struct store_message *m = f->id ? store_load(s, f->id) : NULL;
    struct store_message *report = f->report ? store_load(s, f->report) : NULL;
    if (f->accepted && !f->end_handed_in)
        ck_assert_msg(m != NULL, "message %u is lost", n);
    if (f->accepted && f->report)
        ck_assert_msg((m == NULL) == (report != NULL), "message %u: %s", n,
                      m ? "both it and its report" : "neither it nor its report");
    if (f->told_of) {
        struct store_message *about = store_load(s, f->told_of);
        ck_assert_msg((m == NULL) == (about == NULL), "message %u: one without its report", n);
        store_message_free(about);
    }
    if (killed_only && f->end_told)
        ck_assert_msg(m == NULL, "message %u would be sent again", n);
    if (m)
        check_present(f, n, m, killed_only);
    store_message_free(m);
    store_message_free(report);
}

/* Nothing is there that was not handed in, and no part of it. */
static void check_strangers(void)
{
    store_id after = 0;
    for (struct store_message *m; (m = store_after(s, after)); store_message_free(m)) {
        after = m->id;
        bool known = false;
        for (unsigned n = 0; n < N_MESSAGES; n++)
            known = known || fates[n].id == after;
        ck_assert(known);
    }
}

/* The client submits again, whatever it was told: what was accepted is the same message still,
 * also where that is gone; else there is one afterwards. */
static void submit_again(unsigned n)
{
    const struct fate *f = &fates[n];
    if (!f->id || f->is_report)
        return;
    struct store_message *before = store_load(s, f->id);
    struct buf chunk;
    buf_init(&chunk, 10);
    store_id id = store_begin(s, 1800000001000); /* none that was given and lost */
    store_commit(s, submitted(id, n, 1), 0, &chunk, &chunk);
    struct store_result r = fixture_result(s);
    ck_assert_int_eq(r.failure, STORE_OK);
    ck_assert_msg(r.first == f->id || (!before && !f->accepted && r.first == 0), "message %u",
                  n);
    struct store_message *after = store_load(s, id);
    ck_assert_msg((after == NULL) == (r.first != 0), "message %u", n);
    store_message_free(before);
    store_message_free(after);
}

static void check_what_is_left(bool killed_only)
{
    faultfs_begin(FAULTFS_NONE, 0);
    s = open_on_faultfs(WRITER_LOG_PAGES);
    for (unsigned n = 0; n < N_MESSAGES; n++)
        check_fate(n, killed_only);
    check_strangers();
    for (unsigned n = 0; n < N_MESSAGES; n++)
        submit_again(n);
    store_id id = fixture_accept(s, 99, 5000, 1);
    for (unsigned n = 0; n < N_MESSAGES; n++)
        ck_assert(!fates[n].accepted || fates[n].id != id);
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM half"), 0);
}

static unsigned count_changes(void)
{
    fixture_make_in_memory();
    faultfs_begin(FAULTFS_NONE, 0);
    run_scenario();
    unsigned n = faultfs_changes();
    for (unsigned i = 0; i < 3; i++)
        ck_assert(i == 2 ? fates[i].end_told : fates[i].accepted);
    check_what_is_left(true);
    fixture_remove();
    ck_assert_uint_gt(n, 100);
    return n;
}

static void cut_everywhere(enum faultfs_left left, uint32_t seed)
{
    unsigned n = count_changes();
    for (unsigned k = 1; k <= n; k++) {
        fixture_make_in_memory();
        faultfs_begin(FAULTFS_CUT, k);
        run_scenario();
        ck_assert_msg(faultfs_struck(), "change %u of %u", k, n);
        faultfs_lose_power(left, seed + k);
        check_what_is_left(left == FAULTFS_LEFT_ALL);
        fixture_remove();
    }
}

START_TEST(a_kill_at_any_change_loses_nothing_told)
{
    cut_everywhere(FAULTFS_LEFT_ALL, 0);
}
END_TEST

START_TEST(a_power_cut_at_any_change_loses_nothing_accepted)
{
    cut_everywhere(FAULTFS_LEFT_NONE, 0);
}
END_TEST

START_TEST(a_power_cut_that_tears_what_was_not_synced_loses_nothing_accepted)
{
    cut_everywhere(FAULTFS_LEFT_SOME, (uint32_t)_i * 1000003U);
}
END_TEST

/* A change that failed once: whatever was told stays true, also when all that was not synced is
 * lost after. */
START_TEST(a_failed_change_is_never_taken_for_made)
{
    unsigned n = count_changes();
    unsigned n_broken = 0;
    for (unsigned k = 1; k <= n; k++) {
        fixture_make_in_memory();
        faultfs_begin(FAULTFS_FAIL_ONCE, k);
        run_scenario();
        ck_assert(faultfs_struck());
        ck_assert_msg(broken || !sync_struck, "failed sync at change %u", k);
        n_broken += broken;
        faultfs_lose_power(FAULTFS_LEFT_NONE, 0);
        check_what_is_left(false);
        fixture_remove();
    }
    ck_assert_uint_gt(n_broken, n / 2);
}
END_TEST

START_TEST(a_moment_without_room_fails_only_what_needed_it)
{
    unsigned n = count_changes();
    for (unsigned k = 1; k <= n; k++) {
        fixture_make_in_memory();
        faultfs_begin(FAULTFS_FULL_ONCE, k);
        run_scenario();
        ck_assert_msg(!broken, "change %u", k);
        check_what_is_left(true);
        fixture_remove();
    }
}
END_TEST

START_TEST(a_full_disk_refuses_new_mail_and_remembers_outcomes)
{
    fixture_make_in_memory();
    faultfs_begin(FAULTFS_NONE, 0);
    s = open_on_faultfs(WRITER_LOG_PAGES);
    store_id id = fixture_accept(s, 1, 4096, 1);
    faultfs_fill(true);
    store_id refused = store_begin(s, clock_wall_ms());
    struct store_result r = fixture_store(s, refused, 2, 30000, 1);
    ck_assert_int_eq(r.type, STORE_COMMITTED);
    ck_assert_int_eq(r.failure, STORE_FULL);
    refused = store_begin(s, clock_wall_ms());
    r = fixture_store(s, refused, 2, 3 * STORE_CHUNK_BYTES, 1);
    ck_assert_int_eq(r.type, STORE_APPENDED);
    ck_assert_int_eq(r.failure, STORE_FULL);
    store_abort(s, refused);
    ck_assert(fixture_same_content(s, id, 1, 4096));
    struct store_message *m = store_load(s, id);
    m->recipients[0].state = STORE_SENT;
    struct store_outcome outcome = {.message = m};
    store_record(s, &outcome, s);
    /* Recorded in what the log has already, or once there is room. */
    faultfs_fill(false);
    r = fixture_result(s);
    ck_assert_int_eq(r.type, STORE_RECORDED);
    ck_assert_int_eq(r.failure, STORE_OK);
    ck_assert_ptr_null(store_load(s, id));
    fixture_accept(s, 3, 4096, 1);
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
    fixture_remove();
}
END_TEST

/* What was accepted is in the database; the log is written over from its start, and deleting
 * needs no room elsewhere. */
START_TEST(outcomes_are_recorded_while_the_disk_is_full)
{
    enum {
        MANY = 30
    };
    store_id ids[MANY];
    fixture_make_in_memory();
    faultfs_begin(FAULTFS_NONE, 0);
    s = open_on_faultfs(1);
    for (unsigned i = 0; i < MANY; i++)
        ids[i] = fixture_accept(s, i, 60000, 1);
    /* Its result comes after the checkpoint that followed the last acceptance. */
    store_retry(s, 1, 0, ids);
    ck_assert_int_eq(fixture_result(s).type, STORE_RECORDED);
    faultfs_fill(true);
    for (unsigned i = 0; i < MANY; i++) {
        struct store_message *m = store_load(s, ids[i]);
        m->recipients[0].state = STORE_SENT;
        fixture_record(s, m);
    }
    ck_assert_ptr_null(store_after(s, 0));
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
    fixture_remove();
}
END_TEST

/* The log is not in the database yet, which must grow to take it: without a reserve nothing at
 * all could be recorded. */
START_TEST(a_reserve_lets_outcomes_be_recorded_and_takes_no_new_mail)
{
    enum {
        MANY = 30
    };
    store_id ids[MANY];
    fixture_make_in_memory();
    faultfs_begin(FAULTFS_NONE, 0);
    char reserve[128];
    snprintf(reserve, sizeof reserve, "%s", fixture_path("reserve"));
    const struct store_options options = {.vfs = FAULTFS_NAME,
                                          .now_ms = 1800000000000,
                                          .log_pages_max = WRITER_LOG_PAGES,
                                          .annex_from = ANNEX_FROM,
                                          .reserve_bytes = 8 * 1024 * 1024};
    s = fixture_open_with(&options);
    for (unsigned i = 0; i < MANY; i++)
        ids[i] = fixture_accept(s, i, 60000, 1);
    faultfs_fill_beside(reserve);
    for (unsigned i = 0; i < MANY; i++) {
        struct store_message *m = store_load(s, ids[i]);
        m->recipients[0].state = i % 2 ? STORE_SENT : STORE_WAITING;
        fault_set(&m->recipients[0].fault, FAULT_RECIPIENT, "4.2.2", "RCPT-FULL",
                  "Mailbox full.");
        m->attempts = 1;
        fixture_record(s, m);
        if (i == 0)
            ck_assert_int_eq(fixture_store(s, store_begin(s, 0), 99, 100, 1).failure,
                             STORE_FULL);
    }
    store_remove(s, ids[0], s);
    ck_assert_int_eq(fixture_result(s).failure, STORE_OK);
    faultfs_fill(false);
    struct store_result r = {.failure = STORE_FULL};
    for (unsigned i = 0; i < 100 && r.failure == STORE_FULL; i++) {
        poll(NULL, 0, 100);
        r = fixture_store(s, store_begin(s, 0), 100, 100, 1);
    }
    ck_assert_int_eq(r.failure, STORE_OK);
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM message"), MANY / 2);
    fixture_remove();
}
END_TEST

static const struct {
    bool waits; /* for the sync that comes by itself */
    bool left;  /* the message, after the power cut */
} outcomes[] = {{true, false}, {false, true}};

START_TEST(an_outcome_reaches_the_disk_by_itself_and_soon)
{
    fixture_make_in_memory();
    faultfs_begin(FAULTFS_NONE, 0);
    s = open_on_faultfs(WRITER_LOG_PAGES);
    store_id id = fixture_accept(s, 1, 4096, 1);
    struct store_message *m = store_load(s, id);
    m->recipients[0].state = STORE_SENT;
    fixture_record(s, m);
    ck_assert(!outcomes[_i].waits || faultfs_wait_for_sync(FIXTURE_WAIT_MS));
    faultfs_cut_now();
    store_close(s);
    faultfs_lose_power(FAULTFS_LEFT_NONE, 0);
    faultfs_begin(FAULTFS_NONE, 0);
    s = fixture_open();
    m = store_load(s, id);
    ck_assert((m != NULL) == outcomes[_i].left);
    store_message_free(m);
    store_close(s);
    fixture_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("faults");
    TCase *tc = tcase_create("faults");
    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, a_kill_at_any_change_loses_nothing_told);
    tcase_add_test(tc, a_power_cut_at_any_change_loses_nothing_accepted);
    tcase_add_loop_test(tc, a_power_cut_that_tears_what_was_not_synced_loses_nothing_accepted,
                        0, ROUNDS_BY_CHANCE);
    tcase_add_test(tc, a_failed_change_is_never_taken_for_made);
    tcase_add_test(tc, a_moment_without_room_fails_only_what_needed_it);
    tcase_add_test(tc, a_full_disk_refuses_new_mail_and_remembers_outcomes);
    tcase_add_test(tc, outcomes_are_recorded_while_the_disk_is_full);
    tcase_add_test(tc, a_reserve_lets_outcomes_be_recorded_and_takes_no_new_mail);
    tcase_add_loop_test(tc, an_outcome_reaches_the_disk_by_itself_and_soon, 0,
                        (int)(sizeof outcomes / sizeof *outcomes));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
