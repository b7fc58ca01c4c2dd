/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem.h"
#include "smtp_dialogue.h"

#include <inttypes.h>
#include <string.h>

static void skip_left_out(const struct smtp_client *c, struct smtp_flight *f)
{
    while (f->n_sent < f->transaction->n_recipients && smtp_flight_leaves_out(c, f, f->n_sent))
        f->n_sent++;
}

/* The last thing that the server may have heard of the newest transaction leaves it open. */
static void leave_open(struct smtp_client *c, const struct smtp_flight *f)
{
    if (f == smtp_flight_newest(c))
        c->unclean = true;
}

/* Nothing more of f goes out, but for the octets that BDAT promised. */
static enum smtp_stage stop(const struct smtp_flight *f)
{
    return f->chunked && f->next == SMTP_STAGE_CONTENT ? f->next : SMTP_STAGE_IDLE;
}

static enum smtp_stage after_recipients(const struct smtp_flight *f)
{
    if (f->transaction->rehearsal)
        return SMTP_STAGE_RSET;
    return f->chunked ? SMTP_STAGE_BDAT : SMTP_STAGE_DATA;
}

enum smtp_stage smtp_transaction_follower(const struct smtp_flight *f, enum smtp_stage stage)
{
    if (stage == SMTP_STAGE_RSET)
        return f->begun ? SMTP_STAGE_IDLE : SMTP_STAGE_MAIL;
    if (stage == SMTP_STAGE_MAIL || stage == SMTP_STAGE_RCPT)
        return f->n_sent < f->transaction->n_recipients ? SMTP_STAGE_RCPT : after_recipients(f);
    return stage == SMTP_STAGE_DATA || stage == SMTP_STAGE_BDAT ? SMTP_STAGE_CONTENT
                                                                : SMTP_STAGE_IDLE;
}

void smtp_transaction_send_rset(struct smtp_client *c)
{
    buf_puts(&c->out, "RSET\r\n");
}

enum smtp_stage smtp_transaction_on_rset_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    const struct smtp_flight *f = c->answered.flight;
    if (r->code / 100 == 2)
        return f->next;
    if (smtp_dialogue_is_positive(r))
        return smtp_dialogue_lose_step(c, r, "250");
    smtp_dialogue_leave(c, r);
    return c->n_owed ? SMTP_STAGE_DEAD : SMTP_STAGE_QUIT;
}

/* What was asked of reports, as it was asked (RFC 3461 5.2.1). */
static void put_mail_dsn(struct buf *out, const struct smtp_transaction *t)
{
    if (t->ret != SMTP_RET_UNSET)
        buf_printf(out, " RET=%s", t->ret == SMTP_RET_FULL ? "FULL" : "HDRS");
    if (t->envid)
        buf_printf(out, " ENVID=%s", t->envid);
}

/* The code point that begins at *p, which goes behind it; p is valid UTF-8. */
static unsigned code_point(const char **p)
{
    unsigned first = (unsigned char)*(*p)++;
    unsigned n = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    unsigned value = n ? first & (0x3fu >> n) : first;
    for (; n > 0 && **p; n--)
        value = value << 6 | ((unsigned char)*(*p)++ & 0x3fu);
    return value;
}

/* Without SMTPUTF8 what is beyond ASCII goes as RFC 6533 3 spells it. */
static void put_orcpt(struct buf *out, const char *orcpt, bool utf8)
{
    buf_puts(out, " ORCPT=");
    while (*orcpt) {
        if (utf8 || !((unsigned char)*orcpt & 0x80))
            buf_putc(out, *orcpt++);
        else
            buf_printf(out, "\\x{%X}", code_point(&orcpt));
    }
}

static void put_rcpt_dsn(struct buf *out, const struct smtp_recipient *r, bool utf8)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{SMTP_NOTIFY_NEVER, "NEVER"},
                 {SMTP_NOTIFY_SUCCESS, "SUCCESS"},
                 {SMTP_NOTIFY_FAILURE, "FAILURE"},
                 {SMTP_NOTIFY_DELAY, "DELAY"}};
    const char *before = " NOTIFY=";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(r->notify & names[i].bit))
            continue;
        buf_printf(out, "%s%s", before, names[i].name);
        before = ",";
    }
    if (r->orcpt)
        put_orcpt(out, r->orcpt, utf8);
}

static bool says_utf8(const struct smtp_client *c, const struct smtp_transaction *t)
{
    return smtp_caps_has(&c->caps, SMTP_CAP_SMTPUTF8) && smtp_flight_is_utf8(t);
}

void smtp_transaction_send_mail(struct smtp_client *c)
{
    struct smtp_flight *f = smtp_flight_newest(c);
    const struct smtp_transaction *t = f->transaction;
    BUG_ON(c->conf.tls != SMTP_CLIENT_TLS_NONE && !c->secured);
    BUG_ON(c->conf.login && !c->authenticated);
    buf_printf(&c->out, "MAIL FROM:<%s>", t->sender);
    if (smtp_caps_has(&c->caps, SMTP_CAP_SIZE))
        buf_printf(&c->out, " SIZE=%" PRIu64, t->body_bytes);
    if (t->body_8bit && smtp_caps_has(&c->caps, SMTP_CAP_8BITMIME))
        buf_puts(&c->out, " BODY=8BITMIME");
    if (says_utf8(c, t))
        buf_puts(&c->out, " SMTPUTF8");
    if (t->require_tls)
        buf_puts(&c->out, " REQUIRETLS");
    if (smtp_caps_has(&c->caps, SMTP_CAP_DSN))
        put_mail_dsn(&c->out, t);
    buf_puts(&c->out, "\r\n");
    f->begun = true;
    skip_left_out(c, f);
}

enum smtp_stage smtp_transaction_on_mail_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    struct smtp_flight *f = c->answered.flight;
    if (r->code == 250)
        return f->next;
    if (smtp_dialogue_is_positive(r))
        return smtp_dialogue_lose_step(c, r, "250");
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault fault;
    smtp_fault_of_reply(&fault, &facts, r);
    smtp_flight_judge(f, &fault);
    f->mail_refused = true;
    return stop(f);
}

void smtp_transaction_send_rcpt(struct smtp_client *c)
{
    struct smtp_flight *f = smtp_flight_newest(c);
    const struct smtp_recipient *r = &f->transaction->recipients[f->n_sent];
    buf_printf(&c->out, "RCPT TO:<%s>", r->address);
    if (smtp_caps_has(&c->caps, SMTP_CAP_DSN))
        put_rcpt_dsn(&c->out, r, says_utf8(c, f->transaction));
    buf_puts(&c->out, "\r\n");
    f->last_sent = f->n_sent++;
    skip_left_out(c, f);
}

/* After one was accepted, 452 and 552 say that these are enough, unless their status speaks of
 * the mailbox or the message's size (S-083). */
static bool is_too_many(const struct smtp_reply *r)
{
    struct str detail = str_tail(str_of(r->status), 2);
    return (r->code == 452 || r->code == 552) && !str_eq(str_head(detail, 2), STR_LIT("2.")) &&
           !str_eq(detail, STR_LIT("3.4"));
}

static void judge_recipient(struct smtp_client *c, struct smtp_flight *flight,
                            const struct smtp_reply *r)
{
    unsigned i = c->answered.recipient;
    struct smtp_facts facts = smtp_dialogue_facts(c);
    facts.recipient = flight->transaction->recipients[i].address;
    struct fault f;
    if (flight->accepted[i])
        smtp_fault_none(&f, r);
    else if (flight->n_accepted > 0 && is_too_many(r))
        smtp_fault_of_split(&f, r);
    else
        smtp_fault_of_reply(&f, &facts, r);
    smtp_client_tell_recipient(c, flight, i, !flight->accepted[i], &f);
    if (strcmp(f.code, SMTP_FAULT_RCPT_SPLIT) != 0)
        return;
    /* Those not sent yet would hear the same. */
    for (; flight->n_sent < flight->transaction->n_recipients; skip_left_out(c, flight))
        smtp_client_tell_recipient(c, flight, flight->n_sent++, true, &f);
    if (flight->next == SMTP_STAGE_RCPT)
        flight->next = after_recipients(flight);
}

static bool waits_for_recipients(const struct smtp_client *c, const struct smtp_flight *f)
{
    bool owed = c->n_owed > 0 && c->owed[c->owed_first].flight == f &&
                c->owed[c->owed_first].stage == SMTP_STAGE_RCPT;
    return owed || f->n_sent < f->transaction->n_recipients;
}

enum smtp_stage smtp_transaction_on_rcpt_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    struct smtp_flight *f = c->answered.flight;
    bool accepted = r->code >= 250 && r->code <= 252;
    if (smtp_dialogue_is_positive(r) && !accepted)
        return smtp_dialogue_lose_step(c, r, "250");
    f->accepted[c->answered.recipient] = accepted;
    f->n_accepted += accepted;
    if (!f->judged)
        judge_recipient(c, f, r);
    bool decided = f->n_accepted == 0 || f->transaction->rehearsal;
    if (waits_for_recipients(c, f) || f->judged || !decided)
        return f->next;
    smtp_flight_judge(f, &(struct fault){.scope = FAULT_NONE});
    if (f->transaction->rehearsal)
        return f->next;
    leave_open(c, f);
    return stop(f);
}

void smtp_transaction_send_data(struct smtp_client *c)
{
    buf_puts(&c->out, "DATA\r\n");
}

/* DATA was pipelined, and then nobody was accepted (S-078). */
static enum smtp_stage on_needless_data_reply(struct smtp_client *c, struct smtp_flight *f,
                                              const struct smtp_reply *r)
{
    if (smtp_dialogue_is_positive(r)) {
        c->unclean = false; /* the dot will end it */
        /* A lone dot would be a message to those it accepted after it had refused MAIL. */
        return f->n_accepted > 0 ? smtp_dialogue_lose_step(c, r, "503") : SMTP_STAGE_VOID;
    }
    return SMTP_STAGE_IDLE;
}

enum smtp_stage smtp_transaction_on_data_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    struct smtp_flight *f = c->answered.flight;
    if (r->code < 300)
        return smtp_dialogue_lose_step(c, r, "354");
    if (r->code < 400 && r->code != 354)
        c->oddities |= SMTP_CLIENT_NOT_354;
    if (f->judged)
        return on_needless_data_reply(c, f, r);
    if (smtp_dialogue_is_positive(r))
        return f->next;
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault fault;
    smtp_fault_of_reply(&fault, &facts, r);
    smtp_flight_judge(f, &fault);
    leave_open(c, f);
    return SMTP_STAGE_IDLE;
}

/* One chunk is the whole message: its size is known, and nothing of it can be refused while
 * another part is on its way (RFC 3030 2). */
void smtp_transaction_send_bdat(struct smtp_client *c)
{
    const struct smtp_flight *f = smtp_flight_newest(c);
    buf_printf(&c->out, "BDAT %" PRIu64 " LAST\r\n", f->transaction->body_bytes);
}

/* The octets that a server without BDAT took for commands are out already: it is left at once.
 */
static enum smtp_stage do_without_chunking(struct smtp_client *c, const struct smtp_reply *r)
{
    smtp_fault_of_chunking(&c->end, r);
    c->answered_end = true;
    return SMTP_STAGE_DEAD;
}

static bool does_not_know_bdat(const struct smtp_reply *r)
{
    return r->code == 500 || r->code == 502 || r->code == 503 || r->code == 504;
}

enum smtp_stage smtp_transaction_on_bdat_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    struct smtp_flight *f = c->answered.flight;
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault fault;
    if (smtp_dialogue_is_positive(r) && (f->judged || r->code >= 300))
        return smtp_dialogue_lose_step(c, r, f->judged ? "503" : "250");
    if (!f->judged && does_not_know_bdat(r))
        return do_without_chunking(c, r);
    if (smtp_dialogue_is_positive(r))
        smtp_fault_none(&fault, r);
    else
        smtp_fault_of_reply(&fault, &facts, r);
    if (!smtp_dialogue_is_positive(r))
        leave_open(c, f);
    if (!f->judged)
        smtp_flight_judge(f, &fault);
    return f->next;
}

/* While content goes out a refusal is the answer to it; the rest is not worth sending, and the
 * connection cannot be brought back into step (S-087). */
enum smtp_stage smtp_transaction_on_early_reply(struct smtp_client *c,
                                                const struct smtp_reply *r)
{
    const struct smtp_flight *f = smtp_flight_oldest(c);
    if (smtp_dialogue_is_positive(r))
        return smtp_dialogue_lose_step(c, r, NULL);
    if (f->judged)
        c->end = (struct fault){.scope = FAULT_NONE};
    else if (f->chunked && does_not_know_bdat(r))
        return do_without_chunking(c, r);
    else
        smtp_dialogue_leave(c, r);
    return SMTP_STAGE_DEAD;
}

void smtp_transaction_send_dot(struct smtp_client *c)
{
    smtp_dot_end(&smtp_flight_newest(c)->dot, &c->out);
}

enum smtp_stage smtp_transaction_on_dot_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    struct smtp_flight *flight = c->answered.flight;
    struct smtp_facts facts = smtp_dialogue_facts(c);
    unsigned i = c->answered.recipient;
    struct fault f;
    if (r->code >= 300 && r->code < 400)
        return smtp_dialogue_lose_step(c, r, "250");
    if (c->conf.lmtp)
        facts.recipient = flight->transaction->recipients[i].address;
    if (smtp_dialogue_is_positive(r))
        smtp_fault_none(&f, r);
    else
        smtp_fault_of_reply(&f, &facts, r);
    if (c->conf.lmtp)
        smtp_client_tell_recipient(c, flight, i, true, &f);
    if (!c->conf.lmtp)
        smtp_flight_judge(flight, &f);
    else if (flight->n_owed == 0)
        smtp_flight_judge(flight, &(struct fault){.scope = FAULT_NONE});
    return flight->next;
}

void smtp_transaction_send_void(struct smtp_client *c)
{
    buf_puts(&c->out, ".\r\n");
}

enum smtp_stage smtp_transaction_on_void_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    (void)r;
    return c->answered.flight->next;
}
