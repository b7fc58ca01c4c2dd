/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walk to the smarthosts as the daemon does, and say what is wrong. No daemon need run. */
#include "command.h"

#include "address.h"
#include "clock.h"
#include "conf.h"
#include "diagnosis_text.h"
#include "mem.h"
#include "owner.h"
#include "say.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#define CREDENTIALS "/run/credentials/tranter.service" /* systemd's, of the unit's name */

enum {
    OUT_MAX = 1024 * 1024
};

/* One run of the command. */
struct run {
    const struct conf *conf;
    bool json;
    char *sender, *recipient; /* owned */
    struct loop *loop;
    unsigned shown;
    int exit_status;
};

static void put(struct run *r, const struct diagnosis *d)
{
    struct buf out;
    int64_t now_s = clock_wall_ms() / 1000;
    buf_init(&out, OUT_MAX);
    if (!r->json)
        diagnosis_text_put(&out, d, &r->shown, now_s);
    else if (d->over)
        diagnosis_json_put(&out, d, now_s);
    fwrite(buf_str(&out).p, 1, buf_len(&out), stdout);
    fflush(stdout);
    buf_release(&out);
}

static void on_news(void *owner, const struct diagnosis *d)
{
    struct run *r = owner;
    put(r, d);
    if (!d->over)
        return;
    if (d->exit_status > r->exit_status)
        r->exit_status = d->exit_status;
    loop_stop(r->loop);
}

static void at_turn_end(void *arg)
{
    (void)arg;
}

static void diagnose(struct run *r, const struct conf_smarthost *smarthost)
{
    r->loop = loop_new();
    r->shown = 0;
    struct diagnosing *d =
        diagnosing_new(r->loop, r->conf, smarthost, r->sender, r->recipient, on_news, r);
    loop_run(r->loop, at_turn_end, NULL);
    diagnosing_free(d);
    loop_free(r->loop);
}

static bool may_read(const char *key, const char *path)
{
    if (!path || access(path, R_OK) == 0 || errno != EACCES)
        return true;
    say(command_program,
        "%s %s cannot be read by this user; run this as root, or as the user that tranterd "
        "runs "
        "as",
        key, path);
    return false;
}

static bool may_read_secrets(const struct conf_smarthost *s)
{
    static const char kind[] = "credential:";
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    struct str file = str_of(s->password_file);
    struct buf path;
    buf_init(&path, 8192);
    if (file.n && str_starts_nocase(file, STR_LIT("credential:")))
        buf_printf(&path, "%s/%s", directory ? directory : CREDENTIALS,
                   s->password_file + sizeof kind - 1);
    else
        buf_put_str(&path, file);
    buf_putc(&path, '\0');
    bool may = (!s->password_file || may_read("password-file", buf_str(&path).p)) &&
               may_read("tls-key", s->tls_key);
    buf_release(&path);
    return may;
}

/* What root may read and reach, the daemon may not: be as it is. */
static bool become_daemon(const struct conf *conf)
{
    struct err err;
    setenv("CREDENTIALS_DIRECTORY", CREDENTIALS, 0);
    if (access(conf->spool, F_OK) != 0 || owner_become(conf->spool, &err) == 0)
        return true;
    say(command_program, "%s", err.text);
    return false;
}

/* NULL, and said why, if it is no address; owned by the caller. */
static char *complete(const struct conf *conf, const char *address)
{
    struct buf whole;
    if (!address_is_mailbox(str_of(address))) {
        say(command_program, "\"%.200s\" is not an address", address);
        return NULL;
    }
    buf_init(&whole, 2 * ADDRESS_MAX);
    address_complete(&whole, str_of(address), str_of(conf->domain));
    char *text = buf_strdup(&whole);
    buf_release(&whole);
    return text;
}

/* Who asks, as sendmail would have it. */
static char *default_sender(const struct conf *conf)
{
    const struct passwd *user = getpwuid(getuid());
    return complete(conf,
                    user && address_is_mailbox(str_of(user->pw_name)) ? user->pw_name : "root");
}

/* Somebody who can be expected to exist. */
static char *default_recipient(const struct conf *conf, const char *sender)
{
    return conf->admin ? complete(conf, conf->admin) : mem_strdup(sender);
}

static bool set_addresses(struct run *r, const struct command_line *line)
{
    const char *from = line->option[COMMAND_FROM], *to = line->option[COMMAND_TO];
    r->sender = from && !*from ? mem_strdup("")
                : from         ? complete(r->conf, from)
                               : default_sender(r->conf);
    if (r->sender)
        r->recipient = to           ? complete(r->conf, to)
                       : *r->sender ? default_recipient(r->conf, r->sender)
                                    : complete(r->conf, "postmaster");
    return r->sender && r->recipient;
}

/* Those named, or all. */
static int diagnose_all(struct run *r, const char *name)
{
    unsigned found = 0;
    for (unsigned i = 0; i < r->conf->n_smarthosts; i++) {
        const struct conf_smarthost *s = &r->conf->smarthosts[i];
        if (name && strcmp(name, s->name) != 0)
            continue;
        if (!may_read_secrets(s))
            return EX_NOPERM;
        if (found++ && !r->json)
            putchar('\n');
        diagnose(r, s);
    }
    if (found)
        return r->exit_status;
    say(command_program, "there is no smarthost \"%.100s\" in %s", name, r->conf->file);
    return EX_USAGE;
}

int command_diagnose(const struct command *command, const struct command_line *line)
{
    struct err err;
    struct run r = {.json = line->option[COMMAND_JSON] != NULL};
    const char *file = line->file ? line->file : CONFIG_FILE;
    if (line->n_words > 1) {
        say(command_program, "%s takes one smarthost, or none for all", command->name);
        return EX_USAGE;
    }
    if (!may_read("the configuration", file))
        return EX_NOPERM;
    struct conf *conf = conf_load(file, &err);
    if (!conf) {
        say(command_program, "%s", err.text);
        return EX_CONFIG;
    }
    r.conf = conf;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a secret will be in memory */
    int exit_status = EX_USAGE;
    if (set_addresses(&r, line))
        exit_status = become_daemon(conf)
                          ? diagnose_all(&r, line->n_words ? line->words[0] : NULL)
                          : EX_NOPERM;
    free(r.sender);
    free(r.recipient);
    conf_unref(conf);
    return exit_status;
}
