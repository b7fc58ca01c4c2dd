/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_advice.h"
#include "smtp_provider.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *host;
    uint16_t port;
    const char *user;
    enum smtp_advice_secret secret;
    const char *code, *better, *text, *fix; /* text and fix: a part of it; NULL as it was */
} cases[] = {
    {"mx.example.com", 25, NULL, 0, "STARTTLS-MISSING", "STARTTLS-MISSING-25", "port 25",
     "port = 587"},
    {"mx.example.com", 587, NULL, 0, "STARTTLS-MISSING", "STARTTLS-MISSING", NULL, NULL},
    {"mx.example.com", 25, "a@b.example", 0, "AUTH-MISSING", "AUTH-MISSING", NULL,
     "port = 587"},
    {"mx.example.com", 587, "a@b.example", 0, "AUTH-MISSING", "AUTH-MISSING", NULL, NULL},
    {"mx.example.com", 465, NULL, 0, "MODE-SILENT", "MODE-SILENT", NULL, "tls = \"implicit\""},
    {"mx.example.com", 587, NULL, 0, "MODE-SILENT", "MODE-SILENT", NULL, NULL},
    {"mx.example.com", 587, NULL, 0, "MODE-PLAINBANNER", "MODE-PLAINBANNER", NULL,
     "port 587 uses STARTTLS: set tls = \"starttls\""},
    {"mx.example.com", 10025, NULL, 0, "MODE-PLAINBANNER", "MODE-PLAINBANNER", NULL, NULL},
    {"mx.example.com", 587, NULL, 0, "TLS-TIMEOUT", "TLS-TIMEOUT", NULL, "starttls"},

    {"mx.example.com", 587, "web1", 0, "AUTH-REJECTED", "AUTH-USERFORM", "user is \"web1\"",
     "full address"},
    {"mx.example.com", 587, "a@b.example", 0, "AUTH-REJECTED", "AUTH-REJECTED", NULL, NULL},
    {"mx.example.com", 587, "a@b.example", SMTP_ADVICE_SECRET_BLANK, "AUTH-REJECTED",
     "AUTH-WHITESPACE", "a blank at its", "take it out"},
    {"mx.example.com", 587, "web1", SMTP_ADVICE_SECRET_QUOTED, "AUTH-REJECTED",
     "AUTH-WHITESPACE", "quotation marks", "take it out"},
    {"mx.example.com", 587, "web1", SMTP_ADVICE_SECRET_MARKED, "AUTH-REJECTED",
     "AUTH-WHITESPACE", "byte order mark", "take it out"},
    {"mx.example.com", 587, "web1", SMTP_ADVICE_SECRET_BLANK, "AUTH-TEMP", "AUTH-TEMP", NULL,
     NULL},

    {"smtp.gmail.com", 587, "a@gmail.example", 0, "AUTH-REJECTED", "AUTH-APPPASSWORD",
     "Gmail rejects the login", "application password"},
    {"SMTP.Gmail.COM", 465, "a@gmail.example", 0, "AUTH-APPPASSWORD", "AUTH-APPPASSWORD", NULL,
     "apppasswords"},
    {"smtp.office365.com", 465, "a@b.example", 0, "TCP-TIMEOUT", "TCP-TIMEOUT", NULL,
     "Microsoft 365 has no port 465: set port = 587"},
    {"smtp.office365.com", 587, "a@b.example", 0, "TCP-TIMEOUT", "TCP-TIMEOUT", NULL, NULL},
    {"smtp.office365.com", 587, "a@b.example", 0, "AUTH-REJECTED", "AUTH-REJECTED", NULL,
     "SMTP AUTH"},
    {"smtp-mail.outlook.com", 587, "a@b.example", 0, "AUTH-REJECTED", "AUTH-BASICOFF",
     "only OAuth", "token-command"},
    {"smtp.mail.yahoo.com", 465, "a@b.example", 0, "AUTH-REJECTED", "AUTH-APPPASSWORD", "Yahoo",
     NULL},
    {"smtp.fastmail.com", 465, "a", 0, "AUTH-REJECTED", "AUTH-APPPASSWORD", "Fastmail", NULL},
    {"email-smtp.eu-west-1.amazonaws.com", 587, "AKIAX", 0, "AUTH-REJECTED", "AUTH-REJECTED",
     NULL, "SES console"},
    {"smtp.sendgrid.net", 587, "me", 0, "AUTH-REJECTED", "AUTH-REJECTED", NULL,
     "user = \"apikey\""},
    {"smtp.mailgun.org", 587, "postmaster", 0, "AUTH-REJECTED", "AUTH-USERFORM", NULL,
     "sending domain"},
    {"smtp.postmarkapp.com", 587, "token", 0, "AUTH-REJECTED", "AUTH-REJECTED", NULL,
     "as password"},
    {"smtp.postmarkapp.com", 465, "token", 0, "TCP-REFUSED", "TCP-REFUSED", NULL, "port = 587"},
    {"smtppro.zoho.com", 587, "a@b.example", 0, "AUTH-REJECTED", "AUTH-APPPASSWORD", "Zoho",
     NULL},
    {"smtp.mail.me.com", 587, "a@b.example", 0, "AUTH-REJECTED", "AUTH-APPPASSWORD", "iCloud",
     NULL},
    {"mail.gmx.net", 587, "a@b.example", 0, "AUTH-REJECTED", "AUTH-REJECTED", NULL,
     "switch on access"},
    {"mail.smtp2go.com", 587, "x", 0, "AUTH-REJECTED", "AUTH-REJECTED", NULL, "web site"},
    {"smtp.gmail.com.evil.example", 587, "a@b.example", 0, "AUTH-REJECTED", "AUTH-REJECTED",
     NULL, NULL},
    {"mygmail.com", 587, "a@b.example", 0, "AUTH-REJECTED", "AUTH-REJECTED", NULL, NULL},
};

static void check_part(const char *text, const char *part, const char *before)
{
    if (part)
        ck_assert_msg(strstr(text, part) != NULL, "%s", text);
    else
        ck_assert_str_eq(text, before);
}

START_TEST(a_fault_is_told_better_and_stays_whose_it_was)
{
    static const enum fault_scope scopes[] = {FAULT_ACCOUNT, FAULT_SERVER};
    for (int i = 0; i < 2; i++) {
        struct fault f, before;
        fault_set(&f, scopes[i], i ? "4.7.0" : "5.7.0", cases[_i].code, "what happened");
        fault_fix(&f, "what to do");
        fault_reply(&f, STR_LIT("535 no"));
        before = f;
        smtp_advise(&f, &(struct smtp_advice){cases[_i].host, cases[_i].port, cases[_i].user,
                                              cases[_i].secret});
        ck_assert_msg(strcmp(f.code, cases[_i].better) == 0, "%d: %s", _i, f.code);
        bool same = strcmp(f.code, before.code) == 0;
        if (cases[_i].text || same)
            check_part(f.text, cases[_i].text, before.text);
        if (cases[_i].fix || same)
            check_part(f.fix, cases[_i].fix, before.fix);
        ck_assert_int_eq(f.scope, before.scope);
        ck_assert(f.permanent == before.permanent && f.ambiguous == before.ambiguous);
        ck_assert_str_eq(f.status, before.status);
        ck_assert_str_eq(f.reply, before.reply);
    }
}
END_TEST

START_TEST(ovhs_own_name_is_told_to_its_customers)
{
    struct fault f;
    fault_set(&f, FAULT_ACCOUNT, "4.7.5", "CERT-HOST",
              "the certificate is for ssl0.ovh.net, not for mail.example.com");
    smtp_advise(&f, &(struct smtp_advice){.host = "mail.example.com", .port = 465});
    ck_assert_ptr_nonnull(strstr(f.fix, "host = \"ssl0.ovh.net\""));
    ck_assert_str_eq(f.code, "CERT-HOST");
}
END_TEST

START_TEST(no_fault_stays_none)
{
    struct fault f = {.scope = FAULT_NONE};
    smtp_advise(&f, &(struct smtp_advice){.host = "smtp.gmail.com", .port = 587});
    ck_assert_str_eq(f.text, "");
    ck_assert_str_eq(f.fix, "");
}
END_TEST

static const struct {
    const char *secret;
    enum smtp_advice_secret is;
} secrets[] = {
    {"", SMTP_ADVICE_SECRET_PLAIN},
    {"secret word", SMTP_ADVICE_SECRET_PLAIN},
    {"\"", SMTP_ADVICE_SECRET_PLAIN},
    {"\"a'", SMTP_ADVICE_SECRET_PLAIN},
    {" secret", SMTP_ADVICE_SECRET_BLANK},
    {"secret\t", SMTP_ADVICE_SECRET_BLANK},
    {"\"secret\"", SMTP_ADVICE_SECRET_QUOTED},
    {"'secret'", SMTP_ADVICE_SECRET_QUOTED},
    {"\xEF\xBB\xBFsecret", SMTP_ADVICE_SECRET_MARKED},
};

START_TEST(a_strange_secret_is_noticed)
{
    ck_assert_int_eq(smtp_advice_secret_of(str_of(secrets[_i].secret)), secrets[_i].is);
}
END_TEST

/* The data is whole: what people are told to do is in each note. */
START_TEST(every_note_has_its_fix)
{
    static const char *const hosts[] = {
        "smtp.gmail.com",         "smtp.office365.com",
        "smtp-mail.outlook.com",  "smtp.mail.yahoo.com",
        "smtp.fastmail.com",      "smtp.mail.me.com",
        "smtp.zoho.com",          "email-smtp.us-east-1.amazonaws.com",
        "smtp.sendgrid.net",      "smtp.eu.mailgun.org",
        "smtp.postmarkapp.com",   "mail.gmx.net",
        "securesmtp.t-online.de", "ssl0.ovh.net",
        "mail.smtp2go.com"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        const struct smtp_provider *p = smtp_provider_of(str_of(hosts[i]));
        ck_assert_msg(p && p->name[0] && p->notes[0].codes, "%s", hosts[i]);
        for (int n = 0; n < SMTP_PROVIDER_NOTES_MAX && p->notes[n].codes; n++) {
            const struct smtp_provider_note *note = &p->notes[n];
            ck_assert_msg(note->fix && note->fix[0], "%s", p->name);
            ck_assert_uint_lt(strlen(note->fix), FAULT_TEXT_MAX);
            ck_assert_msg(!note->code || note->text, "%s: %s", p->name, note->code);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smtp_advice");
    TCase *tc = tcase_create("smtp_advice");
    tcase_add_loop_test(tc, a_fault_is_told_better_and_stays_whose_it_was, 0,
                        (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tc, ovhs_own_name_is_told_to_its_customers);
    tcase_add_test(tc, no_fault_stays_none);
    tcase_add_loop_test(tc, a_strange_secret_is_noticed, 0,
                        (int)(sizeof secrets / sizeof secrets[0]));
    tcase_add_test(tc, every_note_has_its_fix);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
