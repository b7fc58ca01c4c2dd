/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf.h"

#include "buf.h"
#include "conf_host.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX64_COLONS                                                                           \
    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:"                                         \
    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF"
#define H "smarthost a { host = a.b\n"
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
    {"a local admin", S "admin = \"root\"",
     "F:4: admin = \"root\": write the address of the person who reads this machine's mail"},
    {"aliases beside the daemon", S "aliases = \"aliases\"",
     "F:4: aliases = \"aliases\": write an absolute path, one that begins with /, or \"\""},
    {"a later version's section", S "\nroute { }",
     "F:5: route is not available in this version; take the section out"},
    {"a rate without its period", "smarthost a { rate = \"14\" }",
     "F:1: rate = \"14\": write how many messages may go in a second, minute, hour or day"},
    {"a password in the file", "smarthost a {\nhost=a.b\npassword = \"hunter2\" }",
     "F:3: password does not belong into this file, which others may read; write it into a "
     "file"},
    {"fingerprint without one", "smarthost a { host = a.b\ntls-verify = \"fingerprint\" }",
     "F:2: tls-verify = \"fingerprint\" needs to know which; write tls-fingerprint"},
    {"a fingerprint without effect", "smarthost a { host = a.b\ntls-fingerprint = " HEX64 " }",
     "F:2: tls-fingerprint has no effect alone; write tls-verify = \"fingerprint\""},
    {"no fingerprint", "smarthost a { host = a.b\ntls-fingerprint = \"sha1\" }",
     "F:2: tls-fingerprint = \"sha1\": write the SHA-256 of the server's certificate"},
    {"a fingerprint twice",
     "smarthost a { host = a.b\ntls-fingerprint = {\"" HEX64_COLONS "\",\n" HEX64 " } }",
     "F:3: tls-fingerprint = \"" HEX64 "\" is in the list twice"},
    {"an unknown mechanism", "smarthost a {\nauth = {\"PLAIN\",\n\"DIGEST-MD5\"} }",
     "F:3: auth = \"DIGEST-MD5\": write a list of mechanisms, such as {\"SCRAM-SHA-256\", "
     "\"PLAIN\", \"LOGIN\"}"},
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
    {"password-command alone", "smarthost a { host = a.b\npassword-command = /p }",
     "F:2: password-command needs a login name; write user = \"NAME\" beside it"},
    {"two secrets", H "user = u\npassword-file = /p\npassword-command = /q }",
     "F:4: password-file, password-command and token-command are ways to the same thing"},
    {"a password and a token", H "user = u\ntoken-command = /p\npassword-file = /q }",
     "F:3: password-file, password-command and token-command are ways to the same thing"},
    {"token-lifetime alone", H "user = u\npassword-file = /p\ntoken-lifetime = 1h }",
     "F:4: token-lifetime has no effect alone; write token-command beside it"},
    {"a command without its path", H "user = u\npassword-command = \"pass show x\" }",
     "F:3: password-command: has to begin with the absolute path of a program"},
    {"a command for a shell", H "user = u\ntoken-command = \"/bin/x hunter2 | head\" }",
     "F:3: token-command: has a |, which only a shell understands, and none is started"},
    {"an empty command", H "user = u\ntoken-command = \"\" }",
     "F:3: token-command: write a program with its absolute path, and its arguments"},
    {"a token for no mechanism",
     H "user = u\ntoken-command = /p\nauth = {\"PLAIN\", EXTERNAL} }",
     "F:4: token-command needs a mechanism that takes a token; add XOAUTH2"},
    {"a password for no mechanism", H "user = u\npassword-file = /p\nauth = XOAUTH2 }",
     "F:4: a password needs a mechanism that takes one; add SCRAM-SHA-256 and PLAIN"},
    {"EXTERNAL without a certificate", H "auth = EXTERNAL }",
     "F:2: EXTERNAL logs in with a certificate; write tls-cert and tls-key beside it"},
    {"a user for no mechanism", H "user = u\ntls-cert = /p\ntls-key = /q\nauth = {\"PLAIN\"} }",
     "F:5: user has neither a password nor a mechanism that needs none; add EXTERNAL"},
    {"a token in clear", H "user = u\ntoken-command = /p\ntls = none }",
     "F:4: tls = \"none\" would show user and password to everyone on the way"},
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
    ck_assert(!conf->admin && !conf->aliases);
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
    ck_assert_int_eq(conf->warn_after_ms, 4 * 3600 * 1000);
    ck_assert_int_eq(conf->keep_dead_ms, INT64_C(30) * 86400 * 1000);
    ck_assert_int_eq(conf->retry_min_ms, 60 * 1000);
    ck_assert_int_eq(conf->retry_max_ms, 3600 * 1000);
    ck_assert_int_eq(conf->stop_timeout_ms, 10 * 1000);
    ck_assert_str_eq(conf->log, "auto");
    ck_assert_str_eq(conf->log_level, "info");
    ck_assert(!conf->queue_listing_all);
    ck_assert_uint_eq(conf->n_smarthosts, 1);
    const struct conf_smarthost *s = &conf->smarthosts[0];
    ck_assert_str_eq(s->name, "main");
    ck_assert_str_eq(s->host, "mx.example.com");
    ck_assert_uint_eq(s->port, 587);
    ck_assert_int_eq(s->tls, CONF_TLS_STARTTLS);
    ck_assert_int_eq(s->verify, CONF_VERIFY_FULL);
    ck_assert_str_eq(s->tls_name, "mx.example.com");
    ck_assert(!s->tls_ca_file && !s->tls_cert && !s->tls_key && !s->tls_priority && !s->user);
    ck_assert(!s->password_file && !s->auth && !s->allow_plaintext_auth && s->pipeline == 4);
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

/* Every key with a value of its own; what it must become is checked below. */
static const char everything[] =
    "hostname = \"web1.example.com\" # the name\n"
    "domain = 'example.com'\n"
    "admin = 'o.n-call+tranter@example.com' aliases = \"/a/aliases\"\n"
    "listen = {\"/run/x.sock\",\n  \"127.0.0.1:2525\", \"[::1]:2525\"}\n"
    "listen += {\"0.0.0.0:2626\"}\n"
    "listen-anywhere = yes\n"
    "listen-mode = 0660\n"
    "control = /run/control.sock\n"
    "spool = \"/var/tmp/a b\"\n"
    "message-size-limit = 10M\n"
    "recipient-limit = 5\n"
    "minimum-free-space = \"1G\"\n"
    "lifetime = 2d\n"
    "retry-min = 2s\n"
    "retry-max = \"3h\"\n"
    "stop-timeout = 0\n"
    "log = \"json\"\n"
    "log-level = debug\n"
    "queue-listing = \"all\"\n"
    "smarthost \"first\" { host = \"192.0.2.1\" }\n"
    "smarthost second /* the other */\n"
    "{\n"
    "    host = \"2001:db8::1\"\n"
    "    port = 465\n"
    "    tls = starttls\n"
    "    tls-verify = \"none\"\n"
    "    tls-name = \"mx.example.com\"\n"
    "    tls-ca-file = \"/ca.pem\"\n"
    "    tls-cert = \"/cert.pem\"\n"
    "    tls-key = \"/key.pem\"\n"
    "    tls-priority = \"SECURE256:%SERVER_PRECEDENCE\"\n"
    "    user = \"a \\\"b\\\" \\\\c\"\n"
    "    password-file = \"credential:smarthost\"\n"
    "    allow-plaintext-auth = on\n"
    "    auth = {\"LOGIN\", \"PLAIN\"}\n"
    "    connections = 1\n"
    "    messages-per-connection = 7\n"
    "    pipeline = 1\n"
    "    connect-timeout = 1s\n"
    "    reply-timeout = 2m\n"
    "    data-timeout = 1h\n"
    "    idle-timeout = 0\n"
    "}\n";

START_TEST(every_global_key_is_read)
{
    struct err err;
    struct conf *conf = conf_parse("F", str_of(everything), &err);
    ck_assert_msg(conf != NULL, "%s", err.text);
    ck_assert_str_eq(conf->hostname, "web1.example.com");
    ck_assert_str_eq(conf->domain, "example.com");
    ck_assert_str_eq(conf->admin, "o.n-call+tranter@example.com");
    ck_assert_str_eq(conf->aliases, "/a/aliases");
    ck_assert_int_eq(conf->aliases_line, 3);
    ck_assert_uint_eq(conf->n_listen, 4);
    ck_assert_str_eq(conf->listen[0], "/run/x.sock");
    ck_assert_str_eq(conf->listen[2], "[::1]:2525");
    ck_assert_str_eq(conf->listen[3], "0.0.0.0:2626");
    ck_assert(conf->listen_anywhere);
    ck_assert_uint_eq(conf->listen_mode, 0660);
    ck_assert_str_eq(conf->control, "/run/control.sock");
    ck_assert_str_eq(conf->spool, "/var/tmp/a b");
    ck_assert_uint_eq(conf->message_size_limit_bytes, 10 << 20);
    ck_assert_uint_eq(conf->recipient_limit, 5);
    ck_assert_uint_eq(conf->minimum_free_bytes, 1 << 30);
    ck_assert_int_eq(conf->lifetime_ms, 2 * 86400 * 1000);
    ck_assert_int_eq(conf->retry_min_ms, 2000);
    ck_assert_int_eq(conf->retry_max_ms, 3 * 3600 * 1000);
    ck_assert_int_eq(conf->stop_timeout_ms, 0);
    ck_assert_str_eq(conf->log, "json");
    ck_assert_str_eq(conf->log_level, "debug");
    ck_assert(conf->queue_listing_all);
    ck_assert_uint_eq(conf->n_smarthosts, 2);
    ck_assert_int_eq(conf->smarthosts[0].line, 21);
    ck_assert_int_eq(conf->smarthosts[1].line, 22);
    conf_unref(conf);
}
END_TEST

START_TEST(every_key_of_a_smarthost_is_read)
{
    struct err err;
    struct conf *conf = conf_parse("F", str_of(everything), &err);
    ck_assert_msg(conf != NULL, "%s", err.text);
    const struct conf_smarthost *s = &conf->smarthosts[1];
    ck_assert_str_eq(conf->smarthosts[0].name, "first");
    ck_assert_str_eq(s->name, "second");
    ck_assert_str_eq(s->host, "2001:db8::1");
    ck_assert_uint_eq(s->port, 465);
    ck_assert_int_eq(s->tls, CONF_TLS_STARTTLS);
    ck_assert_int_eq(s->verify, CONF_VERIFY_NONE);
    ck_assert_str_eq(s->tls_name, "mx.example.com");
    ck_assert_str_eq(s->tls_ca_file, "/ca.pem");
    ck_assert_str_eq(s->tls_cert, "/cert.pem");
    ck_assert_str_eq(s->tls_key, "/key.pem");
    ck_assert_str_eq(s->tls_priority, "SECURE256:%SERVER_PRECEDENCE");
    ck_assert_str_eq(s->user, "a \"b\" \\c");
    ck_assert_str_eq(s->password_file, "credential:smarthost");
    ck_assert(s->allow_plaintext_auth);
    ck_assert_str_eq(s->auth, "LOGIN PLAIN");
    ck_assert_uint_eq(s->connections, 1);
    ck_assert_uint_eq(s->messages_per_connection, 7);
    ck_assert_uint_eq(s->pipeline, 1);
    ck_assert_int_eq(s->connect_timeout_ms, 1000);
    ck_assert_int_eq(s->reply_timeout_ms, 120 * 1000);
    ck_assert_int_eq(s->data_timeout_ms, 3600 * 1000);
    ck_assert_int_eq(s->idle_timeout_ms, 0);
    conf_unref(conf);
}
END_TEST

START_TEST(a_text_cut_anywhere_is_refused_or_whole_and_never_more)
{
    size_t n = sizeof everything - 1;
    for (size_t cut = 0; cut < n; cut++) {
        struct err err = {.text = ""};
        struct conf *conf = conf_parse("F", str_head(str_of(everything), cut), &err);
        ck_assert_msg((conf == NULL) == (strncmp(err.text, "F:", 2) == 0), "cut at %zu: %s",
                      cut, err.text);
        conf_unref(conf);
    }
}
END_TEST

static const struct {
    int port;
    enum conf_tls tls;
} modes[] = {{25, CONF_TLS_STARTTLS},   {465, CONF_TLS_IMPLICIT},  {587, CONF_TLS_STARTTLS},
             {2465, CONF_TLS_IMPLICIT}, {2525, CONF_TLS_STARTTLS}, {1, CONF_TLS_STARTTLS}};

START_TEST(fingerprints_are_kept_in_one_form_and_at_most_sixteen)
{
    static const char other[] =
        "fedcba98765432100123456789abcdeffedcba98765432100123456789abcdef";
    struct err err;
    char text[2000];
    snprintf(text, sizeof text,
             "smarthost a { host = a.b\ntls-verify = fingerprint\n"
             "tls-fingerprint = {\"%s\", \"%s\"} }",
             HEX64_COLONS, other);
    struct conf *conf = conf_parse("F", str_of(text), &err);
    ck_assert_msg(conf != NULL, "%s", err.text);
    ck_assert_int_eq(conf->smarthosts[0].verify, CONF_VERIFY_FINGERPRINT);
    ck_assert_msg(strncmp(conf->smarthosts[0].tls_fingerprints, HEX64 " ", 65) == 0, "%s",
                  conf->smarthosts[0].tls_fingerprints);
    ck_assert_str_eq(conf->smarthosts[0].tls_fingerprints + 65, other);
    conf_unref(conf);
    for (int n = 16; n <= 17; n++) {
        size_t used = (size_t)snprintf(text, sizeof text,
                                       "smarthost a { host = a.b\ntls-verify = fingerprint\n"
                                       "tls-fingerprint = {");
        for (int i = 0; i < n; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s\"%064x\"",
                                     i ? ", " : "", (unsigned)i);
        snprintf(text + used, sizeof text - used, "} }");
        conf = conf_parse("F", str_of(text), &err);
        ck_assert_msg((conf != NULL) == (n == 16), "%d", n);
        conf_unref(conf);
    }
    ck_assert_ptr_nonnull(strstr(err.text, "is one too many; write at most 16"));
}
END_TEST

START_TEST(auto_is_settled_from_the_port)
{
    char text[200];
    struct err err;
    snprintf(text, sizeof text, "smarthost a { host = a.b port = %d tls = auto }",
             modes[_i].port);
    struct conf *conf = conf_parse("F", str_of(text), &err);
    ck_assert_msg(conf != NULL, "%s", err.text);
    ck_assert_int_eq(conf->smarthosts[0].tls, modes[_i].tls);
    conf_unref(conf);
}
END_TEST

static const struct {
    const char *host, *also;
    bool accepted;
} clear_logins[] = {
    {"127.0.0.1", "", true},
    {"127.8.9.10", "", true},
    {"::1", "", true},
    {"localhost", "", true},
    {"LOCALHOST", "", true},
    {"mx.example.com", "allow-plaintext-auth = true", true},
    {"mx.example.com", "", false},
    {"mx.example.com", "allow-plaintext-auth = false", false},
    {"192.0.2.1", "", false},
    {"localhost.example.com", "", false},
    {"127.0.0.1.example.com", "", false},
};

START_TEST(a_password_in_clear_stays_on_this_machine)
{
    char text[300];
    struct err err;
    snprintf(text, sizeof text,
             "smarthost a { host = \"%s\" tls = none user = u password-file = /p %s }",
             clear_logins[_i].host, clear_logins[_i].also);
    struct conf *conf = conf_parse("F", str_of(text), &err);
    ck_assert_msg((conf != NULL) == clear_logins[_i].accepted, "%s", text);
    ck_assert(!conf || conf->smarthosts[0].allow_plaintext_auth);
    conf_unref(conf);
}
END_TEST

/* KEY = VALUE at its limits and one beyond. */
static const struct {
    const char *key, *good, *bad;
    bool global;
} limits[] = {
    {"message-size-limit", "1K", "1023", true},
    {"message-size-limit", "2000M", "2097152001", true},
    {"recipient-limit", "1", "0", true},
    {"recipient-limit", "32767", "32768", true},
    {"minimum-free-space", "0", "-1", true},
    {"minimum-free-space", "1024G", "1025G", true},
    {"lifetime", "1s", "0", true},
    {"warn-after", "0", "-1", true},
    {"warn-after", "365d", "366d", true},
    {"keep-dead", "1s", "0", true},
    {"keep-dead", "3650d", "3651d", true},
    {"lifetime", "365d", "366d", true},
    {"retry-min", "1s", "0", true},
    {"retry-max", "7d", "8d", true},
    {"stop-timeout", "10m", "11m", true},
    {"listen-mode", "777", "0888", true},
    {"listen-mode", "0000", "01777", true},
    {"listen", "127.0.0.1:65535", "127.0.0.1:65536", true},
    {"listen", "127.0.0.1:1", "127.0.0.1:0", true},
    {"listen", "/a", "a", true},
    {"admin", "'a@b'", "'a@b@c'", true},
    {"admin", "'a.b@c'", "'.a@c'", true},
    {"admin", "'a@b.example'", "'a.@c'", true},
    {"aliases", "''", "a", true},
    {"log", "stderr", "stdout", true},
    {"log-level", "error", "fatal", true},
    {"queue-listing", "own", "none", true},
    {"queue-listing", "all", "everyone", true},
    {"hostname", "a.b", "a", true},
    {"hostname", "'[192.0.2.1]'", "'[192.0.2.300]'", true},
    {"hostname", "'[IPv6:2001:db8::1]'", "'[2001:db8::1]'", true},
    {"domain", "a", "a..b", true},
    {"spool", "/a", "'a/b'", true},
    {"port", "1", "0", false},
    {"port", "65535", "65536", false},
    {"connections", "1", "0", false},
    {"connections", "100", "101", false},
    {"messages-per-connection", "1000000", "1000001", false},
    {"pipeline", "64", "65", false},
    {"pipeline", "1", "0", false},
    {"connect-timeout", "10m", "601s", false},
    {"reply-timeout", "1h", "3601s", false},
    {"idle-timeout", "0", "61m", false},
    {"tls-verify", "full", "peer", false},
    {"tls", "implicit", "ssl", false},
    {"host", "xn--bcher-kva.example", "'b\303\274cher.example'", false},
    {"user", "x", "''", false},
    {"user", "x", "\"\001\"", false},
    {"password-file", "/x", "secret", false},
    {"password-file", "credential:a", "'credential:'", false},
    {"password-file", "credential:a", "credential:a/b", false},
};

/* The least configuration around KEY = VALUE, which stands in line 1. */
static char *around(const char *key, const char *value, bool global)
{
    struct buf b;
    buf_init(&b, 1000);
    bool is_host = strcmp(key, "host") == 0;
    bool is_user = strcmp(key, "user") == 0, is_password = strcmp(key, "password-file") == 0;
    if (global)
        buf_printf(&b, "%s = %s\nsmarthost a { host = b.c }", key, value);
    else
        buf_printf(&b, "smarthost a { %s = %s\n%s %s %s }", key, value,
                   is_host ? "" : "host = b.c", is_user ? "password-file = /p" : "",
                   is_password ? "user = u" : "");
    char *text = buf_strdup(&b);
    buf_release(&b);
    return text;
}

START_TEST(each_limit_holds)
{
    struct err err = {.text = ""};
    const char *key = limits[_i].key;
    char expected[64];
    char *good = around(key, limits[_i].good, limits[_i].global);
    char *bad = around(key, limits[_i].bad, limits[_i].global);
    struct conf *conf = conf_parse("F", str_of(good), &err);
    ck_assert_msg(conf != NULL, "%s: %s", good, err.text);
    conf_unref(conf);
    ck_assert_msg(conf_parse("F", str_of(bad), &err) == NULL, "%s", bad);
    snprintf(expected, sizeof expected, "F:1: %s", key);
    ck_assert_msg(strncmp(err.text, expected, strlen(expected)) == 0, "%s: %s", bad, err.text);
    ck_assert_msg(strstr(err.text, "write") != NULL, "%s", err.text);
    free(good);
    free(bad);
}
END_TEST

static const char *const planned[] = {"route", "rewrite", "limit"};

static const struct {
    const char *keys;
    bool login;
} logins[] = {
    {"", false},
    {"auth = PLAIN", false},
    {"user = u password-file = /p", true},
    {"user = u password-command = \"/p 'a b'\"", true},
    {"user = u token-command = /p token-lifetime = 30m auth = {XOAUTH2, PLAIN}", true},
    {"user = u password-file = /p auth = CRAM-MD5", true},
    {"tls-cert = /p tls-key = /q", false},
    {"tls-cert = /p tls-key = /q auth = EXTERNAL", true},
    {"tls-cert = /p tls-key = /q user = u", true},
    {"tls-cert = /p tls-key = /q user = u password-file = /p auth = EXTERNAL", true},
};

START_TEST(whoever_has_something_to_log_in_with_logs_in)
{
    struct err err;
    char text[256];
    snprintf(text, sizeof text, "smarthost a { host = a.b %s }", logins[_i].keys);
    struct conf *conf = conf_parse("F", str_of(text), &err);
    ck_assert_msg(conf != NULL, "%s: %s", text, err.text);
    ck_assert_msg(conf->smarthosts[0].login == logins[_i].login, "%s", text);
    conf_unref(conf);
}
END_TEST

START_TEST(what_a_later_version_brings_is_called_so)
{
    char text[100], expected[100];
    struct err err;
    snprintf(text, sizeof text, "smarthost a {\n%s = \"x\" }", planned[_i]);
    snprintf(expected, sizeof expected, "F:2: %s is not available in this version; ",
             planned[_i]);
    ck_assert_ptr_null(conf_parse("F", str_of(text), &err));
    ck_assert_msg(strncmp(err.text, expected, strlen(expected)) == 0, "%s", err.text);
}
END_TEST

START_TEST(too_large_a_file_is_refused)
{
    struct err err;
    size_t n = 1024 * 1024 + 1;
    char *text = malloc(n);
    memset(text, '\n', n);
    ck_assert_ptr_null(conf_parse("F", (struct str){text, n}, &err));
    ck_assert_str_eq(err.text, "F:1: the file is larger than 1 MiB; is it the right one?");
    memcpy(text, S, sizeof S - 1);
    struct conf *conf = conf_parse("F", (struct str){text, n - 1}, &err);
    ck_assert_msg(conf != NULL, "%s", err.text);
    conf_unref(conf);
    text[50] = '\0';
    ck_assert_ptr_null(conf_parse("F", (struct str){text, n - 1}, &err));
    ck_assert_str_eq(err.text, "F:1: there is a NUL byte in the file; it must be plain text");
    free(text);
}
END_TEST

static char scratch[] = "/tmp/check_conf.XXXXXX";

static void write_scratch(const char *text)
{
    strcpy(scratch, "/tmp/check_conf.XXXXXX");
    int fd = mkstemp(scratch);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

START_TEST(a_file_is_loaded_and_names_are_filled_in)
{
    struct err err;
    write_scratch(S);
    struct conf *conf = conf_load(scratch, &err);
    unlink(scratch);
    ck_assert_msg(conf != NULL, "%s", err.text);
    ck_assert_str_eq(conf->file, scratch);
    ck_assert_uint_gt(strlen(conf->hostname), 0);
    ck_assert_uint_gt(strlen(conf->domain), 0);
    ck_assert(strchr(conf->ehlo_name, '.') || strchr(conf->ehlo_name, ':'));
    ck_assert_ptr_eq(conf_ref(conf), conf);
    conf_unref(conf);
    ck_assert_str_eq(conf->smarthosts[0].host, "mx.example.com");
    conf_unref(conf);
}
END_TEST

START_TEST(a_host_name_that_was_asked_for_is_not_asked_for_again)
{
    struct err err;
    write_scratch(S);
    struct conf *old = conf_load(scratch, &err);
    ck_assert_msg(old != NULL, "%s", err.text);
    free(old->hostname);
    old->hostname = strdup("learned.example.com");
    struct conf *conf = conf_reload(scratch, old, &err);
    ck_assert_msg(conf != NULL, "%s", err.text);
    ck_assert_str_eq(conf->hostname, "learned.example.com");
    ck_assert_str_eq(conf->ehlo_name, "learned.example.com");
    conf_unref(old);
    unlink(scratch);
    write_scratch("hostname = other.example.com\n" S);
    old = conf_reload(scratch, conf, &err);
    ck_assert_str_eq(old->hostname, "other.example.com");
    conf_unref(conf);
    unlink(scratch);
    /* What a key said is not known of the machine. */
    write_scratch(S);
    conf = conf_reload(scratch, old, &err);
    unlink(scratch);
    ck_assert_str_ne(conf->hostname, "other.example.com");
    conf_unref(old);
    conf_unref(conf);
}
END_TEST

static const struct {
    const char *file, *error;
} unreadable[] = {
    {"/nonexistent/tranter.conf", "/nonexistent/tranter.conf: cannot be opened: No such file"},
    {"/tmp", "/tmp: cannot be read: it must be a regular file"},
    {"/dev/zero", "/dev/zero: cannot be read: it must be a regular file"},
};

START_TEST(a_file_that_cannot_be_read_is_named)
{
    struct err err;
    ck_assert_ptr_null(conf_load(unreadable[_i].file, &err));
    ck_assert_msg(strncmp(err.text, unreadable[_i].error, strlen(unreadable[_i].error)) == 0,
                  "%s", err.text);
}
END_TEST

static const struct {
    const char *name, *hostname, *mailname, *ehlo_name, *domain, *error;
} names[] = {
    {"a full name", "web1.example.com", "", "web1.example.com", "web1.example.com", NULL},
    {"a literal", "[192.0.2.1]", "\n", "[192.0.2.1]", "[192.0.2.1]", NULL},
    {"mailname", "web1.example.com", "example.com\nmore\n", "web1.example.com", "example.com",
     NULL},
    {"blanks in mailname", "web1.example.com", " example.com \n", "web1.example.com",
     "example.com", NULL},
    {"a bad mailname", "web1.example.com", "root@example.com\n", NULL, NULL,
     ":1: this is not a mail domain; write one such as example.com there, or set domain"},
    {"a short name", "web1", "", "[", "web1", NULL},
    {"localhost.localdomain", "localhost.localdomain", "", "[", "localhost.localdomain", NULL},
};

START_TEST(names_that_are_not_configured_come_from_the_machine)
{
    struct err err;
    struct conf *conf = conf_parse("F", STR_LIT(S), &err);
    conf->hostname = strdup(names[_i].hostname);
    write_scratch(names[_i].mailname);
    int result = conf_host_complete(conf, NULL, scratch, &err);
    unlink(scratch);
    if (names[_i].error) {
        ck_assert_int_eq(result, -1);
        ck_assert_str_eq(err.text + strlen(scratch), names[_i].error);
    } else {
        size_t n = names[_i].ehlo_name[1] ? strlen(names[_i].ehlo_name) + 1 : 1;
        ck_assert_msg(strncmp(conf->ehlo_name, names[_i].ehlo_name, n) == 0, "%s: %s",
                      names[_i].name, conf->ehlo_name);
        ck_assert_str_eq(conf->domain, names[_i].domain);
    }
    conf_unref(conf);
}
END_TEST

START_TEST(without_mailname_the_domain_is_the_hostname)
{
    struct err err;
    struct conf *conf = conf_parse("F", STR_LIT("hostname = a.b\n" S), &err);
    ck_assert_int_eq(conf_host_complete(conf, NULL, "/nonexistent", &err), 0);
    ck_assert_str_eq(conf->domain, "a.b");
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
    tcase_add_test(tc, every_global_key_is_read);
    tcase_add_test(tc, every_key_of_a_smarthost_is_read);
    tcase_add_test(tc, fingerprints_are_kept_in_one_form_and_at_most_sixteen);
    tcase_add_test(tc, a_text_cut_anywhere_is_refused_or_whole_and_never_more);
    tcase_add_loop_test(tc, auto_is_settled_from_the_port, 0, sizeof modes / sizeof modes[0]);
    tcase_add_loop_test(tc, a_password_in_clear_stays_on_this_machine, 0,
                        sizeof clear_logins / sizeof clear_logins[0]);
    tcase_add_loop_test(tc, each_limit_holds, 0, sizeof limits / sizeof limits[0]);
    tcase_add_loop_test(tc, whoever_has_something_to_log_in_with_logs_in, 0,
                        sizeof logins / sizeof logins[0]);
    tcase_add_loop_test(tc, what_a_later_version_brings_is_called_so, 0,
                        sizeof planned / sizeof planned[0]);
    tcase_add_test(tc, too_large_a_file_is_refused);
    tcase_add_test(tc, a_host_name_that_was_asked_for_is_not_asked_for_again);
    tcase_add_test(tc, a_file_is_loaded_and_names_are_filled_in);
    tcase_add_loop_test(tc, a_file_that_cannot_be_read_is_named, 0,
                        sizeof unreadable / sizeof unreadable[0]);
    tcase_add_loop_test(tc, names_that_are_not_configured_come_from_the_machine, 0,
                        sizeof names / sizeof names[0]);
    tcase_add_test(tc, without_mailname_the_domain_is_the_hostname);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
