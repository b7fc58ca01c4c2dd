/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cause.h"

#include "contact.h"
#include "credential_fault.h"
#include "diagnosis.h"
#include "dial_inner.h"
#include "sasl.h"
#include "smtp_client.h"
#include "smtp_fault.h"
#include "sockname.h"

#include <check.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has(const char *words, const char *word)
{
    return strstr(words, word) != NULL;
}

void cause_resolver(struct fault *f, const char *words)
{
    char host[] = "smtp.example.com";
    struct dial d = {.host = host, .port = 587};
    struct lookup_dns dns = {
        .has_mx = has(words, "mx"), .refused = has(words, "refused"), .server = "127.0.0.53"};
    int result = has(words, "NONAME")   ? EAI_NONAME
                 : has(words, "NODATA") ? EAI_NODATA
                                        : EAI_AGAIN;
    dial_fault_of_resolver(f, &d, result, 0, &dns);
}

static int error_named(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {{"ECONNREFUSED", ECONNREFUSED},
                  {"ETIMEDOUT", ETIMEDOUT},
                  {"ENETUNREACH", ENETUNREACH},
                  {"EPERM", EPERM}};
    size_t i = 0;
    while (strcmp(errors[i].name, name) != 0)
        i++;
    return errors[i].error;
}

void cause_connect(struct fault *f, const char *words)
{
    char text[200];
    snprintf(text, sizeof text, "%s", words);
    char *host = strtok(text, " "), *port = strtok(NULL, " "), *error = strtok(NULL, " "), *ip;
    struct dial d = {.host = host, .port = (uint16_t)atoi(port)};
    for (; (ip = strtok(NULL, " ")); d.n++) {
        struct dial_address *a = &d.addresses[d.n];
        ck_assert(sockname_of_ip(str_of(ip), d.port, &a->address, &a->length));
        a->error = error_named(error);
    }
    dial_fault_of_addresses(f, &d);
}

static const struct stage {
    const char *name;
    enum smtp_stage stage;
} stages[] = {
    {"HANDSHAKE", SMTP_STAGE_HANDSHAKE}, {"GREETING", SMTP_STAGE_GREETING},
    {"EHLO", SMTP_STAGE_EHLO},           {"STARTTLS", SMTP_STAGE_STARTTLS},
    {"AUTH", SMTP_STAGE_AUTH},           {"MAIL", SMTP_STAGE_MAIL},
    {"RCPT", SMTP_STAGE_RCPT},           {"DATA", SMTP_STAGE_DATA},
    {"CONTENT", SMTP_STAGE_CONTENT},     {"FINAL", SMTP_STAGE_FINAL},
};

static struct smtp_facts facts_from(struct str words)
{
    char known[100];
    const struct stage *stage = NULL;
    snprintf(known, sizeof known, "%.*s", STR_FMT(words));
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (has(known, stages[i].name))
            stage = &stages[i];
    ck_assert_msg(stage != NULL, "%s", known);
    return (struct smtp_facts){.stage = stage->stage,
                               .stage_name = stage->name,
                               .ehlo_name = "me.example",
                               .sender = has(known, "null")    ? ""
                                         : has(known, "local") ? "root@web1"
                                                               : "a@b.example",
                               .recipient = has(known, "one") ? "c@d.example" : NULL,
                               .expects_starttls = has(known, "starttls"),
                               .secured = has(known, "tls"),
                               .login = has(known, "login"),
                               .authenticated = has(known, "authed")};
}

static void read_reply(struct smtp_reply *r, struct str text)
{
    size_t taken = 0;
    smtp_reply_init(r, SMTP_REPLY_LINE_MAX);
    smtp_reply_feed(r, text, &taken, NULL);
    ck_assert_int_eq(smtp_reply_feed(r, STR_LIT("\r\n"), &taken, NULL), SMTP_REPLY_GOOD);
}

void cause_reply(struct fault *f, const char *words)
{
    struct str all = str_of(words);
    size_t colon = str_find(all, ':');
    struct smtp_facts facts = facts_from(str_head(all, colon));
    struct smtp_reply r;
    read_reply(&r, str_tail(all, colon + 2));
    smtp_fault_of_reply(f, &facts, &r);
    smtp_reply_release(&r);
}

void cause_break(struct fault *f, const char *words)
{
    struct str rest = str_of(words), kind = str_word(&rest, " ");
    struct smtp_facts facts = facts_from(rest);
    struct smtp_reply r;
    if (str_eq(kind, STR_LIT("EOF"))) {
        smtp_fault_of_eof(f, &facts, NULL, 10, 100);
    } else if (str_eq(kind, STR_LIT("TIMEOUT"))) {
        smtp_fault_of_timeout(f, &facts, 1000, 0);
    } else if (str_eq(kind, STR_LIT("GARBAGE"))) {
        str_word(&rest, " ");
        smtp_fault_of_garbage(f, &facts, str_word(&rest, " "), "not an SMTP reply");
    } else {
        read_reply(&r, STR_LIT("354 go"));
        smtp_fault_of_desync(f, &facts, &r, "250");
        smtp_reply_release(&r);
    }
}

/* One octet too much for a server with a limit; an address in UTF-8 for any other. */
static void submit(struct smtp_client *c, const struct smtp_caps *caps)
{
    static const struct smtp_recipient to = {.address = "c@d.example"};
    static const struct smtp_recipient to_utf8 = {.address = "\xC3\xBC@d.example"};
    static struct smtp_transaction t;
    t = (struct smtp_transaction){.sender = "a@b.example",
                                  .recipients = caps->size_bytes ? &to : &to_utf8,
                                  .n_recipients = 1,
                                  .body_bytes = caps->size_bytes ? caps->size_bytes + 1 : 0};
    smtp_client_submit(c, &t, 0);
}

/* Answer what the core asks of its owner. False when it waits, or has told how it ended. */
static bool answer(struct smtp_client *c, struct fault *f)
{
    struct smtp_client_event e;
    switch (smtp_client_next(c, &e)) {
    case SMTP_CLIENT_AUTH:
        smtp_client_auth(c, "LOGIN", NULL, 0);
        return true;
    case SMTP_CLIENT_IDLE:
        submit(c, e.caps);
        return true;
    case SMTP_CLIENT_RCPT:
    case SMTP_CLIENT_DONE:
    case SMTP_CLIENT_DEAD:
        *f = e.fault;
        return false;
    case SMTP_CLIENT_CHALLENGE:
    case SMTP_CLIENT_WAIT:
    case SMTP_CLIENT_STARTTLS:
    case SMTP_CLIENT_ROOM:
    case SMTP_CLIENT_BODY:
        break;
    }
    return false;
}

static void go_on(struct smtp_client *c, struct fault *f)
{
    while (f->scope == FAULT_NONE && answer(c, f))
        continue;
    buf_consume(smtp_client_out(c), buf_len(smtp_client_out(c)));
}

/* How many of its bytes were left over. */
static size_t say(struct smtp_client *c, struct str line, struct fault *f)
{
    struct buf wire;
    buf_init(&wire, 1000);
    buf_put_str(&wire, line);
    buf_puts(&wire, "\r\n");
    size_t left = buf_len(&wire) - smtp_client_feed(c, buf_str(&wire).p, buf_len(&wire), 0);
    buf_release(&wire);
    go_on(c, f);
    return left;
}

void cause_dialogue(struct fault *f, const char *words)
{
    struct str all = str_of(words), line;
    size_t colon = str_find(all, ':'), left = 0;
    char conf[100];
    snprintf(conf, sizeof conf, "%.*s", STR_FMT(str_head(all, colon)));
    all = str_tail(all, colon + 1);
    struct smtp_client *c = smtp_client_new(
        &(struct smtp_client_conf){.ehlo_name = "me.example",
                                   .tls = has(conf, "starttls")   ? SMTP_CLIENT_TLS_STARTTLS
                                          : has(conf, "implicit") ? SMTP_CLIENT_TLS_IMPLICIT
                                                                  : SMTP_CLIENT_TLS_NONE,
                                   .login = has(conf, "login")},
        0);
    *f = (struct fault){.scope = FAULT_NONE};
    while (f->scope == FAULT_NONE && (line = str_word(&all, "|")).n) {
        if (!str_eq(line, STR_LIT("TLS"))) {
            left = say(c, line, f);
            continue;
        }
        smtp_client_secured(c, left, 0);
        go_on(c, f);
    }
    if (f->scope == FAULT_NONE)
        say(c, STR_LIT("221 bye"), f);
    smtp_client_free(c);
}

void cause_login(struct fault *f, const char *allowed, const char *offered)
{
    bool token = strcmp(offered, "token") == 0, scram = strcmp(offered, "scram") == 0;
    struct buf out;
    struct sasl *s = sasl_new(
        strcmp(allowed, "-") == 0 ? NULL : allowed,
        token   ? "XOAUTH2"
        : scram ? "SCRAM-SHA-256"
                : offered,
        &(struct sasl_identity){.user = "a@b.example",
                                .kind = token ? SASL_SECRET_TOKEN : SASL_SECRET_PASSWORD,
                                .secret = STR_LIT("secret")},
        f);
    ck_assert((s != NULL) == (token || scram));
    if (!s)
        return;
    buf_init(&out, 10000);
    sasl_initial(s, &out);
    if (scram) {
        ck_assert(!sasl_satisfied(s, f));
    } else {
        fault_set(f, FAULT_ACCOUNT, "5.7.8", "AUTH-REJECTED", "no");
        ck_assert(sasl_refused(s, f));
    }
    buf_release(&out);
    sasl_free(s);
}

void cause_secret(struct fault *f, const char *words)
{
    static const struct credential_source file = {.account = "main", .password_file = "/p"};
    static const struct credential_source command = {.account = "main",
                                                     .token_command = "/bin/token"};
    struct buf output;
    if (strcmp(words, "file") == 0) {
        credential_fault_of_file(f, &file, "/p is readable by others");
        return;
    }
    buf_init(&output, 100);
    struct command_end end = {.status = 1 << 8,
                              .output = &output,
                              .complaint =
                                  str_of(has(words, "grant") ? "invalid_grant" : "no")};
    ck_assert(credential_fault_of_end(f, &command, &end));
    buf_release(&output);
}

void cause_advice(struct fault *f, const char *words)
{
    char code[40], host[100], user[100];
    unsigned port, look;
    ck_assert_int_eq(sscanf(words, "%39s %99s %u %99s %u", code, host, &port, user, &look), 5);
    fault_set(f, FAULT_ACCOUNT, "5.7.0", code, "what happened");
    smtp_advise(
        f, &(struct smtp_advice){host, (uint16_t)port, user, (enum smtp_advice_secret)look});
}

static struct conf *conf_of(const char *text)
{
    struct err err;
    struct conf *conf = conf_parse("F", str_of(text), &err);
    ck_assert_msg(conf != NULL, "%s", err.text);
    return conf;
}

static struct conf *conf_listening(const char *ip, unsigned port)
{
    char text[300];
    snprintf(text, sizeof text,
             "listen = {\"%s:%u\"} smarthost \"m\" { host = \"127.0.0.1\" port = %u }", ip,
             port, port);
    return conf_of(text);
}

void cause_self(struct fault *f)
{
    struct sockaddr_storage address;
    struct fault none;
    socklen_t n;
    ck_assert(sockname_of_ip(STR_LIT("127.0.0.1"), 0, &address, &n));
    int listening = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, n), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &n), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, n), 0);
    unsigned port = sockname_port((struct sockaddr *)&address);
    struct conf *own = conf_listening("127.0.0.1", port);
    struct conf *other = conf_listening("127.0.0.2", port);
    ck_assert(contact_is_self(own, fd, f));
    ck_assert(!contact_is_self(other, fd, &none));
    conf_unref(own);
    conf_unref(other);
    close(fd);
    close(listening);
}

struct trial {
    struct loop *loop;
    struct fault *fault;
};

static void on_news(void *owner, const struct diagnosis *d)
{
    struct trial *t = owner;
    *t->fault = d->verdict;
    ck_assert(d->over);
    loop_stop(t->loop);
}

static void at_turn_end(void *arg)
{
    (void)arg;
}

void cause_no_trust(struct fault *f)
{
    struct trial t = {loop_new(), f};
    struct conf *conf =
        conf_of("smarthost \"m\" { host = \"h.example\" tls-ca-file = \"/nonexistent\" }");
    struct diagnosing *d =
        diagnosing_new(t.loop, conf, &conf->smarthosts[0], "a@b", "c@d", on_news, &t);
    loop_run(t.loop, at_turn_end, NULL);
    diagnosing_free(d);
    loop_free(t.loop);
    conf_unref(conf);
}
