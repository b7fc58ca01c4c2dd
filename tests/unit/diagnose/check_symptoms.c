/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of symptoms: each row is brought about, and what is found has its code, its cure, a
 * sentence, and a fix where a person can do something. */
#include "cause.h"
#include "conclude.h"
#include "symptom.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum how {
    RESOLVER,
    CONNECT,
    HELLO,
    CERTIFICATE,
    REPLY,
    BREAK,
    DIALOGUE,
    LOGIN,
    SECRET,
    ADVICE,
    SELF,
    NO_TRUST
};

static const struct {
    int row; /* D- */
    const char *code;
    int exit_status;
    enum how how;
    const char *words;
    bool no_fix; /* nobody here can do anything but wait */
} rows[] = {
    /* clang-format off */
    {1, "DNS-NXDOMAIN", 78, RESOLVER, "NONAME", false},
    {2, "DNS-MXONLY", 78, RESOLVER, "NODATA mx", false},
    {3, "DNS-NODATA", 78, RESOLVER, "NODATA", false},
    {4, "DNS-TEMP", 75, RESOLVER, "AGAIN", false},
    {5, "DNS-NORESOLVER", 75, RESOLVER, "AGAIN refused", false},
    {6, "DNS-LOOPBACK", 78, CONNECT, "smtp.example.com 587 ECONNREFUSED 127.0.0.1", false},
    {7, "DNS-PRIVATE", 75, CONNECT, "smtp.example.com 587 ETIMEDOUT 10.0.0.1", false},
    {8, "NET-UNREACH", 75, CONNECT, "smtp.example.com 587 ENETUNREACH 192.0.2.1 2001:db8::1", false},
    {10, "NET-IPV6ONLY", 78, CONNECT, "smtp.example.com 587 ENETUNREACH 2001:db8::1", false},
    {11, "TCP-REFUSED", 78, CONNECT, "smtp.example.com 587 ECONNREFUSED 192.0.2.1", false},
    {12, "TCP-TIMEOUT-25", 78, CONNECT, "smtp.example.com 25 ETIMEDOUT 192.0.2.1", false},
    {13, "TCP-TIMEOUT", 75, CONNECT, "smtp.example.com 465 ETIMEDOUT 192.0.2.1", false},
    {14, "TCP-PERM", 78, CONNECT, "smtp.example.com 587 EPERM 192.0.2.1", false},
    {15, "TCP-RST-EARLY", 75, BREAK, "EOF GREETING", true},
    {16, "TCP-MTU", 75, BREAK, "TIMEOUT CONTENT", false},

    {20, "MODE-SILENT", 75, BREAK, "TIMEOUT GREETING starttls", false},
    {21, "MODE-TLSBYTES", 78, BREAK, "GARBAGE GREETING \x15\x03\x03", false},
    {22, "MODE-PLAINBANNER", 78, HELLO, "220 mx.example ESMTP\r\n", false},
    {23, "MODE-PLAINSYNC", 78, HELLO, "500 5.5.1 What?\r\n", false},
    {24, "MODE-PLAINREFUSE", 78, HELLO, "554 No\r\n", false},
    {25, "MODE-HTTP", 75, HELLO, "HTTP/1.1 400 Bad Request\r\n", false},
    {26, "MODE-OTHERPROTO", 78, HELLO, "SSH-2.0-OpenSSH_9.2\r\n", false},
    {27, "TLS-CLOSED", 75, HELLO, NULL, false},
    {28, "TLS-TIMEOUT", 75, BREAK, "TIMEOUT HANDSHAKE", false},
    {29, "MBOX-MASKED", 78, DIALOGUE, "starttls:220 *******|250-s|250 XXXXXXXA", false},
    {30, "MBOX-INTERCEPT", 78, CERTIFICATE, "zscaler", false},
    {32, "GREET-554", 75, REPLY, "GREETING: 554 5.7.1 blocked", false},
    {33, "GREET-421", 75, REPLY, "GREETING: 421 4.3.2 busy", true},
    {34, "STARTTLS-INJECT", 78, DIALOGUE, "starttls:220 s|250-s|250 STARTTLS|220 go|250 evil|TLS", false},

    {40, "EHLO-REFUSED", 78, REPLY, "EHLO: 502 5.5.1 what", false},
    {41, "EHLO-NAME", 78, REPLY, "EHLO: 501 5.5.4 bad", false},
    {42, "STARTTLS-MISSING", 78, DIALOGUE, "starttls:220 s|250-s|250 AUTH PLAIN", false},
    {43, "STARTTLS-MISSING-25", 78, ADVICE, "STARTTLS-MISSING mx.example.com 25 a@b.example 0", false},
    {44, "STARTTLS-TEMP", 75, REPLY, "STARTTLS: 454 4.7.0 later", true},
    {45, "STARTTLS-REFUSED", 78, REPLY, "STARTTLS: 501 no", false},
    {47, "AUTH-MISSING", 78, DIALOGUE, "implicit login:TLS|220 s|250 s", false},
    {48, "AUTH-MISSING-LOST", 78, DIALOGUE,
        "starttls login:220 s|250-s|250-AUTH PLAIN|250 STARTTLS|220 go|TLS|250 s", false},
    {49, "AUTH-NOMECH", 78, LOGIN, "- NTLM", false},
    {50, "AUTH-OAUTH-ONLY", 78, LOGIN, "- XOAUTH2", false},
    {51, "AUTH-POLICY-FILTER", 78, LOGIN, "LOGIN PLAIN", false},
    {52, "AUTH-NOTCONFIGURED", 78, REPLY, "MAIL tls: 530 5.7.0 Authentication required", false},
    {53, "TLS-REQUIRED-FIRST", 78, REPLY, "MAIL: 530 5.7.0 Must issue a STARTTLS command first", false},

    {60, "AUTH-REJECTED", 78, REPLY, "AUTH tls login: 535 5.7.8 no", false},
    {61, "AUTH-APPPASSWORD", 78, REPLY, "AUTH tls login: 534 5.7.9 Application-specific password", false},
    {62, "AUTH-WEBLOGIN", 78, REPLY, "AUTH tls login: 534 5.7.14 log in via your web browser", false},
    {63, "AUTH-BASICOFF", 78, REPLY, "AUTH tls login: 535 5.7.139 basic authentication is disabled", false},
    {64, "AUTH-TOKEN-EXPIRED", 78, LOGIN, "- token", false},
    {65, "AUTH-HELPER", 78, SECRET, "exit 1", false},
    {66, "AUTH-TEMP", 75, REPLY, "AUTH tls login: 454 4.7.0 backend", true},
    {67, "AUTH-TOOMANY", 75, REPLY, "AUTH tls login: 454 4.7.0 Too many login attempts", false},
    {68, "AUTH-USERFORM", 78, ADVICE, "AUTH-REJECTED mx.example.com 587 web1 0", false},
    {69, "AUTH-WHITESPACE", 78, ADVICE, "AUTH-REJECTED mx.example.com 587 a@b.example 1", false},
    {70, "AUTH-BADSERVER", 75, DIALOGUE, "login:220 s|250-s|250 AUTH LOGIN|334 Username:|501 so", false},
    {71, "AUTH-SCRAM-FAKE", 78, LOGIN, "- scram", false},
    {72, "CRED-FILE", 78, SECRET, "file", false},
    {73, "AUTH-TRANSITION", 78, REPLY, "AUTH tls login: 432 4.7.12 transition", false},

    {80, "CERT-HOST", 78, CERTIFICATE, "name", false},
    {81, "CERT-HOST-IP", 78, CERTIFICATE, "address", false},
    {82, "CERT-HOST-CNAME", 78, CERTIFICATE, "alias", false},
    {83, "CERT-EXPIRED", 78, CERTIFICATE, "expired", false},
    {84, "CERT-NOTYET", 75, CERTIFICATE, "early", false},
    {85, "CLOCK-SKEW", 75, CERTIFICATE, "clock", false},
    {86, "CERT-SELFSIGNED", 78, CERTIFICATE, "self", false},
    {87, "CERT-CHAIN", 78, CERTIFICATE, "chain", false},
    {88, "CERT-UNKNOWNCA", 78, CERTIFICATE, "stranger", false},
    {89, "CERT-NOSTORE", 78, NO_TRUST, "", false},
    {90, "CERT-PURPOSE", 78, CERTIFICATE, "purpose", false},
    {91, "CERT-WEAK", 78, CERTIFICATE, "weak", false},
    {92, "CERT-REVOKED", 78, CERTIFICATE, "revoked", false},
    {93, "CERT-STAPLE", 75, CERTIFICATE, "staple", false},
    {94, "CERT-PIN", 78, CERTIFICATE, "pin", false},
    {95, "CERT-CNONLY", 78, CERTIFICATE, "common", false},
    {96, "TLS-VERSION", 78, HELLO, "\x15\x03\x01\x00\x02\x02\x46", false},
    {97, "TLS-CIPHER", 78, HELLO, "\x15\x03\x03\x00\x02\x02\x28", false},
    {98, "TLS-SNI", 78, HELLO, "\x15\x03\x03\x00\x02\x02\x70", false},
    {99, "TLS-ALPN", 78, HELLO, "\x15\x03\x03\x00\x02\x02\x78", false},
    {100, "TLS-CLIENTCERT", 78, HELLO, "\x15\x03\x03\x00\x02\x02\x74", false},
    {101, "TLS-TRUNCATED", 75, CERTIFICATE, "cut", true},

    {110, "SENDER-NOTOWNED", 78, REPLY, "MAIL tls login authed: 550 5.7.60 not permitted", false},
    {111, "SENDER-LOCAL", 78, REPLY, "MAIL tls login authed local: 553 5.1.8 no such domain", false},
    {112, "SENDER-NULL", 78, REPLY, "MAIL tls login authed null: 501 no", false},
    {113, "RELAY-DENIED", 78, REPLY, "RCPT tls one: 554 5.7.1 Relay access denied", false},
    {114, "RELAY-DENIED-AUTH", 78, REPLY, "RCPT tls login authed one: 550 5.7.1 Unable to relay", false},
    {115, "RCPT-UNKNOWN", 78, REPLY, "RCPT tls one: 550 5.1.1 who", false},
    {116, "RCPT-SYNTAX", 78, REPLY, "RCPT tls one: 501 5.1.3 bad", false},
    {117, "RCPT-TOOMANY", 75, REPLY, "RCPT tls one: 452 4.5.3 enough", true},
    {118, "RATE-CONN", 75, REPLY, "MAIL tls: 432 4.3.2 Concurrent connections limit exceeded", false},
    {119, "RATE-MSG", 75, REPLY, "MAIL tls: 451 4.7.0 Rate limit exceeded", false},
    {120, "QUOTA-DAY", 75, REPLY, "FINAL tls login authed: 550 5.4.5 Daily user sending quota", false},
    {121, "ACCOUNT-BLOCKED", 78, REPLY, "FINAL tls login authed: 550 5.4.6 Unusual sending activity", false},
    {122, "SIZE-LOCAL", 78, DIALOGUE, ":220 s|250-s|250 SIZE 1000", false},
    {123, "SIZE-REMOTE", 78, REPLY, "FINAL tls: 552 5.3.4 big", false},
    {124, "CONTENT-REJECT", 78, REPLY, "FINAL tls: 554 5.7.1 spam", true},
    {125, "CONTENT-HEADER", 78, REPLY, "FINAL tls: 550 5.6.0 bare LF", false},
    {126, "UTF8-NEEDED", 78, DIALOGUE, ":220 s|250 s", false},
    {127, "PROTO-GARBAGE", 75, BREAK, "GARBAGE EHLO nonsense", true},
    {128, "PROTO-DESYNC", 75, BREAK, "DESYNC MAIL", true},
    {129, "LOST-MIDDATA", 75, BREAK, "EOF CONTENT", true},
    {130, "LOST-AFTERDOT", 75, BREAK, "EOF FINAL", true},
    {131, "TIMEOUT-STAGE", 75, BREAK, "TIMEOUT MAIL", true},
    {132, "LOOP-SELF", 78, SELF, "", false},
    {133, "LOOP-HOPS", 78, REPLY, "FINAL tls: 554 5.4.6 hop count exceeded", false},
    {134, "TLS-SERVERSIDE", 78, REPLY, "FINAL tls: 550 5.7.30 REQUIRETLS support required", true},
    {135, "OAUTH-REFRESH-DEAD", 78, SECRET, "grant", false},
    /* clang-format on */
};

enum {
    N_ROWS = sizeof rows / sizeof rows[0]
};

static void bring_about(struct fault *f, enum how how, const char *words)
{
    char allowed[40] = "", offered[40] = "";
    switch (how) {
    case RESOLVER:
        cause_resolver(f, words);
        break;
    case CONNECT:
        cause_connect(f, words);
        break;
    case HELLO:
        cause_hello(f, words);
        break;
    case CERTIFICATE:
        cause_certificate(f, words);
        break;
    case REPLY:
        cause_reply(f, words);
        break;
    case BREAK:
        cause_break(f, words);
        break;
    case DIALOGUE:
        cause_dialogue(f, words);
        break;
    case LOGIN:
        ck_assert_int_eq(sscanf(words, "%39s %39s", allowed, offered), 2);
        cause_login(f, allowed, offered);
        break;
    case SECRET:
        cause_secret(f, words);
        break;
    case ADVICE:
        cause_advice(f, words);
        break;
    case SELF:
        cause_self(f);
        break;
    case NO_TRUST:
        cause_no_trust(f);
        break;
    }
}

START_TEST(each_symptom_is_found_with_its_code_and_its_cure)
{
    struct fault f = {.scope = FAULT_NONE};
    bring_about(&f, rows[_i].how, rows[_i].words);
    ck_assert_msg(strcmp(f.code, rows[_i].code) == 0, "D-%02d: %s, not %s: %s", rows[_i].row,
                  f.code, rows[_i].code, f.text);
    ck_assert_msg(f.scope != FAULT_NONE && f.text[0] && f.status[0], "D-%02d", rows[_i].row);
    ck_assert_msg(conclude_exit_status(&f) == rows[_i].exit_status, "D-%02d %s: %d",
                  rows[_i].row, f.code, conclude_exit_status(&f));
    ck_assert_msg((f.fix[0] == '\0') == rows[_i].no_fix, "D-%02d %s: \"%s\"", rows[_i].row,
                  f.code, f.fix);
    /* G-7: verification is never to be turned off first. */
    ck_assert_msg(!strstr(f.fix, "\"none\""), "D-%02d: %s", rows[_i].row, f.fix);
    ck_assert_ptr_nonnull(symptom_of(f.code));
}
END_TEST

/* Rows of the table that are no failure: check_diagnosis has them. */
static bool is_note(int row)
{
    return row == 9 || row == 31 || row == 46;
}

static bool is_gap(int row)
{
    static const int gaps[][2] = {{17, 19}, {35, 39}, {54, 59}, {74, 79}, {102, 109}};
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++)
        if (row >= gaps[i][0] && row <= gaps[i][1])
            return true;
    return false;
}

START_TEST(no_row_of_the_table_is_missing)
{
    int at = 0;
    for (int row = 1; row <= 135; row++) {
        if (is_note(row) || is_gap(row))
            continue;
        ck_assert_msg(at < N_ROWS && rows[at].row == row, "D-%02d is missing", row);
        at++;
    }
    ck_assert_int_eq(at, N_ROWS);
}
END_TEST

START_TEST(each_code_is_there_once)
{
    for (unsigned i = 0; symptom_at(i); i++) {
        ck_assert_msg(symptom_of(symptom_at(i)->code) == symptom_at(i), "%s",
                      symptom_at(i)->code);
        ck_assert_uint_lt(strlen(symptom_at(i)->code), FAULT_CODE_MAX);
    }
    ck_assert_ptr_null(symptom_of("NO-SUCH"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("symptoms");
    TCase *tc = tcase_create("symptoms");
    tcase_add_loop_test(tc, each_symptom_is_found_with_its_code_and_its_cure, 0, N_ROWS);
    tcase_add_test(tc, no_row_of_the_table_is_missing);
    tcase_add_test(tc, each_code_is_there_once);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
