/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "header.h"
#include "report.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct fault no_such_user(void)
{
    struct fault fault;
    fault_set(&fault, FAULT_RECIPIENT, "5.1.1", "RCPT-UNKNOWN",
              "The server refused this recipient: there is no such mailbox.");
    fault_reply(&fault, STR_LIT("550 5.1.1 <x@y>: Recipient address rejected: User unknown in "
                                "virtual mailbox table"));
    return fault;
}

static struct report_facts facts_of(const struct report_recipient *recipients, unsigned n,
                                    const char *header)
{
    return (struct report_facts){
        .hostname = "mail.example",
        .domain = "m.example",
        .id = "0123456789AB",
        .report_id = "0123456789AC",
        .sender = "bob@d",
        .arrival_ms = 1795487383042,
        .now_ms = 1795487390000,
        .zone_minutes = 60,
        .original = str_of(header),
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
    ck_assert_ptr_null(memchr(buf_str(&out).p, '\0', buf_len(&out)));
    char *text = buf_strdup(&out);
    buf_release(&out);
    return text;
}

static const char plain_report[] =
    "From: Mail Delivery System <MAILER-DAEMON@m.example>\r\n"
    "To: bob@d\r\n"
    "Subject: Undelivered Mail Returned to Sender\r\n"
    "Date: Tue, 24 Nov 2026 03:29:50 +0100\r\n"
    "Message-ID: <0123456789AC.1795487390000@mail.example>\r\n"
    "In-Reply-To: <i@d>\r\n"
    "References: <i@d>\r\n"
    "X-Tranter-Report: 0123456789AC\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
    " boundary=\"=_0_0123456789AC\"\r\n"
    "\r\n"
    "This is a MIME-encapsulated message.\r\n"
    "\r\n"
    "--=_0_0123456789AC\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "\r\n"
    "Your message could not be delivered to the recipients named below. It will\r\n"
    "not be tried again for them.\r\n"
    "\r\n"
    "Not delivered to:\r\n"
    "    x@y\r\n"
    "What happened:\r\n"
    "    The server refused this recipient: there is no such mailbox.\r\n"
    "What to do:\r\n"
    "    Check the address for a mistake and send the message again. If the\r\n"
    "    address is right, ask the recipient by other means.\r\n"
    "What the server smtp.example.com said:\r\n"
    "    550 5.1.1 <x@y>: Recipient address rejected: User unknown in virtual\r\n"
    "    mailbox table\r\n"
    "\r\n"
    "The mail relay on mail.example\r\n"
    "took the message in on Tue, 24 Nov 2026 03:29:43 +0100\r\n"
    "under the queue id 0123456789AB. Please give this id when you ask for help.\r\n"
    "The header of the message is attached.\r\n"
    "\r\n"
    "--=_0_0123456789AC\r\n"
    "Content-Type: message/delivery-status\r\n"
    "\r\n"
    "Reporting-MTA: dns; mail.example\r\n"
    "Arrival-Date: Tue, 24 Nov 2026 03:29:43 +0100\r\n"
    "X-Tranter-Queue-Id: 0123456789AB\r\n"
    "\r\n"
    "Final-Recipient: rfc822; x@y\r\n"
    "Action: failed\r\n"
    "Status: 5.1.1\r\n"
    "Remote-MTA: dns; smtp.example.com\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <x@y>: Recipient address rejected: User\r\n"
    " unknown in virtual mailbox table\r\n"
    "Last-Attempt-Date: Tue, 24 Nov 2026 03:29:46 +0100\r\n"
    "\r\n"
    "--=_0_0123456789AC\r\n"
    "Content-Type: text/rfc822-headers; charset=utf-8\r\n"
    "\r\n"
    "Message-ID: <i@d>\r\n"
    "Subject: a\r\n"
    " b\r\n"
    "\r\n"
    "--=_0_0123456789AC--\r\n";

START_TEST(a_report_says_what_happened_to_people_and_to_software)
{
    struct fault fault = no_such_user();
    struct report_recipient recipient = {.address = "x@y",
                                         .fault = &fault,
                                         .remote = "smtp.example.com",
                                         .attempt_ms = 1795487386000};
    struct report_facts facts =
        facts_of(&recipient, 1, "Message-ID: <i@d>\r\nSubject: a\r\n b\r\n");
    char *text = report(&facts);
    ck_assert_str_eq(text, plain_report);
    free(text);
}
END_TEST

static unsigned occurrences(const char *text, const char *word)
{
    unsigned n = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + strlen(word), word))
        n++;
    return n;
}

static void check_lines(const char *text)
{
    for (size_t column = 0; *text; text++) {
        bool crlf = text[0] == '\r' && text[1] == '\n';
        if (column > 998 || (*text == '\n' && column) || (*text == '\r' && !crlf))
            ck_abort_msg("line too long, or bare CR or LF: %.200s", text);
        column = crlf ? 0 : column + 1;
        text += crlf ? 1 : 0;
    }
}

/* "\r\n--" and the boundary; to be freed. */
static char *delimiter_of(const char *text)
{
    char delimiter[90];
    const char *at = strstr(text, "boundary=\"") + strlen("boundary=\"");
    snprintf(delimiter, sizeof delimiter, "\r\n--%.*s", (int)strcspn(at, "\""), at);
    return strdup(delimiter);
}

/* Our header has our fields, and its boundary stands where we put it and nowhere else. */
static void check_frame(const char *text)
{
    static const char names[] =
        "From To Subject Date Message-ID X-Tranter-Report Auto-Submitted MIME-Version "
        "Content-Type ";
    char met[400] = "";
    struct header h;
    struct header_event e;
    header_init(&h, 10000);
    header_feed(&h, text, strlen(text));
    while (header_next(&h, &e) == HEADER_FIELD) {
        size_t n = strlen(met);
        if (!str_eq(e.name, STR_LIT("In-Reply-To")) && !str_eq(e.name, STR_LIT("References")) &&
            !str_eq(e.name, STR_LIT("Content-Transfer-Encoding")))
            snprintf(met + n, sizeof met - n, "%.*s ", STR_FMT(e.name));
    }
    ck_assert_int_eq(h.end, HEADER_END);
    ck_assert_str_eq(met, names);
    header_release(&h);
    char *delimiter = delimiter_of(text);
    ck_assert_uint_eq(occurrences(text, delimiter + 4), 5);
    ck_assert_uint_eq(occurrences(text, delimiter), 4);
    ck_assert_str_eq(text + strlen(text) - 4, "--\r\n");
    ck_assert_int_eq(
        memcmp(text + strlen(text) - 4 - strlen(delimiter), delimiter, strlen(delimiter)), 0);
    free(delimiter);
}

/* What stands between the n-th boundary and the next; to be freed. */
static char *part_of(const char *text, unsigned n)
{
    char *delimiter = delimiter_of(text);
    const char *at = text;
    while (n--)
        at = strstr(at, delimiter) + strlen(delimiter);
    char *part = strndup(at, (size_t)(strstr(at, delimiter) - at));
    free(delimiter);
    return part;
}

static const char *const hostile_texts[] = {
    "x\r\n\r\n--=_0_0123456789AC\r\nContent-Type: text/html\r\n\r\n<b>",
    "--=_0_0123456789AC",
    "=_0_0123456789AC =_1_0123456789AC =_2_0123456789AC",
    "x\r\nBcc: y@z\r\nSubject: forged",
    "x\nFinal-Recipient: rfc822; forged@z",
    "x\rBcc: y",
    "x\x1B[31m\x7F\x01",
    "x\xFF\xC2\x85\xE2\x80\xA8y",
    "\xC3\xB6 \xE2\x82\xAC",
    "",
    " ",
    "\r\n\r\n",
};

START_TEST(no_text_from_outside_forges_a_line)
{
    const char *hostile = hostile_texts[_i];
    struct fault fault = no_such_user();
    char text[FAULT_TEXT_MAX];
    snprintf(text, sizeof text, "%s", hostile);
    memcpy(fault.text, text, sizeof text);
    memcpy(fault.fix, text, sizeof text);
    memcpy(fault.reply, text, sizeof text);
    snprintf(fault.status, sizeof fault.status, "%.11s", hostile);
    struct report_recipient recipients[] = {
        {.address = hostile, .fault = &fault, .remote = hostile},
        {.address = "a@b", .fault = &fault, .remote = hostile}};
    struct report_facts facts = facts_of(recipients, 2, "X: y\r\n");
    facts.hostname = facts.domain = facts.id = facts.sender = hostile;
    char *whole = report(&facts);
    check_lines(whole);
    check_frame(whole);
    char *status = part_of(whole, 2);
    ck_assert_uint_eq(occurrences(status, "\r\nFinal-Recipient: "), 2);
    ck_assert_uint_eq(occurrences(status, "\r\n\r\n"), 3);
    free(status);
    free(whole);
}
END_TEST

static const struct {
    const char *header, *returned;
} headers[] = {
    {"", ""},
    {"A: b\r\n", "A: b\r\n"},
    {"A: b", "A: b\r\n"},
    {"A: b\nC: d\n", "A: b\r\nC: d\r\n"},
    {"A: b\rc\r\n", "A: b c\r\n"},
    {"A: b\r\n\r\n--=_0_0123456789AC\r\n\r\nbody\r\n", "A: b\r\n"},
    {"\r\nbody", ""},
    {"A: b\r\n--=_0_0123456789AC\r\nX: y\r\n", "A: b\r\n--=_0_0123456789AC\r\nX: y\r\n"},
    {"A: b\r\n--=_0_0123456789AC--\r\n=_1_0123456789AC=_2_0123456789AC\r\n",
     "A: b\r\n--=_0_0123456789AC--\r\n=_1_0123456789AC=_2_0123456789AC\r\n"},
    {"Message-ID: <a\r\n b>\r\n", "Message-ID: <a\r\n b>\r\n"},
    {"Message-ID: <a> <b>\r\n", "Message-ID: <a> <b>\r\n"},
    {"no field\r\n", "no field\r\n"},
};

static char *returned_header(struct str header)
{
    struct fault fault = no_such_user();
    struct report_recipient recipient = {.address = "x@y", .fault = &fault};
    struct report_facts facts = facts_of(&recipient, 1, "");
    facts.original = header;
    char *whole = report(&facts);
    check_lines(whole);
    check_frame(whole);
    char *part = part_of(whole, 3);
    char *returned = strdup(strstr(part, "\r\n\r\n") + 4);
    free(part);
    free(whole);
    return returned;
}

START_TEST(the_original_header_comes_back_and_forges_nothing)
{
    char *returned = returned_header(str_of(headers[_i].header));
    ck_assert_str_eq(returned, headers[_i].returned);
    free(returned);
}
END_TEST

START_TEST(nul_does_not_come_back)
{
    char *returned = returned_header((struct str){"A: b\0c\r\n\0\r\nD: e\r\n", 18});
    ck_assert_str_eq(returned, "A: bc\r\nD: e\r\n");
    free(returned);
}
END_TEST

static void drop_blanks_and_line_ends(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (*text != ' ' && *text != '\r' && *text != '\n')
            *to++ = *text;
    }
    *to = '\0';
}

/* Lines of 990 to 1010 bytes and of 5000: of one word, of short words, of UTF-8. */
START_TEST(long_header_lines_are_folded)
{
    static const char *const fillings[] = {"x", "word ", "\xE2\x82\xAC"};
    for (size_t n = 990; n <= 5000; n += n == 1010 ? 3990 : 1) {
        struct buf line;
        buf_init(&line, SIZE_MAX);
        buf_puts(&line, "A: ");
        while (buf_len(&line) + strlen(fillings[_i]) <= n)
            buf_puts(&line, fillings[_i]);
        char *returned = returned_header(buf_str(&line));
        for (const char *p = strstr(returned, "\r\n"); p[2]; p = strstr(p + 2, "\r\n"))
            ck_assert_int_eq(p[2], ' ');
        ck_assert_ptr_null(strstr(returned, "\xE2\x82\r"));
        ck_assert_ptr_null(strstr(returned, "\xE2\r"));
        char *wanted = buf_strdup(&line);
        drop_blanks_and_line_ends(returned);
        drop_blanks_and_line_ends(wanted);
        ck_assert_str_eq(returned, wanted);
        free(returned);
        free(wanted);
        buf_release(&line);
    }
}
END_TEST

START_TEST(a_line_folded_without_a_blank_and_then_at_one_is_short_enough)
{
    char line[3000];
    for (size_t at = 980; at < 2010; at++) {
        memset(line, 'x', sizeof line);
        line[1] = ':';
        line[at] = ' ';
        free(returned_header((struct str){line, sizeof line}));
    }
}
END_TEST

START_TEST(a_large_header_is_cut_at_a_line)
{
    struct buf header;
    buf_init(&header, SIZE_MAX);
    while (buf_len(&header) < 2 * REPORT_HEADER_MAX)
        buf_puts(&header, "Abc: def\r\n");
    char *returned = returned_header(buf_str(&header));
    ck_assert_uint_eq(strlen(returned), REPORT_HEADER_MAX / 10 * 10);
    free(returned);
    char *exact = returned_header(str_head(buf_str(&header), REPORT_HEADER_MAX / 10 * 10));
    ck_assert_uint_eq(strlen(exact), REPORT_HEADER_MAX / 10 * 10);
    free(exact);
    buf_release(&header);
}
END_TEST

static const struct {
    const char *status, *told;
} statuses[] = {
    {"5.1.1", "5.1.1"},  {"4.4.7", "4.4.7"}, {"5.123.999", "5.123.999"}, {"", "5.0.0"},
    {"2.0.0", "5.0.0"},  {"5.1", "5.0.0"},   {"5.1.1.1", "5.0.0"},       {"5.1.1000", "5.0.0"},
    {"5.1.x", "5.0.0"},  {"5..1", "5.0.0"},  {"5.1.", "5.0.0"},          {"55.1.1", "5.0.0"},
    {"5.1.1 ", "5.0.0"},
};

START_TEST(a_status_that_is_none_is_not_passed_on)
{
    struct fault fault = no_such_user();
    snprintf(fault.status, sizeof fault.status, "%s", statuses[_i].status);
    struct report_recipient recipient = {.address = "x@y", .fault = &fault};
    struct report_facts facts = facts_of(&recipient, 1, "");
    char line[40];
    snprintf(line, sizeof line, "\r\nStatus: %s\r\n", statuses[_i].told);
    char *text = report(&facts);
    ck_assert_msg(strstr(text, line) != NULL, "%s", text);
    free(text);
}
END_TEST

START_TEST(without_a_servers_words_ours_are_told)
{
    struct fault fault;
    fault_set(&fault, FAULT_SERVER, "4.4.1", "CONNECT-TIMEOUT", "No answer for 5 days.");
    fault_fix(&fault, "Open port 587 in the firewall.");
    struct report_recipient recipient = {
        .address = "x@y", .fault = &fault, .attempt_ms = 1795487386000};
    struct report_facts facts = facts_of(&recipient, 1, "");
    char *text = report(&facts);
    ck_assert_ptr_nonnull(strstr(text, "What happened:\r\n    No answer for 5 days.\r\n"
                                       "What to do:\r\n    Open port 587 in the firewall.\r\n"
                                       "\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "Status: 4.4.1\r\nDiagnostic-Code: x-tranter; "
                                       "CONNECT-TIMEOUT: No answer for 5 days.\r\n"
                                       "Last-Attempt-Date: "));
    ck_assert_ptr_null(strstr(text, "said:"));
    free(text);
}
END_TEST

static const struct {
    enum fault_scope scope;
    const char *advice;
} advices[] = {
    {FAULT_RECIPIENT, "Check the address"},
    {FAULT_MESSAGE, "Change the message"},
    {FAULT_SENDER, "Show this report to your administrator."},
    {FAULT_ACCOUNT, "Show this report to your administrator."},
    {FAULT_SERVER, "Show this report to your administrator."},
};

START_TEST(without_a_fix_the_scope_tells_what_to_do)
{
    struct fault fault;
    fault_set(&fault, advices[_i].scope, "5.0.0", "X", "x");
    struct report_recipient recipient = {.address = "x@y", .fault = &fault};
    struct report_facts facts = facts_of(&recipient, 1, "");
    char *text = report(&facts);
    const char *at = strstr(text, "What to do:\r\n    ");
    ck_assert_ptr_nonnull(at);
    ck_assert_ptr_eq(strstr(text, advices[_i].advice), at + strlen("What to do:\r\n    "));
    free(text);
}
END_TEST

START_TEST(recipients_with_the_same_cause_are_told_together)
{
    struct fault one = no_such_user();
    struct fault two = no_such_user();
    struct fault other = no_such_user();
    fault_reply(&other, STR_LIT("550 other"));
    struct report_recipient recipients[] = {{.address = "a@b", .fault = &one},
                                            {.address = "c@d", .fault = &two},
                                            {.address = "e@f", .fault = &other}};
    struct report_facts facts = facts_of(recipients, 3, "");
    char *text = report(&facts);
    ck_assert_ptr_nonnull(strstr(text, "    a@b\r\n    c@d\r\nWhat happened:"));
    ck_assert_uint_eq(occurrences(text, "What happened:"), 2);
    ck_assert_uint_eq(occurrences(text, "Action: failed"), 3);
    free(text);
}
END_TEST

START_TEST(addresses_in_utf8_make_it_a_global_report)
{
    struct fault fault = no_such_user();
    fault_reply(&fault, STR_LIT("550 n\xC3\xB6"));
    struct report_recipient recipients[] = {{.address = "b\xC3\xB6"
                                                        "b@d",
                                             .fault = &fault},
                                            {.address = "a@d", .fault = &fault}};
    struct report_facts facts = facts_of(recipients, 2,
                                         "To: b\xC3\xB6"
                                         "b@d\r\n");
    char *text = report(&facts);
    check_frame(text);
    ck_assert_ptr_nonnull(strstr(text, "Content-Type: message/global-delivery-status\r\n"
                                       "Content-Transfer-Encoding: 8bit\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "Content-Type: message/global-headers\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "Final-Recipient: utf-8; b\xC3\xB6"
                                       "b@d\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "Final-Recipient: rfc822; a@d\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "Diagnostic-Code: smtp; 550 n\\xC3\\xB6\r\n"));
    free(text);
}
END_TEST

/* Of n recipients about whom as much is said as can be said. To be freed. */
static char *largest_report(unsigned n)
{
    struct report_recipient *recipients = calloc(n, sizeof *recipients);
    struct fault *faults = calloc(n, sizeof *faults);
    char address[321];
    memset(address, 'a', 320);
    address[320] = '\0';
    for (unsigned i = 0; i < n; i++) {
        faults[i] = no_such_user();
        for (size_t k = 0; k + 3 < FAULT_TEXT_MAX; k += 2)
            memcpy(faults[i].reply + k, "\xC3\xB6", 3);
        snprintf(faults[i].text, FAULT_TEXT_MAX, "%0500u", i);
        recipients[i] = (struct report_recipient){
            .address = address, .fault = &faults[i], .remote = address};
    }
    struct report_facts facts = facts_of(recipients, n, "");
    char *header = malloc(REPORT_HEADER_MAX);
    for (size_t i = 0; i < REPORT_HEADER_MAX; i++)
        header[i] = i % 2 ? '\n' : 'x';
    facts.original = (struct str){header, REPORT_HEADER_MAX};
    char *text = report(&facts);
    check_lines(text);
    check_frame(text);
    ck_assert_uint_le(strlen(text), REPORT_BYTES_MAX);
    free(header);
    free(recipients);
    free(faults);
    return text;
}

START_TEST(two_thousand_recipients_are_listed_whatever_was_said)
{
    char *text = largest_report(2000);
    ck_assert_uint_eq(occurrences(text, "\r\nFinal-Recipient: "), 2000);
    ck_assert_ptr_nonnull(strstr(text, " more; the second part of this report lists 2000 "
                                       "recipients in all.\r\n"));
    free(text);
}
END_TEST

START_TEST(a_report_has_a_limit_and_says_who_is_beyond)
{
    char *text = largest_report(32767);
    char line[90];
    snprintf(line, sizeof line, "lists %u recipients in all and has no room for the others.",
             occurrences(text, "\r\nFinal-Recipient: "));
    ck_assert_ptr_nonnull(strstr(text, line));
    free(text);
}
END_TEST

static const struct {
    const char *header;
    bool wanted;
} wishes[] = {
    {"", true},
    {"Subject: x\r\n", true},
    {"Auto-Submitted: no\r\n", true},
    {"auto-submitted : NO (x)\r\n", true},
    {"Auto-Submitted: auto-generated\r\n", false},
    {"X: y\r\nAuto-Submitted:\r\n auto-replied; owner-email=\"x\"\r\n", false},
    {"Auto-Submitted: none\r\n", false},
    {"Auto-Submitted: auto-generated", false},
    {"Subject: x\r\nX-Tranter-Report: 0123456789AC\r\nAuto-Submitted: no\r\n", false},
};

START_TEST(what_was_sent_by_a_machine_wants_no_report)
{
    ck_assert_int_eq(report_is_wanted(str_of(wishes[_i].header)), wishes[_i].wanted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tc = tcase_create("report");
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, a_report_says_what_happened_to_people_and_to_software);
    tcase_add_loop_test(tc, no_text_from_outside_forges_a_line, 0, COUNT(hostile_texts));
    tcase_add_loop_test(tc, the_original_header_comes_back_and_forges_nothing, 0,
                        COUNT(headers));
    tcase_add_test(tc, nul_does_not_come_back);
    tcase_add_loop_test(tc, long_header_lines_are_folded, 0, 3);
    tcase_add_test(tc, a_line_folded_without_a_blank_and_then_at_one_is_short_enough);
    tcase_add_test(tc, a_large_header_is_cut_at_a_line);
    tcase_add_loop_test(tc, a_status_that_is_none_is_not_passed_on, 0, COUNT(statuses));
    tcase_add_test(tc, without_a_servers_words_ours_are_told);
    tcase_add_loop_test(tc, without_a_fix_the_scope_tells_what_to_do, 0, COUNT(advices));
    tcase_add_test(tc, recipients_with_the_same_cause_are_told_together);
    tcase_add_test(tc, addresses_in_utf8_make_it_a_global_report);
    tcase_add_test(tc, two_thousand_recipients_are_listed_whatever_was_said);
    tcase_add_test(tc, a_report_has_a_limit_and_says_who_is_beyond);
    tcase_add_loop_test(tc, what_was_sent_by_a_machine_wants_no_report, 0, COUNT(wishes));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
