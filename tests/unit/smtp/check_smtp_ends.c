/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a session ends by itself: time, the end of file, the end of us. */
#include "server_player.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "EHLO client.example\r\n"
#define ENVELOPE "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"

static struct server_player player;

static void start(void)
{
    struct smtp_server_conf conf = server_player_conf();
    server_player_init(&player, &conf);
}

static void start_with(int64_t command_timeout_ms, int64_t data_timeout_ms)
{
    struct smtp_server_conf conf = server_player_conf();
    conf.command_timeout_ms = command_timeout_ms;
    conf.data_timeout_ms = data_timeout_ms;
    server_player_release(&player);
    server_player_init(&player, &conf);
}

static void stop(void)
{
    server_player_release(&player);
}

static void play(const char *text)
{
    server_player_say(&player, text);
}

static unsigned said(const char *code)
{
    return server_player_count(&player, code);
}

static void expect_events(const char *events)
{
    server_player_expect(&player, events);
}

static void play_at(int64_t now_ms, const char *text)
{
    player.now_ms = now_ms;
    play(text);
}

START_TEST(a_silent_client_is_left_after_its_time)
{
    start_with(1000, 0);
    ck_assert_int_eq(smtp_server_deadline(player.server), 1000);
    play_at(500, HELLO "MAIL FROM:<a@x>\r\n");
    ck_assert_int_eq(smtp_server_deadline(player.server), 1500);
    smtp_server_tick(player.server, 500);
    play_at(900, "RCPT TO:<drip");
    play_at(1400, "ping@x>");
    ck_assert_int_eq(smtp_server_deadline(player.server), 1500);
    smtp_server_tick(player.server, 1499);
    server_player_pump(&player);
    ck_assert(!player.closed);
    smtp_server_tick(player.server, 1500);
    server_player_pump(&player);
    ck_assert_uint_eq(said("421 4.4.2 relay.example closes: no command came for 1 s"), 1);
    expect_events(" MAIL:a@x ABORT CLOSE");
    ck_assert_int_eq(smtp_server_deadline(player.server), INT64_MAX);
    smtp_server_tick(player.server, 9999);
    ck_assert_uint_eq(buf_len(smtp_server_out(player.server)), 0);
}
END_TEST

START_TEST(content_has_its_own_time)
{
    start_with(0, 1000);
    ck_assert_int_eq(smtp_server_deadline(player.server), INT64_MAX);
    play_at(5000, HELLO ENVELOPE "DATA\r\n");
    smtp_server_tick(player.server, 5000);
    ck_assert_int_eq(smtp_server_deadline(player.server), 6000);
    play_at(5900, "abc");
    ck_assert_int_eq(smtp_server_deadline(player.server), 6900);
    smtp_server_tick(player.server, 6900);
    server_player_pump(&player);
    ck_assert_uint_eq(said("421 4.4.2 relay.example closes: no content came for 1 s, behind 3"),
                      1);
    expect_events(" MAIL:a@x RCPT:b@y DATA ABORT CLOSE");
}
END_TEST

START_TEST(no_time_runs_while_the_owner_thinks)
{
    start_with(1000, 1000);
    play_at(0, HELLO);
    player.late = true;
    smtp_server_feed(player.server, "MAIL FROM:<a@x>\r\n", 17, 100);
    server_player_pump(&player);
    ck_assert_int_eq(smtp_server_deadline(player.server), INT64_MAX);
    smtp_server_tick(player.server, 50000);
    server_player_answer(&player);
    smtp_server_tick(player.server, 60000);
    server_player_pump(&player);
    ck_assert(!player.closed);
    ck_assert_int_eq(smtp_server_deadline(player.server), 61000);
    smtp_server_feed(player.server, "RSET\r\n", 6, 60500);
    server_player_pump(&player);
    ck_assert_int_eq(smtp_server_deadline(player.server), 61500);
}
END_TEST

START_TEST(an_owner_that_takes_content_late_blames_no_client)
{
    start_with(0, 1000);
    play_at(0, HELLO ENVELOPE "DATA\r\n");
    smtp_server_feed(player.server, "abc\r\n", 5, 100);
    smtp_server_tick(player.server, 5000);
    server_player_pump(&player);
    ck_assert(!player.closed);
}
END_TEST

static void end_file(void)
{
    smtp_server_eof(player.server);
    server_player_pump(&player);
}

static const struct ending {
    const char *name;
    const char *client;
    const char *events;
} endings[] = {
    {"at once", "", " CLOSE"},
    {"within a command", "EHLO x\r\nMAIL FROM:<a@x>", " CLOSE"},
    {"within the line end of a command", "EHLO x\r\nMAIL FROM:<a@x>\r", " CLOSE"},
    {"in a transaction", HELLO ENVELOPE, " MAIL:a@x RCPT:b@y ABORT CLOSE"},
    {"before content", HELLO ENVELOPE "DATA\r\n", " MAIL:a@x RCPT:b@y DATA ABORT CLOSE"},
    {"within content", HELLO ENVELOPE "DATA\r\n|x\r\n.\r",
     " MAIL:a@x RCPT:b@y DATA ABORT CLOSE"},
    {"after a message", HELLO ENVELOPE "DATA\r\n|x\r\n.\r\n",
     " MAIL:a@x RCPT:b@y DATA EOM CLOSE"},
    {"after QUIT", "QUIT\r\n", " CLOSE"},
};

START_TEST(end_of_file_ends_the_session_and_stores_nothing_cut)
{
    play(endings[_i].client);
    end_file();
    ck_assert(player.closed);
    expect_events(endings[_i].events);
}
END_TEST

START_TEST(end_of_file_within_a_long_line_ends_the_session)
{
    static char line[5000] = "NOOP ";
    memset(line + 5, 'x', sizeof(line) - 5);
    server_player_play(&player, (struct str){line, sizeof(line)}, 0, SIZE_MAX);
    end_file();
    expect_events(" CLOSE");
}
END_TEST

/* As a file with a whole session is swept (compat 5.3.3). */
START_TEST(what_came_before_the_end_of_file_is_still_obeyed)
{
    static const char session[] = HELLO ENVELOPE "DATA\r\nx\r\n.\r\n" ENVELOPE "RSET\r\nNOOP";
    ck_assert_uint_eq(smtp_server_feed(player.server, session, strlen(session), 0),
                      strlen(session));
    end_file();
    expect_events(" MAIL:a@x RCPT:b@y DATA EOM MAIL:a@x RCPT:b@y ABORT CLOSE");
}
END_TEST

START_TEST(end_of_file_waits_for_the_answer_in_hand)
{
    player.late = true;
    play(HELLO ENVELOPE "DATA\r\n");
    smtp_server_feed(player.server, "x\r\n.\r\n", 6, 0);
    server_player_pump(&player);
    end_file();
    expect_events(" MAIL:a@x RCPT:b@y DATA EOM");
    server_player_answer(&player);
    server_player_pump(&player);
    expect_events(" CLOSE");
}
END_TEST

static void shut_down(void)
{
    smtp_server_shutdown(player.server, 0);
    server_player_pump(&player);
}

static const struct stopping {
    const char *name;
    const char *before;
    const char *events; /* at once */
    const char *after;
    const char *later;
    unsigned closes_at_once; /* replies 421 */
    unsigned closes_later;
} stoppings[] = {
    {"before a greeting", "", " CLOSE", "", "", 1, 0},
    {"between transactions", HELLO, " CLOSE", "", "", 1, 0},
    {"after a refused sender", HELLO "MAIL FROM:<refused@x>\r\n", " MAIL:refused@x CLOSE", "",
     "", 1, 0},
    {"in a transaction", HELLO ENVELOPE, " MAIL:a@x RCPT:b@y", "DATA\r\n", " ABORT CLOSE", 0,
     1},
    {"in a transaction that quits", HELLO ENVELOPE, " MAIL:a@x RCPT:b@y", "QUIT\r\n",
     " ABORT CLOSE", 0, 0},
    {"in content", HELLO ENVELOPE "DATA\r\n|x\r\n", " MAIL:a@x RCPT:b@y DATA", "y\r\n.\r\n",
     " EOM CLOSE", 0, 1},
    {"in bad content", HELLO ENVELOPE "DATA\r\n|x\n", " MAIL:a@x RCPT:b@y DATA", "y\r\n.\r\n",
     " ABORT CLOSE", 0, 1},
};

START_TEST(shutdown_finishes_what_is_in_hand)
{
    const struct stopping *t = &stoppings[_i];
    play(t->before);
    buf_clear(&player.wire);
    shut_down();
    expect_events(t->events);
    ck_assert_uint_eq(said("421 4.3.2 relay.example closes because"), t->closes_at_once);
    play(t->after);
    expect_events(t->later);
    ck_assert_uint_eq(said("421 4.3.2 relay.example closes because"), t->closes_later);
}
END_TEST

START_TEST(a_second_shutdown_waits_for_no_client)
{
    play(HELLO ENVELOPE "DATA\r\n|x\r\n");
    shut_down();
    shut_down();
    ck_assert_uint_eq(said("421"), 1);
    expect_events(" MAIL:a@x RCPT:b@y DATA ABORT CLOSE");
}
END_TEST

START_TEST(a_second_shutdown_waits_for_the_answer_in_hand)
{
    play(HELLO ENVELOPE "DATA\r\n");
    player.late = true;
    smtp_server_feed(player.server, "x\r\n.\r\n", 6, 0);
    server_player_pump(&player);
    shut_down();
    shut_down();
    expect_events(" MAIL:a@x RCPT:b@y DATA EOM");
    server_player_answer(&player);
    server_player_pump(&player);
    ck_assert_uint_eq(said("250 2.0.0 owner ok"), 1);
    expect_events(" CLOSE");
}
END_TEST

#define ADD_LOOP(tc, test, rows)                                                               \
    tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof((rows)[0]))

static TCase *ends(void)
{
    TCase *tc = tcase_create("time and ends");
    tcase_add_checked_fixture(tc, start, stop);
    tcase_add_test(tc, a_silent_client_is_left_after_its_time);
    tcase_add_test(tc, content_has_its_own_time);
    tcase_add_test(tc, no_time_runs_while_the_owner_thinks);
    tcase_add_test(tc, an_owner_that_takes_content_late_blames_no_client);
    ADD_LOOP(tc, end_of_file_ends_the_session_and_stores_nothing_cut, endings);
    tcase_add_test(tc, end_of_file_within_a_long_line_ends_the_session);
    tcase_add_test(tc, what_came_before_the_end_of_file_is_still_obeyed);
    tcase_add_test(tc, end_of_file_waits_for_the_answer_in_hand);
    ADD_LOOP(tc, shutdown_finishes_what_is_in_hand, stoppings);
    tcase_add_test(tc, a_second_shutdown_waits_for_no_client);
    tcase_add_test(tc, a_second_shutdown_waits_for_the_answer_in_hand);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("smtp_ends");
    suite_add_tcase(suite, ends());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
