/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server_player.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct smtp_server_conf server_player_conf(void)
{
    return (struct smtp_server_conf){
        .hostname = "relay.example", .message_limit_bytes = 100, .recipient_limit = 3};
}

void server_player_init(struct server_player *p, const struct smtp_server_conf *conf)
{
    *p = (struct server_player){.server = smtp_server_new(conf, 0)};
    buf_init(&p->wire, 64 << 20);
    buf_init(&p->events, 1 << 20);
    buf_init(&p->content, 64 << 20);
}

void server_player_release(struct server_player *p)
{
    smtp_server_free(p->server);
    buf_release(&p->wire);
    buf_release(&p->events);
    buf_release(&p->content);
}

static struct str address_of(const struct smtp_server_event *e)
{
    return e->type == SMTP_SERVER_MAIL ? e->mail.address : e->rcpt.address;
}

static void keep_event(struct server_player *p, const struct smtp_server_event *e)
{
    static const char *const names[] = {
        [SMTP_SERVER_MAIL] = "MAIL",   [SMTP_SERVER_RCPT] = "RCPT",
        [SMTP_SERVER_DATA] = "DATA",   [SMTP_SERVER_EOM] = "EOM",
        [SMTP_SERVER_ABORT] = "ABORT", [SMTP_SERVER_CLOSE] = "CLOSE",
    };
    bool has_address = e->type == SMTP_SERVER_MAIL || e->type == SMTP_SERVER_RCPT;
    ck_assert(e->type == SMTP_SERVER_MAIL || e->mail.address.n == 0);
    ck_assert(e->type == SMTP_SERVER_RCPT || e->rcpt.address.n == 0);
    if (e->type == SMTP_SERVER_BODY) {
        ck_assert_uint_gt(e->body.n, 0);
        ck_assert_uint_le(e->body.n, SMTP_SERVER_IN_MAX);
        buf_put_str(&p->content, e->body);
        return;
    }
    buf_printf(&p->events, " %s", names[e->type]);
    if (has_address)
        buf_printf(&p->events, ":%.*s", STR_FMT(address_of(e)));
    if (e->mail.size_bytes)
        buf_printf(&p->events, ",%u", (unsigned)e->mail.size_bytes);
    if (e->mail.body_8bit)
        buf_puts(&p->events, ",8bit");
    if (e->rcpt.invalid.n)
        buf_printf(&p->events, "!%.*s", STR_FMT(e->rcpt.invalid));
    if (e->mail.xid.n)
        buf_printf(&p->events, ",xid=%.*s", STR_FMT(e->mail.xid));
}

static void answer_address(struct server_player *p)
{
    static const struct {
        const char *start;
        unsigned code;
        const char *status;
    } answers[] = {{"refused", 550, "5.1.1"},
                   {"deferred", 451, "4.3.0"},
                   {"closing", 421, "4.3.2"},
                   {"", 250, "2.1.0"}};
    size_t i = 0;
    while (strncmp(p->address, answers[i].start, strlen(answers[i].start)) != 0)
        i++;
    smtp_server_reply(p->server, answers[i].code, answers[i].status, "owner <%s>", p->address);
}

void server_player_answer(struct server_player *p)
{
    enum smtp_server_event_type asked = p->asked;
    p->asked = SMTP_SERVER_WAIT;
    if (asked == SMTP_SERVER_WAIT)
        return;
    if (asked == SMTP_SERVER_MAIL || asked == SMTP_SERVER_RCPT)
        answer_address(p);
    else if (asked == SMTP_SERVER_DATA && p->rules & DATA_REFUSED)
        smtp_server_reply(p->server, 451, "4.3.0", "owner no data");
    else if (asked == SMTP_SERVER_EOM && p->rules & EOM_REFUSED)
        smtp_server_reply(p->server, 452, "4.3.1", "owner disk full");
    else if (asked == SMTP_SERVER_EOM && p->rules & EOM_CLOSING)
        smtp_server_reply(p->server, 421, "4.3.0", "owner closing");
    else
        smtp_server_reply(p->server, 250, "2.0.0", "owner ok");
}

static void take_out(struct server_player *p)
{
    struct buf *out = smtp_server_out(p->server);
    buf_put_str(&p->wire, buf_str(out));
    buf_consume(out, buf_len(out));
}

void server_player_pump(struct server_player *p)
{
    struct smtp_server_event e;
    while (smtp_server_next(p->server, &e) != SMTP_SERVER_WAIT) {
        ck_assert_int_eq(p->asked, SMTP_SERVER_WAIT);
        ck_assert(!p->closed);
        keep_event(p, &e);
        p->closed = e.type == SMTP_SERVER_CLOSE;
        if (e.type == SMTP_SERVER_BODY || e.type == SMTP_SERVER_ABORT || p->closed)
            continue;
        p->asked = e.type;
        snprintf(p->address, sizeof(p->address), "%.*s", STR_FMT(address_of(&e)));
        if (!p->late)
            server_player_answer(p);
    }
    take_out(p);
}

static void settle(struct server_player *p)
{
    server_player_pump(p);
    while (p->asked != SMTP_SERVER_WAIT) {
        server_player_answer(p);
        server_player_pump(p);
    }
}

static void play_segment(struct server_player *p, struct str text, size_t first, size_t size)
{
    size_t piece = first ? first : size;
    while (text.n > 0) {
        struct str head = str_head(text, piece);
        size_t n = smtp_server_feed(p->server, head.p, head.n, p->now_ms);
        ck_assert(n > 0 || p->asked != SMTP_SERVER_WAIT);
        text = str_tail(text, n);
        server_player_answer(p);
        server_player_pump(p);
        piece = size;
    }
    settle(p);
}

void server_player_play(struct server_player *p, struct str text, size_t first, size_t size)
{
    server_player_pump(p);
    while (text.n > 0) {
        struct str segment = str_head(text, str_find(text, '|'));
        play_segment(p, segment, first, size);
        first = first > segment.n ? first - segment.n : 0;
        text = str_tail(text, segment.n + 1);
    }
}

void server_player_say(struct server_player *p, const char *text)
{
    server_player_play(p, str_of(text), 0, SIZE_MAX);
}

unsigned server_player_count(struct server_player *p, const char *code)
{
    unsigned n = 0;
    struct str wire = buf_str(&p->wire);
    while (wire.n > 0) {
        n += str_starts_nocase(wire, str_of(code));
        wire = str_tail(wire, str_find(wire, '\n') + 1);
    }
    buf_clear(&p->wire);
    return n;
}

void server_player_expect(struct server_player *p, const char *events)
{
    ck_assert_msg(str_eq(buf_str(&p->events), str_of(events)), "%.*s",
                  STR_FMT(buf_str(&p->events)));
    buf_clear(&p->events);
}

bool server_player_said(const struct server_player *p, const char *lines)
{
    struct str wire = buf_str(&p->wire);
    struct str rest = str_of(lines);
    while (rest.n > 0) {
        struct str expected = str_head(rest, str_find(rest, '\n'));
        rest = str_tail(rest, expected.n + 1);
        size_t n = str_find(wire, '\n');
        struct str line = str_head(wire, n);
        if (line.n == 0 || line.p[line.n - 1] != '\r' || line.n > 511)
            return false;
        line.n--;
        bool prefix = expected.n > 0 && expected.p[expected.n - 1] == '*';
        if (prefix)
            line = str_head(line, --expected.n);
        if (!str_eq(line, expected))
            return false;
        wire = str_tail(wire, n + 1);
    }
    return wire.n == 0;
}
