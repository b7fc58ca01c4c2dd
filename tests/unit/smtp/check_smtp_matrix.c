/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every state of the dialogue with everything that can come in it. */
#include "dialogue.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum column {
    EXPECTED,
    OTHER_2YZ,
    OTHER_3YZ,
    TEMPORARY,
    PERMANENT,
    CLOSING,
    END,
    DEADLINE,
    GARBAGE,
    EXTRA, /* the expected reply, and another one in the same breath */
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    "expected", "other 2yz", "other 3yz", "4yz",     "5yz",
    "421",      "EOF",       "deadline",  "garbage", "extra"};

/* What comes; the first is the row's own. */
static const char *const inputs[COLUMNS] = {NULL,
                                            "S: 299 what\n",
                                            "S: 350 what\n",
                                            "S: 450 4.0.0 later\n",
                                            "S: 550 5.0.0 no\n",
                                            "S: 421 4.3.2 bye\n",
                                            "> eof\n",
                                            "> late\n",
                                            "S: what?\n",
                                            NULL};

#define HELLO "S: 220 hi\nC: EHLO me.example\n"
#define IN_TLS                                                                                 \
    HELLO "S: 250-s\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n! STARTTLS\n> secured\n"         \
          "C: EHLO me.example\n"
#define READY HELLO "S: 250-s\nS: 250 PIPELINING\n! IDLE\n"
#define MAIL_SENT "> submit a@b.example c@d\nC: MAIL FROM:<a@b.example>\n"
#define RCPT_SENT MAIL_SENT "S: 250 ok\nC: RCPT TO:<c@d>\n"
#define DATA_SENT RCPT_SENT "S: 250 ok\n! RCPT 0 none\nC: DATA\n"
#define CONTENT_SENT DATA_SENT "S: 354 go\n! BODY\n> body hi\nC: hi\n"
#define DOT_SENT DATA_SENT "S: 354 go\n! BODY\n> last hi\nC: hi\nC: .\n"
#define ONE_DONE READY DOT_SENT "S: 250 ok\n! DONE none\n! IDLE\n"
#define REFUSED                                                                                \
    READY RCPT_SENT "S: 550 no\n! RCPT 0 recipient perm RCPT-REFUSED\n! DONE none\n! IDLE\n"
#define CHUNK_BEGUN                                                                            \
    HELLO                                                                                      \
    "S: 250-s\nS: 250 CHUNKING\n! IDLE\n> submit a@b.example c@d size=8\n"                     \
    "C: MAIL FROM:<a@b.example>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\n! RCPT 0 none\n"      \
    "C: BDAT 8 LAST\n! BODY\n> body hi\nC: hi\n"
#define CHUNK_SENT CHUNK_BEGUN "> last hi\nC: hi\n"
#define GROUP_READY HELLO "S: 250-s\nS: 250-PIPELINING\nS: 250 CHUNKING\n! IDLE\n"
#define GROUP_SENT                                                                             \
    "> submit a@b.example c@d size=4\nC: MAIL FROM:<a@b.example>\nC: RCPT TO:<c@d>\n"          \
    "C: BDAT 4 LAST\n! BODY\n> last hi\nC: hi\n"
#define GROUP_DONE                                                                             \
    GROUP_READY GROUP_SENT                                                                     \
        "S: 250 ok\nS: 250 ok\nS: 250 ok\n! RCPT 0 none\n! DONE none\n! IDLE\n"
#define BYE "C: QUIT\nS: 221 bye\n"
#define DESYNC "! DEAD server temp PROTO-DESYNC\n"
#define NOISE "! DEAD server temp PROTO-GARBAGE\n"
#define CLOSED "! DEAD server temp SERVER-CLOSING\n"
#define LOST "! DEAD server temp LOST-STAGE\n"
#define LATE "! DEAD server temp TIMEOUT-STAGE\n"
#define QUIET "! DEAD none\n"
/* The transaction in flight ends, and with it the connection. */
#define BOTH(fault) "! DONE " fault "\n! DEAD " fault "\n"
#define T_DESYNC BOTH("server temp PROTO-DESYNC")
#define T_NOISE BOTH("server temp PROTO-GARBAGE")
#define T_CLOSED BOTH("server temp SERVER-CLOSING")
#define T_LOST BOTH("server temp LOST-STAGE")
#define T_LATE BOTH("server temp TIMEOUT-STAGE")
#define DOUBT_DESYNC BOTH("message temp ambiguous PROTO-DESYNC")
#define DOUBT_NOISE BOTH("message temp ambiguous PROTO-GARBAGE")
#define ONE_DOUBT_DESYNC "! DONE message temp ambiguous PROTO-DESYNC\n" DESYNC
#define ONE_DOUBT_NOISE "! DONE message temp ambiguous PROTO-GARBAGE\n" NOISE
#define DOUBT_LOST BOTH("message temp ambiguous LOST-AFTERDOT")
#define DOUBT_LATE BOTH("message temp ambiguous TIMEOUT-STAGE")

/* What is then said and told; NULL: it cannot come. */
static const struct row {
    const char *state;
    const char *conf;
    const char *before;
    const char *expected; /* the input of that column */
    const char *then[COLUMNS];
} rows[] = {
    {"greeting",
     "starttls",
     "",
     "S: 220 hi\n",
     {"C: EHLO me.example\n", DESYNC, DESYNC, BYE "! DEAD server temp GREET-421\n",
      BYE "! DEAD server temp GREET-554\n", "! DEAD server temp GREET-421\n",
      "! DEAD server temp TCP-RST-EARLY\n", "! DEAD server temp MODE-SILENT\n", NOISE, DESYNC}},
    {"greeting where TLS is not configured",
     "",
     "",
     "S: 220 hi\n",
     {"C: EHLO me.example\n", DESYNC, DESYNC, BYE "! DEAD server temp GREET-421\n",
      BYE "! DEAD server temp GREET-554\n", "! DEAD server temp GREET-421\n",
      "! DEAD server temp TCP-RST-EARLY\n", LATE, NOISE, DESYNC}},
    {"EHLO in clear",
     "starttls login",
     HELLO,
     "S: 250-s\nS: 250 STARTTLS\n",
     {"C: STARTTLS\n", DESYNC, DESYNC, BYE "! DEAD server temp EHLO-REFUSED\n",
      BYE "! DEAD server perm EHLO-REFUSED\n", "! DEAD server temp GREET-421\n", LOST, LATE,
      NOISE, DESYNC}},
    {"EHLO where neither TLS nor login is configured",
     "",
     HELLO,
     "S: 250 s\n",
     {"! IDLE\n", DESYNC, DESYNC, "C: HELO me.example\n", "C: HELO me.example\n",
      "! DEAD server temp GREET-421\n", LOST, LATE, NOISE, "? IDLE\n" DESYNC}},
    {"HELO",
     "",
     HELLO "S: 500 what\nC: HELO me.example\n",
     "S: 250 s\n",
     {"! IDLE\n", DESYNC, DESYNC, BYE "! DEAD server temp EHLO-REFUSED\n",
      BYE "! DEAD server perm EHLO-REFUSED\n", "! DEAD server temp GREET-421\n", LOST, LATE,
      NOISE, "? IDLE\n" DESYNC}},
    {"STARTTLS",
     "starttls login",
     HELLO "S: 250-s\nS: 250 STARTTLS\nC: STARTTLS\n",
     "S: 220 go\n",
     {"! STARTTLS\n", DESYNC, DESYNC, BYE "! DEAD server temp STARTTLS-TEMP\n",
      BYE "! DEAD account perm STARTTLS-REFUSED\n", CLOSED, LOST, LATE, NOISE,
      "! STARTTLS\n> secured\n! DEAD account perm STARTTLS-INJECT\n"}},
    {"TLS handshake",
     "starttls login",
     HELLO "S: 250-s\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n! STARTTLS\n",
     "> secured\n",
     {"C: EHLO me.example\n", NULL, NULL, NULL, NULL, NULL, "! DEAD server temp TLS-CLOSED\n",
      "! DEAD server temp TLS-TIMEOUT\n", NULL, NULL}},
    {"EHLO in TLS",
     "starttls login",
     IN_TLS,
     "S: 250-s\nS: 250 AUTH PLAIN\n",
     {"! AUTH PLAIN\n", DESYNC, DESYNC, BYE "! DEAD server temp EHLO-REFUSED\n",
      BYE "! DEAD server perm EHLO-REFUSED\n", "! DEAD server temp GREET-421\n", LOST, LATE,
      NOISE, "? AUTH PLAIN\n" DESYNC}},
    {"the owner chooses a mechanism",
     "starttls login",
     IN_TLS "S: 250-s\nS: 250 AUTH PLAIN\n! AUTH PLAIN\n",
     "> auth PLAIN x\n",
     {"C: AUTH PLAIN eA==\n", DESYNC, DESYNC, DESYNC, DESYNC, CLOSED, LOST, NULL, NOISE, NULL}},
    {"AUTH",
     "login",
     HELLO "S: 250-s\nS: 250 AUTH PLAIN\n! AUTH PLAIN\n> auth PLAIN x\nC: AUTH PLAIN eA==\n",
     "S: 235 ok\n",
     {"! IDLE\n", DESYNC, DESYNC, BYE "! DEAD account temp AUTH-TEMP\n",
      BYE "! DEAD account perm AUTH-REJECTED\n", CLOSED, LOST, LATE, NOISE, "? IDLE\n" DESYNC}},
    {"the owner answers a challenge",
     "login",
     HELLO "S: 250-s\nS: 250 AUTH LOGIN\n! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334\n"
           "! CHALLENGE \n",
     "> answer x\n",
     {"C: eA==\n", DESYNC, DESYNC, DESYNC, DESYNC, CLOSED, LOST, NULL, NOISE, NULL}},
    {"AUTH, a later round",
     "login",
     HELLO "S: 250-s\nS: 250 AUTH LOGIN\n! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334\n"
           "! CHALLENGE \n> answer x\nC: eA==\n",
     "S: 334 YQ==\n",
     {"! CHALLENGE a\n", DESYNC, DESYNC, BYE "! DEAD account temp AUTH-TEMP\n",
      BYE "! DEAD account perm AUTH-REJECTED\n", CLOSED, LOST, LATE, NOISE,
      "? CHALLENGE a\n" DESYNC}},
    {"AUTH given up",
     "login",
     HELLO "S: 250-s\nS: 250 AUTH LOGIN\n! AUTH LOGIN\n> auth LOGIN\nC: AUTH LOGIN\nS: 334\n"
           "! CHALLENGE \n> cancel\nC: *\n",
     "S: 501 so\n",
     {BYE "! DEAD account perm TEST\n", BYE "! DEAD account perm TEST\n",
      BYE "! DEAD account perm TEST\n", BYE "! DEAD account perm TEST\n",
      BYE "! DEAD account perm TEST\n", "! DEAD account perm TEST\n",
      "! DEAD account perm TEST\n", "! DEAD account perm TEST\n", "! DEAD account perm TEST\n",
      "! DEAD account perm TEST\n"}},
    {"idle, fresh",
     "",
     READY,
     "> quit\n",
     {"C: QUIT\n", DESYNC, DESYNC, DESYNC, DESYNC, CLOSED, LOST, NULL, NOISE, NULL}},
    {"idle, reused",
     "",
     ONE_DONE,
     MAIL_SENT,
     {"", DESYNC, DESYNC, DESYNC, DESYNC, QUIET, QUIET, NULL, NOISE, NULL}},
    {"MAIL, the connection's first",
     "",
     READY MAIL_SENT,
     "S: 250 ok\n",
     {"C: RCPT TO:<c@d>\n", T_DESYNC, T_DESYNC, "! DONE message temp MSG-TEMP\n! IDLE\n",
      "! DONE sender perm SENDER-NOTOWNED\n! IDLE\n", T_CLOSED, T_LOST, T_LATE, T_NOISE,
      T_DESYNC}},
    {"MAIL, a later one",
     "",
     ONE_DONE MAIL_SENT,
     "S: 250 ok\n",
     {"C: RCPT TO:<c@d>\n", T_DESYNC, T_DESYNC, "! DONE message temp MSG-TEMP\n! IDLE\n",
      "! DONE sender perm SENDER-NOTOWNED\n! IDLE\n", BOTH("server temp RECONNECT"),
      BOTH("server temp RECONNECT"), T_LATE, T_NOISE, T_DESYNC}},
    {"RCPT",
     "",
     READY RCPT_SENT,
     "S: 250 ok\n",
     {"! RCPT 0 none\nC: DATA\n", T_DESYNC, T_DESYNC,
      "! RCPT 0 recipient temp RCPT-TEMP\n! DONE none\n! IDLE\n",
      "! RCPT 0 recipient perm RCPT-REFUSED\n! DONE none\n! IDLE\n", T_CLOSED, T_LOST, T_LATE,
      T_NOISE, "! RCPT 0 none\n" T_DESYNC}},
    {"DATA",
     "",
     READY DATA_SENT,
     "S: 354 go\n",
     {"! BODY\n", T_DESYNC, "! BODY\n", "! DONE message temp MSG-TEMP\n! IDLE\n",
      "! DONE message perm MSG-REFUSED\n! IDLE\n", T_CLOSED, T_LOST, T_LATE, T_NOISE,
      "? BODY\n" T_DESYNC}},
    {"content",
     "",
     READY CONTENT_SENT,
     "> last\n",
     {"C: .\n", T_DESYNC, T_DESYNC, BOTH("message temp MSG-TEMP"),
      BOTH("message perm CONTENT-REJECT"), BOTH("message temp MSG-TEMP"),
      BOTH("message temp LOST-MIDDATA"), BOTH("message temp TCP-MTU"), T_NOISE, NULL}},
    {"final dot",
     "",
     READY DOT_SENT,
     "S: 250 ok\n",
     {"! DONE none\n! IDLE\n", "! DONE none\n! IDLE\n", DOUBT_DESYNC,
      "! DONE message temp MSG-TEMP\n! IDLE\n", "! DONE message perm CONTENT-REJECT\n! IDLE\n",
      BOTH("message temp MSG-TEMP"), DOUBT_LOST, DOUBT_LATE, DOUBT_NOISE,
      "! DONE none\n? IDLE\n" DESYNC}},
    {"a lone dot",
     "pipelining",
     READY MAIL_SENT "C: RCPT TO:<c@d>\nC: DATA\nS: 250 ok\nS: 550 5.1.1 who\nS: 354 go\n"
                     "! RCPT 0 recipient perm RCPT-UNKNOWN\nC: .\n",
     "S: 554 nobody\n",
     {"! DONE none\n! IDLE\n", "! DONE none\n! IDLE\n", "! DONE none\n! IDLE\n",
      "! DONE none\n! IDLE\n", "! DONE none\n! IDLE\n", BOTH("none"), BOTH("none"),
      BOTH("none"), BOTH("none"), "! DONE none\n? IDLE\n" DESYNC}},
    {"RSET",
     "",
     REFUSED "> submit a@b.example c@d\nC: RSET\n",
     "S: 250 ok\n",
     {"C: MAIL FROM:<a@b.example>\n", "C: MAIL FROM:<a@b.example>\n", T_DESYNC,
      BYE BOTH("server temp PROTO-DESYNC"), BYE BOTH("server temp PROTO-DESYNC"),
      BOTH("server temp RECONNECT"), BOTH("server temp RECONNECT"), T_LATE, T_NOISE, T_DESYNC}},
    {"BDAT, with its content",
     "chunking",
     CHUNK_SENT,
     "S: 250 ok\n",
     {"! DONE none\n! IDLE\n", "! DONE none\n! IDLE\n", DOUBT_DESYNC,
      "! DONE message temp MSG-TEMP\n! IDLE\n", "! DONE message perm CONTENT-REJECT\n! IDLE\n",
      BOTH("message temp MSG-TEMP"), DOUBT_LOST, DOUBT_LATE, DOUBT_NOISE,
      "! DONE none\n? IDLE\n" DESYNC}},
    {"BDAT, while its content goes out",
     "chunking",
     CHUNK_BEGUN,
     "> last hi\n",
     {"C: hi\n", T_DESYNC, T_DESYNC, BOTH("message temp MSG-TEMP"),
      BOTH("message perm CONTENT-REJECT"), BOTH("message temp MSG-TEMP"),
      BOTH("message temp LOST-MIDDATA"), BOTH("message temp TCP-MTU"), T_NOISE, NULL}},
    /* All of the message is out before the first reply. */
    {"MAIL with its BDAT behind it, the connection's first",
     "pipelining chunking",
     GROUP_READY GROUP_SENT,
     "S: 250 ok\n",
     {"", DOUBT_DESYNC, DOUBT_DESYNC, "", "", T_CLOSED, DOUBT_LOST, DOUBT_LATE, DOUBT_NOISE,
      NULL}},
    {"MAIL with its BDAT behind it, a later one",
     "pipelining chunking",
     GROUP_DONE GROUP_SENT,
     "S: 250 ok\n",
     {"", DOUBT_DESYNC, DOUBT_DESYNC, "", "", BOTH("server temp RECONNECT"), DOUBT_LOST,
      DOUBT_LATE, DOUBT_NOISE, NULL}},
    {"RCPT with BDAT behind it",
     "pipelining chunking",
     GROUP_READY GROUP_SENT "S: 250 ok\n",
     "S: 250 ok\n",
     {"! RCPT 0 none\n", DOUBT_DESYNC, DOUBT_DESYNC, "! RCPT 0 recipient temp RCPT-TEMP\n",
      "! RCPT 0 recipient perm RCPT-REFUSED\n", T_CLOSED, DOUBT_LOST, DOUBT_LATE, DOUBT_NOISE,
      NULL}},
    {"BDAT behind it",
     "pipelining chunking",
     GROUP_READY GROUP_SENT "S: 250 ok\nS: 250 ok\n! RCPT 0 none\n",
     "S: 250 ok\n",
     {"! DONE none\n! IDLE\n", "! DONE none\n! IDLE\n", DOUBT_DESYNC,
      "! DONE message temp MSG-TEMP\n! IDLE\n", "! DONE message perm CONTENT-REJECT\n! IDLE\n",
      BOTH("message temp MSG-TEMP"), DOUBT_LOST, DOUBT_LATE, DOUBT_NOISE,
      "! DONE none\n? IDLE\n" DESYNC}},
    {"BDAT behind a refused MAIL",
     "pipelining chunking",
     GROUP_READY GROUP_SENT "S: 451 4.3.0 later\nS: 503 5.5.1 no\n",
     "S: 503 5.5.1 no\n",
     {"! DONE message temp MSG-TEMP\n! IDLE\n", ONE_DOUBT_DESYNC, ONE_DOUBT_DESYNC,
      "! DONE message temp MSG-TEMP\n! IDLE\n", "! DONE message temp MSG-TEMP\n! IDLE\n",
      "! DONE message temp MSG-TEMP\n" CLOSED, "! DONE message temp MSG-TEMP\n" LOST,
      "! DONE message temp MSG-TEMP\n" LATE, ONE_DOUBT_NOISE,
      "! DONE message temp MSG-TEMP\n? IDLE\n" DESYNC}},
    {"BDAT behind refused recipients",
     "pipelining chunking",
     GROUP_READY GROUP_SENT
     "S: 250 ok\nS: 550 5.1.1 who\n! RCPT 0 recipient perm RCPT-UNKNOWN\n",
     "S: 554 5.5.1 nobody\n",
     {"! DONE none\n! IDLE\n", ONE_DOUBT_DESYNC, ONE_DOUBT_DESYNC, "! DONE none\n! IDLE\n",
      "! DONE none\n! IDLE\n", "! DONE none\n" CLOSED, "! DONE none\n" LOST,
      "! DONE none\n" LATE, ONE_DOUBT_NOISE, "! DONE none\n? IDLE\n" DESYNC}},
    {"QUIT",
     "",
     READY "> quit\nC: QUIT\n",
     "S: 221 bye\n",
     {QUIET, QUIET, QUIET, QUIET, QUIET, QUIET, QUIET, QUIET, QUIET, QUIET}},
};

START_TEST(every_cell_of_the_branch_matrix_holds)
{
    const struct row *row = &rows[_i];
    for (int column = 0; column < COLUMNS; column++) {
        char name[128], conf[64], script[4096];
        if (!row->then[column])
            continue;
        bool extra = column == EXTRA;
        snprintf(name, sizeof name, "%s: %s", row->state, column_names[column]);
        snprintf(conf, sizeof conf, "%s%s", row->conf, extra ? " whole" : "");
        snprintf(script, sizeof script, "%s%s%s%s", row->before,
                 inputs[column] ? inputs[column] : row->expected, extra ? "S: 250 extra\n" : "",
                 row->then[column]);
        dialogue_run(&(struct dialogue){name, conf, script});
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_matrix");
    TCase *tc = tcase_create("smtp_matrix");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, every_cell_of_the_branch_matrix_holds, 0,
                        (int)(sizeof rows / sizeof rows[0]));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
