/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which settings apply to mail for an address, and where each stands. The configuration alone
 * is asked: no daemon need run. */
#include "command.h"

#include "address.h"
#include "argv.h"
#include "conf.h"
#include "conf_aliases.h"
#include "mem.h"
#include "say.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    MAILBOX_MAX = 64 * 1024,
    CREDENTIAL_MAX = 1100 /* a path of the configuration and its key */
};

/* What is asked. */
struct question {
    const struct conf *conf;
    const struct alias_table *aliases;
    struct alias_home home;
    struct str mailbox;
    bool exact; /* "\" before it */
    const char *from, *user;
};

static const char *end_word(enum alias_end end)
{
    static const char *const words[] = {[ALIAS_END_AS_IS] = "address",
                                        [ALIAS_END_ADMIN] = "admin",
                                        [ALIAS_END_COMPLETED] = "domain",
                                        [ALIAS_END_NOBODY] = "nobody"};
    return words[end];
}

static const char *tls_word(enum conf_tls tls)
{
    static const char *const words[] = {[CONF_TLS_STARTTLS] = "starttls",
                                        [CONF_TLS_IMPLICIT] = "implicit",
                                        [CONF_TLS_NONE] = "none"};
    return words[tls];
}

static const char *verify_word(enum conf_verify verify)
{
    static const char *const words[] = {[CONF_VERIFY_FULL] = "full",
                                        [CONF_VERIFY_NONE] = "none",
                                        [CONF_VERIFY_FINGERPRINT] = "fingerprint"};
    return words[verify];
}

static void say_alias(void *arg, unsigned depth, const struct alias_entry *e)
{
    (void)arg;
    if (alias_include_path(e))
        printf("%*sincluded %s, %s:%d\n", (int)depth * 2 + 2, "", alias_include_path(e),
               e->file, e->line);
    else
        printf("%*salias %s, %s:%d\n", (int)depth * 2 + 2, "", e->name, e->file, e->line);
}

static void say_address(void *arg, unsigned depth, struct str address, enum alias_end end)
{
    static const char *const notes[] = {
        [ALIAS_END_AS_IS] = "",
        [ALIAS_END_ADMIN] = ", the admin: no alias sends this user of the host elsewhere",
        [ALIAS_END_COMPLETED] = ", a user of this host, completed with the domain",
        [ALIAS_END_NOBODY] = ""};
    (void)arg;
    if (end == ALIAS_END_NOBODY)
        printf("%*snobody, /dev/null\n", (int)depth * 2 + 2, "");
    else
        printf("%*sto %.*s%s\n", (int)depth * 2 + 2, "", STR_FMT(address), notes[end]);
}

static void say_tls(const struct conf_smarthost *s)
{
    static const char *const modes[] = {[CONF_TLS_STARTTLS] = "STARTTLS required",
                                        [CONF_TLS_IMPLICIT] = "from the first byte",
                                        [CONF_TLS_NONE] = "none, all is sent in clear"};
    printf("     TLS: %s", modes[s->tls]);
    if (s->tls == CONF_TLS_NONE)
        printf("\n");
    else if (s->verify == CONF_VERIFY_NONE)
        printf("; whoever answers is trusted (tls-verify = \"none\")\n");
    else if (s->verify == CONF_VERIFY_FINGERPRINT)
        printf("; its certificate's fingerprint is checked\n");
    else
        printf("; certificate and the name %s are checked against %s\n", s->tls_name,
               s->tls_ca_file ? s->tls_ca_file : "the system's authorities");
}

/* Where its secret comes from: the file, or the key and its program, whose arguments may be
 * nobody's business. False where there is none. */
static bool name_credential(const struct conf_smarthost *s, char from[CREDENTIAL_MAX])
{
    struct argv argv = {.memory = NULL};
    const char *line = s->token_command ? s->token_command : s->password_command;
    bool known = !line || argv_split(&argv, line, NULL) == 0;
    BUG_ON(!known); /* the configuration was read */
    if (line)
        snprintf(from, CREDENTIAL_MAX, "%s %s",
                 s->token_command ? "token-command" : "password-command", argv.words[0]);
    else
        snprintf(from, CREDENTIAL_MAX, "%s", s->password_file ? s->password_file : "");
    argv_release(&argv);
    return from[0];
}

static void say_smarthost(const struct conf *conf, unsigned i)
{
    const struct conf_smarthost *s = &conf->smarthosts[i];
    printf("  %u. %s, %s port %u (%s:%d)\n", i + 1, s->name, s->host, (unsigned)s->port,
           conf->file, s->line);
    say_tls(s);
    char from[CREDENTIAL_MAX];
    if (name_credential(s, from))
        printf("     login: %s, %s from %s\n", s->user, s->token_command ? "token" : "password",
               from);
    else
        printf("     login: %s\n", s->tls_cert ? s->tls_cert : "none");
}

static void say_all(const struct question *q)
{
    const struct alias_visitor visitor = {say_alias, say_address, NULL};
    printf("%s%.*s%s\n", q->exact ? "\\" : "", STR_FMT(q->mailbox),
           alias_is_local(&q->home, q->mailbox) ? ", a user of this host" : "");
    alias_expand(q->aliases, &q->home, q->mailbox, q->exact, &visitor);
    if (q->from || q->user)
        printf("no setting depends on who sends it\n");
    printf("rewrite: none\nroute: none; smarthosts in the order written, the next where one is "
           "down\n");
    for (unsigned i = 0; i < q->conf->n_smarthosts; i++)
        say_smarthost(q->conf, i);
}

/* The aliases on the way to an address. */
struct way {
    json_t *recipients;
    const struct alias_entry *steps[ALIAS_DEPTH_MAX + 2];
};

static void keep_alias(void *arg, unsigned depth, const struct alias_entry *e)
{
    struct way *way = arg;
    way->steps[depth] = e;
}

static void keep_address(void *arg, unsigned depth, struct str address, enum alias_end end)
{
    struct way *way = arg;
    json_t *steps = json_array();
    for (unsigned i = 0; i < depth; i++) {
        const struct alias_entry *e = way->steps[i];
        const char *path = alias_include_path(e);
        json_array_append_new(steps, json_pack("{s:s, s:s, s:i}", path ? "include" : "name",
                                               path ? path : e->name, "file", e->file, "line",
                                               e->line));
    }
    json_t *o = json_pack("{s:s, s:o}", "by", end_word(end), "aliases", steps);
    if (end != ALIAS_END_NOBODY)
        json_object_set_new(o, "address", json_stringn(address.p, address.n));
    json_array_append_new(way->recipients, o);
}

static json_t *smarthost_json(const struct conf_smarthost *s)
{
    char from[CREDENTIAL_MAX];
    bool has_credential = name_credential(s, from);
    return json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s?, s:s?, s:s?}", "name", s->name,
                     "host", s->host, "port", (int)s->port, "line", s->line, "tls",
                     tls_word(s->tls), "tls_verify", verify_word(s->verify), "tls_name",
                     s->tls_name, "tls_ca_file", s->tls_ca_file, "user", s->user, "credential",
                     has_credential ? from : NULL);
}

static int print_json(const struct question *q)
{
    struct way way = {.recipients = json_array()};
    const struct alias_visitor visitor = {keep_alias, keep_address, &way};
    alias_expand(q->aliases, &q->home, q->mailbox, q->exact, &visitor);
    json_t *smarthosts = json_array();
    for (unsigned i = 0; i < q->conf->n_smarthosts; i++)
        json_array_append_new(smarthosts, smarthost_json(&q->conf->smarthosts[i]));
    json_t *o =
        json_pack("{s:s%, s:b, s:s?, s:s?, s:s, s:o, s:n, s:n, s:o}", "address", q->mailbox.p,
                  q->mailbox.n, "local", alias_is_local(&q->home, q->mailbox), "from", q->from,
                  "user", q->user, "configuration", q->conf->file, "recipients", way.recipients,
                  "rewrite", "route", "smarthosts", smarthosts);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text)
        puts(text);
    else
        say(command_program, "the answer has bytes in it that are not UTF-8");
    int exit_status = text ? EX_OK : EX_SOFTWARE;
    free(text);
    json_decref(o);
    return exit_status;
}

/* What is asked of it is what it says of mail that is handed in now. */
static int answer(struct question *q, const struct command_line *line)
{
    struct err err;
    struct conf *conf = conf_load(line->file ? line->file : CONFIG_FILE, &err);
    struct alias_table *aliases = conf ? conf_aliases_load(conf, &err) : NULL;
    int exit_status = EX_CONFIG;
    if (!aliases) {
        say(command_program, "%s", err.text);
    } else {
        q->conf = conf;
        q->aliases = aliases;
        q->home = conf_aliases_home(conf);
        exit_status = EX_OK;
        if (line->option[COMMAND_JSON])
            exit_status = print_json(q);
        else
            say_all(q);
        if (aliases->n_grave)
            say(command_program,
                "%s; where that is an error, tranterd may still use the file "
                "as it was before",
                aliases->problems[0].sentence);
    }
    alias_table_free(aliases);
    conf_unref(conf);
    return exit_status;
}

int command_why(const struct command *command, const struct command_line *line)
{
    struct address_list list, more;
    struct buf mailbox, rest;
    (void)command;
    buf_init(&mailbox, MAILBOX_MAX);
    buf_init(&rest, MAILBOX_MAX);
    list = address_list_of(str_of(line->n_words == 1 ? line->words[0] : ""));
    bool good = address_list_next(&list, &mailbox) == ADDRESS_LIST_GOOD;
    more = list;
    good = good && address_list_next(&more, &rest) == ADDRESS_LIST_END;
    struct question q = {.mailbox = buf_str(&mailbox),
                         .exact = list.exact,
                         .from = line->option[COMMAND_FROM],
                         .user = line->option[COMMAND_USER]};
    int exit_status = EX_USAGE;
    if (good)
        exit_status = answer(&q, line);
    else
        say(command_program, "why takes one address, such as root or user@example.com");
    buf_release(&rest);
    buf_release(&mailbox);
    return exit_status;
}
