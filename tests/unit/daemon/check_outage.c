/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outage.h"
#include "pace.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR
};

static struct fault fault_of(enum fault_scope scope, const char *status, const char *code)
{
    struct fault f;
    fault_set(&f, scope, status, code, "because");
    return f;
}

/* A day of one fault, a probe as soon as each may be made; with retry-min = "1m" and retry-max
 * = "1h". after_mend_ms: when mail goes out at the latest. */
static const struct day {
    const char *name;
    enum fault_scope scope;
    const char *status, *code;
    bool late;
    unsigned least, most; /* probes */
    int64_t after_mend_ms;
} days[] = {
    {"nothing answers", FAULT_SERVER, "4.4.1", "TCP-REFUSED", false, 8640, 11600, 10 * SECOND},
    {"it is busy", FAULT_SERVER, "4.3.2", "GREET-421", false, 8640, 11600, 10 * SECOND},
    {"it greets with a no", FAULT_SERVER, "5.3.2", "GREET-554", false, 2880, 3900, 30 * SECOND},
    {"no STARTTLS", FAULT_ACCOUNT, "4.7.0", "STARTTLS-MISSING", false, 2880, 3900, 30 * SECOND},
    {"it breaks off in each message", FAULT_SERVER, "4.4.2", "CONN-LOST", true, 2880, 3900,
     30 * SECOND},
    {"the day's quota is used up", FAULT_ACCOUNT, "5.4.5", "QUOTA-DAY", true, 288, 400,
     5 * MINUTE},
    {"too fast", FAULT_SERVER, "4.7.0", "RATE-MSG", true, 288, 400, 5 * MINUTE},
    {"the command for the secret fails", FAULT_ACCOUNT, "4.7.0", "AUTH-HELPER", false, 288, 400,
     5 * MINUTE},
    {"the token is refused", FAULT_ACCOUNT, "5.7.8", "AUTH-TOKEN-EXPIRED", false, 24, 36, HOUR},
    {"somebody has to sign in again", FAULT_ACCOUNT, "4.7.0", "OAUTH-REFRESH-DEAD", false, 24,
     36, HOUR},
    {"the server cannot prove itself", FAULT_ACCOUNT, "4.7.0", "AUTH-SCRAM-FAKE", false, 24, 36,
     HOUR},
    {"the password has a blank", FAULT_ACCOUNT, "5.7.8", "AUTH-WHITESPACE", false, 24, 36,
     HOUR},
    {"the secret is refused", FAULT_ACCOUNT, "5.7.8", "AUTH-REJECTED", false, 24, 36, HOUR},
};

START_TEST(a_broken_day_is_worn_out_by_nobody_and_ends_soon)
{
    const struct day *day = &days[_i];
    struct outage o = {.n_told = 0};
    struct fault f = fault_of(day->scope, day->status, day->code);
    struct schedule_pace pace = pace_of(&f, day->late, MINUTE, HOUR);
    unsigned probes = 0, lines = 0;
    uint32_t random = 1;
    int64_t now = 0;
    for (; now < DAY; now = o.health.next_probe_at) {
        ck_assert(schedule_may_connect(&o.health, now));
        schedule_connecting(&o.health);
        ck_assert(!now || !schedule_may_connect(&o.health, now));
        random = random * 1664525 + 1013904223;
        struct outage_time time = {now, 5 * (int64_t)DAY + now};
        lines += outage_failed(&o, &f, day->late, time, &pace, random);
        probes++;
    }
    ck_assert_msg(probes >= day->least && probes <= day->most, "%s: %u probes", day->name,
                  probes);
    ck_assert_msg(now - DAY <= day->after_mend_ms, "%s: %lld ms after the mend", day->name,
                  (long long)(now - DAY));
    ck_assert_uint_eq(lines, 1);
    ck_assert_int_eq(o.down_since_ms, 5 * (int64_t)DAY);
}
END_TEST

START_TEST(a_secret_is_offered_twice_and_then_rarely)
{
    struct fault f = fault_of(FAULT_ACCOUNT, "5.7.8", "AUTH-REJECTED");
    struct schedule_pace pace = pace_of(&f, false, MINUTE, HOUR);
    ck_assert_int_eq(pace.first_ms, MINUTE);
    ck_assert_int_eq(pace.then_ms, 15 * MINUTE);
    ck_assert_int_eq(pace.max_ms, HOUR);
}
END_TEST

START_TEST(retry_max_is_never_exceeded)
{
    const struct day *day = &days[_i];
    struct fault f = fault_of(day->scope, day->status, day->code);
    struct schedule_pace pace = pace_of(&f, day->late, SECOND, 2 * SECOND);
    ck_assert_int_le(pace.first_ms, 2 * SECOND);
    ck_assert_int_le(pace.then_ms, 2 * SECOND);
    ck_assert_int_le(pace.max_ms, 2 * SECOND);
    ck_assert_int_gt(pace.first_ms, 0);
}
END_TEST

/* A host with several addresses may fail for several reasons in turn. */
START_TEST(each_cause_is_told_once_in_an_outage)
{
    static const char *const codes[] = {"A", "B", "A", "B", "C", "D", "E", "F", "A", "E"};
    static const bool news[] = {true, true,  false, false, true,
                                true, false, false, false, false};
    struct outage o = {.n_told = 0};
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
            struct fault f = fault_of(FAULT_SERVER, "4.4.1", codes[i]);
            struct schedule_pace pace = pace_of(&f, false, MINUTE, HOUR);
            int64_t now = (int64_t)i * MINUTE;
            schedule_connecting(&o.health);
            bool is_news =
                outage_failed(&o, &f, false, (struct outage_time){now, now}, &pace, 0);
            ck_assert_msg(is_news == news[i], "%zu: %s", i, codes[i]);
            ck_assert_str_eq(o.fault.code, codes[i]);
            ck_assert_int_eq(o.down_since_ms, 0);
        }
        outage_over(&o);
        ck_assert_uint_eq(o.health.failures, 0);
    }
}
END_TEST

int main(void)
{
    int n = (int)(sizeof days / sizeof *days);
    Suite *suite = suite_create("outage");
    TCase *tc = tcase_create("outage");
    tcase_add_loop_test(tc, a_broken_day_is_worn_out_by_nobody_and_ends_soon, 0, n);
    tcase_add_test(tc, a_secret_is_offered_twice_and_then_rarely);
    tcase_add_loop_test(tc, retry_max_is_never_exceeded, 0, n);
    tcase_add_test(tc, each_cause_is_told_once_in_an_outage);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
