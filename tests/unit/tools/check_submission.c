/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "submission.h"

#include "smtp_caps.h"

#include <check.h>
#include <stdlib.h>
#include <sysexits.h>

static const struct {
    unsigned code;
    const char *status;
    int exit_status;
} verdicts[] = {
    {421, "4.3.2", EX_OSERR},        {450, "", EX_OSERR},
    {451, "4.3.0", EX_OSERR},        {452, "4.3.1", EX_OSERR},
    {552, "5.3.4", EX_UNAVAILABLE},  {552, "", EX_UNAVAILABLE},
    {554, "5.4.6", EX_UNAVAILABLE},  {550, "", EX_UNAVAILABLE},
    {550, "5.1.1", EX_DATAERR},      {501, "5.1.3", EX_DATAERR},
    {553, "5.1.7", EX_DATAERR},      {550, "5.6.0", EX_DATAERR},
    {550, "5.7.1", EX_NOPERM},       {452, "4.5.3", EX_OSERR},
    {554, "5.5.3", EX_UNAVAILABLE},  {503, "5.5.1", EX_SOFTWARE},
    {250, "2.0.0", EX_OSERR},        {354, "", EX_OSERR},
    {550, "5.10.1", EX_UNAVAILABLE},
};

START_TEST(a_reply_that_refuses_has_its_exit_status)
{
    ck_assert_int_eq(submission_exit_status(verdicts[_i].code, verdicts[_i].status),
                     verdicts[_i].exit_status);
}
END_TEST

static char *two[] = {(char[]){"c@d"}, (char[]){"\"e f\"@g"}};
static char *utf8[] = {(char[]){"b\xC3\xB6"
                                "b@d"}};

static char *bad[] = {(char[]){"a@b@c"}, (char[]){"b\xC3\xB6 ="}};

static const struct {
    struct submission_envelope envelope;
    unsigned caps;
    const char *text;
} envelopes[] = {
    {{.sender = "a@b", two, 2},
     0,
     "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<\"e f\"@g>\r\nDATA\r\n"},
    {{.sender = "", two, 1},
     SMTP_CAP_8BITMIME,
     "MAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<c@d>\r\nDATA\r\n"},
    {{.sender = "a", utf8, 1},
     SMTP_CAP_SMTPUTF8,
     "MAIL FROM:<a> SMTPUTF8\r\nRCPT TO:<b\xC3\xB6"
     "b@d>\r\nDATA\r\n"},
    {{.sender = "a", two, 1}, SMTP_CAP_SMTPUTF8, "MAIL FROM:<a>\r\nRCPT TO:<c@d>\r\nDATA\r\n"},
    {{"a", two, 1, .notify = "never", .ret = "hdrs", .envelope_id = "a b+c=d~"},
     SMTP_CAP_DSN,
     "MAIL FROM:<a> RET=hdrs ENVID=a+20b+2Bc+3Dd~\r\nRCPT TO:<c@d> NOTIFY=never\r\nDATA\r\n"},
    {{"a", two, 1, .notify = "never", .ret = "hdrs", .envelope_id = "x"},
     0,
     "MAIL FROM:<a>\r\nRCPT TO:<c@d>\r\nDATA\r\n"},
    {{"a", two, 1, bad, 2, .xid = "0f", .as_is = true},
     SMTP_CAP_XTRANTER,
     "MAIL FROM:<a> XID=0f XASIS\r\n"
     "RCPT TO:<MAILER-DAEMON> XINVALID=a@b@c\r\n"
     "RCPT TO:<MAILER-DAEMON> XINVALID=b+C3+B6+20+3D\r\n"
     "RCPT TO:<c@d>\r\nDATA\r\n"},
    {{"a", two, 1, bad, 1, .notify = "never", .xid = "0f"},
     SMTP_CAP_XTRANTER | SMTP_CAP_DSN,
     "MAIL FROM:<a> XID=0f\r\n"
     "RCPT TO:<MAILER-DAEMON> XINVALID=a@b@c NOTIFY=never\r\n"
     "RCPT TO:<c@d> NOTIFY=never\r\nDATA\r\n"},
    {{"a", two, 1, bad, 1, .xid = "0f"}, 0, "MAIL FROM:<a>\r\nRCPT TO:<c@d>\r\nDATA\r\n"},
};

START_TEST(an_envelope_says_what_the_daemon_understands)
{
    struct buf out;
    buf_init(&out, 1000);
    submission_put_envelope(&out, &envelopes[_i].envelope, envelopes[_i].caps);
    ck_assert_msg(str_eq(buf_str(&out), str_of(envelopes[_i].text)), "%.*s",
                  STR_FMT(buf_str(&out)));
    buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("submission");
    TCase *tc = tcase_create("submission");
    tcase_add_loop_test(tc, a_reply_that_refuses_has_its_exit_status, 0,
                        (int)(sizeof verdicts / sizeof verdicts[0]));
    tcase_add_loop_test(tc, an_envelope_says_what_the_daemon_understands, 0,
                        (int)(sizeof envelopes / sizeof envelopes[0]));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
