/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "question.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store_recipient recipients[3];
static struct store_message message;

static void set_up(void)
{
    static char sent[] = "sent@Example.org";
    static char waits[] = "Bob@Example.net";
    static char failed[] = "failed@example.org";
    static char sender[] = "App@example.com";
    memset(recipients, 0, sizeof recipients);
    recipients[0] = (struct store_recipient){.address = sent, .state = STORE_SENT};
    recipients[1].address = waits;
    fault_set(&recipients[1].fault, FAULT_RECIPIENT, "4.2.2", "RCPT-TEMP", "full");
    recipients[2] = (struct store_recipient){.address = failed, .state = STORE_FAILED};
    message = (struct store_message){
        .id = 0x06CC8590AD87,
        .sender = sender,
        .recipients = recipients,
        .n_recipients = 3,
        .uid = 1000,
        .arrival_ms = 500,
    };
}

static bool fits(const char *words, const struct selection_view *view)
{
    struct question q;
    struct err err;
    ck_assert_msg(question_read(&q, str_of(words), 1000, &err) == 0, "%s", words);
    bool yes = selection_fits(&q.selection, &message, view);
    bool may = selection_may_fit(&q.selection, &message);
    unsigned states = selection_store_states(&q.selection);
    if (yes)
        ck_assert_msg(may && (!states || states & 1U << message.state), "%s", words);
    question_release(&q);
    return yes;
}

static const struct {
    const char *words;
    bool fits;
} cases[] = {
    {"", true},
    {"from=App@EXAMPLE.com", true},
    {"from=app@*", false},
    {"to=*@example.net", true},
    {"to=sent@*", false},   /* it has that one no more */
    {"to=failed@*", false}, /* nor that one */
    {"to=bob@*", false},
    {"older=500", false},
    {"older=499", true},
    {"user=1000", true},
    {"user=0", false},
    {"state=deferred", true},
    {"state=queued,deferred", true},
    {"state=queued,held,dead,active", false},
    {"match=R:bob", true},
    {"match=!R:bob", false},
    {"from=App* to=Bob* user=1000 older=1 state=deferred", true},
    {"from=App* to=Bob* user=1001 older=1 state=deferred", false},
    {"from=App* to=Rob* user=1000 older=1 state=deferred", false},
};

START_TEST(all_conditions_must_hold)
{
    ck_assert_msg(fits(cases[_i].words, &(struct selection_view){.active = false}) ==
                      cases[_i].fits,
                  "%s", cases[_i].words);
}
END_TEST

START_TEST(the_dead_are_found_by_whom_they_did_not_reach)
{
    const struct selection_view view = {.active = false};
    message.state = STORE_DEAD;
    ck_assert(fits("to=failed@example.org state=dead", &view));
    ck_assert(!fits("to=sent@*", &view));
}
END_TEST

START_TEST(the_state_is_that_of_the_listing)
{
    static const struct {
        enum store_state state;
        bool active, waits, tried;
        const char *name, *postfix_name;
    } states[] = {
        {STORE_QUEUED, false, false, false, "queued", "incoming"},
        {STORE_QUEUED, false, true, false, "deferred", "deferred"},
        {STORE_QUEUED, false, false, true, "deferred", "deferred"},
        {STORE_QUEUED, true, true, true, "active", "active"},
        {STORE_HELD, true, true, true, "active", "active"},
        {STORE_HELD, false, true, true, "held", "hold"},
        {STORE_DEAD, false, true, true, "dead", "dead"},
    };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        const struct selection_view view = {.active = states[i].active,
                                            .waits = states[i].waits};
        char words[64];
        message.state = states[i].state;
        recipients[1].fault.scope = states[i].tried ? FAULT_RECIPIENT : FAULT_NONE;
        enum queue_state state = queue_state_of(&message, view.active, view.waits);
        ck_assert_str_eq(queue_state_name(state), states[i].name);
        ck_assert_str_eq(queue_state_postfix_name(state), states[i].postfix_name);
        snprintf(words, sizeof words, "state=%s", states[i].name);
        ck_assert(fits(words, &view));
        snprintf(words, sizeof words, "state=%s", states[i].postfix_name);
        ck_assert(fits(words, &view));
    }
}
END_TEST

/* Nobody learns an address by asking for it. */
START_TEST(what_is_hidden_is_not_found_by_its_addresses)
{
    const struct selection_view view = {.hidden = true};
    ck_assert(fits("user=1000 older=1 state=deferred", &view));
    ck_assert(!fits("from=*", &view));
    ck_assert(!fits("to=*", &view));
    ck_assert(!fits("match=!R:zz", &view));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("selection");
    TCase *tc = tcase_create("selection");
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_loop_test(tc, all_conditions_must_hold, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tc, the_dead_are_found_by_whom_they_did_not_reach);
    tcase_add_test(tc, the_state_is_that_of_the_listing);
    tcase_add_test(tc, what_is_hidden_is_not_found_by_its_addresses);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
