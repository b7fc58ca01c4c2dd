/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "transcript.h"

#include "printable.h"
#include "secret.h"

#include <stdio.h>
#include <string.h>

enum {
    LINES_MAX = 16 * 1024, /* bytes of a reply, as shown */
    MECHANISM_MAX = 32
};

static void begin(struct transcript *t, int64_t now_ms)
{
    struct transcript_exchange *e = &t->exchanges[t->n++];
    *e = (struct transcript_exchange){
        .secured = t->secured, .asked_ms = now_ms, .answered_ms = -1};
    buf_init(&e->lines, LINES_MAX);
}

void transcript_init(struct transcript *t, int64_t now_ms)
{
    memset(t, 0, sizeof *t);
    smtp_reply_init(&t->reply, SMTP_REPLY_MAX);
    buf_init(&t->sent, TRANSCRIPT_COMMAND_MAX);
    t->sent.secret = true;
    begin(t, now_ms);
}

void transcript_release(struct transcript *t)
{
    for (unsigned i = 0; i < t->n; i++)
        buf_release(&t->exchanges[i].lines);
    smtp_reply_release(&t->reply);
    buf_release(&t->sent);
}

static bool is_auth(struct str command)
{
    return str_starts_nocase(command, STR_LIT("AUTH "));
}

/* AUTH and its mechanism may be shown, nothing behind it; and no line of an answer. */
static void show(struct transcript *t, struct transcript_exchange *e, struct str command)
{
    struct str rest = command;
    if (t->in_login) {
        snprintf(e->command, sizeof e->command, "(secret)");
        return;
    }
    if (!is_auth(command)) {
        printable_cut(e->command, sizeof e->command, command);
        return;
    }
    str_word(&rest, " ");
    struct str mechanism = str_word(&rest, " ");
    char shown[MECHANISM_MAX];
    printable_cut(shown, sizeof shown, mechanism);
    snprintf(e->command, sizeof e->command, "AUTH %s%s", shown, rest.n ? " (secret)" : "");
    t->in_login = true;
    t->login = t->n - 1;
}

static void end_command(struct transcript *t, int64_t now_ms)
{
    struct str command = str_trim(buf_str(&t->sent));
    if (t->n < TRANSCRIPT_MAX) {
        begin(t, now_ms);
        show(t, &t->exchanges[t->n - 1], command);
    }
    buf_release(&t->sent);
}

void transcript_sent(struct transcript *t, struct str bytes, int64_t now_ms)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (buf_space(&t->sent) > 0)
            buf_putc(&t->sent, bytes.p[i]);
        if (bytes.p[i] == '\n')
            end_command(t, now_ms);
    }
}

static void put_lines(struct transcript_exchange *e, const struct smtp_reply *r)
{
    struct str line = {NULL, 0};
    size_t at = 0;
    e->code = r->code;
    if (r->code == 334) {
        buf_puts(&e->lines, "334\n");
        return;
    }
    while (smtp_reply_line(r, &at, &line)) {
        buf_printf(&e->lines, "%u ", r->code);
        printable_put(&e->lines, line, TRANSCRIPT_LINE_MAX);
        buf_putc(&e->lines, '\n');
    }
}

static void end_reply(struct transcript *t, int64_t now_ms)
{
    if (t->n_answered == t->n)
        return; /* nothing had asked for it */
    if (t->reply.code != 334 && t->n_answered >= t->login)
        t->in_login = false;
    struct transcript_exchange *e = &t->exchanges[t->n_answered++];
    put_lines(e, &t->reply);
    e->answered_ms = now_ms;
}

void transcript_received(struct transcript *t, struct str bytes, int64_t now_ms)
{
    while (bytes.n > 0 && !t->garbled) {
        size_t taken = 0;
        enum smtp_reply_result result = smtp_reply_feed(&t->reply, bytes, &taken, NULL);
        bytes = str_tail(bytes, taken);
        t->garbled = result == SMTP_REPLY_BAD;
        if (result == SMTP_REPLY_GOOD)
            end_reply(t, now_ms);
    }
}

void transcript_hide(struct transcript *t, struct str secret)
{
    for (unsigned i = 0; i < t->n_answered; i++) {
        struct transcript_exchange *e = &t->exchanges[i];
        if (!secret_is_told(buf_str(&e->lines), secret))
            continue;
        buf_clear(&e->lines);
        buf_printf(&e->lines, "%u (the server repeats the secret)\n", e->code);
    }
}

void transcript_secured(struct transcript *t, int64_t now_ms)
{
    t->secured = true;
    if (t->n == 1 && t->n_answered == 0) {
        t->exchanges[0].secured = true;
        t->exchanges[0].asked_ms = now_ms;
    }
}

const struct transcript_exchange *transcript_find(const struct transcript *t, const char *verb,
                                                  unsigned i)
{
    for (unsigned at = 0; at < t->n; at++) {
        const struct transcript_exchange *e = &t->exchanges[at];
        bool same =
            verb[0] ? at > 0 && str_starts_nocase(str_of(e->command), str_of(verb)) : at == 0;
        if (same && i-- == 0)
            return e;
    }
    return NULL;
}
