/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf.h"
#include "conf_host.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S "smarthost \"main\" {\n  host = \"mx.example.com\"\n}\n"

static const struct {
    const char *name, *text, *error;
} refused[] = {
    {"nothing at all", "",
     "F:1: there is no smarthost to send mail to; write smarthost \"main\""},
    {"an unknown key", "\n\nspol = \"/x\"\n" S,
     "F:3: there is no key \"spol\"; did you mean spool?"},
    {"underscores", "smarthost \"a\" {\n password_file = \"/x\"\n}",
     "F:2: there is no key \"password_file\"; did you mean password-file?"},
    {"a misspelt section", "smarthosts \"main\" { }",
     "F:1: there is no key \"smarthosts\"; did you mean smarthost?"},
    {"nothing near", "frobnicate = 1\n" S,
     "F:1: there is no key \"frobnicate\"; tranter.conf(5) lists those there are"},
    {"a smarthost's key outside", "host = \"a.b\"\n" S,
     "F:1: host is a key of a smarthost; write it inside of smarthost \"NAME\" { }"},
    {"a global key inside", "smarthost x {\nhost=a.b\nspool=\"/x\" }",
     "F:3: spool is a key of the whole file; write it outside of smarthost { }"},
    {"smarthost in smarthost", "smarthost x {\nhost=a.b\nsmarthost y { } }",
     "F:3: a smarthost cannot stand inside of another; close the one before with }"},
    {"a later version's key", S "admin = \"root@example.com\"",
     "F:4: admin is not available in this version; take the line out"},
    {"a later version's section", S "\nroute { }",
     "F:5: route is not available in this version; take the section out"},
    {"a later version's smarthost key", "smarthost a { rate = \"14/s\" }",
     "F:1: rate is not available in this version; take the line out"},
    {"a password in the file", "smarthost a {\nhost=a.b\npassword = \"hunter2\" }",
     "F:3: password does not belong into this file, which others may read; write it into a "
     "file"},
    {"a later version's value", "smarthost a {\ntls-verify = \"fingerprint\" }",
     "F:2: tls-verify = \"fingerprint\" is not available in this version; name the server's "
     "own"},
    {"a later version's mechanism", "smarthost a {\nauth = {\"PLAIN\",\n\"XOAUTH2\"} }",
     "F:3: auth = \"XOAUTH2\" is not available in this version; PLAIN and LOGIN are"},
    {"an unknown mechanism", "smarthost a {\nauth = {\"PLAIM\"} }",
     "F:2: auth = \"PLAIM\": write a list of mechanisms: {\"PLAIN\", \"LOGIN\"}"},
    {"a mechanism twice", "smarthost a {\nauth = {PLAIN, PLAIN} }",
     "F:2: auth = \"PLAIN\" is in the list twice"},
    {"a key twice", "spool = /a\n\nspool = /b\n" S,
     "F:3: spool is set already in line 1; take one of the two out"},
    {"a list twice", "listen = {/a,\n/b}\n\nlisten = {/c}\n" S,
     "F:4: listen is set already in line 2"},
    {"a smarthost twice", S S,
     "F:4: there is a smarthost called main already; give this one another name"},
    {"an empty list", "listen = {\n}\n" S, "F:2: this list is empty; write a value into it"},
    {"the line after comments", "# a\n// b\n/* c\n d */ /* e */\nbad = 1",
     "F:5: there is no key \"bad\""},
    {"an unclosed section", "\nsmarthost \"main\" {\nhost = a.b\n",
     "F:2: the { of this line is never closed; write }"},
    {"an unclosed comment", "\n/* a\nb", "F:2: this comment is never closed; write */"},
    {"an unclosed quote", "\nspool = \"/x\n" S,
     "F:2: the quote that begins here does not end on the same line"},
    {"a brace too many", S "}", "F:4: there is no { that this } closes; take it out"},
    {"a semicolon", "spool = \"/x\";\n" S, "F:1: no \";\" ends a line here; take it out"},
    {"the environment", "spool = \"${HOME}\"\n" S, "F:1: ${...} would read the environment"},
    {"no equal sign", "spool \"/x\"\n" S, "F:1: write = and a value after spool"},
    {"no value", "spool =\n" S, "F:1: there is no value after =; write it on the same line"},
    {"no name", "smarthost {\n host = a.b }",
     "F:1: write a name after smarthost, as in smarthost \"main\" {"},
    {"no brace", "smarthost \"a\" host = a.b", "F:1: write { after the name of this smarthost"},
    {"an empty key", "\"\" = 1", "F:1: "},
    {"the end amid a line", "spool = ", "F:1: the file ends in the middle of a line"},
    {"a list for one value", "spool = {\"/x\"}\n" S, "F:1: { is not expected here"},
    {"appending to one value", "spool += \"/x\"\n" S, "F:1: write = instead of += after spool"},
    {"a bad name", "smarthost \"a b\" { host = a.b }",
     "F:1: a smarthost's name is 1 to 63 letters"},
    {"no host", "\nsmarthost a\n{\n}",
     "F:2: this smarthost has no host; write host = \"smtp.example.com\""},
    {"user alone", "smarthost a { host = a.b\nuser = u }",
     "F:2: user needs a password; write password-file = \"/PATH\" beside it"},
    {"password-file alone", "smarthost a { host = a.b\npassword-file = /p }",
     "F:2: password-file needs a login name; write user = \"NAME\" beside it"},
    {"tls-cert alone", "smarthost a { host = a.b\ntls-cert = /p }",
     "F:2: tls-cert needs its key"},
    {"tls-key alone", "smarthost a { host = a.b\ntls-key = /p }",
     "F:2: tls-key needs its certificate"},
    {"a password in clear",
     "smarthost a { host = a.b\nuser = u\npassword-file = /p\ntls = none }",
     "F:4: tls = \"none\" would show user and password to everyone on the way; take it out, or "
     "write allow-plaintext-auth = true"},
    {"the password for its file", "smarthost a {\npassword-file = \"hunter2\" }",
     "F:2: password-file: write the absolute path of a file whose first line is the password"},
    {"everybody's address", "listen = {/a, \"0.0.0.0:25\"}\n" S,
     "F:1: listen names an address that others can reach"},
    {"a socket for two", "control = /a\nlisten = {/a}\n" S,
     "F:2: listen and control name the same socket"},
    {"retries the wrong way round", "retry-max = 5s\nretry-min = 6s\n" S,
     "F:1: retry-min is longer than retry-max"},
};

START_TEST(what_is_wrong_is_said_with_its_line_and_the_way_out)
{
    struct err err;
    struct conf *conf = conf_parse("F", str_of(refused[_i].text), &err);
    ck_assert_msg(conf == NULL, "%s: accepted", refused[_i].name);
    ck_assert_msg(strncmp(err.text, refused[_i].error, strlen(refused[_i].error)) == 0,
                  "%s: %s", refused[_i].name, err.text);
    ck_assert_msg(!strstr(err.text, "hunter2"), "%s: %s", refused[_i].name, err.text);
}
END_TEST

START_TEST(the_least_configuration_gets_every_default)
{
    struct err err;
    struct conf *conf = conf_parse("F", str_of("\n" S), &err);
    ck_assert_msg(conf != NULL, "%s", err.text);
    ck_assert_ptr_null(conf->hostname);
    ck_assert_ptr_null(conf->domain);
    ck_assert_uint_eq(conf->n_listen, 1);
    ck_assert_str_eq(conf->listen[0], RUNSTATEDIR "/tranter/smtp.sock");
    ck_assert(!conf->listen_anywhere);
    ck_assert_uint_eq(conf->listen_mode, 0666);
    ck_assert_str_eq(conf->control, RUNSTATEDIR "/tranter/control.sock");
    ck_assert_str_eq(conf->spool, LOCALSTATEDIR "/spool/tranter");
    ck_assert_uint_eq(conf->message_size_limit_bytes, 50 << 20);
    ck_assert_uint_eq(conf->recipient_limit, 1000);
    ck_assert_uint_eq(conf->minimum_free_bytes, 64 << 20);
    ck_assert_int_eq(conf->lifetime_ms, 5 * 86400 * 1000);
    ck_assert_int_eq(conf->retry_min_ms, 60 * 1000);
    ck_assert_int_eq(conf->retry_max_ms, 3600 * 1000);
    ck_assert_int_eq(conf->stop_timeout_ms, 10 * 1000);
    ck_assert_str_eq(conf->log, "auto");
    ck_assert_str_eq(conf->log_level, "info");
    ck_assert_uint_eq(conf->n_smarthosts, 1);
    const struct conf_smarthost *s = &conf->smarthosts[0];
    ck_assert_str_eq(s->name, "main");
    ck_assert_str_eq(s->host, "mx.example.com");
    ck_assert_uint_eq(s->port, 587);
    ck_assert_int_eq(s->tls, CONF_TLS_STARTTLS);
    ck_assert_int_eq(s->verify, CONF_VERIFY_FULL);
    ck_assert_str_eq(s->tls_name, "mx.example.com");
    ck_assert(!s->tls_ca_file && !s->tls_cert && !s->tls_key && !s->tls_priority && !s->user);
    ck_assert(!s->password_file && !s->auth && !s->allow_plaintext_auth && s->pipelining);
    ck_assert_uint_eq(s->connections, 4);
    ck_assert_uint_eq(s->messages_per_connection, 1000);
    ck_assert_int_eq(s->connect_timeout_ms, 30 * 1000);
    ck_assert_int_eq(s->reply_timeout_ms, 300 * 1000);
    ck_assert_int_eq(s->data_timeout_ms, 600 * 1000);
    ck_assert_int_eq(s->idle_timeout_ms, 10 * 1000);
    ck_assert_int_eq(s->line, 2);
    conf_unref(conf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf");
    TCase *tc = tcase_create("conf");
    tcase_add_loop_test(tc, what_is_wrong_is_said_with_its_line_and_the_way_out, 0,
                        sizeof refused / sizeof refused[0]);
    tcase_add_test(tc, the_least_configuration_gets_every_default);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
