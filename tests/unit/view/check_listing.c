/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "listing.h"
#include "mem.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct store_recipient recipients[3];
static struct store_message message;

static void set_up(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    memset(recipients, 0, sizeof recipients);
    static char b[] = "b@example.com", c[] = "c@example.com", d[] = "d\033[31m@example.com";
    recipients[0].address = b;
    recipients[1].address = c;
    recipients[2].address = d;
    static char sender[] = "a@example.org";
    message = (struct store_message){
        .id = 0x06CC7195D811,
        .sender = sender,
        .recipients = recipients,
        .n_recipients = 3,
        .body_bytes = 2048,
        .uid = 1000,
        .arrival_ms = INT64_C(1795490789925),
        .next_attempt_ms = INT64_C(1795490849925),
    };
}

static char *listed(const struct listing_view *view, bool json)
{
    struct buf out;
    buf_init(&out, 65536);
    if (json)
        listing_json(&out, &message, view);
    else
        listing_message(&out, &message, view);
    char *text = buf_strdup(&out);
    buf_release(&out);
    return text;
}

START_TEST(head_and_foot_are_what_monitors_read)
{
    struct buf out;
    buf_init(&out, 4096);
    listing_head(&out, "/var/spool/tranter", 2);
    listing_foot(&out, 2, 5000, true);
    listing_head(&out, "/var/spool/tranter", 0);
    listing_foot(&out, 0, 0, true);
    listing_foot(&out, 1, 10, true);
    char *text = buf_strdup(&out);
    ck_assert_str_eq(text,
                     "/var/spool/tranter/mqueue (2 requests)\n"
                     "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
                     "-- 4 Kbytes in 2 Requests.\n"
                     "Mail queue is empty\n"
                     "-- 0 Kbytes in 1 Request.\n");
    free(text);
    buf_release(&out);
}
END_TEST

START_TEST(a_reason_stands_once_before_those_who_share_it)
{
    struct fault down;
    fault_set(&down, FAULT_SERVER, "4.4.1", "TCP-REFUSED", "it is away");
    fault_set(&recipients[2].fault, FAULT_RECIPIENT, "4.2.2", "RCPT-TEMP", "full");
    char *text = listed(&(struct listing_view){.smarthost = "main", .held_by = &down}, false);
    ck_assert_str_eq(
        text, "06CC7195D811          2048 Tue Nov 24 03:26:29 a@example.org\n"
              "                                                          (server: it is away)\n"
              "                                               b@example.com\n"
              "                                               c@example.com\n"
              "                                                             (recipient: full)\n"
              "                                               d\\x1B[31m@example.com\n"
              "\n");
    free(text);
}
END_TEST

START_TEST(the_mark_tells_the_state)
{
    static const struct {
        enum store_state state;
        bool active;
        const char *id;
    } cases[] = {{STORE_QUEUED, true, "06CC7195D811* "},
                 {STORE_HELD, false, "06CC7195D811! "},
                 {STORE_DEAD, false, "06CC7195D811# "},
                 {STORE_QUEUED, false, "06CC7195D811  "}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        message.state = cases[i].state;
        char *text = listed(
            &(struct listing_view){.smarthost = "main", .active = cases[i].active}, false);
        ck_assert_msg(strncmp(text, cases[i].id, strlen(cases[i].id)) == 0, "%s", text);
        free(text);
    }
}
END_TEST

START_TEST(strangers_see_that_there_is_a_message_and_no_more)
{
    struct fault down;
    fault_set(&down, FAULT_SERVER, "4.4.1", "TCP-REFUSED", "it is away");
    struct listing_view view = {.smarthost = "main", .hidden = true, .held_by = &down};
    for (int json = 0; json < 2; json++) {
        char *text = listed(&view, json);
        ck_assert_msg(!strstr(text, "example") && !strstr(text, "away"), "%s", text);
        ck_assert(strstr(text, "06CC7195D811"));
        free(text);
    }
}
END_TEST

START_TEST(json_has_one_line_and_what_was_delivered_is_left_out)
{
    recipients[0].state = STORE_SENT;
    char *text = listed(&(struct listing_view){.smarthost = "main"}, true);
    ck_assert(strchr(text, '\n') == text + strlen(text) - 1);
    json_t *o = json_loads(text, 0, NULL);
    ck_assert(o);
    ck_assert_uint_eq(json_array_size(json_object_get(o, "recipients")), 2);
    ck_assert_str_eq(json_string_value(json_object_get(o, "queue_name")), "incoming");
    ck_assert_int_eq(json_integer_value(json_object_get(o, "arrival_time")), 1795490789);
    ck_assert_str_eq(json_string_value(json_object_get(o, "sender")), "a@example.org");
    json_decref(o);
    free(text);
}
END_TEST

START_TEST(the_null_sender_has_postfix_name)
{
    static char null_sender[] = "";
    message.sender = null_sender;
    char *text = listed(&(struct listing_view){.smarthost = "main"}, false);
    ck_assert(strstr(text, " MAILER-DAEMON\n"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listing");
    TCase *tc = tcase_create("listing");
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, head_and_foot_are_what_monitors_read);
    tcase_add_test(tc, a_reason_stands_once_before_those_who_share_it);
    tcase_add_test(tc, the_mark_tells_the_state);
    tcase_add_test(tc, strangers_see_that_there_is_a_message_and_no_more);
    tcase_add_test(tc, json_has_one_line_and_what_was_delivered_is_left_out);
    tcase_add_test(tc, the_null_sender_has_postfix_name);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
