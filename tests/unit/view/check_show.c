/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "show.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct store_recipient recipients[2];
static struct store_message message;
static struct store_event events[2];
static struct listing_view view;
static const char content[] = "Received: by x\r\n\tfor y;\r\n z\r\n"
                              "Subject: \033[31mred\r\n"
                              "\r\n"
                              "Body: no\r\n";

static void set_up(void)
{
    static char sent[] = "b@example.com";
    static char waits[] = "c\033[1m@example.com";
    static char orcpt[] = "rfc822;d@example.com";
    static char sender[] = "a@example.org";
    static char envid[] = "QQ+2B";
    static char relay[] = "mx[192.0.2.1]:25";
    static char verdict[] = "deferred\r\nforged";
    static char hold[] = "held by uid 0";
    setenv("TZ", "UTC", 1);
    tzset();
    memset(recipients, 0, sizeof recipients);
    recipients[0] = (struct store_recipient){.address = sent, .state = STORE_SENT};
    recipients[1] = (struct store_recipient){
        .address = waits,
        .orcpt = orcpt,
        .notify = STORE_NOTIFY_SUCCESS | STORE_NOTIFY_DELAY,
    };
    fault_set(&recipients[1].fault, FAULT_RECIPIENT, "4.2.2", "RCPT-TEMP", "It is full.");
    fault_reply(&recipients[1].fault, STR_LIT("452 full"));
    fault_fix(&recipients[1].fault, "Wait.");
    message = (struct store_message){
        .id = 0x06CC7195D811,
        .sender = sender,
        .recipients = recipients,
        .n_recipients = 2,
        .body_bytes = 2048,
        .uid = 1000,
        .gid = 1001,
        .pid = 1002,
        .arrival_ms = INT64_C(1795490789925),
        .next_attempt_ms = INT64_C(1795490849925),
        .attempts = 3,
        .ambiguous = 1,
        .envid = envid,
        .ret = STORE_RET_HDRS,
        .require_tls = true,
    };
    events[0] = (struct store_event){.time_ms = INT64_C(1795490790000),
                                     .relay = relay,
                                     .text = verdict,
                                     .since_ms = INT64_C(1795490790000),
                                     .times = 1};
    events[1] = (struct store_event){.time_ms = INT64_C(1795490791000),
                                     .text = hold,
                                     .since_ms = INT64_C(1795490790500),
                                     .times = 12};
    view = (struct listing_view){.smarthost = "main"};
}

static char *shown(bool json)
{
    const struct show_facts facts = {.message = &message,
                                     .view = &view,
                                     .events = events,
                                     .n_events = 2,
                                     .head = str_of(content)};
    struct buf out;
    buf_init(&out, SHOW_OUT_MAX);
    if (json)
        show_json(&out, &facts);
    else
        show_text(&out, &facts);
    ck_assert(!out.failed);
    char *text = buf_strdup(&out);
    buf_release(&out);
    return text;
}

START_TEST(the_text_has_all_that_is_known)
{
    char *text = shown(false);
    ck_assert_str_eq(
        text, "id:         06CC7195D811\n"
              "state:      deferred\n"
              "sender:     a@example.org\n"
              "size:       2048 bytes\n"
              "arrived:    2026-11-24 03:26:29\n"
              "submitter:  uid 1000, gid 1001, pid 1002\n"
              "attempts:   3, and 1 whose final reply was lost: it may have arrived\n"
              "next:       due at 2026-11-24 03:27:29 through smarthost \"main\"\n"
              "ENVID:      QQ+2B\n"
              "RET:        HDRS\n"
              "REQUIRETLS: it may go over verified TLS alone\n"
              "\n"
              "Recipients:\n"
              "  sent    b@example.com\n"
              "  waits   c\\x1B[1m@example.com\n"
              "    recipient, RCPT-TEMP 4.2.2: It is full.\n"
              "    the server said: 452 full\n"
              "    to mend it: Wait.\n"
              "    NOTIFY=SUCCESS,DELAY\n"
              "    ORCPT=rfc822;d@example.com\n"
              "\n"
              "History:\n"
              "  2026-11-24 03:26:30  mx[192.0.2.1]:25  deferred forged\n"
              "  2026-11-24 03:26:31  held by uid 0 (12 times since 2026-11-24 03:26:30)\n"
              "\n"
              "Header:\n"
              "  Received: by x\n"
              "    for y;\n"
              "    z\n"
              "  Subject: \\x1B[31mred\n");
    free(text);
}
END_TEST

START_TEST(mail_waits_for_a_smarthost_that_is_down)
{
    const struct fault refused = {.scope = FAULT_SERVER, .code = "TCP-REFUSED"};
    view.held_by = &refused;
    char *text = shown(false);
    ck_assert_ptr_nonnull(strstr(text, "next:       due at 2026-11-24 03:27:29, and tried as "
                                       "soon as a smarthost is up again\n"));
    free(text);
}
END_TEST

START_TEST(the_states_have_their_words)
{
    static const struct {
        enum store_state state;
        bool active;
        const char *words;
    } cases[] = {{STORE_QUEUED, true, "next:       it is being sent at this moment\n"},
                 {STORE_HELD, false, "next:       it waits until it is released\n"},
                 {STORE_DEAD, false, "next:       it died at 2026-11-24 03:27:29,"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        message.state = cases[i].state;
        view.active = cases[i].active;
        char *text = shown(false);
        ck_assert_msg(strstr(text, cases[i].words) != NULL, "%s", text);
        free(text);
    }
}
END_TEST

static const char *member(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    ck_assert_msg(text != NULL, "%s", key);
    return text;
}

START_TEST(the_json_has_the_same)
{
    char *text = shown(true);
    ck_assert(strchr(text, '\n') == text + strlen(text) - 1);
    json_t *o = json_loads(text, 0, NULL);
    ck_assert(o);
    ck_assert_str_eq(member(o, "queue_id"), "06CC7195D811");
    ck_assert_str_eq(member(o, "state"), "deferred");
    ck_assert_str_eq(member(o, "sender"), "a@example.org");
    ck_assert_str_eq(member(o, "envid"), "QQ+2B");
    ck_assert_str_eq(member(o, "ret"), "HDRS");
    ck_assert(json_is_true(json_object_get(o, "require_tls")));
    ck_assert_int_eq(json_integer_value(json_object_get(o, "uid")), 1000);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "pid")), 1002);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "ambiguous")), 1);
    const json_t *r = json_array_get(json_object_get(o, "recipients"), 1);
    ck_assert_str_eq(member(r, "address"), "c\\x1B[1m@example.com");
    ck_assert_str_eq(member(r, "state"), "waits");
    ck_assert_str_eq(member(r, "code"), "RCPT-TEMP");
    ck_assert_str_eq(member(r, "notify"), "SUCCESS,DELAY");
    ck_assert_str_eq(member(r, "orcpt"), "rfc822;d@example.com");
    const json_t *e = json_array_get(json_object_get(o, "history"), 0);
    ck_assert_str_eq(member(e, "relay"), "mx[192.0.2.1]:25");
    ck_assert_str_eq(member(e, "event"), "deferred forged");
    ck_assert_int_eq(json_integer_value(json_object_get(e, "times")), 1);
    const json_t *header = json_object_get(o, "header");
    ck_assert_uint_eq(json_array_size(header), 2);
    ck_assert_str_eq(member(json_array_get(header, 1), "name"), "Subject");
    ck_assert_str_eq(member(json_array_get(header, 1), "value"), "\\x1B[31mred");
    json_decref(o);
    free(text);
}
END_TEST

START_TEST(many_recipients_stay_within_bounds)
{
    enum {
        MANY = 5000
    };
    message.recipients = calloc(MANY, sizeof *message.recipients);
    message.n_recipients = MANY;
    for (unsigned i = 0; i < MANY; i++) {
        message.recipients[i] = recipients[1];
        memset(message.recipients[i].fault.text, 'x', FAULT_TEXT_MAX - 1);
        memset(message.recipients[i].fault.fix, 'y', FAULT_TEXT_MAX - 1);
    }
    char *text = shown(false);
    ck_assert(strstr(text, "  and 4000 more\n"));
    free(text);
    text = shown(true);
    ck_assert(strstr(text, "\"n_recipients\":5000"));
    free(text);
    free(message.recipients);
}
END_TEST

START_TEST(the_null_sender_and_an_unknown_user_are_told)
{
    static char none[] = "";
    message.sender = none;
    message.uid = (uid_t)-1;
    char *text = shown(false);
    ck_assert(strstr(text, "sender:     <>\n"));
    ck_assert(strstr(text, "submitter:  unknown\n"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("show");
    TCase *tc = tcase_create("show");
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_test(tc, the_text_has_all_that_is_known);
    tcase_add_test(tc, mail_waits_for_a_smarthost_that_is_down);
    tcase_add_test(tc, the_states_have_their_words);
    tcase_add_test(tc, the_json_has_the_same);
    tcase_add_test(tc, many_recipients_stay_within_bounds);
    tcase_add_test(tc, the_null_sender_and_an_unknown_user_are_told);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
