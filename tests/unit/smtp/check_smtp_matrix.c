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
#define BYE "C: QUIT\nS: 221 bye\n"
#define DESYNC "! DEAD server temp PROTO-DESYNC\n"
#define NOISE "! DEAD server temp PROTO-GARBAGE\n"
#define CLOSED "! DEAD server temp SERVER-CLOSING\n"
#define LOST "! DEAD server temp LOST-STAGE\n"
#define LATE "! DEAD server temp TIMEOUT-STAGE\n"
#define QUIET "! DEAD none\n"

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
     {"C: RCPT TO:<c@d>\n", DESYNC, DESYNC, "! DONE message temp MSG-TEMP\n! IDLE\n",
      "! DONE sender perm SENDER-NOTOWNED\n! IDLE\n", CLOSED, LOST, LATE, NOISE, DESYNC}},
    {"MAIL, a later one",
     "",
     ONE_DONE MAIL_SENT,
     "S: 250 ok\n",
     {"C: RCPT TO:<c@d>\n", DESYNC, DESYNC, "! DONE message temp MSG-TEMP\n! IDLE\n",
      "! DONE sender perm SENDER-NOTOWNED\n! IDLE\n", "! DEAD server temp RECONNECT\n",
      "! DEAD server temp RECONNECT\n", LATE, NOISE, DESYNC}},
    {"RCPT",
     "",
     READY RCPT_SENT,
     "S: 250 ok\n",
     {"! RCPT 0 none\nC: DATA\n", DESYNC, DESYNC,
      "! RCPT 0 recipient temp RCPT-TEMP\n! DONE none\nC: RSET\n",
      "! RCPT 0 recipient perm RCPT-REFUSED\n! DONE none\nC: RSET\n", CLOSED, LOST, LATE, NOISE,
      "! RCPT 0 none\n" DESYNC}},
    {"DATA",
     "",
     READY DATA_SENT,
     "S: 354 go\n",
     {"! BODY\n", DESYNC, "! BODY\n", "! DONE message temp MSG-TEMP\nC: RSET\n",
      "! DONE message perm MSG-REFUSED\nC: RSET\n", CLOSED, LOST, LATE, NOISE,
      "? BODY\n" DESYNC}},
    {"content",
     "",
     READY CONTENT_SENT,
     "> last\n",
     {"C: .\n", DESYNC, DESYNC, "! DEAD message temp MSG-TEMP\n",
      "! DEAD message perm CONTENT-REJECT\n", "! DEAD message temp MSG-TEMP\n",
      "! DEAD message temp LOST-MIDDATA\n", "! DEAD message temp TIMEOUT-STAGE\n", NOISE,
      NULL}},
    {"final dot",
     "",
     READY DOT_SENT,
     "S: 250 ok\n",
     {"! DONE none\n! IDLE\n", "! DONE none\n! IDLE\n",
      "! DEAD message temp ambiguous PROTO-DESYNC\n", "! DONE message temp MSG-TEMP\n! IDLE\n",
      "! DONE message perm CONTENT-REJECT\n! IDLE\n", "! DEAD message temp MSG-TEMP\n",
      "! DEAD message temp ambiguous LOST-AFTERDOT\n",
      "! DEAD message temp ambiguous TIMEOUT-STAGE\n",
      "! DEAD message temp ambiguous PROTO-GARBAGE\n", "! DONE none\n? IDLE\n" DESYNC}},
    {"a lone dot",
     "pipelining",
     READY MAIL_SENT "C: RCPT TO:<c@d>\nC: DATA\nS: 250 ok\nS: 550 5.1.1 who\nS: 354 go\n"
                     "! RCPT 0 recipient perm RCPT-UNKNOWN\n! DONE none\nC: .\n",
     "S: 554 nobody\n",
     {"! IDLE\n", "! IDLE\n", "! IDLE\n", "! IDLE\n", "! IDLE\n", QUIET, QUIET, QUIET, QUIET,
      "? IDLE\n" DESYNC}},
    {"RSET",
     "",
     READY RCPT_SENT "S: 550 no\n! RCPT 0 recipient perm RCPT-REFUSED\n! DONE none\nC: RSET\n",
     "S: 250 ok\n",
     {"! IDLE\n", "! IDLE\n", BYE QUIET, BYE QUIET, BYE QUIET, QUIET, QUIET, QUIET, QUIET,
      "? IDLE\n" DESYNC}},
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
