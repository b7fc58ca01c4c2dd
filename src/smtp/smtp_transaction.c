/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem.h"
#include "smtp_dialogue.h"

#include <inttypes.h>
#include <string.h>

static void done(struct smtp_client *c, const struct fault *f)
{
    smtp_client_tell(c, SMTP_CLIENT_DONE, 0, f);
    c->under_way = false;
}

/* The state of the next reply that is owed, else what comes next when nothing is. */
static enum smtp_stage owed_or(const struct smtp_client *c, enum smtp_stage next)
{
    return c->n_owed ? c->owed[c->owed_first].stage : next;
}

static void skip_left_out(struct smtp_client *c)
{
    while (c->n_sent < c->transaction.n_recipients && smtp_client_needs_utf8(c, c->n_sent))
        c->n_sent++;
}

/* What was asked of reports, as it was asked (RFC 3461 5.2.1). */
static void put_mail_dsn(struct buf *out, const struct smtp_transaction *t)
{
    if (t->ret != SMTP_RET_UNSET)
        buf_printf(out, " RET=%s", t->ret == SMTP_RET_FULL ? "FULL" : "HDRS");
    if (t->envid)
        buf_printf(out, " ENVID=%s", t->envid);
}

static void put_rcpt_dsn(struct buf *out, const struct smtp_recipient *r)
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
        buf_printf(out, " ORCPT=%s", r->orcpt);
}

void smtp_transaction_send_mail(struct smtp_client *c)
{
    const struct smtp_transaction *t = &c->transaction;
    BUG_ON(c->conf.tls != SMTP_CLIENT_TLS_NONE && !c->secured);
    BUG_ON(c->conf.login && !c->authenticated);
    buf_printf(&c->out, "MAIL FROM:<%s>", t->sender);
    if (smtp_caps_has(&c->caps, SMTP_CAP_SIZE))
        buf_printf(&c->out, " SIZE=%" PRIu64, t->body_bytes);
    if (t->body_8bit && smtp_caps_has(&c->caps, SMTP_CAP_8BITMIME))
        buf_puts(&c->out, " BODY=8BITMIME");
    if (smtp_caps_has(&c->caps, SMTP_CAP_SMTPUTF8) && smtp_client_is_utf8(t))
        buf_puts(&c->out, " SMTPUTF8");
    if (t->require_tls)
        buf_puts(&c->out, " REQUIRETLS");
    if (smtp_caps_has(&c->caps, SMTP_CAP_DSN))
        put_mail_dsn(&c->out, t);
    buf_puts(&c->out, "\r\n");
    skip_left_out(c);
}

enum smtp_stage smtp_transaction_on_mail_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    if (r->code == 250)
        return owed_or(c, SMTP_STAGE_RCPT);
    if (smtp_dialogue_is_positive(r))
        return smtp_dialogue_lose_step(c, r, "250");
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault f;
    smtp_fault_of_reply(&f, &facts, r);
    c->mail_refused = true;
    done(c, &f);
    return owed_or(c, SMTP_STAGE_IDLE);
}

void smtp_transaction_send_rcpt(struct smtp_client *c)
{
    const struct smtp_recipient *r = &c->transaction.recipients[c->n_sent];
    buf_printf(&c->out, "RCPT TO:<%s>", r->address);
    if (smtp_caps_has(&c->caps, SMTP_CAP_DSN))
        put_rcpt_dsn(&c->out, r);
    buf_puts(&c->out, "\r\n");
    c->last_sent = c->n_sent++;
    skip_left_out(c);
}

/* After one was accepted, 452 and 552 say that these are enough, unless their status speaks of
 * the mailbox or the message's size (S-083). */
static bool is_too_many(const struct smtp_reply *r)
{
    struct str detail = str_tail(str_of(r->status), 2);
    return (r->code == 452 || r->code == 552) && !str_eq(str_head(detail, 2), STR_LIT("2.")) &&
           !str_eq(detail, STR_LIT("3.4"));
}

static void judge_recipient(struct smtp_client *c, const struct smtp_reply *r)
{
    unsigned i = c->answered.recipient;
    struct smtp_facts facts = smtp_dialogue_facts(c);
    facts.recipient = c->transaction.recipients[i].address;
    struct fault f;
    if (c->accepted[i])
        smtp_fault_none(&f, r);
    else if (c->n_accepted > 0 && is_too_many(r))
        smtp_fault_of_split(&f, r);
    else
        smtp_fault_of_reply(&f, &facts, r);
    smtp_client_tell(c, SMTP_CLIENT_RCPT, i, &f);
    if (strcmp(f.code, SMTP_FAULT_RCPT_SPLIT) != 0)
        return;
    /* Those not sent yet would hear the same. */
    for (; c->n_sent < c->transaction.n_recipients; skip_left_out(c))
        smtp_client_tell(c, SMTP_CLIENT_RCPT, c->n_sent++, &f);
}

enum smtp_stage smtp_transaction_on_rcpt_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    bool accepted = r->code >= 250 && r->code <= 252;
    if (smtp_dialogue_is_positive(r) && !accepted)
        return smtp_dialogue_lose_step(c, r, "250");
    c->accepted[c->answered.recipient] = accepted;
    c->n_accepted += accepted;
    if (c->under_way)
        judge_recipient(c, r);
    if (c->n_owed || c->n_sent < c->transaction.n_recipients)
        return owed_or(c, SMTP_STAGE_RCPT);
    if (c->n_accepted > 0 && !c->transaction.rehearsal)
        return SMTP_STAGE_DATA;
    if (c->under_way)
        done(c, &(struct fault){.scope = FAULT_NONE});
    return c->mail_refused ? SMTP_STAGE_IDLE : SMTP_STAGE_RSET;
}

void smtp_transaction_send_data(struct smtp_client *c)
{
    buf_puts(&c->out, "DATA\r\n");
}

/* DATA was pipelined, and then nobody was accepted (S-078). */
static enum smtp_stage on_needless_data_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (c->under_way)
        done(c, &(struct fault){.scope = FAULT_NONE});
    if (!smtp_dialogue_is_positive(r))
        return c->mail_refused ? SMTP_STAGE_IDLE : SMTP_STAGE_RSET;
    /* A lone dot would be a message to those it accepted after it had refused MAIL. */
    return c->n_accepted > 0 ? smtp_dialogue_lose_step(c, r, "503") : SMTP_STAGE_VOID;
}

enum smtp_stage smtp_transaction_on_data_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    if (r->code < 300)
        return smtp_dialogue_lose_step(c, r, "354");
    if (c->mail_refused || c->n_accepted == 0)
        return on_needless_data_reply(c, r);
    if (smtp_dialogue_is_positive(r))
        return SMTP_STAGE_CONTENT;
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault f;
    smtp_fault_of_reply(&f, &facts, r);
    done(c, &f);
    return SMTP_STAGE_RSET;
}

/* While content goes out a refusal is the answer to it; the rest is not worth sending, and the
 * connection cannot be brought back into step (S-087). */
enum smtp_stage smtp_transaction_on_early_reply(struct smtp_client *c,
                                                const struct smtp_reply *r)
{
    if (smtp_dialogue_is_positive(r))
        return smtp_dialogue_lose_step(c, r, NULL);
    smtp_dialogue_leave(c, r);
    return SMTP_STAGE_DEAD;
}

void smtp_transaction_send_dot(struct smtp_client *c)
{
    smtp_dot_end(&c->dot, &c->out);
}

enum smtp_stage smtp_transaction_on_dot_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault f;
    if (r->code >= 300 && r->code < 400)
        return smtp_dialogue_lose_step(c, r, "250");
    if (c->conf.lmtp)
        facts.recipient = c->transaction.recipients[c->answered.recipient].address;
    if (smtp_dialogue_is_positive(r))
        smtp_fault_none(&f, r);
    else
        smtp_fault_of_reply(&f, &facts, r);
    if (!c->conf.lmtp) {
        done(c, &f);
        return SMTP_STAGE_IDLE;
    }
    smtp_client_tell(c, SMTP_CLIENT_RCPT, c->answered.recipient, &f);
    if (c->n_owed == 0)
        done(c, &(struct fault){.scope = FAULT_NONE});
    return owed_or(c, SMTP_STAGE_IDLE);
}

void smtp_transaction_send_void(struct smtp_client *c)
{
    buf_puts(&c->out, ".\r\n");
}

enum smtp_stage smtp_transaction_on_void_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    (void)c;
    (void)r;
    return SMTP_STAGE_IDLE;
}

void smtp_transaction_send_rset(struct smtp_client *c)
{
    buf_puts(&c->out, "RSET\r\n");
}

enum smtp_stage smtp_transaction_on_rset_reply(struct smtp_client *c,
                                               const struct smtp_reply *r)
{
    c->end = (struct fault){.scope = FAULT_NONE};
    return r->code / 100 == 2 ? SMTP_STAGE_IDLE : SMTP_STAGE_QUIT;
}
