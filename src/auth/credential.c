/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "credential.h"

#include "argv.h"
#include "command.h"
#include "credential_fault.h"
#include "mem.h"
#include "token.h"
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

struct credential_request {
    TAILQ_ENTRY(credential_request) entry;
    struct credential *credential;
    void (*on_answer)(void *owner, struct str secret, const struct fault *fault);
    void *owner;
};

struct credential {
    struct loop *loop;
    struct credential_source source;
    struct command *command; /* running */
    TAILQ_HEAD(, credential_request) requests;
    struct vault *token;
    int64_t token_until_ms; /* it may be used */
    unsigned generation;    /* tokens got so far */
    unsigned trial; /* from this generation on a token's refusal stands; 0: that of the next
                       does not */
};

static const char *command_line(const struct credential_source *s)
{
    return s->token_command ? s->token_command : s->password_command;
}

struct credential *credential_new(struct loop *loop, const struct credential_source *source)
{
    struct credential *c = mem_new(sizeof *c);
    c->loop = loop;
    c->source = *source;
    if (source->timeout_ms == 0)
        c->source.timeout_ms = CREDENTIAL_TIMEOUT_MS;
    if (source->token_command)
        c->token = vault_new(SECRET_MAX);
    TAILQ_INIT(&c->requests);
    return c;
}

void credential_free(struct credential *c)
{
    if (!c)
        return;
    BUG_ON(!TAILQ_EMPTY(&c->requests));
    command_free(c->command);
    vault_free(c->token);
    free(c);
}

enum sasl_secret credential_kind(const struct credential *c)
{
    if (c->source.token_command)
        return SASL_SECRET_TOKEN;
    return c->source.password_command || c->source.password_file ? SASL_SECRET_PASSWORD
                                                                 : SASL_SECRET_NONE;
}

unsigned credential_generation(const struct credential *c)
{
    return c->generation;
}

static void answer_all(struct credential *c, struct str secret, const struct fault *fault)
{
    struct credential_request *r;
    while ((r = TAILQ_FIRST(&c->requests))) {
        TAILQ_REMOVE(&c->requests, r, entry);
        r->on_answer(r->owner, secret, fault);
        free(r);
    }
}

static int64_t usable_until(const struct credential *c, int64_t lifetime_s)
{
    int64_t lifetime_ms =
        lifetime_s < 0 ? c->source.token_lifetime_ms : lifetime_s * 1000 - CREDENTIAL_MARGIN_MS;
    return loop_now_ms(c->loop) + lifetime_ms;
}

/* What the command printed, made the secret. */
static int take_output(struct credential *c, struct buf *output, struct err *why)
{
    int64_t lifetime_s;
    if (!c->source.token_command)
        return secret_keep_line(output, why);
    if (token_read(output, &lifetime_s, why) < 0)
        return -1;
    c->generation++;
    c->token_until_ms = usable_until(c, lifetime_s);
    vault_put(c->token, buf_str(output));
    return 0;
}

static void on_end(void *owner, const struct command_end *end)
{
    struct credential *c = owner;
    struct fault fault;
    struct err why;
    c->command = NULL;
    if (credential_fault_of_end(&fault, &c->source, end)) {
        answer_all(c, (struct str){NULL, 0}, &fault);
    } else if (take_output(c, end->output, &why) < 0) {
        credential_fault_of_output(&fault, &c->source, why.text);
        answer_all(c, (struct str){NULL, 0}, &fault);
    } else {
        answer_all(c, buf_str(end->output), NULL);
    }
}

static void start_command(struct credential *c)
{
    struct argv argv;
    struct fault fault;
    struct err why;
    int error = 0;
    if (argv_split(&argv, command_line(&c->source), &why) < 0) {
        credential_fault_of_start(&fault, &c->source, why.text);
        answer_all(c, (struct str){NULL, 0}, &fault);
        return;
    }
    c->command =
        command_new(c->loop, argv.words, SECRET_MAX, c->source.timeout_ms, on_end, c, &error);
    argv_release(&argv);
    if (!c->command) {
        credential_fault_of_start(&fault, &c->source, strerror(error));
        answer_all(c, (struct str){NULL, 0}, &fault);
    }
}

static void read_file(struct credential *c)
{
    struct buf secret;
    struct fault fault;
    struct err err;
    buf_init(&secret, SECRET_MAX);
    secret.secret = true;
    if (secret_read(c->source.password_file, &secret, &err) == 0) {
        answer_all(c, buf_str(&secret), NULL);
    } else {
        credential_fault_of_file(&fault, &c->source, err.text);
        answer_all(c, (struct str){NULL, 0}, &fault);
    }
    buf_release(&secret);
}

static bool has_token(const struct credential *c)
{
    return c->token && vault_str(c->token).n > 0 && loop_now_ms(c->loop) < c->token_until_ms;
}

struct credential_request *credential_ask(struct credential *c,
                                          void (*on_answer)(void *owner, struct str secret,
                                                            const struct fault *fault),
                                          void *owner)
{
    struct credential_request *r = mem_new(sizeof *r);
    BUG_ON(credential_kind(c) == SASL_SECRET_NONE);
    *r = (struct credential_request){.credential = c, .on_answer = on_answer, .owner = owner};
    TAILQ_INSERT_TAIL(&c->requests, r, entry);
    if (c->command)
        return r;
    if (c->source.password_file)
        read_file(c);
    else if (has_token(c))
        answer_all(c, vault_str(c->token), NULL);
    else
        start_command(c);
    return c->command ? r : NULL;
}

/* The command runs on: the next one to ask is in time for it, and there is none too many. */
void credential_cancel(struct credential_request *request)
{
    if (!request)
        return;
    TAILQ_REMOVE(&request->credential->requests, request, entry);
    free(request);
}

bool credential_refused(struct credential *c, unsigned generation)
{
    if (!c->token)
        return false;
    if (generation < c->generation)
        return true; /* a younger one is there already */
    vault_put(c->token, (struct str){NULL, 0});
    if (c->trial && generation >= c->trial)
        return false;
    c->trial = generation + 1;
    return true;
}

void credential_accepted(struct credential *c)
{
    c->trial = 0;
}

static int check_program(const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(err, "%.200s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, "%.200s is not a program", path);
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 02))
        return err_set(err,
                       "%.200s can be changed by others, who would get the secret; it has to "
                       "belong to root or to user %lu (chown), and be writable by nobody else",
                       path, (unsigned long)geteuid());
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
        return err_set(err, "%.200s cannot be run by user %lu: %s", path,
                       (unsigned long)geteuid(), strerror(errno));
    return 0;
}

static int check_command(const struct credential_source *source, struct err *err)
{
    const char *key = credential_fault_key(source);
    struct argv argv;
    struct err why;
    if (argv_split(&argv, command_line(source), &why) < 0)
        return err_set(err, "%s %s", key, why.text);
    int result = check_program(argv.words[0], &why);
    argv_release(&argv);
    return result < 0 ? err_set(err, "%s: %s", key, why.text) : 0;
}

int credential_check(const struct credential_source *source, struct err *err)
{
    struct buf secret;
    if (command_line(source))
        return check_command(source, err);
    if (!source->password_file)
        return 0;
    buf_init(&secret, SECRET_MAX);
    secret.secret = true;
    int result = secret_read(source->password_file, &secret, err);
    buf_release(&secret);
    return result;
}
