/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session, with an owner that answers as the first octet says: questions come in an order
 * that makes sense, each MAIL that was accepted ends once, every reply is a reply, and how the
 * input is cut changes nothing. */
#include "address.h"
#include "mem.h"
#include "smtp_server.h"

#include <string.h>

enum {
    INPUT_MAX = 1 << 16,
    OUT_MAX = 16 << 20
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct session {
    struct smtp_server *server;
    unsigned seed; /* of the answers */
    bool open;     /* a MAIL was accepted */
    unsigned recipients;
    bool content; /* DATA was accepted */
    uint64_t content_bytes;
    bool closed;
    bool network;
    bool invalid;      /* the recipient in question */
    struct buf wire;   /* all that was sent */
    struct buf events; /* a letter each, and the content */
};

static void answer(struct session *s, enum smtp_server_event_type asked)
{
    static const unsigned codes[] = {250, 250, 250, 250, 250, 550, 451, 421};
    s->seed = s->seed * 75 + 74;
    unsigned code = codes[s->seed / 64 % 8];
    bool good = code == 250;
    s->open = asked == SMTP_SERVER_MAIL ? good : s->open && asked != SMTP_SERVER_EOM;
    s->recipients += good && asked == SMTP_SERVER_RCPT && !s->invalid;
    s->content = good && asked == SMTP_SERVER_DATA;
    if (asked == SMTP_SERVER_MAIL)
        s->recipients = 0;
    smtp_server_reply(s->server, code, good ? "2.0.0" : "4.0.0", "%s", "as the seed says");
}

static void check_event(struct session *s, const struct smtp_server_event *e)
{
    bool mail = e->type == SMTP_SERVER_MAIL;
    BUG_ON(s->closed);
    BUG_ON(mail && s->open);
    BUG_ON(!mail && e->type != SMTP_SERVER_CLOSE && !s->open);
    BUG_ON(e->type == SMTP_SERVER_CLOSE && s->open);
    BUG_ON(e->type == SMTP_SERVER_DATA && (s->recipients == 0 || s->content));
    BUG_ON((e->type == SMTP_SERVER_BODY || e->type == SMTP_SERVER_EOM) && !s->content);
    BUG_ON(e->type == SMTP_SERVER_BODY && (e->body.n == 0 || e->body.n > SMTP_SERVER_IN_MAX));
    bool rcpt = e->type == SMTP_SERVER_RCPT && e->rcpt.invalid.n == 0;
    BUG_ON(e->rcpt.invalid.n > 0 && (e->rcpt.address.n > 0 || s->network));
    if (rcpt || (mail && e->mail.address.n > 0))
        BUG_ON(!address_is_mailbox(mail ? e->mail.address : e->rcpt.address));
    BUG_ON(e->mail.xid.n > 0 && (e->mail.xid.n != SMTP_XID_DIGITS || s->network));
}

static void take_event(struct session *s, const struct smtp_server_event *e)
{
    check_event(s, e);
    if (e->type == SMTP_SERVER_BODY) {
        s->content_bytes += e->body.n;
        return;
    }
    buf_putc(&s->events, (char)('a' + e->type));
    buf_put_str(&s->events, e->mail.address);
    buf_put_str(&s->events, e->rcpt.address);
    buf_put_str(&s->events, e->rcpt.invalid);
    buf_put_str(&s->events, e->mail.xid);
    if (e->type == SMTP_SERVER_EOM)
        buf_printf(&s->events, "%u ", (unsigned)s->content_bytes);
    s->closed = e->type == SMTP_SERVER_CLOSE;
    s->invalid = e->rcpt.invalid.n > 0;
    if (e->type == SMTP_SERVER_ABORT || s->closed)
        s->open = false;
    else
        answer(s, e->type);
    s->content_bytes = 0;
}

static void pump(struct session *s)
{
    struct smtp_server_event e;
    struct buf *out = smtp_server_out(s->server);
    do {
        buf_put_str(&s->wire, buf_str(out));
        buf_consume(out, buf_len(out));
        while (smtp_server_next(s->server, &e) != SMTP_SERVER_WAIT)
            take_event(s, &e);
    } while (buf_len(out) > 0);
}

static void check_replies(struct str wire)
{
    while (wire.n > 0) {
        size_t n = str_find(wire, '\n');
        BUG_ON(n == wire.n || n < 4 || n > 511 || wire.p[n - 1] != '\r');
        BUG_ON(wire.p[0] < '2' || wire.p[0] > '5' || (wire.p[3] != ' ' && wire.p[3] != '-'));
        for (size_t i = 0; i + 1 < n; i++)
            BUG_ON(wire.p[i] < ' ' || wire.p[i] > '~');
        wire = str_tail(wire, n + 1);
    }
}

static void play(struct session *s, struct str input, unsigned seed, size_t size)
{
    struct smtp_server_conf conf = {.hostname = "relay.example",
                                    .network = seed & 1,
                                    .message_limit_bytes = 300,
                                    .recipient_limit = 3};
    *s = (struct session){
        .server = smtp_server_new(&conf, 0), .seed = seed, .network = conf.network};
    buf_init(&s->wire, OUT_MAX);
    buf_init(&s->events, OUT_MAX);
    while (input.n > 0) {
        struct str head = str_head(input, size);
        size_t n = smtp_server_feed(s->server, head.p, head.n, 0);
        BUG_ON(n == 0);
        input = str_tail(input, n);
        pump(s);
    }
    smtp_server_eof(s->server);
    pump(s);
    BUG_ON(!s->closed || s->open);
    check_replies(buf_str(&s->wire));
    smtp_server_free(s->server);
}

static void release(struct session *s)
{
    buf_release(&s->wire);
    buf_release(&s->events);
}

/* Octets behind a DATA that was refused end the session when they are there in time. */
static bool depends_on_time(struct str wire)
{
    return memmem(wire.p, wire.n, "421 4.5.0", 9) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || n > INPUT_MAX)
        return 0;
    struct str input = {(const char *)data + 2, n - 2};
    struct session whole, pieces;
    play(&whole, input, data[0], INPUT_MAX);
    play(&pieces, input, data[0], data[1] ? data[1] : 1);
    if (!depends_on_time(buf_str(&whole.wire)) && !depends_on_time(buf_str(&pieces.wire))) {
        BUG_ON(!str_eq(buf_str(&whole.wire), buf_str(&pieces.wire)));
        BUG_ON(!str_eq(buf_str(&whole.events), buf_str(&pieces.events)));
    }
    release(&whole);
    release(&pieces);
    return 0;
}
