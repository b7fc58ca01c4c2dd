/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned lines;
static enum log_level last_level;
static char last_line[2 * LOG_LINE_MAX];
static char last_id[64];
static char last_facts[LOG_FACTS_MAX * LOG_LINE_MAX];

static void keep(const struct log_entry *entry)
{
    lines++;
    last_level = entry->level;
    snprintf(last_line, sizeof last_line, "%s", entry->line);
    snprintf(last_id, sizeof last_id, "%s", entry->id ? entry->id : "none");
    last_facts[0] = '\0';
    for (size_t i = 0; i < entry->n_facts; i++) {
        strcat(last_facts, entry->facts[i].key);
        strcat(last_facts, "|");
        strcat(last_facts, entry->facts[i].value);
        strcat(last_facts, "\n");
    }
}

START_TEST(a_decision_is_a_line_in_postfix_order)
{
    static const struct log_fact facts[] = {
        {"to", "<a@b>"}, {"relay", NULL}, {"dsn", "2.0.0"}, {"status", "sent"}};
    log_open(LOG_LEVEL_INFO, keep);
    log_facts(LOG_LEVEL_INFO, "4F2A", facts, 4, "(250 ok)");
    ck_assert_str_eq(last_line, "4F2A: to=<a@b>, dsn=2.0.0, status=sent (250 ok)");
    ck_assert_str_eq(last_id, "4F2A");
    ck_assert_str_eq(last_facts, "to|<a@b>\ndsn|2.0.0\nstatus|sent\n");
    ck_assert_int_eq(last_level, LOG_LEVEL_INFO);
}
END_TEST

START_TEST(parts_that_are_missing_leave_no_gap)
{
    static const struct log_fact fact = {"uid", "1000"};
    log_open(LOG_LEVEL_INFO, keep);
    log_facts(LOG_LEVEL_INFO, "4F2A", NULL, 0, "removed");
    ck_assert_str_eq(last_line, "4F2A: removed");
    log_facts(LOG_LEVEL_INFO, NULL, &fact, 1, NULL);
    ck_assert_str_eq(last_line, "uid=1000");
    ck_assert_str_eq(last_id, "none");
    log_say(LOG_LEVEL_WARNING, NULL, "%d%%", 42);
    ck_assert_str_eq(last_line, "42%");
    ck_assert_int_eq(last_level, LOG_LEVEL_WARNING);
}
END_TEST

static char said_by[64];

static void keep_ident(const struct log_entry *entry)
{
    snprintf(said_by, sizeof said_by, "%s", log_ident(entry));
}

START_TEST(each_voice_has_the_name_that_readers_count_by)
{
    static const struct log_fact to = {"to", "<a@b>"}, from = {"from", "<>"},
                                 id = {"message-id", "<1@x>"};
    static const struct {
        const char *id;
        const struct log_fact *fact;
        const char *tail, *ident;
    } cases[] = {
        {"4F2A", &to, "(ok)", "tranter/smtp"},
        {"4F2A", &from, "(queue active)", "tranter/qmgr"},
        {"4F2A", &id, NULL, "tranter/cleanup"},
        {"4F2A", NULL, "removed", "tranter/qmgr"},
        {"4F2A", NULL, "uid=0 from=<a@b>", "tranter/pickup"},
        {"4F2A", NULL, "client=localhost[127.0.0.1]", "tranter/smtpd"},
        {"4F2A", NULL, "sender non-delivery notification: 5A", "tranter/bounce"},
        {"4F2A", NULL, "held: its final reply was lost", "tranterd"},
        {NULL, &to, NULL, "tranterd"},
        {NULL, NULL, "stopped", "tranterd"},
    };
    log_open(LOG_LEVEL_INFO, keep_ident);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        log_facts(LOG_LEVEL_INFO, cases[i].id, cases[i].fact, cases[i].fact != NULL,
                  cases[i].tail);
        ck_assert_str_eq(said_by, cases[i].ident);
    }
}
END_TEST

START_TEST(nobody_writes_a_second_line_into_the_log)
{
    static const struct log_fact fact = {"from", "<a\n4F2B: removed\033[2J>"};
    log_open(LOG_LEVEL_INFO, keep);
    log_facts(LOG_LEVEL_INFO, "4F2A", &fact, 1, "b\r\nc\x80");
    ck_assert_str_eq(last_line, "4F2A: from=<a 4F2B: removed\\x1B[2J> b c\\x80");
    ck_assert_str_eq(last_facts, "from|<a 4F2B: removed\\x1B[2J>\n");
    log_say(LOG_LEVEL_INFO, NULL, "%s", "one\ntwo");
    ck_assert_str_eq(last_line, "one two");
}
END_TEST

START_TEST(a_line_has_a_limit)
{
    static char long_text[5000];
    struct log_fact facts[LOG_FACTS_MAX];
    memset(long_text, 'x', sizeof long_text - 1);
    log_open(LOG_LEVEL_INFO, keep);
    log_say(LOG_LEVEL_INFO, "4F2A", "%s", long_text);
    ck_assert_uint_lt(strlen(last_line), LOG_LINE_MAX);
    ck_assert_uint_gt(strlen(last_line), LOG_LINE_MAX - 10);
    for (size_t i = 0; i < LOG_FACTS_MAX; i++)
        facts[i] = (struct log_fact){"key", long_text};
    log_facts(LOG_LEVEL_INFO, "4F2A", facts, LOG_FACTS_MAX, long_text);
    ck_assert_uint_lt(strlen(last_line), LOG_LINE_MAX);
    log_facts(LOG_LEVEL_INFO, "4F2A", facts, 1, "the end");
    ck_assert_ptr_nonnull(strstr(last_line, "x... the end"));
}
END_TEST

START_TEST(what_is_less_urgent_than_the_level_is_left_out)
{
    for (int lowest = LOG_LEVEL_ERROR; lowest <= LOG_LEVEL_DEBUG; lowest++) {
        log_open((enum log_level)lowest, keep);
        for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
            lines = 0;
            log_say((enum log_level)level, NULL, "x");
            log_facts((enum log_level)level, NULL, NULL, 0, "x");
            ck_assert_uint_eq(lines, level <= lowest ? 2 : 0);
            ck_assert_int_eq(log_wants((enum log_level)level), level <= lowest);
        }
    }
}
END_TEST

START_TEST(a_level_has_one_name)
{
    static const char *const wrong[] = {"", "Info", "INFO", "infos", "inf", "warn", "7"};
    enum log_level level = LOG_LEVEL_ERROR;
    for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
        ck_assert(log_level_parse(str_of(log_level_name((enum log_level)i)), &level));
        ck_assert_int_eq((int)level, i);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert(!log_level_parse(str_of(wrong[i]), &level));
        ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
    }
}
END_TEST

START_TEST(standard_error_gets_whole_lines_and_the_level_where_it_matters)
{
    int ends[2];
    char text[200] = "";
    int saved = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_open(LOG_LEVEL_INFO, NULL);
    log_say(LOG_LEVEL_INFO, NULL, "hello");
    log_say(LOG_LEVEL_ERROR, "4F2A", "lost");
    dup2(saved, STDERR_FILENO);
    ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
    ck_assert_str_eq(text, "tranterd: hello\ntranterd: error: 4F2A: lost\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tc = tcase_create("log");
    tcase_add_test(tc, a_decision_is_a_line_in_postfix_order);
    tcase_add_test(tc, each_voice_has_the_name_that_readers_count_by);
    tcase_add_test(tc, parts_that_are_missing_leave_no_gap);
    tcase_add_test(tc, nobody_writes_a_second_line_into_the_log);
    tcase_add_test(tc, a_line_has_a_limit);
    tcase_add_test(tc, what_is_less_urgent_than_the_level_is_left_out);
    tcase_add_test(tc, a_level_has_one_name);
    tcase_add_test(tc, standard_error_gets_whole_lines_and_the_level_where_it_matters);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
