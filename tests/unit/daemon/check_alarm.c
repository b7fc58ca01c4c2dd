/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "alarm.h"
#include "metrics.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOUR_MS = 3600 * 1000,
    NOW_MS = 100 * 3600 * 1000
};

static const struct fault refused = {
    .scope = FAULT_SERVER, .code = "TCP-REFUSED", .text = "it refuses | connections"};
static const struct relay_status up = {.name = "a", .up = true, .tls = "", .mechanism = ""};
static const struct relay_status down = {.name = "b\"\\",
                                         .down_since_ms = NOW_MS - 5 * HOUR_MS,
                                         .fault = &refused,
                                         .tls = "TLSv1.2 X",
                                         .mechanism = "LOGIN"};

static const struct {
    const char *name;
    struct store_counts counts;
    bool first_down, second_down;
    const char *reload_failure;
    const char *limit, *value; /* or NULL */
    enum alarm_level level;
    const char *line; /* begins so */
} cases[] = {
    {"empty", {0}, false, false, "", NULL, NULL, ALARM_OK, "TRANTER OK - 0 messages wait | "},
    {"one",
     {.queued = 1, .waiting_ms = NOW_MS - 1500},
     false,
     false,
     "",
     NULL,
     NULL,
     ALARM_OK,
     "TRANTER OK - 1 message waits | new=1 deferred=0 held=0 dead=0 oldest=1s\n"},
    {"one of two is down",
     {.queued = 1},
     false,
     true,
     "",
     NULL,
     NULL,
     ALARM_WARNING,
     "TRANTER WARNING - smarthost \"b\"\\\" has been down for 5 h, server TCP-REFUSED: it "
     "refuses / connections | new=1"},
    {"both are down",
     {.queued = 1},
     true,
     true,
     "",
     NULL,
     NULL,
     ALARM_CRITICAL,
     "TRANTER CRITICAL - smarthost"},
    {"both are down, and nothing waits",
     {.dead = 0},
     true,
     true,
     "",
     NULL,
     NULL,
     ALARM_WARNING,
     "TRANTER WARNING - smarthost"},
    {"old",
     {.deferred = 1, .waiting_ms = NOW_MS - 4 * HOUR_MS},
     false,
     false,
     "",
     NULL,
     NULL,
     ALARM_WARNING,
     "TRANTER WARNING - the oldest message has waited for 4 h | "},
    {"not so old",
     {.deferred = 1, .waiting_ms = NOW_MS - 4 * HOUR_MS + 1},
     false,
     false,
     "",
     NULL,
     NULL,
     ALARM_OK,
     "TRANTER OK - "},
    {"from the future",
     {.deferred = 1, .waiting_ms = NOW_MS + HOUR_MS},
     false,
     false,
     "",
     NULL,
     NULL,
     ALARM_OK,
     "TRANTER OK - 1 message waits | new=0 deferred=1 held=0 dead=0 oldest=0s"},
    {"too old",
     {.deferred = 1, .waiting_ms = NOW_MS - 50 * HOUR_MS},
     false,
     false,
     "",
     "critical-age",
     "2d",
     ALARM_CRITICAL,
     "TRANTER CRITICAL - the oldest message has waited for 50 h | "},
    {"many",
     {.deferred = 6, .queued = 4},
     false,
     false,
     "",
     "warning-queue",
     "10",
     ALARM_WARNING,
     "TRANTER WARNING - 10 messages wait | "},
    {"held ones are somebody's wish",
     {.held = 6, .queued = 4},
     false,
     false,
     "",
     "warning-queue",
     "10",
     ALARM_OK,
     "TRANTER OK - 4 messages wait | "},
    {"dead",
     {.dead = 1},
     false,
     false,
     "",
     NULL,
     NULL,
     ALARM_WARNING,
     "TRANTER WARNING - 1 cannot even be returned (dead) | "},
    {"dead and known",
     {.dead = 1},
     false,
     false,
     "",
     "warning-dead",
     "0",
     ALARM_OK,
     "TRANTER OK - "},
    {"reload",
     {.dead = 1},
     false,
     false,
     "F:1: no",
     NULL,
     NULL,
     ALARM_WARNING,
     "TRANTER WARNING - the last reload was refused: F:1: no; 1 cannot"},
};

START_TEST(the_first_line_says_how_bad_it_is_and_why)
{
    struct alarm_limits limits = alarm_defaults;
    struct relay_status smarthosts[] = {cases[_i].first_down ? down : up,
                                        cases[_i].second_down ? down : up};
    struct buf out;
    buf_init(&out, 4096);
    if (cases[_i].limit)
        ck_assert(alarm_limit(&limits, str_of(cases[_i].limit), str_of(cases[_i].value)));
    enum alarm_level level =
        alarm_put(&out,
                  &(struct alarm_facts){&cases[_i].counts, NOW_MS, smarthosts, 2,
                                        cases[_i].reload_failure, UINT64_MAX, 1},
                  &limits);
    buf_putc(&out, '\0');
    ck_assert_msg(level == cases[_i].level, "%s: %s", cases[_i].name, buf_str(&out).p);
    ck_assert_msg(strncmp(buf_str(&out).p, cases[_i].line, strlen(cases[_i].line)) == 0,
                  "%s: %s", cases[_i].name, buf_str(&out).p);
    buf_release(&out);
}
END_TEST

START_TEST(a_disk_that_is_too_full_for_new_mail_is_critical)
{
    struct store_counts counts = {0};
    struct buf out;
    buf_init(&out, 4096);
    enum alarm_level level = alarm_put(
        &out, &(struct alarm_facts){&counts, NOW_MS, &up, 1, "", (64 << 20) - 1, 64 << 20},
        &alarm_defaults);
    ck_assert_int_eq(level, ALARM_CRITICAL);
    ck_assert(str_starts_nocase(
        buf_str(&out),
        STR_LIT("TRANTER CRITICAL - new mail is refused: the spool's file system "
                "has 63 MB free, minimum-free-space asks for 64 | ")));
    buf_release(&out);
}
END_TEST

START_TEST(what_is_no_limit_is_none)
{
    static const char *const none[][2] = {{"warning-age", "x"},
                                          {"warning-age", "-1s"},
                                          {"warning-age", ""},
                                          {"critical-queue", "1s"},
                                          {"critical-queue", "-1"},
                                          {"warning", "1"},
                                          {"", ""}};
    struct alarm_limits limits = alarm_defaults;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        ck_assert(!alarm_limit(&limits, str_of(none[i][0]), str_of(none[i][1])));
}
END_TEST

START_TEST(the_kinds_of_outcome_are_bounded)
{
    struct tally t = {.n_outcomes = 0};
    char status[FAULT_STATUS_MAX];
    uint64_t n = 0;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(status, sizeof status, "5.%u.%u", i % 10, i / 10);
        tally_outcome(&t, OUTCOME_BOUNCED, FAULT_RECIPIENT, status);
        tally_outcome(&t, OUTCOME_DEFERRED, FAULT_SERVER, "4.4.1");
        tally_outcome(&t, (enum outcome_event)(i % 4), (enum fault_scope)(i % 6), status);
    }
    ck_assert_uint_le(t.n_outcomes, TALLY_OUTCOMES_MAX);
    for (unsigned i = 0; i < t.n_outcomes; i++) {
        n += t.outcomes[i].n;
        for (unsigned j = 0; j < i; j++)
            ck_assert(t.outcomes[i].event != t.outcomes[j].event ||
                      t.outcomes[i].scope != t.outcomes[j].scope ||
                      strcmp(t.outcomes[i].status, t.outcomes[j].status) != 0);
    }
    ck_assert_uint_eq(n, 3000);
}
END_TEST

START_TEST(metrics_are_lines_of_samples)
{
    struct tally t = {.n_outcomes = 0};
    struct relay_status smarthosts[] = {up, down};
    struct metrics_facts facts = {.now_ms = NOW_MS,
                                  .counts = {.deferred = 2, .waiting_ms = NOW_MS - 2500},
                                  .commits = {.n = {1, 0, 2}, .sum_us = 1500000},
                                  .free_bytes = UINT64_MAX,
                                  .tally = &t,
                                  .smarthosts = smarthosts,
                                  .n_smarthosts = 2};
    static const char *const lines[] = {
        "\ntranter_queue_oldest_age_seconds 2.500\n",
        "\ntranter_smarthost_up{smarthost=\"b\\\"\\\\\"} 0\n",
        ("\ntranter_smarthost_session_info{smarthost=\"b\\\"\\\\\",tls=\"TLSv1.2\","
         "auth=\"LOGIN\"} 1\n"),
        "\ntranter_commit_duration_seconds_bucket{le=\"0.0002\"} 1\n",
        "\ntranter_commit_duration_seconds_bucket{le=\"+Inf\"} 3\n",
        "\ntranter_commit_duration_seconds_sum 1.500000\n",
        "\n# EOF\n",
    };
    struct buf out;
    buf_init(&out, 64 * 1024);
    metrics_put(&out, &facts);
    buf_putc(&out, '\0');
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(strstr(buf_str(&out).p, lines[i]), "%s", lines[i]);
    ck_assert_ptr_null(strstr(buf_str(&out).p, "\ntranter_spool_free_bytes "));
    buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alarm");
    TCase *tc = tcase_create("alarm");
    tcase_add_loop_test(tc, the_first_line_says_how_bad_it_is_and_why, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tc, a_disk_that_is_too_full_for_new_mail_is_critical);
    tcase_add_test(tc, what_is_no_limit_is_none);
    tcase_add_test(tc, the_kinds_of_outcome_are_bounded);
    tcase_add_test(tc, metrics_are_lines_of_samples);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
