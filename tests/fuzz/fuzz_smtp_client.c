/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dialogue with a hostile server. The first octet chooses the configuration, the second seeds
 * what the owner does; the rest is what the server says, in pieces: an octet with their length
 * before each.
 *
 * Where TLS is demanded nothing but EHLO, LHLO, STARTTLS and QUIT goes out before it is up.
 * Each transaction has one end, in the order in which they began, no recipient two verdicts at
 * RCPT, only BODY is answered with content. Memory is bounded. */
#include "mem.h"
#include "smtp_client.h"

#include <stdlib.h>
#include <string.h>

enum {
    N_RECIPIENTS = 3,
    PIPELINE = 3,
    BODY_MAX = 200,
    OUT_MAX = 1 << 17
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct owner {
    struct smtp_client *client;
    struct smtp_client_conf conf;
    unsigned seed;
    int64_t now_ms;
    size_t left_over;
    bool secured, dead, ready, broke;
    struct flight {
        struct smtp_transaction transaction;
        unsigned judged[N_RECIPIENTS]; /* verdicts */
        bool asked_for_body;
        uint64_t given_bytes;
    } flights[PIPELINE];
    unsigned n_begun, n_ended;
    bool content; /* some went out */
};

static unsigned next_random(struct owner *o, unsigned below)
{
    o->seed = o->seed * 1103515245 + 12345;
    return o->seed / 65536 % below;
}

static const struct smtp_recipient recipients[N_RECIPIENTS] = {
    {.address = "c@d", .notify = SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY},
    {.address = "e@f.example", .orcpt = "rfc822;e@f", .notify = SMTP_NOTIFY_NEVER},
    {.address = "\"g h\"@i"}};

static struct flight *flight(struct owner *o, unsigned n)
{
    return &o->flights[n % PIPELINE];
}

static void begin_transaction(struct owner *o)
{
    struct smtp_transaction t = {.sender = next_random(o, 4) ? "a@b.example" : "",
                                 .recipients = recipients,
                                 .n_recipients = 1 + next_random(o, N_RECIPIENTS),
                                 .body_bytes = next_random(o, BODY_MAX),
                                 .body_8bit = next_random(o, 2),
                                 .envid = next_random(o, 2) ? "QQ314159" : NULL,
                                 .ret = (enum smtp_ret)next_random(o, 3),
                                 .require_tls = next_random(o, 8) == 0,
                                 .alone = next_random(o, 8) == 0,
                                 .rehearsal = next_random(o, 8) == 0};
    BUG_ON(o->n_begun - o->n_ended >= PIPELINE);
    struct flight *f = flight(o, o->n_begun++);
    *f = (struct flight){.transaction = t};
    smtp_client_submit(o->client, &f->transaction, o->now_ms);
}

static void send_body(struct owner *o)
{
    static const char sample[] = "hi\r\n.there\r\n..\r\n\rno end";
    char text[BODY_MAX];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = sample[i % (sizeof sample - 1)];
    struct flight *f = flight(o, o->n_begun - 1);
    o->content = true;
    while (f->given_bytes < f->transaction.body_bytes && next_random(o, 4)) {
        uint64_t left = f->transaction.body_bytes - f->given_bytes;
        size_t n = next_random(o, (unsigned)left);
        smtp_client_body(o->client, text + f->given_bytes, n, false, o->now_ms);
        f->given_bytes += n;
    }
    if (next_random(o, 4))
        smtp_client_body(o->client, text + f->given_bytes,
                         f->transaction.body_bytes - f->given_bytes, true, o->now_ms);
}

static void answer_auth(struct owner *o, bool challenge)
{
    static char long_response[600];
    struct fault f;
    struct str response = {long_response, next_random(o, sizeof long_response)};
    fault_set(&f, FAULT_ACCOUNT, "5.7.0", "TEST", "given up");
    if (next_random(o, 8) == 0)
        smtp_client_auth_cancel(o->client, &f, o->now_ms);
    else if (challenge)
        smtp_client_auth_response(o->client, response, o->now_ms);
    else
        smtp_client_auth(o->client, "PLAIN", next_random(o, 3) ? &response : NULL, o->now_ms);
}

static void check_fault(const struct fault *f)
{
    BUG_ON(f->scope != FAULT_NONE && (!f->code[0] || !f->text[0] || !f->status[0]));
    BUG_ON(f->ambiguous && (f->permanent || f->scope != FAULT_MESSAGE));
}

static void take_verdict(struct owner *o, const struct smtp_client_event *e)
{
    struct flight *oldest = flight(o, o->n_ended), *f = oldest;
    check_fault(&e->fault);
    if (e->type == SMTP_CLIENT_RCPT) {
        while (&f->transaction != e->transaction)
            f = flight(o, (unsigned)(f - o->flights) + 1);
        BUG_ON(e->recipient >= N_RECIPIENTS);
        /* LMTP has a second one, after the content. */
        BUG_ON(++f->judged[e->recipient] > (o->conf.lmtp ? 2 : 1));
    } else if (e->type == SMTP_CLIENT_DONE) {
        BUG_ON(o->n_ended == o->n_begun || e->transaction != &oldest->transaction);
        BUG_ON(e->fault.scope == FAULT_NONE && e->fault.reply[0] && !f->asked_for_body);
        o->n_ended++;
        o->broke = o->broke || e->broke;
    } else {
        BUG_ON(o->n_ended != o->n_begun);
        o->dead = true;
    }
}

static void act(struct owner *o, const struct smtp_client_event *e)
{
    BUG_ON(o->dead || (o->broke && e->type < SMTP_CLIENT_RCPT));
    switch (e->type) {
    case SMTP_CLIENT_STARTTLS:
        BUG_ON(o->secured || o->conf.tls != SMTP_CLIENT_TLS_STARTTLS);
        break;
    case SMTP_CLIENT_AUTH:
    case SMTP_CLIENT_CHALLENGE:
        BUG_ON(!o->conf.login || (o->conf.tls != SMTP_CLIENT_TLS_NONE && !o->secured));
        answer_auth(o, e->type == SMTP_CLIENT_CHALLENGE);
        break;
    case SMTP_CLIENT_IDLE:
        BUG_ON(o->n_begun != o->n_ended ||
               (o->conf.tls != SMTP_CLIENT_TLS_NONE && !o->secured));
        if (next_random(o, 16))
            begin_transaction(o);
        else
            smtp_client_quit(o->client, o->now_ms);
        break;
    case SMTP_CLIENT_ROOM:
        BUG_ON(!smtp_client_has_room(o->client));
        if (next_random(o, 4))
            begin_transaction(o);
        break;
    case SMTP_CLIENT_BODY:
        BUG_ON(e->transaction != &flight(o, o->n_begun - 1)->transaction);
        BUG_ON(flight(o, o->n_begun - 1)->asked_for_body);
        flight(o, o->n_begun - 1)->asked_for_body = true;
        send_body(o);
        break;
    case SMTP_CLIENT_RCPT:
    case SMTP_CLIENT_DONE:
    case SMTP_CLIENT_DEAD:
        take_verdict(o, e);
        break;
    case SMTP_CLIENT_WAIT:
        break;
    }
}

static bool is_harmless(struct str line)
{
    return str_starts_nocase(line, STR_LIT("EHLO me\r\n")) ||
           str_starts_nocase(line, STR_LIT("EHLO [192.0.2.1]\r\n")) ||
           str_starts_nocase(line, STR_LIT("LHLO [192.0.2.1]\r\n")) ||
           str_starts_nocase(line, STR_LIT("LHLO me\r\n")) ||
           str_eq(line, STR_LIT("STARTTLS\r\n")) || str_eq(line, STR_LIT("QUIT\r\n"));
}

static void check_out(const struct owner *o, struct str out)
{
    while (out.n > 0) {
        size_t end = str_find(out, '\n') + 1;
        struct str line = str_head(out, end);
        BUG_ON(end > out.n || line.n < 2 || line.p[line.n - 2] != '\r');
        BUG_ON(o->conf.tls != SMTP_CLIENT_TLS_NONE && !o->secured && !is_harmless(line));
        out = str_tail(out, end);
    }
}

static void pump(struct owner *o)
{
    struct smtp_client_event e;
    struct buf *out = smtp_client_out(o->client);
    for (;;) {
        enum smtp_client_event_type type = smtp_client_next(o->client, &e);
        if (type == SMTP_CLIENT_WAIT)
            break;
        act(o, &e);
    }
    BUG_ON(buf_len(out) > OUT_MAX);
    /* Content may leave in the middle of a line. */
    if (!o->content)
        check_out(o, buf_str(out));
    if (next_random(o, 32) == 0)
        return; /* nothing leaves this time */
    buf_consume(out, buf_len(out));
    smtp_client_progress(o->client, o->now_ms);
}

static void feed(struct owner *o, struct str piece)
{
    bool waits = o->conf.tls != SMTP_CLIENT_TLS_NONE && !o->secured &&
                 strcmp(smtp_client_state(o->client), "TLS handshake") == 0;
    if (waits && next_random(o, 4)) {
        o->secured = o->left_over == 0;
        smtp_client_secured(o->client, o->left_over, o->now_ms);
        pump(o);
    }
    size_t taken = smtp_client_feed(o->client, piece.p, piece.n, ++o->now_ms);
    BUG_ON(taken > piece.n);
    o->left_over = o->secured ? 0 : o->left_over + piece.n - taken;
    pump(o);
}

static void finish(struct owner *o)
{
    if (next_random(o, 2))
        smtp_client_eof(o->client, next_random(o, 2) ? "reset" : NULL);
    else if (smtp_client_deadline(o->client) != INT64_MAX)
        smtp_client_tick(o->client, smtp_client_deadline(o->client));
    pump(o);
    smtp_client_eof(o->client, NULL);
    pump(o);
    BUG_ON(!o->dead);
    smtp_client_free(o->client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || n > 1 << 16)
        return 0;
    struct owner o = {.conf = {.ehlo_name = "me",
                               .tls = (enum smtp_client_tls)(data[0] % 3),
                               .lmtp = data[0] & 32,
                               .login = data[0] & 64,
                               .pipelining = data[0] & 128,
                               .pipeline = data[0] & 8 ? PIPELINE : 1,
                               .chunking = data[0] & 4,
                               .tls_verified = data[0] & 16,
                               .ehlo_literal = data[0] & 2 ? "[192.0.2.1]" : NULL},
                      .seed = data[1]};
    o.client = smtp_client_new(&o.conf, 0);
    pump(&o);
    struct str rest = str_tail((struct str){(const char *)data, n}, 2);
    while (rest.n > 0) {
        size_t length = (unsigned char)rest.p[0];
        feed(&o, str_head(str_tail(rest, 1), length));
        rest = str_tail(rest, 1 + length);
    }
    finish(&o);
    return 0;
}
