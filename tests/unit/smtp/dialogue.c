/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialogue.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WHOLE = 0,
    BYTE_BY_BYTE = -1, /* a positive number is where each run of bytes is cut in two */
    ARGUMENTS_MAX = 128,
    TRANSACTIONS_MAX = 16,
    PIPELINE = 3
};

struct run {
    const struct dialogue *d;
    int cut;
    struct smtp_client *client;
    int64_t now_ms;
    bool stuck;
    size_t left_over;
    struct buf input;  /* of the server, not yet fed */
    struct buf output; /* of the client, not yet expected */
    struct buf events; /* told, not yet expected, one a line */
    bool numbered;     /* events tell which transaction */
    bool broke;        /* a transaction ended because the dialogue did */
    unsigned n_transactions;
    struct transaction {
        struct smtp_transaction t;
        char arguments[1024];
        struct smtp_recipient recipients[ARGUMENTS_MAX];
    } transactions[TRANSACTIONS_MAX];
};

static char sentences[65536];

const char *dialogue_sentences(void)
{
    return sentences;
}

static unsigned oddities;

unsigned dialogue_oddities(void)
{
    return oddities;
}

static void put_fault(struct run *run, const struct fault *f)
{
    size_t n = strlen(sentences);
    if (f->scope == FAULT_NONE) {
        buf_puts(&run->events, "none\n");
        return;
    }
    ck_assert_msg(f->code[0] && f->text[0] && f->status[0], "%s: a fault without words",
                  run->d->name);
    ck_assert_msg(f->permanent == (f->status[0] == '5'), "%s: %s", run->d->name, f->status);
    buf_printf(&run->events, "%s %s%s %s\n", fault_scope_name(f->scope),
               f->permanent ? "perm" : "temp", f->ambiguous ? " ambiguous" : "", f->code);
    snprintf(sentences + n, sizeof sentences - n, "%s | %s | %s\n", f->text, f->fix, f->reply);
}

static void put_number(struct run *run, const struct smtp_client_event *e)
{
    for (unsigned i = 0; i < run->n_transactions; i++) {
        if (run->numbered && &run->transactions[i].t == e->transaction)
            buf_printf(&run->events, " #%u", i + 1);
    }
}

static void put_event(struct run *run, const struct smtp_client_event *e)
{
    static const char *const names[] = {"WAIT", "STARTTLS", "AUTH", "CHALLENGE", "IDLE",
                                        "ROOM", "BODY",     "RCPT", "DONE",      "DEAD"};
    ck_assert_msg(!run->broke || e->type >= SMTP_CLIENT_RCPT, "%s: alive", run->d->name);
    run->broke = run->broke || e->broke;
    buf_puts(&run->events, names[e->type]);
    put_number(run, e);
    if (e->type == SMTP_CLIENT_AUTH)
        buf_printf(&run->events, " %s", e->caps->auth);
    if (e->type == SMTP_CLIENT_CHALLENGE)
        buf_printf(&run->events, " %.*s", STR_FMT(e->challenge));
    if (e->type == SMTP_CLIENT_RCPT)
        buf_printf(&run->events, " %u", e->recipient);
    if (e->final && e->fault.scope == FAULT_NONE)
        buf_puts(&run->events, " delivered");
    if (e->type >= SMTP_CLIENT_RCPT) {
        buf_puts(&run->events, " ");
        put_fault(run, &e->fault);
        return;
    }
    buf_puts(&run->events, "\n");
}

/* What an owner does after each call. */
static void look(struct run *run)
{
    struct smtp_client_event e;
    while (smtp_client_next(run->client, &e) != SMTP_CLIENT_WAIT)
        put_event(run, &e);
    struct buf *out = smtp_client_out(run->client);
    if (run->stuck || buf_len(out) == 0)
        return;
    buf_put_str(&run->output, buf_str(out));
    buf_consume(out, buf_len(out));
    smtp_client_progress(run->client, run->now_ms);
}

static void feed(struct run *run, struct str bytes)
{
    if (bytes.n == 0 || run->left_over > 0) {
        run->left_over += bytes.n;
        return;
    }
    size_t taken = smtp_client_feed(run->client, bytes.p, bytes.n, run->now_ms);
    run->left_over = bytes.n - taken;
    look(run);
}

static void feed_input(struct run *run)
{
    struct str bytes = buf_str(&run->input);
    if (run->cut == BYTE_BY_BYTE) {
        for (size_t i = 0; i < bytes.n; i++)
            feed(run, str_head(str_tail(bytes, i), 1));
    } else if (run->cut == WHOLE) {
        feed(run, bytes);
    } else {
        feed(run, str_head(bytes, (size_t)run->cut));
        feed(run, str_tail(bytes, (size_t)run->cut));
    }
    buf_clear(&run->input);
}

static void submit(struct run *run, struct str words)
{
    struct smtp_transaction t = {.body_bytes = 9};
    ck_assert_uint_lt(run->n_transactions, TRANSACTIONS_MAX);
    struct transaction *kept = &run->transactions[run->n_transactions++];
    memset(kept, 0, sizeof *kept);
    snprintf(kept->arguments, sizeof kept->arguments, "%.*s", STR_FMT(words));
    for (char *word = strtok(kept->arguments, " "); word; word = strtok(NULL, " ")) {
        if (strncmp(word, "size=", 5) == 0)
            t.body_bytes = strtoull(word + 5, NULL, 10);
        else if (strcmp(word, "8bit") == 0)
            t.body_8bit = true;
        else if (strcmp(word, "rehearsal") == 0)
            t.rehearsal = true;
        else if (strcmp(word, "alone") == 0)
            t.alone = true;
        else if (strcmp(word, "tls") == 0)
            t.require_tls = true;
        else if (strncmp(word, "envid=", 6) == 0)
            t.envid = word + 6;
        else if (strncmp(word, "ret=", 4) == 0)
            t.ret = strcmp(word, "ret=full") == 0 ? SMTP_RET_FULL : SMTP_RET_HDRS;
        else if (strncmp(word, "orcpt=", 6) == 0)
            kept->recipients[t.n_recipients - 1].orcpt = word + 6;
        else if (strncmp(word, "notify=", 7) == 0)
            kept->recipients[t.n_recipients - 1].notify = (unsigned)atoi(word + 7);
        else if (!t.sender)
            t.sender = strcmp(word, "<>") == 0 ? "" : word;
        else
            kept->recipients[t.n_recipients++] = (struct smtp_recipient){.address = word};
    }
    t.recipients = kept->recipients;
    kept->t = t;
    smtp_client_submit(run->client, &kept->t, run->now_ms);
}

static void auth(struct run *run, struct str words)
{
    char mechanism[32];
    struct str name = str_word(&words, " ");
    struct str initial = str_trim(words);
    bool none = initial.n == 0;
    snprintf(mechanism, sizeof mechanism, "%.*s", STR_FMT(name));
    if (str_eq(initial, STR_LIT("=")))
        initial.n = 0;
    smtp_client_auth(run->client, mechanism, none ? NULL : &initial, run->now_ms);
}

static void be_late(struct run *run)
{
    run->now_ms = smtp_client_deadline(run->client) - 1;
    smtp_client_tick(run->client, run->now_ms);
    look(run);
    ck_assert_msg(buf_len(&run->events) == 0, "%s: too early", run->d->name);
    smtp_client_tick(run->client, ++run->now_ms);
}

static void body(struct run *run, struct str text, bool last)
{
    struct buf content;
    buf_init(&content, 65536);
    if (text.n > 0 || !last) {
        buf_put_str(&content, text);
        buf_puts(&content, "\r\n");
    }
    smtp_client_body(run->client, buf_str(&content).p, buf_len(&content), last, run->now_ms);
    buf_release(&content);
}

static void act(struct run *run, struct str line)
{
    struct str rest = line, verb = str_word(&rest, " ");
    struct fault gave_up;
    char why[64];
    rest = str_tail(rest, 1);
    snprintf(why, sizeof why, "%.*s", STR_FMT(rest));
    fault_set(&gave_up, FAULT_ACCOUNT, "5.7.0", "TEST", "given up");
    if (str_eq(verb, STR_LIT("secured"))) {
        smtp_client_secured(run->client, run->left_over, run->now_ms);
        run->left_over = 0;
    } else if (str_eq(verb, STR_LIT("auth"))) {
        auth(run, rest);
    } else if (str_eq(verb, STR_LIT("answer"))) {
        smtp_client_auth_response(run->client, rest, run->now_ms);
    } else if (str_eq(verb, STR_LIT("cancel"))) {
        smtp_client_auth_cancel(run->client, &gave_up, run->now_ms);
    } else if (str_eq(verb, STR_LIT("submit"))) {
        submit(run, rest);
    } else if (str_eq(verb, STR_LIT("body"))) {
        body(run, rest, false);
    } else if (str_eq(verb, STR_LIT("last"))) {
        body(run, rest, true);
    } else if (str_eq(verb, STR_LIT("wait"))) {
        run->now_ms += 60000;
    } else if (str_eq(verb, STR_LIT("stuck"))) {
        run->stuck = true;
    } else if (str_eq(verb, STR_LIT("quit"))) {
        smtp_client_quit(run->client, run->now_ms);
    } else if (str_eq(verb, STR_LIT("eof"))) {
        smtp_client_eof(run->client, rest.n ? why : NULL);
    } else if (str_eq(verb, STR_LIT("late"))) {
        be_late(run);
    } else {
        ck_abort_msg("%s: no such action: %.*s", run->d->name, STR_FMT(line));
    }
    look(run);
}

/* The next line of what was seen, with end at its end, must be expected. */
static void expect(struct run *run, struct buf *seen, const char *end, struct str expected)
{
    struct str all = buf_str(seen);
    struct str line = str_head(all, str_find(all, '\n') + 1);
    size_t n = strlen(end);
    bool whole = line.n >= n && str_eq(str_tail(line, line.n - n), str_of(end));
    ck_assert_msg(
        whole && str_eq(str_head(line, line.n - n), expected),
        "%s (cut %d): expected \"%.*s\", got \"%.*s\"; waiting: \"%.*s\" \"%.*s\"; %s",
        run->d->name, run->cut, STR_FMT(expected), STR_FMT(line),
        STR_FMT(buf_str(&run->events)), STR_FMT(buf_str(&run->output)), sentences);
    buf_consume(seen, line.n);
}

static void allow(struct run *run, struct str event)
{
    struct str all = buf_str(&run->events);
    if (str_eq(str_head(all, str_find(all, '\n')), event))
        buf_consume(&run->events, event.n + 1);
}

static void nothing_more(const struct run *run, struct str before)
{
    ck_assert_msg(buf_len(&run->events) == 0 && buf_len(&run->output) == 0,
                  "%s (cut %d): unexpected before \"%.*s\": \"%.*s\" \"%.*s\"; %s",
                  run->d->name, run->cut, STR_FMT(before), STR_FMT(buf_str(&run->events)),
                  STR_FMT(buf_str(&run->output)), sentences);
}

static void run_line(struct run *run, struct str line)
{
    struct str text = str_tail(line, 2);
    bool server = str_starts_nocase(line, STR_LIT("S"));
    if (!server)
        feed_input(run);
    if (server || line.p[0] == '>')
        nothing_more(run, line);
    if (server) {
        buf_put_str(&run->input, str_tail(line, 3));
        buf_puts(&run->input, line.p[1] == ':' ? "\r\n" : "");
    } else if (line.p[0] == '>') {
        act(run, text);
    } else if (line.p[0] == '!') {
        expect(run, &run->events, "\n", text);
    } else if (line.p[0] == '?') {
        allow(run, text);
    } else {
        expect(run, &run->output, "\r\n", str_tail(line, 3));
    }
}

/* Returns the longest run of server bytes. */
static size_t run_once(const struct dialogue *d, int cut)
{
    struct smtp_client_conf conf = {
        .ehlo_name = "me.example",
        .ehlo_literal = strstr(d->conf, "literal") ? "[192.0.2.1]" : NULL,
        .tls = strstr(d->conf, "starttls")   ? SMTP_CLIENT_TLS_STARTTLS
               : strstr(d->conf, "implicit") ? SMTP_CLIENT_TLS_IMPLICIT
                                             : SMTP_CLIENT_TLS_NONE,
        .lmtp = strstr(d->conf, "lmtp") != NULL,
        .login = strstr(d->conf, "login") != NULL,
        .pipelining = strstr(d->conf, "pipelin") != NULL,
        .pipeline = strstr(d->conf, "pipeline") ? PIPELINE : 1,
        .chunking = strstr(d->conf, "chunking") != NULL,
        .tls_verified = strstr(d->conf, "verified") != NULL,
    };
    static struct run run;
    run = (struct run){.d = d, .cut = cut, .now_ms = 1000};
    run.numbered = strstr(d->conf, "pipeline") != NULL;
    size_t longest = 0;
    sentences[0] = '\0';
    run.client = smtp_client_new(&conf, run.now_ms);
    buf_init(&run.input, 1 << 20);
    buf_init(&run.output, 1 << 20);
    buf_init(&run.events, 1 << 20);
    look(&run);
    struct str script = str_of(d->script);
    for (struct str line; (line = str_word(&script, "\n")).n;) {
        run_line(&run, line);
        longest = buf_len(&run.input) > longest ? buf_len(&run.input) : longest;
    }
    feed_input(&run);
    nothing_more(&run, STR_LIT("the end"));
    oddities = smtp_client_oddities(run.client);
    smtp_client_free(run.client);
    buf_release(&run.input);
    buf_release(&run.output);
    buf_release(&run.events);
    return longest;
}

void dialogue_run(const struct dialogue *d)
{
    size_t longest = run_once(d, WHOLE);
    if (strstr(d->conf, "whole"))
        return;
    for (size_t cut = 1; cut < longest; cut++)
        run_once(d, (int)cut);
    run_once(d, BYTE_BY_BYTE);
}

void dialogue_run_long(const struct dialogue *d)
{
    run_once(d, WHOLE);
    run_once(d, BYTE_BY_BYTE);
}
