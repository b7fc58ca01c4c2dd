/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct store_recipient recipients[4];
static const struct store_message message = {.recipients = recipients, .n_recipients = 4};

static void set_up(void)
{
    static char a[] = "a@x.org", b[] = "b\033@x.org", c[] = "c@x.org", d[] = "d@x.org";
    memset(recipients, 0, sizeof recipients);
    recipients[0].address = a;
    recipients[1].address = b;
    recipients[2].address = c;
    recipients[3].address = d;
    fault_set(&recipients[1].fault, FAULT_RECIPIENT, "4.2.2", "RCPT-TEMP", "It is full.");
    fault_reply(&recipients[1].fault, STR_LIT("452 full"));
    fault_set(&recipients[2].fault, FAULT_MESSAGE, "5.3.4", "TOO-LARGE", "It is too large.");
}

static void check(const unsigned *index, const enum outcome_event *events, unsigned n,
                  const char *expected)
{
    struct buf out;
    buf_init(&out, VERDICT_MAX);
    verdict_put(&out, &message, index, events, n);
    char *text = buf_strdup(&out);
    ck_assert_str_eq(text, expected);
    ck_assert(!out.failed);
    free(text);
    buf_release(&out);
}

START_TEST(a_verdict_counts_and_says_why)
{
    check((unsigned[]){1, 0, 2, 3},
          (enum outcome_event[]){OUTCOME_DEFERRED, OUTCOME_SENT, OUTCOME_BOUNCED, OUTCOME_SENT},
          4, "2 sent, 1 deferred, 1 bounced: <b\\x1B@x.org> recipient: 452 full");
    check((unsigned[]){0, 2}, (enum outcome_event[]){OUTCOME_SENT, OUTCOME_EXPIRED}, 2,
          "1 sent, 1 expired: <c@x.org> message: It is too large.");
    check((unsigned[]){0}, (enum outcome_event[]){OUTCOME_SENT}, 1, "1 sent");
}
END_TEST

START_TEST(the_longest_fits)
{
    static char address[400];
    struct buf out;
    memset(address, '\033', sizeof address - 1);
    memset(recipients[1].fault.reply, '\033', FAULT_TEXT_MAX - 1);
    recipients[1].address = address;
    buf_init(&out, VERDICT_MAX);
    verdict_put(&out, &message, (unsigned[]){1}, (enum outcome_event[]){OUTCOME_DEFERRED}, 1);
    ck_assert(!out.failed);
    buf_release(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verdict");
    TCase *tc = tcase_create("verdict");
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, a_verdict_counts_and_says_why);
    tcase_add_test(tc, the_longest_fits);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
