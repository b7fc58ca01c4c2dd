/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mode.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define STARTTLS CONF_TLS_STARTTLS
#define IMPLICIT CONF_TLS_IMPLICIT
#define FULL CONF_VERIFY_FULL

static struct fault fault_of(const char *code)
{
    struct fault f;
    fault_set(&f, FAULT_SERVER, "4.4.2", code, "what happened");
    return f;
}

static struct conf_smarthost smarthost_of(enum conf_tls tls, bool by_port)
{
    static char host[] = "mx.example";
    return (struct conf_smarthost){
        .host = host, .port = 465, .tls = tls, .tls_auto = by_port, .verify = FULL};
}

static const struct {
    enum conf_tls tls;
    bool by_port; /* tls = "auto" */
    enum conf_verify verify;
    bool works; /* the configured mode did once */
    const char *code;
    int other; /* of enum conf_tls; -1: it stays */
} ends[] = {
    {IMPLICIT, true, FULL, false, "MODE-PLAINBANNER", STARTTLS},
    {IMPLICIT, true, FULL, false, "MODE-PLAINSYNC", STARTTLS},
    {IMPLICIT, true, FULL, false, "MODE-PLAINREFUSE", STARTTLS},
    {IMPLICIT, true, FULL, true, "MODE-PLAINBANNER", STARTTLS},
    {IMPLICIT, true, CONF_VERIFY_FINGERPRINT, false, "MODE-PLAINBANNER", STARTTLS},
    {STARTTLS, true, FULL, false, "MODE-SILENT", IMPLICIT},
    {STARTTLS, true, FULL, false, "MODE-TLSBYTES", IMPLICIT},
    {STARTTLS, true, FULL, true, "MODE-TLSBYTES", IMPLICIT},
    /* The server is slow: it greeted before. */
    {STARTTLS, true, FULL, true, "MODE-SILENT", -1},
    /* Named, or not verified, or not encrypted. */
    {IMPLICIT, false, FULL, false, "MODE-PLAINBANNER", -1},
    {STARTTLS, false, FULL, false, "MODE-SILENT", -1},
    {STARTTLS, false, FULL, false, "MODE-TLSBYTES", -1},
    {IMPLICIT, true, CONF_VERIFY_NONE, false, "MODE-PLAINBANNER", -1},
    {STARTTLS, true, CONF_VERIFY_NONE, false, "MODE-SILENT", -1},
    {CONF_TLS_NONE, false, FULL, false, "MODE-TLSBYTES", -1},
    {CONF_TLS_NONE, true, FULL, false, "MODE-TLSBYTES", -1},
    /* No mismatch. */
    {STARTTLS, true, FULL, false, "MODE-PLAINBANNER", -1}, /* within the handshake */
    {IMPLICIT, true, FULL, false, "MODE-SILENT", -1},
    {IMPLICIT, true, FULL, false, "TLS-TIMEOUT", -1},
    {IMPLICIT, true, FULL, false, "CERT-EXPIRED", -1},
    {IMPLICIT, true, FULL, false, "MODE-HTTP", -1},
    {STARTTLS, true, FULL, false, "MODE-OTHERPROTO", -1},
    {STARTTLS, true, FULL, false, "STARTTLS-MISSING", -1},
    {STARTTLS, true, FULL, false, "TCP-RST-EARLY", -1},
    {STARTTLS, true, FULL, false, "TCP-TIMEOUT", -1},
};

START_TEST(a_proven_mismatch_alone_turns_and_once)
{
    struct conf_smarthost s = smarthost_of(ends[_i].tls, ends[_i].by_port);
    struct fault f = fault_of(ends[_i].code);
    struct mode m;
    struct mode_trial t;
    s.verify = ends[_i].verify;
    mode_init(&m, &s);
    m.works = ends[_i].works;
    mode_begin(&t, &m);
    t.begun = true;
    ck_assert_int_eq(t.spoken, s.tls);
    bool turns = ends[_i].other >= 0;
    ck_assert_msg(mode_turn(&t, &s, &f) == turns, "%s", ends[_i].code);
    ck_assert_int_eq((int)t.spoken, turns ? ends[_i].other : (int)s.tls);
    for (unsigned i = 0; turns && i < sizeof ends / sizeof ends[0]; i++) {
        struct fault next = fault_of(ends[i].code);
        ck_assert(!mode_turn(&t, &s, &next));
    }
}
END_TEST

START_TEST(no_handshake_that_was_verified_is_doubted)
{
    struct conf_smarthost s = smarthost_of(IMPLICIT, true);
    struct fault f = fault_of("MODE-PLAINBANNER");
    struct mode m;
    struct mode_trial t;
    mode_init(&m, &s);
    mode_begin(&t, &m);
    t.begun = t.proved = true;
    ck_assert(!mode_turn(&t, &s, &f));
}
END_TEST

/* An attempt that begins with what m says, meets code (NULL: nothing), and is then proved or
 * ends with last. How often it was news. */
static unsigned attempt(struct mode *m, const struct conf_smarthost *s, const char *code,
                        bool proved, const char *last, const char *told)
{
    struct mode_trial t;
    struct fault first = fault_of(code ? code : "NONE"), second = fault_of(last);
    mode_begin(&t, m);
    t.begun = true;
    ck_assert(mode_turn(&t, s, &first) == (code != NULL));
    t.proved = proved;
    ck_assert_str_eq(mode_fault(&t, s, &second)->code, told);
    return mode_learn(m, s, &t);
}

static const struct {
    enum conf_tls tls, other;
    const char *mismatch, *back, *text, *fix;
} ways[] = {
    {IMPLICIT, STARTTLS, "MODE-PLAINBANNER", "MODE-SILENT",
     "mx.example port 465 speaks SMTP with STARTTLS", "set tls = \"starttls\""},
    {STARTTLS, IMPLICIT, "MODE-SILENT", "MODE-PLAINBANNER",
     "mx.example port 465 speaks TLS from the first byte", "set tls = \"implicit\""},
};

START_TEST(what_was_verified_is_remembered_and_told_once)
{
    struct conf_smarthost s = smarthost_of(ways[_i].tls, true);
    const char *mismatch = ways[_i].mismatch;
    struct mode m;
    mode_init(&m, &s);
    ck_assert_int_eq(m.advice.scope, FAULT_NONE);
    /* The login is refused: that is told, and the way there is known all the same. */
    ck_assert(attempt(&m, &s, mismatch, true, "AUTH-REJECTED", "AUTH-REJECTED"));
    ck_assert_int_eq(m.spoken, ways[_i].other);
    ck_assert_str_eq(m.advice.code, mismatch);
    ck_assert_ptr_nonnull(strstr(m.advice.text, ways[_i].text));
    ck_assert_ptr_nonnull(strstr(m.advice.fix, ways[_i].fix));
    ck_assert(!attempt(&m, &s, NULL, true, "GREET-421", "GREET-421"));
    ck_assert_int_eq(m.spoken, ways[_i].other);
    ck_assert_int_eq(m.advice.scope, FAULT_ACCOUNT);
    /* The server has changed back. */
    ck_assert(!attempt(&m, &s, ways[_i].back, true, "AUTH-REJECTED", "AUTH-REJECTED"));
    ck_assert_int_eq(m.spoken, s.tls);
    ck_assert_int_eq(m.advice.scope, FAULT_NONE);
    ck_assert(m.works);
}
END_TEST

START_TEST(where_both_fail_the_configured_one_is_told)
{
    struct conf_smarthost s = smarthost_of(ways[_i].tls, true);
    struct mode m;
    struct mode_trial never;
    mode_init(&m, &s);
    ck_assert(!attempt(&m, &s, ways[_i].mismatch, false, "GREET-421", ways[_i].mismatch));
    ck_assert_int_eq(m.spoken, s.tls);
    ck_assert_int_eq(m.advice.scope, FAULT_NONE);
    ck_assert(attempt(&m, &s, ways[_i].mismatch, true, "OTHER", "OTHER"));
    /* The remembered one fails, and so does the configured one. */
    ck_assert(!attempt(&m, &s, ways[_i].back, false, "CERT-EXPIRED", "CERT-EXPIRED"));
    ck_assert_int_eq(m.spoken, s.tls);
    ck_assert(attempt(&m, &s, ways[_i].mismatch, true, "OTHER", "OTHER") == 0);
    ck_assert_int_eq(m.spoken, ways[_i].other);
    /* No connection says nothing of it; one that comes to nothing does. */
    mode_begin(&never, &m);
    ck_assert(!mode_learn(&m, &s, &never));
    ck_assert_int_eq(m.spoken, ways[_i].other);
    ck_assert(!attempt(&m, &s, NULL, false, "GREET-421", "GREET-421"));
    ck_assert_int_eq(m.spoken, s.tls);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mode");
    TCase *tc = tcase_create("mode");
    tcase_add_loop_test(tc, a_proven_mismatch_alone_turns_and_once, 0,
                        sizeof ends / sizeof ends[0]);
    tcase_add_test(tc, no_handshake_that_was_verified_is_doubted);
    tcase_add_loop_test(tc, what_was_verified_is_remembered_and_told_once, 0,
                        sizeof ways / sizeof ways[0]);
    tcase_add_loop_test(tc, where_both_fail_the_configured_one_is_told, 0,
                        sizeof ways / sizeof ways[0]);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
