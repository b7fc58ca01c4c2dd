/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a dialogue as text does not show: limits, and who the client is. */
#include "server_player.h"

#include <check.h>
#include <stdio.h>
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

static void stop(void)
{
    server_player_release(&player);
}

static void play(const char *text)
{
    server_player_say(&player, text);
}

static void play_times(const char *text, unsigned n)
{
    while (n-- > 0)
        play(text);
}

static unsigned said(const char *code)
{
    return server_player_count(&player, code);
}

static void expect_events(const char *events)
{
    server_player_expect(&player, events);
}

START_TEST(the_twentieth_bad_command_ends_the_session)
{
    play_times("XYZZY\r\n", 19);
    ck_assert_uint_eq(said("500 5.5.2"), 19);
    play("STARTTLS\r\n");
    ck_assert_uint_eq(said("421 4.7.0 relay.example closes after 20 bad"), 1);
    expect_events(" CLOSE");
    for (int i = 0; i < SMTP_SERVER_IN_MAX; i++)
        ck_assert_uint_eq(smtp_server_feed(player.server, "NOOP\r\n", 6, 0), 6);
    server_player_pump(&player);
    ck_assert_uint_eq(buf_len(&player.wire), 0);
}
END_TEST

START_TEST(a_message_forgives_bad_commands)
{
    for (int i = 0; i < 3; i++) {
        play_times("XYZZY\r\n", 18);
        play(HELLO ENVELOPE "DATA\r\n|.\r\n");
    }
    ck_assert_uint_eq(said("500"), 54);
    ck_assert(!player.closed);
    player.rules = EOM_REFUSED;
    play(ENVELOPE "DATA\r\n|.\r\n");
    play_times("XYZZY\r\n", 19);
    player.rules = 0;
    ck_assert_uint_eq(said("421"), 0);
    play("XYZZY\r\n");
    ck_assert_uint_eq(said("421"), 1);
}
END_TEST

START_TEST(bad_recipients_do_not_cost_the_good_ones)
{
    play(HELLO "MAIL FROM:<a@x>\r\n");
    play_times("RCPT TO:<refused@y>\r\n", 500);
    play_times("RCPT TO:<a..b@y>\r\n", 500);
    play("RCPT TO:<b@y>\r\nDATA\r\n|.\r\n");
    ck_assert_uint_eq(said("250 2.0.0 owner ok"), 1);
    play("MAIL FROM:<refused@x>\r\n");
    play_times("RCPT TO:<b@y>\r\n", 999);
    play("DATA\r\n");
    ck_assert_uint_eq(said("503"), 1000);
    ck_assert(!player.closed);
}
END_TEST

START_TEST(commands_that_move_nothing_have_a_limit)
{
    play_times("NOOP\r\n", 500);
    play_times("EHLO x\r\n", 500);
    ck_assert(!player.closed);
    play(ENVELOPE "DATA\r\n|.\r\n");
    play_times("RSET\r\n", 1000);
    play_times("VRFY x\r\n", 19);
    ck_assert_uint_eq(said("421"), 0);
    play("NOOP\r\n");
    ck_assert_uint_eq(said("421"), 1);
    ck_assert(player.closed);
}
END_TEST

/* "NOOP xxx\r\n" of n octets. */
static void noop_of(struct buf *line, size_t n)
{
    buf_puts(line, "NOOP ");
    for (size_t i = 7; i < n; i++)
        buf_putc(line, 'x');
    buf_puts(line, "\r\n");
}

START_TEST(a_line_of_4096_octets_is_the_longest)
{
    struct buf lines;
    buf_init(&lines, 1 << 20);
    noop_of(&lines, SMTP_SERVER_LINE_MAX);
    noop_of(&lines, SMTP_SERVER_LINE_MAX + 1);
    noop_of(&lines, 2 * SMTP_SERVER_LINE_MAX - 1);
    noop_of(&lines, 2 * SMTP_SERVER_LINE_MAX);
    noop_of(&lines, 2 * SMTP_SERVER_LINE_MAX + 1);
    buf_puts(&lines, "NOOP\r\n");
    static const size_t sizes[] = {1, 2, 63, 1000, 4095, 4096, 4097, 1 << 20};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        stop();
        start();
        server_player_play(&player, buf_str(&lines), 0, sizes[i]);
        ck_assert(server_player_said(&player,
                                     "220 *\n250 2.0.0 Ok\n500 5.5.2 This command line "
                                     "is over the limit of 4096*\n500 *\n500 *\n500 *\n"
                                     "250 2.0.0 Ok"));
        ck_assert(!player.closed);
    }
    buf_release(&lines);
}
END_TEST

START_TEST(a_line_without_end_ends_the_session)
{
    char piece[1000];
    memset(piece, 'x', sizeof(piece));
    size_t fed = 0;
    while (!player.closed) {
        ck_assert_uint_le(fed, 100 * 1024);
        fed += smtp_server_feed(player.server, piece, sizeof(piece), 0);
        server_player_pump(&player);
    }
    ck_assert_uint_eq(said("421 4.7.0"), 1);
    expect_events(" CLOSE");
}
END_TEST

START_TEST(a_long_http_line_from_the_network_ends_the_session)
{
    struct smtp_server_conf conf = server_player_conf();
    conf.network = true;
    stop();
    server_player_init(&player, &conf);
    struct buf line;
    buf_init(&line, 1 << 20);
    buf_puts(&line, "GET /");
    for (int i = 0; i < SMTP_SERVER_LINE_MAX; i++)
        buf_putc(&line, 'x');
    server_player_play(&player, buf_str(&line), 0, SIZE_MAX);
    ck_assert_uint_eq(said("421 4.7.0"), 1);
    expect_events(" CLOSE");
    buf_release(&line);
}
END_TEST

/* The longest answers to the shortest commands, from a client that reads none. */
static const char *const chatter[] = {
    "HELP\r\n",
    "EHLO x\r\n",
    "x\r\n",
    "MAIL FROM:<> SIZE=101\r\n",
    "MAIL FROM:<a@x> SIZE=101\r\nRCPT TO:<b@y>\r\n",
};

START_TEST(answers_that_nobody_reads_are_bounded)
{
    struct smtp_server_event e;
    struct buf *out = smtp_server_out(player.server);
    play("EHLO x\r\n");
    size_t n = strlen(chatter[_i]);
    for (int i = 0; i < 5000; i++) {
        ck_assert_uint_eq(smtp_server_feed(player.server, chatter[_i], n, 0), n);
        smtp_server_next(player.server, &e);
    }
    ck_assert_uint_le(buf_len(out), (SMTP_SERVER_SPARE_MAX + SMTP_SERVER_ERRORS_MAX) * 512);
    buf_clear(&player.wire);
    server_player_pump(&player);
    ck_assert_uint_eq(said("421 4.7.0"), 1);
}
END_TEST

START_TEST(input_waits_for_the_answer_and_is_bounded)
{
    static char content[3 * SMTP_SERVER_IN_MAX];
    memset(content, 'x', sizeof(content));
    player.late = true;
    server_player_pump(&player);
    static const char commands[] = HELLO "MAIL FROM:<a@x>\r\n";
    smtp_server_feed(player.server, commands, strlen(commands), 0);
    server_player_pump(&player);
    ck_assert_int_eq(player.asked, SMTP_SERVER_MAIL);
    ck_assert_uint_eq(smtp_server_feed(player.server, content, sizeof(content), 0),
                      SMTP_SERVER_IN_MAX);
    ck_assert_uint_eq(smtp_server_feed(player.server, content, 1, 0), 0);
    buf_clear(&player.wire);
    server_player_pump(&player);
    ck_assert_uint_eq(buf_len(&player.wire), 0);
    server_player_answer(&player);
    server_player_pump(&player);
    ck_assert_uint_eq(said("250 2.1.0 owner"), 1);
}
END_TEST

START_TEST(large_content_comes_through_whole_in_bounded_pieces)
{
    struct smtp_server_conf conf = server_player_conf();
    conf.message_limit_bytes = 0;
    stop();
    server_player_init(&player, &conf);
    play(HELLO "MAIL FROM:<a@x> SIZE=18446744073709551615\r\nRCPT TO:<b@y>\r\nDATA\r\n");
    struct buf wire, content;
    buf_init(&wire, 4 << 20);
    buf_init(&content, 4 << 20);
    for (int i = 0; i < 40000; i++) {
        buf_printf(&content, "%s line %d ..\r\n", i % 5 ? "" : ".", i);
        buf_printf(&wire, "%s line %d ..\r\n", i % 5 ? "" : "..", i);
    }
    buf_puts(&wire, ".\r\n");
    server_player_play(&player, buf_str(&wire), 0, 100000);
    ck_assert(str_eq(buf_str(&player.content), buf_str(&content)));
    ck_assert_uint_eq(said("250 2.0.0 owner ok"), 1);
    buf_release(&wire);
    buf_release(&content);
}
END_TEST

START_TEST(refused_content_is_kept_from_the_owner)
{
    play(HELLO ENVELOPE "DATA\r\n|a\r\n|b\nc|d\r\n|\r\n.\r\n");
    ck_assert(str_eq(buf_str(&player.content), STR_LIT("a\r\n")));
    buf_clear(&player.content);
    play(ENVELOPE "DATA\r\n");
    for (int i = 0; i < 19; i++)
        play("1234567890");
    ck_assert_uint_eq(buf_len(&player.content), 100);
}
END_TEST

START_TEST(lmtp_answers_a_thousand_recipients)
{
    struct smtp_server_conf conf = server_player_conf();
    conf.recipient_limit = 1000;
    stop();
    server_player_init(&player, &conf);
    play("LHLO x\r\nMAIL FROM:<a@x>\r\n");
    play_times("RCPT TO:<b@y>\r\n", 1000);
    play("RCPT TO:<b@y>\r\n");
    ck_assert_uint_eq(said("452 4.5.3 The message has 1000 recipients"), 1);
    play("DATA\r\n|.\r\n");
    ck_assert_uint_eq(said("250 2.0.0 owner ok"), 1000);
}
END_TEST

START_TEST(the_owners_sentence_becomes_one_harmless_line)
{
    char sentence[1000];
    memset(sentence, 'x', sizeof(sentence));
    memcpy(sentence, "a\r\n250 b \x1b[2J \xc3\xa4 %s", 19);
    sentence[sizeof(sentence) - 1] = '\0';
    player.late = true;
    play(HELLO);
    smtp_server_feed(player.server, "MAIL FROM:<a@x>\r\n", 17, 0);
    server_player_pump(&player);
    buf_clear(&player.wire);
    smtp_server_reply(player.server, 550, "5.7.1", "%s", sentence);
    player.asked = SMTP_SERVER_WAIT;
    server_player_pump(&player);
    ck_assert(server_player_said(&player, "550 5.7.1 a 250 b \\x1B[2J ?? %sxxx*") ||
              server_player_said(&player, "550 5.7.1 a 250 b \\x1b[2J ?? %sxxx*"));
    ck_assert_uint_le(buf_len(&player.wire), 512);
    ck_assert_uint_ge(buf_len(&player.wire), 400);
}
END_TEST

static const struct identity {
    const char *client;
    const char *protocol;
    const char *name;
} identities[] = {
    {"", "", ""},
    {"MAIL FROM:<>\r\n", "", ""},
    {"EHLO host.example\r\n", "ESMTP", "host.example"},
    {"HELO [192.0.2.1]\r\n", "SMTP", "[192.0.2.1]"},
    {"LHLO [IPv6:::1]\r\n", "LMTP", "[IPv6:::1]"},
    {"EHLO a_b-c.d (evil; \"x\\\") <y@z>\r\n", "ESMTP", "a_b-c.devilxyz"},
    {"EHLO a\r\nHELO b\r\n", "SMTP", "b"},
    {"EHLO a\r\nLHLO b\r\n", "ESMTP", "a"},
    {"EHLO a\r\nEHLO\r\n", "ESMTP", "a"},
};

START_TEST(protocol_and_name_are_known_and_safe)
{
    play(identities[_i].client);
    ck_assert_str_eq(smtp_server_protocol(player.server), identities[_i].protocol);
    ck_assert_str_eq(smtp_server_peer_name(player.server), identities[_i].name);
}
END_TEST

START_TEST(a_long_name_is_cut)
{
    play("EHLO ");
    for (int i = 0; i < 300; i++)
        play("x");
    play("\r\n");
    ck_assert_uint_eq(strlen(smtp_server_peer_name(player.server)), SMTP_SERVER_PEER_NAME_MAX);
}
END_TEST

#define ADD_LOOP(tc, test, rows)                                                               \
    tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof((rows)[0]))

static TCase *limits(void)
{
    TCase *tc = tcase_create("limits");
    tcase_add_checked_fixture(tc, start, stop);
    tcase_add_test(tc, the_twentieth_bad_command_ends_the_session);
    tcase_add_test(tc, a_message_forgives_bad_commands);
    tcase_add_test(tc, bad_recipients_do_not_cost_the_good_ones);
    tcase_add_test(tc, commands_that_move_nothing_have_a_limit);
    tcase_add_test(tc, a_line_of_4096_octets_is_the_longest);
    tcase_add_test(tc, a_line_without_end_ends_the_session);
    tcase_add_test(tc, a_long_http_line_from_the_network_ends_the_session);
    ADD_LOOP(tc, answers_that_nobody_reads_are_bounded, chatter);
    tcase_add_test(tc, input_waits_for_the_answer_and_is_bounded);
    tcase_add_test(tc, large_content_comes_through_whole_in_bounded_pieces);
    tcase_add_test(tc, refused_content_is_kept_from_the_owner);
    tcase_add_test(tc, lmtp_answers_a_thousand_recipients);
    tcase_add_test(tc, the_owners_sentence_becomes_one_harmless_line);
    ADD_LOOP(tc, protocol_and_name_are_known_and_safe, identities);
    tcase_add_test(tc, a_long_name_is_cut);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("smtp_session");
    suite_add_tcase(suite, limits());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
