/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_command.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A sentence with something in it, and without what a reply line cannot hold. */
static void check_refusal(const char *name, const struct smtp_refusal *why, unsigned code,
                          const char *status)
{
    ck_assert_msg(why->code == code, "%s: %u", name, why->code);
    ck_assert_msg(strcmp(why->status, status) == 0, "%s: %s", name, why->status);
    ck_assert_msg(strlen(why->err.text) > 20, "%s: %s", name, why->err.text);
    ck_assert_msg(strpbrk(why->err.text, "\r\n") == NULL, "%s: %s", name, why->err.text);
}

static const struct verb_row {
    struct str line;
    enum smtp_verb verb;
    const char *word;
    const char *argument;
} verbs[] = {
    {STR_LIT("EHLO host\r\n"), SMTP_VERB_EHLO, "EHLO", "host"},
    {STR_LIT("helo host\r\n"), SMTP_VERB_HELO, "helo", "host"},
    {STR_LIT("LhLo host\r\n"), SMTP_VERB_LHLO, "LhLo", "host"},
    {STR_LIT("MAIL FROM:<a@b> SIZE=1\r\n"), SMTP_VERB_MAIL, "MAIL", "FROM:<a@b> SIZE=1"},
    {STR_LIT("RCPT TO:<a@b>\r\n"), SMTP_VERB_RCPT, "RCPT", "TO:<a@b>"},
    {STR_LIT("DATA\r\n"), SMTP_VERB_DATA, "DATA", ""},
    {STR_LIT("DATA \t \r\n"), SMTP_VERB_DATA, "DATA", ""},
    {STR_LIT("RSET\r\n"), SMTP_VERB_RSET, "RSET", ""},
    {STR_LIT("NOOP \t what  ever \r\n"), SMTP_VERB_NOOP, "NOOP", "what  ever"},
    {STR_LIT("QUIT\r\n"), SMTP_VERB_QUIT, "QUIT", ""},
    {STR_LIT("VRFY root\r\n"), SMTP_VERB_VRFY, "VRFY", "root"},
    {STR_LIT("HELP\r\n"), SMTP_VERB_HELP, "HELP", ""},
    {STR_LIT("EXPN x\r\n"), SMTP_VERB_EXPN, "EXPN", "x"},
    {STR_LIT("ETRN x\r\n"), SMTP_VERB_ETRN, "ETRN", "x"},
    {STR_LIT("AUTH PLAIN AAA=\r\n"), SMTP_VERB_AUTH, "AUTH", "PLAIN AAA="},
    {STR_LIT("STARTTLS\r\n"), SMTP_VERB_STARTTLS, "STARTTLS", ""},
    {STR_LIT("BDAT 5 LAST\r\n"), SMTP_VERB_BDAT, "BDAT", "5 LAST"},
    {STR_LIT("GET / HTTP/1.1\r\n"), SMTP_VERB_HTTP, "GET", "/ HTTP/1.1"},
    {STR_LIT("POST / HTTP/1.1\r\n"), SMTP_VERB_HTTP, "POST", "/ HTTP/1.1"},
    {STR_LIT("OPTIONS * HTTP/1.1\r\n"), SMTP_VERB_HTTP, "OPTIONS", "* HTTP/1.1"},
    {STR_LIT("Host: localhost:25\r\n"), SMTP_VERB_HTTP, "Host:", "localhost:25"},
    {STR_LIT("\r\n"), SMTP_VERB_UNKNOWN, "", ""},
    {STR_LIT("  \r\n"), SMTP_VERB_UNKNOWN, "", ""},
    {STR_LIT("MAILFROM:<a@b>\r\n"), SMTP_VERB_UNKNOWN, "MAILFROM:<a@b>", ""},
    {STR_LIT("MAI FROM:<a@b>\r\n"), SMTP_VERB_UNKNOWN, "MAI", "FROM:<a@b>"},
    {STR_LIT("From: a@b\r\n"), SMTP_VERB_UNKNOWN, "From:", "a@b"},
    {STR_LIT("NOOP \xc3\xa4\r\n"), SMTP_VERB_NOOP, "NOOP", "\xc3\xa4"},
};

START_TEST(a_line_is_a_verb_and_its_argument)
{
    const struct verb_row *v = &verbs[_i];
    struct smtp_command c;
    struct smtp_refusal why;
    ck_assert_msg(smtp_command_read(&c, v->line, &why), "%s", v->line.p);
    ck_assert_msg(c.verb == v->verb, "%s", v->line.p);
    ck_assert_msg(str_eq(c.word, str_of(v->word)), "%s", v->line.p);
    ck_assert_msg(str_eq(c.argument, str_of(v->argument)), "%s", v->line.p);
}
END_TEST

static const struct bad_line_row {
    const char *name;
    struct str line;
    enum smtp_verb verb;
} bad_lines[] = {
    {"LF alone", STR_LIT("NOOP\n"), SMTP_VERB_NOOP},
    {"LF and nothing", STR_LIT("\n"), SMTP_VERB_UNKNOWN},
    {"no end", STR_LIT("NOOP"), SMTP_VERB_NOOP},
    {"CR alone", STR_LIT("NOOP\r"), SMTP_VERB_NOOP},
    {"nothing at all", STR_LIT(""), SMTP_VERB_UNKNOWN},
    {"CR within", STR_LIT("NOOP a\rb\r\n"), SMTP_VERB_NOOP},
    {"CR CR LF", STR_LIT("NOOP\r\r\n"), SMTP_VERB_NOOP},
    {"LF within", STR_LIT("NOOP a\nb\r\n"), SMTP_VERB_NOOP},
    {"NUL", STR_LIT("NOOP \0\r\n"), SMTP_VERB_NOOP},
    {"NUL behind the verb", STR_LIT("NOOP\0\r\n"), SMTP_VERB_UNKNOWN},
    {"ESC", STR_LIT("NOOP \033[2J\r\n"), SMTP_VERB_NOOP},
    {"DEL", STR_LIT("RCPT TO:<a\177@b>\r\n"), SMTP_VERB_RCPT},
    {"0x1f", STR_LIT("\x1f\r\n"), SMTP_VERB_UNKNOWN},
};

START_TEST(a_line_with_a_control_or_a_wrong_end_is_refused)
{
    const struct bad_line_row *b = &bad_lines[_i];
    struct smtp_command c;
    struct smtp_refusal why;
    ck_assert_msg(!smtp_command_read(&c, b->line, &why), "%s", b->name);
    ck_assert_msg(c.verb == b->verb, "%s", b->name);
    check_refusal(b->name, &why, 500, "5.5.2");
}
END_TEST

static const struct mail_row {
    const char *argument;
    const char *address;
    uint64_t size_bytes;
    bool body_8bit;
} mails[] = {
    {"FROM:<a@example.com>", "a@example.com", 0, false},
    {"from:<a@example.com>", "a@example.com", 0, false},
    {"FROM: \t<a@example.com>", "a@example.com", 0, false},
    {"FROM:<>", "", 0, false},
    {"FROM:<> BODY=8BITMIME", "", 0, true},
    {"FROM:<root>", "root", 0, false},
    {"FROM:a@example.com", "a@example.com", 0, false},
    {"FROM: a@example.com SIZE=5", "a@example.com", 5, false},
    {"FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]", 0, false},
    {"FROM:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", 0, false},
    {"FROM:<\"a b\"@example.com>", "\"a b\"@example.com", 0, false},
    {"FROM:<\"a>b\"@example.com> SIZE=1", "\"a>b\"@example.com", 1, false},
    {"FROM:<\"a\\\">b\"@example.com>", "\"a\\\">b\"@example.com", 0, false},
    {"FROM:<@x.example:a@example.com>", "a@example.com", 0, false},
    {"FROM:<@x.example,@y.example:a@example.com>", "a@example.com", 0, false},
    {"FROM:<@[IPv6:::1]:a@example.com>", "a@example.com", 0, false},
    {"FROM:<a@example.com> SIZE=0", "a@example.com", 0, false},
    {"FROM:<a@example.com> SIZE=12345", "a@example.com", 12345, false},
    {"FROM:<a@example.com> size=12345 body=7bit", "a@example.com", 12345, false},
    {"FROM:<a@example.com>   BODY=8bitmime\tSIZE=7  ", "a@example.com", 7, true},
    {"FROM:<a@example.com> SIZE=18446744073709551615", "a@example.com", UINT64_MAX, false},
    {"FROM:<a@example.com> SIZE=99999999999999999999", "a@example.com", UINT64_MAX, false},
};

START_TEST(mail_is_read)
{
    const struct mail_row *row = &mails[_i];
    struct smtp_mail m;
    struct smtp_refusal why;
    ck_assert_msg(smtp_command_mail(&m, str_of(row->argument), 0, &why), "%s: %s",
                  row->argument, why.err.text);
    ck_assert_msg(str_eq(m.address, str_of(row->address)), "%s", row->argument);
    ck_assert_msg(m.size_bytes == row->size_bytes, "%s", row->argument);
    ck_assert_msg(m.body_8bit == row->body_8bit, "%s", row->argument);
}
END_TEST

static const struct bad_row {
    const char *argument;
    unsigned code;
    const char *status;
} bad_mails[] = {
    {"", 501, "5.5.4"},
    {"<a@example.com>", 501, "5.5.4"},
    {"TO:<a@example.com>", 501, "5.5.4"},
    {"FROM", 501, "5.5.4"},
    {"FROM <a@example.com>", 501, "5.5.4"},
    {"FROM:", 501, "5.1.7"},
    {"FROM:<a@example.com", 501, "5.5.4"},
    {"FROM:<\"a@example.com>", 501, "5.5.4"},
    {"FROM:<a@example.com>SIZE=1", 501, "5.5.4"},
    {"FROM:<a@example.com>>", 501, "5.5.4"},
    {"FROM:< >", 501, "5.1.7"},
    {"FROM:<a@>", 501, "5.1.7"},
    {"FROM:<a b@example.com>", 501, "5.1.7"},
    {"FROM:<<a@example.com>>", 501, "5.5.4"},
    {"FROM:<<a@example.com>", 501, "5.1.7"},
    {"FROM:<@x.example:>", 501, "5.1.7"},
    {"FROM:<@x.example>", 501, "5.1.7"},
    {"FROM:Joe <a@example.com>", 501, "5.5.4"},
    {"FROM:<a@\xc3\xa4.example>", 553, "5.6.7"},
    {"FROM:<\xc3\xa4@example.com>", 553, "5.6.7"},
    {"FROM:<a@example.com> SIZE", 501, "5.5.4"},
    {"FROM:<a@example.com> SIZE=", 501, "5.5.4"},
    {"FROM:<a@example.com> SIZE=-1", 501, "5.5.4"},
    {"FROM:<a@example.com> SIZE=1k", 501, "5.5.4"},
    {"FROM:<a@example.com> SIZE=1 SIZE=1", 501, "5.5.4"},
    {"FROM:<a@example.com> BODY", 501, "5.5.4"},
    {"FROM:<a@example.com> BODY=BINARYMIME", 501, "5.5.4"},
    {"FROM:<a@example.com> BODY=7BIT body=7BIT", 501, "5.5.4"},
    {"FROM:<a@example.com> SMTPUTF8=yes", 501, "5.5.4"},
    {"FROM:<\xc3@example.com> SMTPUTF8", 501, "5.1.7"},
    {"FROM:<a@example.com> RET", 501, "5.5.4"},
    {"FROM:<a@example.com> RET=ALL", 501, "5.5.4"},
    {"FROM:<a@example.com> RET=FULL RET=HDRS", 501, "5.5.4"},
    {"FROM:<a@example.com> ENVID", 501, "5.5.4"},
    {"FROM:<a@example.com> ENVID=a=b", 501, "5.5.4"},
    {"FROM:<a@example.com> ENVID=+0D+0A", 501, "5.5.4"},
    {"FROM:<a@example.com> NOTIFY=NEVER", 555, "5.5.4"},
    {"FROM:<a@example.com> AUTH=<>", 555, "5.5.4"},
    {"FROM:<a@example.com> =", 555, "5.5.4"},
    {"FROM:<a@example.com> SIZ=1", 555, "5.5.4"},
};

START_TEST(bad_mail_is_refused_in_words)
{
    struct smtp_mail m;
    struct smtp_refusal why;
    const struct bad_row *row = &bad_mails[_i];
    ck_assert_msg(!smtp_command_mail(&m, str_of(row->argument), 0, &why), "%s", row->argument);
    check_refusal(row->argument, &why, row->code, row->status);
}
END_TEST

static const struct rcpt_row {
    const char *argument;
    const char *address;
} rcpts[] = {
    {"TO:<a@example.com>", "a@example.com"}, {"to: <a@example.com> ", "a@example.com"},
    {"TO:<postmaster>", "postmaster"},       {"TO:root", "root"},
    {"TO:<@x.example:root>", "root"},
};

START_TEST(rcpt_is_read)
{
    struct smtp_rcpt r;
    struct smtp_refusal why;
    ck_assert_msg(smtp_command_rcpt(&r, str_of(rcpts[_i].argument), 0, &why), "%s: %s",
                  rcpts[_i].argument, why.err.text);
    ck_assert_msg(str_eq(r.address, str_of(rcpts[_i].address)), "%s", rcpts[_i].argument);
}
END_TEST

static const struct bad_row bad_rcpts[] = {
    {"", 501, "5.5.4"},
    {"FROM:<a@example.com>", 501, "5.5.4"},
    {"TO:", 501, "5.1.3"},
    {"TO:<>", 501, "5.1.3"},
    {"TO:<a@example.com", 501, "5.5.4"},
    {"TO:<a@example.com>x", 501, "5.5.4"},
    {"TO:<a..b@example.com>", 501, "5.1.3"},
    {"TO:<a@example.com,b@example.com>", 501, "5.1.3"},
    {"TO:<\xc3\xa4@example.com>", 553, "5.6.7"},
    {"TO:<a@example.com> NOTIFY", 501, "5.5.4"},
    {"TO:<a@example.com> NOTIFY=NEVER,DELAY", 501, "5.5.4"},
    {"TO:<a@example.com> NOTIFY=NEVER NOTIFY=NEVER", 501, "5.5.4"},
    {"TO:<a@example.com> ORCPT=a@example.com", 501, "5.5.4"},
    {"TO:<a@example.com> ORCPT=utf-8;\xc3\xa4@example.com", 501, "5.5.4"},
    {"TO:<a@example.com> RET=HDRS", 555, "5.5.4"},
};

START_TEST(bad_rcpt_is_refused_in_words)
{
    struct smtp_rcpt r;
    struct smtp_refusal why;
    const struct bad_row *row = &bad_rcpts[_i];
    ck_assert_msg(!smtp_command_rcpt(&r, str_of(row->argument), 0, &why), "%s", row->argument);
    check_refusal(row->argument, &why, row->code, row->status);
}
END_TEST

START_TEST(what_is_to_be_reported_is_read)
{
    struct smtp_mail m;
    struct smtp_rcpt r;
    struct smtp_refusal why;
    ck_assert(smtp_command_mail(&m, STR_LIT("FROM:<a@b> ret=hdrs ENVID=x+20y"), 0, &why));
    ck_assert(m.ret == SMTP_RET_HDRS && str_eq(m.envid, STR_LIT("x+20y")));
    ck_assert(smtp_command_mail(&m, STR_LIT("FROM:<a@b>"), 0, &why));
    ck_assert(m.ret == SMTP_RET_UNSET && m.envid.n == 0);
    ck_assert(smtp_command_rcpt(
        &r, STR_LIT("TO:<a@b> notify=delay,SUCCESS ORCPT=rfc822;c+2Bd@e"), 0, &why));
    ck_assert_uint_eq(r.notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY);
    ck_assert(str_eq(r.orcpt, STR_LIT("rfc822;c+2Bd@e")));
    ck_assert(smtp_command_rcpt(&r, STR_LIT("TO:<a@b> ORCPT=utf-8;\xc3\xa4@e"), SMTP_OFFER_UTF8,
                                &why));
    ck_assert(r.notify == 0 && str_eq(r.orcpt, STR_LIT("utf-8;\xc3\xa4@e")));
}
END_TEST

START_TEST(tls_may_be_required_where_that_is_taken)
{
    struct smtp_mail m;
    struct smtp_refusal why;
    ck_assert(
        smtp_command_mail(&m, STR_LIT("FROM:<a@b> requiretls"), SMTP_OFFER_REQUIRETLS, &why));
    ck_assert(m.require_tls);
    ck_assert(smtp_command_mail(&m, STR_LIT("FROM:<a@b>"), SMTP_OFFER_REQUIRETLS, &why));
    ck_assert(!m.require_tls);
    ck_assert(!smtp_command_mail(&m, STR_LIT("FROM:<a@b> REQUIRETLS=yes"),
                                 SMTP_OFFER_REQUIRETLS, &why));
    check_refusal("a value", &why, 501, "5.5.4");
    ck_assert(!smtp_command_mail(&m, STR_LIT("FROM:<a@b> REQUIRETLS"), 0, &why));
    check_refusal("not taken", &why, 555, "5.5.4");
}
END_TEST

START_TEST(a_recipient_may_be_meant_as_it_is)
{
    struct smtp_rcpt r;
    struct smtp_refusal why;
    struct str argument = STR_LIT("TO:<root> XEXACT");
    ck_assert(smtp_command_rcpt(&r, argument, SMTP_OFFER_XTRANTER, &why));
    ck_assert(r.exact && str_eq(r.address, STR_LIT("root")));
    ck_assert(smtp_command_rcpt(&r, STR_LIT("TO:<root>"), SMTP_OFFER_XTRANTER, &why));
    ck_assert(!r.exact);
    ck_assert(!smtp_command_rcpt(&r, argument, 0, &why));
    check_refusal(argument.p, &why, 555, "5.5.4");
}
END_TEST

#define XID "0123456789abcdef0123456789abcdef"

static const struct bad_row bad_own_mails[] = {
    {"FROM:<a@example.com> XID", 501, "5.5.4"},
    {"FROM:<a@example.com> XID=", 501, "5.5.4"},
    {"FROM:<a@example.com> XID=0123456789abcdef0123456789abcde", 501, "5.5.4"},
    {"FROM:<a@example.com> XID=" XID "0", 501, "5.5.4"},
    {"FROM:<a@example.com> XID=0123456789ABCDEF0123456789ABCDEF", 501, "5.5.4"},
    {"FROM:<a@example.com> XID=0123456789abcdefg123456789abcdef", 501, "5.5.4"},
    {"FROM:<a@example.com> XID=0123456789abcdef 0123456789abcdef", 501, "5.5.4"},
    {"FROM:<a@example.com> XID=" XID " xid=" XID, 501, "5.5.4"},
    {"FROM:<a@example.com> XASIS=yes", 501, "5.5.4"},
    {"FROM:<a@example.com> XASIS XASIS", 501, "5.5.4"},
};

START_TEST(bad_parameters_of_our_own_programs_are_refused_in_words)
{
    struct smtp_mail m;
    struct smtp_refusal why;
    const struct bad_row *row = &bad_own_mails[_i];
    ck_assert_msg(!smtp_command_mail(&m, str_of(row->argument), SMTP_OFFER_XTRANTER, &why),
                  "%s", row->argument);
    check_refusal(row->argument, &why, row->code, row->status);
}
END_TEST

static const struct invalid_row {
    const char *argument;
    const char *invalid;
} invalids[] = {
    {"TO:<> XINVALID=a+20b", "a+20b"},
    {"TO:<no address at all> xinvalid=x", "x"},
    {"TO:<a@b@c> XINVALID=a@b@c", "a@b@c"},
    {"TO:<a@example.com> XINVALID=+C3+A4", "+C3+A4"},
    {"TO:x XINVALID=!", "!"},
};

START_TEST(what_is_no_address_is_taken_as_such)
{
    struct smtp_rcpt r;
    struct smtp_refusal why;
    struct str argument = str_of(invalids[_i].argument);
    ck_assert_msg(smtp_command_rcpt(&r, argument, SMTP_OFFER_XTRANTER, &why), "%s: %s",
                  argument.p, why.err.text);
    ck_assert_msg(str_eq(r.invalid, str_of(invalids[_i].invalid)), "%s", argument.p);
    ck_assert_msg(r.address.n == 0, "%s", argument.p);
    ck_assert_msg(!smtp_command_rcpt(&r, argument, 0, &why), "%s", argument.p);
    check_refusal(argument.p, &why, 555, "5.5.4");
}
END_TEST

static const struct bad_row bad_invalids[] = {
    {"TO:<a> XEXACT=1", 501, "5.5.4"},         {"TO:<a> XEXACT XEXACT", 501, "5.5.4"},
    {"TO:<> XINVALID", 501, "5.5.4"},          {"TO:<> XINVALID=", 501, "5.5.4"},
    {"TO:<> XINVALID=+", 501, "5.5.4"},        {"TO:<> XINVALID=a=b", 501, "5.5.4"},
    {"TO:<> XINVALID=\xc3\xa4", 501, "5.5.4"}, {"TO:<> XINVALID=a XINVALID=b", 501, "5.5.4"},
    {"TO:<a XINVALID=a", 501, "5.5.4"},        {"TO:<a@example.com> XID=" XID, 555, "5.5.4"},
};

START_TEST(bad_words_about_no_address_are_refused)
{
    struct smtp_rcpt r;
    struct smtp_refusal why;
    const struct bad_row *row = &bad_invalids[_i];
    ck_assert_msg(!smtp_command_rcpt(&r, str_of(row->argument), SMTP_OFFER_XTRANTER, &why),
                  "%s", row->argument);
    check_refusal(row->argument, &why, row->code, row->status);
}
END_TEST

START_TEST(a_message_as_it_is_is_asked_for_where_it_is_offered)
{
    struct smtp_mail m;
    struct smtp_refusal why;
    struct str argument = STR_LIT("FROM:<> xasis");
    ck_assert(smtp_command_mail(&m, argument, SMTP_OFFER_XTRANTER, &why));
    ck_assert(m.as_is);
    ck_assert(smtp_command_mail(&m, STR_LIT("FROM:<>"), SMTP_OFFER_XTRANTER, &why));
    ck_assert(!m.as_is);
    ck_assert(!smtp_command_mail(&m, argument, 0, &why));
    check_refusal("not offered", &why, 555, "5.5.4");
}
END_TEST

START_TEST(a_submission_id_is_read_where_it_is_offered)
{
    struct smtp_mail m;
    struct smtp_refusal why;
    struct str argument = STR_LIT("FROM:<> xid=" XID " SIZE=5");
    ck_assert(smtp_command_mail(&m, argument, SMTP_OFFER_XTRANTER, &why));
    ck_assert(str_eq(m.xid, STR_LIT(XID)));
    ck_assert_uint_eq(m.size_bytes, 5);
    ck_assert(smtp_command_mail(&m, STR_LIT("FROM:<>"), SMTP_OFFER_XTRANTER, &why));
    ck_assert_uint_eq(m.xid.n, 0);
    ck_assert(!smtp_command_mail(&m, argument, 0, &why));
    check_refusal("not offered", &why, 555, "5.5.4");
}
END_TEST

START_TEST(a_cut_argument_is_read_or_refused_and_never_more)
{
    static const char argument[] =
        "FROM:<@x.example:\"a\\\" >b\"@[IPv6:::1]> SIZE=123 BODY=8BITMIME";
    for (size_t n = 0; n < sizeof(argument); n++) {
        char *exact = malloc(n + 1);
        memcpy(exact, argument, n);
        struct smtp_mail m;
        struct smtp_refusal why;
        bool good = smtp_command_mail(&m, (struct str){exact, n}, 0, &why);
        ck_assert_msg(good == (n == 37 || n == 38 || (n >= 44 && n <= 47) || n == 60), "%zu",
                      n);
        free(exact);
    }
}
END_TEST

#define ADD_LOOP(tc, test, rows)                                                               \
    tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
    Suite *suite = suite_create("smtp_command");
    TCase *tc = tcase_create("smtp_command");
    ADD_LOOP(tc, a_line_is_a_verb_and_its_argument, verbs);
    ADD_LOOP(tc, a_line_with_a_control_or_a_wrong_end_is_refused, bad_lines);
    ADD_LOOP(tc, mail_is_read, mails);
    ADD_LOOP(tc, bad_mail_is_refused_in_words, bad_mails);
    ADD_LOOP(tc, rcpt_is_read, rcpts);
    ADD_LOOP(tc, bad_rcpt_is_refused_in_words, bad_rcpts);
    ADD_LOOP(tc, bad_parameters_of_our_own_programs_are_refused_in_words, bad_own_mails);
    ADD_LOOP(tc, what_is_no_address_is_taken_as_such, invalids);
    ADD_LOOP(tc, bad_words_about_no_address_are_refused, bad_invalids);
    tcase_add_test(tc, what_is_to_be_reported_is_read);
    tcase_add_test(tc, tls_may_be_required_where_that_is_taken);
    tcase_add_test(tc, a_recipient_may_be_meant_as_it_is);
    tcase_add_test(tc, a_message_as_it_is_is_asked_for_where_it_is_offered);
    tcase_add_test(tc, a_submission_id_is_read_where_it_is_offered);
    tcase_add_test(tc, a_cut_argument_is_read_or_refused_and_never_more);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
