/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_fault.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(stage) SMTP_STAGE_##stage, #stage

static const struct judgement {
    enum smtp_stage stage;
    const char *stage_name;
    const char *reply;
    const char *facts; /* any of: tls login authed one null local */
    const char *fault; /* scope, temp or perm, status, code */
} judgements[] = {
    {AT(GREETING), "421 4.3.2 busy", "", "server temp 4.3.2 GREET-421"},
    {AT(GREETING), "554 5.7.1 blocked", "", "server temp 4.3.2 GREET-554"},
    {AT(EHLO), "421 bye", "", "server temp 4.3.2 GREET-421"},
    {AT(EHLO), "502 5.5.1 EHLO what", "", "server perm 5.5.1 EHLO-REFUSED"},
    {AT(EHLO), "501 5.5.4 bad", "", "account perm 5.5.4 EHLO-NAME"},
    {AT(EHLO), "504 5.5.2 <me>: Helo command rejected: need fully-qualified hostname", "",
     "account perm 5.5.4 EHLO-NAME"},
    {AT(EHLO), "550 5.7.1 access denied", "", "server perm 5.5.1 EHLO-REFUSED"},
    {AT(STARTTLS), "454 4.7.0 later", "", "server temp 4.7.0 STARTTLS-TEMP"},
    {AT(STARTTLS), "501 no", "", "account perm 5.7.0 STARTTLS-REFUSED"},

    {AT(AUTH), "535 5.7.8 no", "tls login", "account perm 5.7.8 AUTH-REJECTED"},
    {AT(RESPONSE), "535 5.7.8 no", "tls login", "account perm 5.7.8 AUTH-REJECTED"},
    {AT(AUTH), "535 5.7.139 Authentication unsuccessful", "tls login",
     "account perm 5.7.8 AUTH-BASICOFF"},
    {AT(AUTH), "535 5.7.3 SmtpClientAuthentication is disabled for the Tenant", "tls login",
     "account perm 5.7.8 AUTH-BASICOFF"},
    {AT(AUTH), "535 5.7.0 (#AUTH005) Too many bad auth attempts", "tls login",
     "account temp 4.7.0 AUTH-TOOMANY"},
    {AT(AUTH), "534 5.7.9 Application-specific password required", "tls login",
     "account perm 5.7.9 AUTH-APPPASSWORD"},
    {AT(AUTH), "535 5.7.8 use an app password", "tls login",
     "account perm 5.7.8 AUTH-APPPASSWORD"},
    {AT(AUTH), "534 5.7.14 log in via your web browser", "tls login",
     "account perm 5.7.8 AUTH-WEBLOGIN"},
    {AT(AUTH), "454 4.7.0 backend", "tls login", "account temp 4.7.0 AUTH-TEMP"},
    {AT(AUTH), "454 4.7.0 Too many login attempts", "tls login",
     "account temp 4.7.0 AUTH-TOOMANY"},
    {AT(AUTH), "421 4.7.0 Too many attempts", "tls login", "account temp 4.7.0 AUTH-TOOMANY"},
    {AT(AUTH), "432 4.7.12 transition", "tls login", "account temp 4.7.12 AUTH-TRANSITION"},
    {AT(AUTH), "451 Authentication failed: Maximum credits exceeded", "tls login",
     "account temp 4.4.5 QUOTA-DAY"},
    {AT(AUTH), "503 already authenticated", "tls login", "account perm 5.7.8 AUTH-REJECTED"},
    {AT(AUTH), "530 5.7.0 Must issue a STARTTLS command first", "login",
     "account perm 5.7.0 TLS-REQUIRED-FIRST"},
    {AT(AUTH), "538 encryption needed", "login", "account perm 5.7.11 TLS-REQUIRED-FIRST"},

    {AT(MAIL), "530 5.7.0 Must issue a STARTTLS command first", "",
     "account perm 5.7.0 TLS-REQUIRED-FIRST"},
    {AT(MAIL), "530 5.7.0 Authentication required", "tls",
     "account perm 5.7.0 AUTH-NOTCONFIGURED"},
    {AT(MAIL), "530 5.7.57 Client not authenticated", "tls login authed",
     "account perm 5.7.8 AUTH-REJECTED"},
    {AT(MAIL), "550 5.7.57 Client not authenticated", "tls",
     "account perm 5.7.0 AUTH-NOTCONFIGURED"},
    {AT(MAIL), "550 5.7.1 authentication required", "tls login authed",
     "account perm 5.7.8 AUTH-REJECTED"},
    {AT(MAIL), "535 5.7.8 no", "tls login authed", "account perm 5.7.8 AUTH-REJECTED"},
    {AT(FINAL), "550 5.7.30 Basic authentication is not supported", "tls login authed",
     "account perm 5.7.8 AUTH-BASICOFF"},
    {AT(FINAL), "550 5.7.30 REQUIRETLS support required", "tls login authed",
     "message perm 5.7.30 TLS-SERVERSIDE"},
    {AT(FINAL), "550 5.4.5 Daily user sending quota exceeded", "tls login authed",
     "account temp 4.4.5 QUOTA-DAY"},
    {AT(FINAL), "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
     "tls login authed", "account temp 4.4.5 QUOTA-DAY"},
    {AT(FINAL), "550 5.4.6 Unusual sending activity detected", "tls login authed",
     "account perm 5.7.0 ACCOUNT-BLOCKED"},
    {AT(FINAL), "554 5.4.6 hop count exceeded", "tls login authed",
     "message perm 5.4.6 LOOP-HOPS"},
    {AT(FINAL), "554 5.1.8 Access denied, bad outbound sender", "tls login authed",
     "account perm 5.7.0 ACCOUNT-BLOCKED"},
    {AT(RCPT), "550 5.7.708 Service unavailable", "tls login authed one",
     "account perm 5.7.0 ACCOUNT-BLOCKED"},
    {AT(RCPT), "550 5.2.1 account is suspended", "tls login authed one",
     "recipient perm 5.2.1 RCPT-UNKNOWN"},

    {AT(MAIL), "432 4.3.2 Concurrent connections limit exceeded", "tls login authed",
     "server temp 4.3.2 RATE-CONN"},
    {AT(DATA), "432 4.3.2 Concurrent connections limit exceeded", "tls login authed",
     "server temp 4.3.2 RATE-CONN"},
    {AT(RCPT), "421 4.7.0 Too many connections", "tls one", "server temp 4.3.2 RATE-CONN"},
    {AT(MAIL), "451 4.7.0 Rate limit exceeded", "tls", "server temp 4.7.0 RATE-MSG"},
    {AT(MAIL), "454 Throttling failure", "tls", "server temp 4.7.0 RATE-MSG"},
    {AT(MAIL), "451 4.3.0 Temporary lookup failure", "tls", "message temp 4.3.0 MSG-TEMP"},
    {AT(MAIL), "451 corporate moderate generator", "tls", "message temp 4.0.0 MSG-TEMP"},
    {AT(MAIL), "452 4.3.1 Insufficient system storage", "tls", "message temp 4.3.1 MSG-TEMP"},

    {AT(MAIL), "553 not yours", "tls login authed", "sender perm 5.7.1 SENDER-NOTOWNED"},
    {AT(MAIL), "550 5.7.60 not permitted to send as this sender", "tls login authed",
     "sender perm 5.7.60 SENDER-NOTOWNED"},
    {AT(MAIL), "554 5.7.1 no", "tls login authed", "sender perm 5.7.1 SENDER-NOTOWNED"},
    {AT(MAIL), "501 5.1.7 bad", "tls login authed", "sender perm 5.1.7 SENDER-NOTOWNED"},
    {AT(MAIL), "553 5.1.8 no such domain", "tls login authed local",
     "sender perm 5.1.8 SENDER-LOCAL"},
    {AT(MAIL), "501 no", "tls login authed null", "sender perm 5.7.1 SENDER-NULL"},
    {AT(MAIL), "552 5.3.4 too big", "tls login authed null", "message perm 5.3.4 SIZE-REMOTE"},
    {AT(MAIL), "552 too big", "tls login authed local", "message perm 5.3.4 SIZE-REMOTE"},
    {AT(MAIL), "555 5.5.4 parameter", "tls", "message perm 5.5.4 MSG-REFUSED"},
    {AT(MAIL), "554 failed", "tls", "message perm 5.0.0 MSG-REFUSED"},
    {AT(FINAL), "554 Email address is not verified.", "tls login authed",
     "sender perm 5.7.1 SENDER-NOTOWNED"},
    {AT(RCPT), "553 5.7.1 <a@b>: Sender address rejected: not owned by user x",
     "tls login authed one", "sender perm 5.7.1 SENDER-NOTOWNED"},
    {AT(FINAL), "553 Relaying disallowed as a@b", "tls login authed",
     "sender perm 5.7.1 SENDER-NOTOWNED"},

    {AT(MAIL), "403 The from address does not match a verified Sender Identity", "tls authed",
     "sender temp 4.7.1 SENDER-NOTOWNED"},
    {AT(GREETING), "421 4.7.66 TLS 1.0 and 1.1 are not supported", "tls",
     "account perm 5.7.66 TLS-VERSION"},
    {AT(RCPT), "550 5.7.10 Encryption required by recipient's domain", "tls one",
     "recipient perm 5.7.10 TLS-SERVERSIDE"},
    {AT(RCPT), "554 5.4.6 Routing loop detected", "tls one", "recipient perm 5.4.6 LOOP-HOPS"},

    {AT(RCPT), "550 5.1.1 who", "tls one", "recipient perm 5.1.1 RCPT-UNKNOWN"},
    {AT(RCPT), "550 who", "tls one", "recipient perm 5.0.0 RCPT-REFUSED"},
    {AT(RCPT), "550 4.1.1 who", "tls one", "recipient perm 5.0.0 RCPT-REFUSED"},
    {AT(RCPT), "501 5.1.3 bad", "tls one", "recipient perm 5.1.3 RCPT-SYNTAX"},
    {AT(RCPT), "450 4.2.1 receiving mail at a rate that", "tls one",
     "recipient temp 4.2.1 RCPT-TEMP"},
    {AT(RCPT), "452 4.5.3 enough", "tls one", "recipient temp 4.5.3 RCPT-TOOMANY"},
    {AT(RCPT), "554 5.7.1 Relay access denied", "tls one", "account perm 5.7.1 RELAY-DENIED"},
    {AT(RCPT), "454 4.7.1 Relay access denied", "tls one", "account perm 5.7.1 RELAY-DENIED"},
    {AT(RCPT), "550 5.7.1 Unable to relay", "tls login authed one",
     "recipient perm 5.7.1 RELAY-DENIED-AUTH"},
    {AT(RCPT), "552 5.2.2 mailbox full", "tls one", "recipient perm 5.2.2 RCPT-REFUSED"},

    {AT(DATA), "554 5.5.1 no valid recipients", "tls", "message perm 5.5.1 MSG-REFUSED"},
    {AT(FINAL), "554 5.7.1 spam", "tls", "message perm 5.7.1 CONTENT-REJECT"},
    {AT(FINAL), "552 5.3.4 big", "tls", "message perm 5.3.4 SIZE-REMOTE"},
    {AT(FINAL), "550 5.6.0 bare LF", "tls", "message perm 5.6.0 CONTENT-HEADER"},
    {AT(FINAL), "451 4.7.1 greylisted, try again later", "tls", "message temp 4.7.1 MSG-TEMP"},
    {AT(FINAL), "421 4.7.0 too many connections", "tls", "message temp 4.3.2 MSG-TEMP"},
    {AT(CONTENT), "421 bye", "tls", "message temp 4.3.2 MSG-TEMP"},
    {AT(FINAL), "550 5.1.1 who", "one", "recipient perm 5.1.1 RCPT-UNKNOWN"},
    {AT(FINAL), "550 5.1.1 who", "", "message perm 5.1.1 CONTENT-REJECT"},
    {AT(FINAL), "451 4.3.0 disk", "one", "recipient temp 4.3.0 MSG-TEMP"},
};

static struct smtp_facts facts_from(enum smtp_stage stage, const char *name, const char *words)
{
    return (struct smtp_facts){
        .stage = stage,
        .stage_name = name,
        .ehlo_name = "me.example",
        .sender = strstr(words, "null")    ? ""
                  : strstr(words, "local") ? "root@web1"
                                           : "a@b.example",
        .recipient = strstr(words, "one") ? "c@d.example" : NULL,
        .secured = strstr(words, "tls") != NULL,
        .login = strstr(words, "login") != NULL,
        .authenticated = strstr(words, "authed") != NULL,
    };
}

static void read_reply(struct smtp_reply *r, const char *text)
{
    size_t taken = 0;
    smtp_reply_init(r, SMTP_REPLY_LINE_MAX);
    smtp_reply_feed(r, str_of(text), &taken, NULL);
    ck_assert_int_eq(smtp_reply_feed(r, STR_LIT("\r\n"), &taken, NULL), SMTP_REPLY_GOOD);
}

START_TEST(a_reply_is_judged_by_what_it_says_where)
{
    const struct judgement *j = &judgements[_i];
    struct smtp_facts facts = facts_from(j->stage, j->stage_name, j->facts);
    struct smtp_reply r;
    struct fault f;
    char got[256];
    read_reply(&r, j->reply);
    smtp_fault_of_reply(&f, &facts, &r);
    snprintf(got, sizeof got, "%s %s %s %s", fault_scope_name(f.scope),
             f.permanent ? "perm" : "temp", f.status, f.code);
    ck_assert_msg(strcmp(got, j->fault) == 0, "%s at %s (%s): expected %s, got %s", j->reply,
                  j->stage_name, j->facts, j->fault, got);
    ck_assert_str_eq(f.reply, j->reply);
    smtp_reply_release(&r);
}
END_TEST

/* One fault for each code, with and without status, at each stage, whatever the facts. */
static void check_any(enum smtp_stage stage, unsigned code, const char *status,
                      const char *words)
{
    struct smtp_facts facts = facts_from(stage, "STAGE", words);
    struct smtp_reply r;
    struct fault f;
    char text[64];
    snprintf(text, sizeof text, "%u %s", code, status);
    read_reply(&r, text);
    smtp_fault_of_reply(&f, &facts, &r);
    ck_assert_msg(f.scope != FAULT_NONE && f.code[0] && f.text[0] && !f.ambiguous, "%s at %d",
                  text, (int)stage);
    ck_assert_msg(!strchr(f.text, '{') && !strchr(f.fix, '{'), "%s: %s | %s", text, f.text,
                  f.fix);
    ck_assert_msg(f.permanent == (f.status[0] == '5'), "%s: %s", text, f.status);
    /* Only what was said to be for good may return mail. */
    bool returns = f.permanent && (f.scope == FAULT_MESSAGE || f.scope == FAULT_RECIPIENT);
    ck_assert_msg(!returns || (code >= 500 && stage >= SMTP_STAGE_MAIL), "%s at %d", text,
                  (int)stage);
    smtp_reply_release(&r);
}

START_TEST(every_refusal_at_every_stage_is_somebody_s_and_mail_returns_only_for_good_reasons)
{
    static const char *const facts[] = {"",    "tls",      "tls login authed", "login",
                                        "one", "tls null", "tls local"};
    static const char *const classes[][3] = {{"", "4.7.1", "4.2.2"}, {"", "5.7.1", "5.1.1"}};
    for (unsigned code = 400; code < 560; code++) {
        for (int stage = SMTP_STAGE_HANDSHAKE; stage <= SMTP_STAGE_DEAD; stage++) {
            for (size_t i = 0; i < 3 * sizeof facts / sizeof facts[0]; i++)
                check_any((enum smtp_stage)stage, code, classes[code / 100 - 4][i % 3],
                          facts[i / 3]);
        }
    }
}
END_TEST

START_TEST(a_sentence_names_what_was_expected_what_came_and_the_setting)
{
    struct smtp_facts facts = facts_from(SMTP_STAGE_MAIL, "MAIL", "tls login authed");
    struct smtp_reply r;
    struct fault f;
    read_reply(&r, "550 5.7.60 no \x1b[m");
    smtp_fault_of_reply(&f, &facts, &r);
    ck_assert_str_eq(f.text, "the server does not let this account send as <a@b.example> (550 "
                             "5.7.60 at MAIL)");
    ck_assert_ptr_nonnull(strstr(f.fix, "sendmail -f"));
    ck_assert_str_eq(f.reply, "550 5.7.60 no \\x1B[m");
    smtp_reply_release(&r);
}
END_TEST

START_TEST(a_hostile_address_or_reply_cannot_break_the_sentence)
{
    struct smtp_facts facts = facts_from(SMTP_STAGE_RCPT, "RCPT", "tls one");
    struct smtp_reply r;
    struct fault f;
    char text[4000];
    memset(text, 'x', sizeof text);
    memcpy(text, "550 %s%n{sender}\x85", 17);
    text[sizeof text - 1] = '\0';
    facts.recipient = "%n%s{answer}\n@x";
    read_reply(&r, text);
    smtp_fault_of_reply(&f, &facts, &r);
    ck_assert_str_eq(f.text, "the server refuses <%n%s{answer} @x> (550)");
    ck_assert(strncmp(f.reply, "550 %s%n{sender}\\x85xxx", 23) == 0);
    ck_assert_uint_lt(strlen(f.reply), FAULT_TEXT_MAX);
    smtp_reply_release(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_fault");
    TCase *tc = tcase_create("smtp_fault");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, a_reply_is_judged_by_what_it_says_where, 0,
                        (int)(sizeof judgements / sizeof judgements[0]));
    tcase_add_test(
        tc, every_refusal_at_every_stage_is_somebody_s_and_mail_returns_only_for_good_reasons);
    tcase_add_test(tc, a_sentence_names_what_was_expected_what_came_and_the_setting);
    tcase_add_test(tc, a_hostile_address_or_reply_cannot_break_the_sentence);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
