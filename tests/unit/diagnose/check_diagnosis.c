/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a diagnosis is put together from: transcript, steps, notes, conclusion, and its texts.
 */
#include "conclude.h"
#include "diagnosis_text.h"
#include "notes.h"
#include "steps.h"

#include "sockname.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A dialogue: a line a thing; "C: " and "S: " as usual, "TLS" where it comes up. Then the
 * exchanges: "command|code|secured". */
static const struct {
    const char *dialogue, *exchanges;
} dialogues[] = {
    {"S: 220 hi", "|220|0\n"},
    {"", "|0|0\n"},
    {"S: 220-a\nS: 220 b\nC: EHLO me\nS: 250-s\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 "
     "go\nTLS\nC: EHLO me\nS: 250 s",
     "|220|0\nEHLO me|250|0\nSTARTTLS|220|0\nEHLO me|250|1\n"},
    {"TLS\nS: 220 hi", "|220|1\n"},
    {"S: 220 s\nC: AUTH PLAIN AGEAc2VjcmV0\nS: 235 ok\nC: MAIL FROM:<a@b>\nS: 250 ok",
     "|220|0\nAUTH PLAIN (secret)|235|0\nMAIL FROM:<a@b>|250|0\n"},
    {"S: 220 s\nC: auth login\nS: 334 c2VjcmV0\nC: dXNlcg==\nS: 334 c2VjcmV0\nC: c2VjcmV0\nS: "
     "535 no\nC: QUIT\nS: 221 bye",
     "|220|0\nAUTH login|334|0\n(secret)|334|0\n(secret)|535|0\nQUIT|221|0\n"},
    {"S: 220 s\nC: AUTH X c2VjcmV0\nS: 504 what\nC: AUTH PLAIN c2VjcmV0\nS: 235 ok",
     "|220|0\nAUTH X (secret)|504|0\nAUTH PLAIN (secret)|235|0\n"},
    {"S: 220 s\nC: AUTH X\nS: 334 \nC: AUTH c2VjcmV0\nS: 235 ok",
     "|220|0\nAUTH X|334|0\n(secret)|235|0\n"},
    {"S: 220 s\nC: AUTH X\nS: 334 \nC: *\nS: 501 so\nC: QUIT",
     "|220|0\nAUTH X|334|0\n(secret)|501|0\nQUIT|0|0\n"},
    {"S: 220 s\nC: MAIL FROM:<a@b>\nC: RCPT TO:<c@d>\nS: 250 ok\nS: 550 no",
     "|220|0\nMAIL FROM:<a@b>|250|0\nRCPT TO:<c@d>|550|0\n"},
    {"S: nonsense\nC: EHLO me\nS: 250 s", "|0|0\nEHLO me|0|0\n"},
    {"S: 220 s\nS: 220 twice\nC: EHLO me\nS: 250 s", "|220|0\nEHLO me|250|0\n"},
};

static void play_line(struct transcript *t, struct str line, size_t step)
{
    struct buf wire;
    if (str_eq(line, STR_LIT("TLS"))) {
        transcript_secured(t, 1000);
        return;
    }
    buf_init(&wire, 10000);
    buf_put_str(&wire, str_tail(line, 3));
    buf_puts(&wire, "\r\n");
    for (struct str rest = buf_str(&wire); rest.n; rest = str_tail(rest, step)) {
        if (line.p[0] == 'C')
            transcript_sent(t, str_head(rest, step), 1000);
        else
            transcript_received(t, str_head(rest, step), 1007);
    }
    buf_release(&wire);
}

static void play(struct transcript *t, const char *dialogue, size_t step)
{
    struct str rest = str_of(dialogue);
    transcript_init(t, 1000);
    for (struct str line; (line = str_word(&rest, "\n")).n;)
        play_line(t, line, step);
}

START_TEST(each_command_has_its_reply_and_no_secret)
{
    static const size_t pieces[] = {10000, 1, 3};
    for (size_t p = 0; p < 3; p++) {
        struct transcript t;
        struct buf got;
        play(&t, dialogues[_i].dialogue, pieces[p]);
        buf_init(&got, 10000);
        for (unsigned i = 0; i < t.n; i++) {
            const struct transcript_exchange *e = &t.exchanges[i];
            buf_printf(&got, "%s|%u|%d\n", e->command, e->code, e->secured);
            struct str lines = buf_str(&e->lines);
            for (size_t at = 0; at < lines.n; at++)
                ck_assert(!str_starts_nocase(str_tail(lines, at), STR_LIT("c2VjcmV0")));
            ck_assert_int_eq(e->answered_ms, e->code ? 1007 : -1);
        }
        buf_putc(&got, '\0');
        ck_assert_str_eq(buf_str(&got).p, dialogues[_i].exchanges);
        buf_release(&got);
        transcript_release(&t);
    }
}
END_TEST

START_TEST(a_transcript_has_limits_and_is_printable)
{
    struct transcript t;
    char flood[3000];
    memset(flood, 'x', sizeof flood);
    play(&t, "S: 220 \x1b[2J\nC: EHLO \x1b[2J", 10000);
    transcript_sent(&t, (struct str){flood, sizeof flood}, 1000);
    transcript_sent(&t, STR_LIT("\r\n"), 1000);
    for (int i = 0; i < 200; i++)
        transcript_sent(&t, STR_LIT("NOOP\r\n"), 1000);
    for (int i = 0; i < 300; i++)
        transcript_received(&t, STR_LIT("250 ok\r\n"), 1000);
    ck_assert_uint_eq(t.n, TRANSCRIPT_MAX);
    ck_assert_str_eq(t.exchanges[1].command, "EHLO \\x1B[2J");
    ck_assert_uint_lt(strlen(t.exchanges[2].command), TRANSCRIPT_LINE_MAX);
    struct str lines = buf_str(&t.exchanges[0].lines);
    ck_assert(str_eq(lines, STR_LIT("220 \\x1B[2J\n")));
    transcript_release(&t);
}
END_TEST

/* A walk that came through, whose parts the tests take away. */
static struct walk_facts facts;
static struct conf_smarthost smarthost;
static struct conf conf;
static char ehlo_name[] = "me.example", literal[] = "[192.0.2.7]", host[] = "smtp.example.com",
            name[] = "main", user[] = "a@b.example";

#define WALKED                                                                                 \
    "S: 220 s\nC: EHLO me\nS: 250-s\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\nC: EHLO "   \
    "me\nS: 250-s\nS: 250 AUTH PLAIN\nC: AUTH PLAIN c2VjcmV0\nS: 235 ok\nC: MAIL "             \
    "FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\nC: RSET\nS: 250 ok\nC: QUIT\nS: 221 " \
    "bye"

static void walked(const char *dialogue)
{
    memset(&facts, 0, sizeof facts);
    facts.began_ms = 1;
    facts.resolved_ms = 3;
    facts.connected_ms = 4;
    facts.tls_ms = 5;
    facts.n_addresses = 1;
    ck_assert(sockname_of_ip(STR_LIT("192.0.2.1"), 587, &facts.addresses[0].address,
                             &facts.addresses[0].length));
    facts.addresses[0].state = DIAL_CONNECTED;
    snprintf(facts.peer, sizeof facts.peer, "192.0.2.1");
    snprintf(facts.tls, sizeof facts.tls, "TLSv1.3 X");
    facts.secured = facts.ready = facts.logged_in = true;
    facts.asked_sender = facts.asked_recipient = facts.over = true;
    play(&facts.transcript, dialogue, 10000);
}

static void set_up(void)
{
    memset(&smarthost, 0, sizeof smarthost);
    smarthost = (struct conf_smarthost){.name = name, .host = host, .port = 587, .user = user};
    conf = (struct conf){.ehlo_name = ehlo_name};
}

static void tear_down(void)
{
    if (facts.began_ms)
        transcript_release(&facts.transcript);
    facts.began_ms = 0;
}

static void check_steps(const char *expected)
{
    struct step steps[STEPS_MAX];
    char got[400] = "";
    unsigned n = steps_of(&facts, smarthost.tls, smarthost.port, steps);
    for (unsigned i = 0; i < n; i++) {
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%s%s", i ? " " : "", steps[i].name,
                 steps[i].state == STEP_GOOD     ? ""
                 : steps[i].state == STEP_FAILED ? "!"
                                                 : "?");
    }
    ck_assert_str_eq(got, expected);
    steps_release(steps, n);
}

START_TEST(a_walk_is_told_in_steps)
{
    walked(WALKED);
    check_steps("resolve connect greeting EHLO STARTTLS TLS EHLO AUTH MAIL RCPT RSET");
    facts.resolved_ms = -1; /* it was an address */
    check_steps("connect greeting EHLO STARTTLS TLS EHLO AUTH MAIL RCPT RSET");
}
END_TEST

START_TEST(implicit_tls_comes_before_the_greeting)
{
    smarthost.tls = CONF_TLS_IMPLICIT;
    walked("TLS\nS: 220 s\nC: EHLO me\nS: 250 s");
    check_steps("resolve connect TLS greeting EHLO");
}
END_TEST

START_TEST(the_last_step_is_under_way_or_failed)
{
    walked("S: 220 s\nC: EHLO me");
    facts.secured = facts.over = false;
    check_steps("resolve connect greeting EHLO?");
    facts.over = true;
    check_steps("resolve connect greeting EHLO!");
    facts.peer[0] = '\0';
    check_steps("resolve connect!");
    facts.n_addresses = 0;
    check_steps("resolve!");
    facts.over = false;
    check_steps("resolve?");
}
END_TEST

START_TEST(tls_that_fails_is_the_last_step)
{
    walked("S: 220 s\nC: EHLO me\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go");
    facts.secured = false;
    fault_set(&facts.fault, FAULT_ACCOUNT, "4.7.5", "CERT-HOST", "no");
    check_steps("resolve connect greeting EHLO STARTTLS TLS!");
}
END_TEST

START_TEST(what_could_not_be_begun_is_a_step)
{
    walked("S: 220 s\nC: EHLO me\nS: 250 s\nC: QUIT\nS: 221 bye");
    facts.secured = false;
    fault_set(&facts.fault, FAULT_ACCOUNT, "5.7.0", "STARTTLS-MISSING", "no");
    check_steps("resolve connect greeting EHLO STARTTLS!");
    fault_set(&facts.fault, FAULT_ACCOUNT, "5.7.0", "AUTH-NOMECH", "no");
    check_steps("resolve connect greeting EHLO AUTH!");
}
END_TEST

static struct diagnosis diagnosis_of(const struct fault *verdict)
{
    struct diagnosis d = {.smarthost = &smarthost, .facts = &facts, .over = true};
    if (verdict)
        d.verdict = *verdict;
    return d;
}

static bool has_note(const struct diagnosis *d, const char *part)
{
    for (unsigned i = 0; i < d->n_notes; i++)
        if (strstr(d->notes[i], part))
            return true;
    return false;
}

START_TEST(what_is_no_fault_is_noted)
{
    struct tls_certificate certificate = {.subject = "CN=x", .valid_until = 1000000};
    walked(WALKED);
    struct diagnosis d = diagnosis_of(NULL);
    notes_take(&d, &conf, 0);
    ck_assert(has_note(&d, "login is offered inside TLS alone")); /* D-46 */
    ck_assert_uint_eq(d.n_notes, 1);
    facts.missed_ipv6 = true;                           /* D-09 */
    facts.transcript.exchanges[0].answered_ms += 20000; /* D-31 */
    facts.chain = &certificate;
    facts.n_chain = 1;
    smarthost.verify = CONF_VERIFY_NONE;
    conf.ehlo_name = literal;
    d = diagnosis_of(NULL);
    notes_take(&d, &conf, 0);
    ck_assert(has_note(&d, "IPv6 to smtp.example.com does not work"));
    ck_assert(has_note(&d, "took 20 s to greet"));
    ck_assert(has_note(&d, "expires in 11 days"));
    ck_assert(has_note(&d, "nobody knows who the server is"));
    ck_assert(has_note(&d, "says EHLO [192.0.2.7]"));
    facts.chain = NULL;
    facts.n_chain = 0;
}
END_TEST

/* What ports were found to speak: port, speech, "v" verified, "r" ready, "c" the certificate
 * was bad; the mechanisms there. */
static const struct {
    const char *code;
    uint16_t port;
    enum conf_tls tls;
    struct probe_result results[4];
    int exit_status;
    const char *better, *text, *fix;
} conclusions[] = {
#define GOOD(port, speech)                                                                     \
    {                                                                                          \
        port, speech, true, true, "PLAIN LOGIN", ""                                            \
    }
    {"TCP-REFUSED",
     587,
     CONF_TLS_STARTTLS,
     {GOOD(465, PROBE_IMPLICIT)},
     78,
     "TCP-REFUSED",
     "what happened; port 465 speaks TLS from the first byte and offers the logins PLAIN LOGIN",
     "set port = 465, and leave tls out"},
    {"TCP-TIMEOUT",
     465,
     CONF_TLS_IMPLICIT,
     {GOOD(587, PROBE_STARTTLS)},
     78,
     "TCP-TIMEOUT",
     "port 587 speaks SMTP with STARTTLS",
     "set port = 587, and leave tls out"},
    {"TCP-TIMEOUT",
     465,
     CONF_TLS_IMPLICIT,
     {GOOD(587, PROBE_IMPLICIT)},
     78,
     "TCP-TIMEOUT",
     "port 587 speaks TLS",
     "set port = 587, and set tls = \"implicit\""},
    {"TCP-TIMEOUT",
     465,
     CONF_TLS_IMPLICIT,
     {{587, PROBE_NOTHING, false, false, "", "no"}},
     75,
     "TCP-TIMEOUT",
     "; of the ports 587 none would do either",
     "what to do"},
    {"TCP-REFUSED",
     587,
     CONF_TLS_STARTTLS,
     {{465, PROBE_IMPLICIT, false, false, "", "expired"}},
     78,
     "TCP-REFUSED",
     "none would do either",
     "what to do"},
    {"TCP-REFUSED",
     587,
     CONF_TLS_STARTTLS,
     {{465, PROBE_IMPLICIT, true, true, "NTLM", ""}},
     78,
     "TCP-REFUSED",
     "none would do either",
     "what to do"},
    {"MODE-SILENT",
     465,
     CONF_TLS_STARTTLS,
     {GOOD(465, PROBE_IMPLICIT)},
     78,
     "MODE-SILENT",
     "smtp.example.com port 465 speaks TLS from the first byte, not STARTTLS",
     "set tls = \"implicit\", or leave tls out"},
    {"LOST-STAGE",
     2000,
     CONF_TLS_STARTTLS,
     {GOOD(2000, PROBE_IMPLICIT), GOOD(587, PROBE_STARTTLS)},
     78,
     "MODE-SILENT",
     "port 2000 speaks TLS",
     "set tls = \"implicit\"; or set port = 587, and leave tls out"},
    {"MODE-TLSBYTES",
     587,
     CONF_TLS_STARTTLS,
     {{587, PROBE_IMPLICIT, false, false, "", "expired"}},
     78,
     "MODE-TLSBYTES",
     "(and then: expired)",
     "set tls = \"implicit\""},
    {"MODE-PLAINBANNER",
     587,
     CONF_TLS_IMPLICIT,
     {GOOD(587, PROBE_STARTTLS)},
     78,
     "MODE-PLAINBANNER",
     "port 587 speaks SMTP with STARTTLS",
     "set tls = \"starttls\", or leave"},
    {"TLS-TIMEOUT",
     465,
     CONF_TLS_IMPLICIT,
     {GOOD(465, PROBE_STARTTLS)},
     78,
     "MODE-PLAINBANNER",
     "port 465 speaks SMTP with STARTTLS",
     "set tls = \"starttls\""},
    {"AUTH-REJECTED",
     587,
     CONF_TLS_STARTTLS,
     {GOOD(465, PROBE_IMPLICIT)},
     78,
     "AUTH-REJECTED",
     "what happened",
     "what to do"},
};

START_TEST(a_conclusion_is_drawn_from_what_the_ports_speak)
{
    struct fault f;
    unsigned n = 0;
    bool wants = strcmp(conclusions[_i].code, "AUTH-REJECTED") != 0;
    while (conclusions[_i].results[n].port)
        n++;
    smarthost.port = conclusions[_i].port;
    smarthost.tls = conclusions[_i].tls;
    fault_set(&f, FAULT_SERVER, "4.4.1", conclusions[_i].code, "what happened");
    fault_fix(&f, "what to do");
    ck_assert_int_eq(conclude_wants_probes(&f), wants);
    conclude(&f, &smarthost, "SCRAM-SHA-256 PLAIN", conclusions[_i].results, n);
    ck_assert_str_eq(f.code, conclusions[_i].better);
    ck_assert_msg(strstr(f.text, conclusions[_i].text) != NULL, "%s", f.text);
    ck_assert_msg(strstr(f.fix, conclusions[_i].fix) == f.fix, "%s", f.fix);
    ck_assert_int_eq(conclude_exit_status(&f), conclusions[_i].exit_status);
}
END_TEST

START_TEST(without_a_login_any_port_that_speaks_will_do)
{
    struct fault f;
    struct probe_result silent = {465, PROBE_IMPLICIT, true, true, "", ""};
    fault_set(&f, FAULT_SERVER, "4.4.1", "TCP-REFUSED", "what happened");
    conclude(&f, &smarthost, NULL, &silent, 1);
    ck_assert_ptr_nonnull(strstr(f.text,
                                 "port 465 speaks TLS from the first byte and offers no "
                                 "login"));
    ck_assert_str_eq(f.fix, "set port = 465, and leave tls out");
}
END_TEST

static const struct {
    uint16_t port;
    const char *ports;
} neighbours[] = {
    {587, "587 465 25"},
    {465, "465 587 25"},
    {25, "25 587 465"},
    {10025, "10025 587 465 25"},
    {2525, "2525 587 465 25 2587 2465"},
};

START_TEST(the_neighbours_of_a_port_are_known)
{
    uint16_t ports[PROBE_PORTS_MAX];
    char got[100] = "";
    unsigned n = probe_ports(neighbours[_i].port, ports);
    for (unsigned i = 0; i < n; i++) {
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%u", i ? " " : "", ports[i]);
    }
    ck_assert_str_eq(got, neighbours[_i].ports);
}
END_TEST

/* Told piece by piece, it is the same as told at once. */
START_TEST(the_text_grows_with_the_walk)
{
    struct fault f;
    struct buf whole, pieces;
    unsigned shown = 0;
    fault_set(&f, FAULT_SENDER, "5.7.1", "SENDER-NOTOWNED", "not yours");
    fault_fix(&f, "be another");
    buf_init(&whole, 100000);
    buf_init(&pieces, 100000);
    walked(WALKED);
    struct diagnosis d = diagnosis_of(&f);
    diagnosis_text_put(&whole, &d, &shown, 0);
    d.over = facts.over = false;
    shown = 0;
    unsigned n = facts.transcript.n;
    for (facts.transcript.n = 1; facts.transcript.n < n; facts.transcript.n++)
        diagnosis_text_put(&pieces, &d, &shown, 0);
    d.over = facts.over = true;
    diagnosis_text_put(&pieces, &d, &shown, 0);
    ck_assert(str_eq(buf_str(&whole), buf_str(&pieces)));
    buf_putc(&whole, '\0');
    const char *text = buf_str(&whole).p;
    ck_assert_ptr_nonnull(strstr(text,
                                 "smarthost \"main\": smtp.example.com port 587, STARTTLS, "
                                 "login as a@b.example\n"));
    ck_assert_ptr_nonnull(strstr(text, "  resolve   ok            3 ms  192.0.2.1\n"));
    ck_assert_ptr_nonnull(strstr(text, "verdict: sender SENDER-NOTOWNED: not yours\n"));
    ck_assert_ptr_nonnull(strstr(text, "to mend it: be another\n"));
    ck_assert_ptr_null(strstr(text, "c2Vj"));
    buf_release(&whole);
    buf_release(&pieces);
}
END_TEST

START_TEST(the_json_is_one_line_whatever_servers_say)
{
    struct buf out;
    json_error_t error;
    buf_init(&out, 100000);
    walked("S: 220 \xff\x1b\"\\\nC: EHLO me\nS: 250-\xff\nS: 250 \"\\\x85");
    struct diagnosis d = diagnosis_of(NULL);
    diagnosis_json_put(&out, &d, 0);
    struct str text = buf_str(&out);
    ck_assert_uint_eq(str_find(text, '\n'), text.n - 1);
    json_t *o = json_loadb(text.p, text.n, 0, &error);
    ck_assert_msg(o != NULL, "%s", error.text);
    ck_assert(json_is_true(json_object_get(json_object_get(o, "verdict"), "ok")));
    json_decref(o);
    buf_release(&out);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("diagnosis");
    TCase *tc = tcase_create("diagnosis");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, each_command_has_its_reply_and_no_secret, 0, COUNT(dialogues));
    tcase_add_test(tc, a_transcript_has_limits_and_is_printable);
    tcase_add_test(tc, a_walk_is_told_in_steps);
    tcase_add_test(tc, implicit_tls_comes_before_the_greeting);
    tcase_add_test(tc, the_last_step_is_under_way_or_failed);
    tcase_add_test(tc, tls_that_fails_is_the_last_step);
    tcase_add_test(tc, what_could_not_be_begun_is_a_step);
    tcase_add_test(tc, what_is_no_fault_is_noted);
    tcase_add_loop_test(tc, a_conclusion_is_drawn_from_what_the_ports_speak, 0,
                        COUNT(conclusions));
    tcase_add_test(tc, without_a_login_any_port_that_speaks_will_do);
    tcase_add_loop_test(tc, the_neighbours_of_a_port_are_known, 0, COUNT(neighbours));
    tcase_add_test(tc, the_text_grows_with_the_walk);
    tcase_add_test(tc, the_json_is_one_line_whatever_servers_say);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
