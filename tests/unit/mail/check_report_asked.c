/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a report says of delay and success, and as the sender asked for it. */
#include "report.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct report_facts facts_of(const struct report_recipient *recipients, unsigned n)
{
    return (struct report_facts){
        .hostname = "mail.example",
        .domain = "m.example",
        .id = "0123456789AB",
        .report_id = "0123456789AC",
        .sender = "bob@d",
        .arrival_ms = 1795487383042,
        .now_ms = 1795487390000,
        .retry_until_ms = 1795919383042,
        .zone_minutes = 60,
        .original = STR_LIT("Subject: a\r\n\r\nThe body.\r\n"),
        .recipients = recipients,
        .n_recipients = n,
    };
}

/* To be freed. */
static char *report(const struct report_facts *facts)
{
    struct buf out;
    buf_init(&out, SIZE_MAX);
    report_write(&out, facts);
    ck_assert(!out.failed);
    char *text = buf_strdup(&out);
    buf_release(&out);
    return text;
}

static void check_has(const char *text, const char *words)
{
    ck_assert_msg(strstr(text, words) != NULL, "%s\nis not in\n%s", words, text);
}

static void check_lacks(const char *text, const char *words)
{
    ck_assert_msg(strstr(text, words) == NULL, "%s\nis in\n%s", words, text);
}

static struct fault busy(void)
{
    struct fault fault;
    fault_set(&fault, FAULT_ACCOUNT, "5.7.8", "AUTH-REFUSED",
              "The server refused the user name or the password.");
    fault_fix(&fault, "Correct the password in /etc/tranter/password.");
    return fault;
}

static struct fault taken(void)
{
    struct fault fault = {.scope = FAULT_NONE, .status = "2.0.0"};
    fault_reply(&fault, STR_LIT("250 2.0.0 Ok: queued as 4F2"));
    return fault;
}

START_TEST(a_delay_says_until_when_and_that_there_is_nothing_to_do)
{
    struct fault fault = busy();
    struct report_recipient recipient = {
        .address = "x@y", .action = REPORT_DELAYED, .fault = &fault};
    struct report_facts facts = facts_of(&recipient, 1);
    char *text = report(&facts);
    check_has(text, "Subject: Delayed Mail (still being retried)\r\n");
    check_has(text, "has not been delivered yet to the recipients named below. It is\r\n"
                    "tried again until Sun, 29 Nov 2026 03:29:43 +0100.\r\n");
    check_has(text,
              "Not delivered yet to:\r\n    x@y\r\n"
              "What happened:\r\n    The server refused the user name or the password.\r\n"
              "What to do:\r\n    Nothing, if it can wait.");
    check_has(text, "What your administrator can do:\r\n"
                    "    Correct the password in /etc/tranter/password.\r\n");
    check_has(text, "Final-Recipient: rfc822; x@y\r\nAction: delayed\r\nStatus: 4.7.8\r\n");
    check_has(text, "\r\nWill-Retry-Until: Sun, 29 Nov 2026 03:29:43 +0100\r\n");
    check_lacks(text, "Last-Attempt-Date");
    check_lacks(text, "could not be delivered");
    free(text);
}
END_TEST

START_TEST(a_success_says_what_is_known_and_no_more)
{
    struct fault fault = taken();
    struct report_recipient recipient = {.address = "x@y",
                                         .action = REPORT_RELAYED,
                                         .fault = &fault,
                                         .remote = "smtp.example.com",
                                         .attempt_ms = 1795487386000};
    struct report_facts facts = facts_of(&recipient, 1);
    char *text = report(&facts);
    check_has(text, "Subject: Successful Mail Delivery Report\r\n");
    check_has(text, "Handed on for:\r\n    x@y\r\n");
    check_has(text,
              "Action: relayed\r\nStatus: 2.0.0\r\nRemote-MTA: dns; smtp.example.com\r\n");
    check_has(text, "Diagnostic-Code: smtp; 250 2.0.0 Ok: queued as 4F2\r\n"
                    "Last-Attempt-Date: Tue, 24 Nov 2026 03:29:46 +0100\r\n");
    check_has(text, "What the server smtp.example.com said:\r\n    250 2.0.0 Ok");
    check_lacks(text, "Will-Retry-Until");
    free(text);
}
END_TEST

START_TEST(one_report_has_all_that_happened_together)
{
    struct fault refused, good = taken();
    fault_set(&refused, FAULT_RECIPIENT, "5.1.1", "RCPT-UNKNOWN", "There is no such mailbox.");
    struct report_recipient recipients[] = {
        {.address = "a@d", .action = REPORT_RELAYED, .fault = &good},
        {.address = "b@d", .fault = &refused},
        {.address = "c@d", .action = REPORT_RELAYED, .fault = &good},
        {.address = "e@d", .fault = &refused}};
    struct report_facts facts = facts_of(recipients, 4);
    char *text = report(&facts);
    check_has(text, "Subject: Undelivered Mail Returned to Sender\r\n");
    const char *bad = strstr(text, "Not delivered to:\r\n    b@d\r\n");
    const char *fine = strstr(text, "Handed on for:\r\n    a@d\r\n");
    ck_assert(bad && fine && bad < fine);
    check_has(text, "Final-Recipient: rfc822; a@d\r\nAction: relayed\r\n");
    check_has(text, "Final-Recipient: rfc822; b@d\r\nAction: failed\r\n");
    check_lacks(text, "The same holds for");
    free(text);
}
END_TEST

static const struct {
    const char *orcpt, *field;
} originals[] = {
    {"rfc822;list@example.com", "\r\nOriginal-Recipient: rfc822; list@example.com\r\nFinal-"},
    {"rfc822;a+2Bb@example.com", "\r\nOriginal-Recipient: rfc822; a+b@example.com\r\nFinal-"},
    {"utf-8;\\x{E4}@example.com",
     "\r\nOriginal-Recipient: utf-8; \\x{E4}@example.com\r\nFinal-"},
    {"rfc822;a+0D+0AX-Forged:+20y", "\r\nOriginal-Recipient: rfc822; a X-Forged: y\r\nFinal-"},
    {"rfc822;+C3+A4+FF", "\r\nOriginal-Recipient: rfc822; \\xC3\\xA4\\xFF\r\nFinal-"},
    {NULL, "\r\n\r\nFinal-"},
};

START_TEST(the_original_recipient_is_named_as_the_sender_wrote_it)
{
    struct fault fault = busy();
    struct report_recipient recipient = {
        .address = "x@y", .orcpt = originals[_i].orcpt, .fault = &fault};
    struct report_facts facts = facts_of(&recipient, 1);
    char *text = report(&facts);
    check_has(text, originals[_i].field);
    free(text);
}
END_TEST

START_TEST(the_senders_own_id_comes_back)
{
    struct fault fault = busy();
    struct report_recipient recipient = {.address = "x@y", .fault = &fault};
    struct report_facts facts = facts_of(&recipient, 1);
    char *without = report(&facts);
    check_lacks(without, "Original-Envelope-Id");
    free(without);
    facts.envid = "QQ+2B314+20159";
    char *text = report(&facts);
    check_has(
        text,
        "delivery-status\r\n\r\nOriginal-Envelope-Id: QQ+314 159\r\nReporting-MTA: dns; ");
    free(text);
}
END_TEST

static const struct {
    bool whole;
    const char *sender, *part, *words;
} returns[] = {
    {false, "bob@d", "text/rfc822-headers; charset=utf-8\r\n\r\nSubject: a\r\n\r\n--=_",
     "The header of the message is attached.\r\n"},
    {true, "bob@d", "message/rfc822\r\n\r\nSubject: a\r\n\r\nThe body.\r\n\r\n--=_",
     "The message is attached.\r\n"},
    {true,
     "b\xC3\xB6"
     "b@d",
     "message/global\r\n\r\nSubject: a\r\n\r\nThe body.\r\n\r\n--=_", "is attached"},
};

START_TEST(the_header_or_the_whole_message_comes_back)
{
    struct fault fault = busy();
    struct report_recipient recipient = {.address = "x@y", .fault = &fault};
    struct report_facts facts = facts_of(&recipient, 1);
    facts.whole = returns[_i].whole;
    facts.sender = returns[_i].sender;
    char *text = report(&facts);
    check_has(text, returns[_i].part);
    check_has(text, returns[_i].words);
    free(text);
}
END_TEST

START_TEST(a_whole_message_forges_nothing)
{
    struct fault fault = busy();
    struct report_recipient recipient = {.address = "x@y", .fault = &fault};
    struct report_facts facts = facts_of(&recipient, 1);
    facts.whole = true;
    facts.original = STR_LIT("A: b\r\n\r\n--=_0_0123456789AC\r\nContent-Type: text/html\r\n\r\n"
                             "--=_0_0123456789AC--\r\nlone\rCR and NUL\0\r\n");
    char *text = report(&facts);
    check_has(text, " boundary=\"=_1_0123456789AC\"\r\n");
    check_has(text, "\r\nlone CR and NUL\r\n\r\n--=_1_0123456789AC--\r\n");
    free(text);
}
END_TEST

static const struct {
    const char *head, *header;
} heads[] = {
    {"A: b\r\n\r\nbody\r\n\r\n", "A: b\r\n"},
    {"A: b\n\nbody", "A: b\n"},
    {"A: b\r\n c\r\n", "A: b\r\n c\r\n"},
    {"A: b", "A: b"},
    {"\r\nbody", ""},
    {"", ""},
    {"A: b\r\n\r", "A: b\r\n\r"},
};

START_TEST(the_header_ends_at_the_blank_line)
{
    ck_assert(str_eq(report_header_of(str_of(heads[_i].head)), str_of(heads[_i].header)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_asked");
    TCase *tc = tcase_create("report_asked");
    tcase_add_test(tc, a_delay_says_until_when_and_that_there_is_nothing_to_do);
    tcase_add_test(tc, a_success_says_what_is_known_and_no_more);
    tcase_add_test(tc, one_report_has_all_that_happened_together);
    tcase_add_loop_test(tc, the_original_recipient_is_named_as_the_sender_wrote_it, 0,
                        COUNT(originals));
    tcase_add_test(tc, the_senders_own_id_comes_back);
    tcase_add_loop_test(tc, the_header_or_the_whole_message_comes_back, 0, COUNT(returns));
    tcase_add_test(tc, a_whole_message_forges_nothing);
    tcase_add_loop_test(tc, the_header_ends_at_the_blank_line, 0, COUNT(heads));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
