/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_dialogue.h"

#include "mem.h"

/* The dialogue. A state that sends nothing waits for its owner, who is asked. */
static const struct state {
    const char *name;
    void (*send)(struct smtp_client *c);
    enum smtp_stage (*on_reply)(struct smtp_client *c, const struct smtp_reply *r);
    enum smtp_client_event_type ask; /* the owner is asked this */
    enum smtp_dialogue_time time;
    bool pipelined; /* may go out before the replies to what stands before it */
    enum smtp_dialogue_end end;
    const char *rfc;
} states[] = {
    /* clang-format off */
    [SMTP_STAGE_HANDSHAKE] = {"TLS handshake", NULL, NULL,
        SMTP_CLIENT_STARTTLS, SMTP_TIME_STARTTLS, false, SMTP_END_FAULT, "RFC 3207 4"},
    [SMTP_STAGE_GREETING] = {"greeting", smtp_hello_say_nothing, smtp_hello_on_greeting,
        SMTP_CLIENT_WAIT, SMTP_TIME_GREETING, false, SMTP_END_FAULT, "RFC 5321 3.1"},
    [SMTP_STAGE_EHLO] = {"EHLO", smtp_hello_send_ehlo, smtp_hello_on_ehlo_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_REPLY, false, SMTP_END_FAULT, "RFC 5321 4.1.1.1, RFC 2033"},
    [SMTP_STAGE_HELO] = {"HELO", smtp_hello_send_helo, smtp_hello_on_helo_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_REPLY, false, SMTP_END_FAULT, "RFC 5321 3.2"},
    [SMTP_STAGE_STARTTLS] = {"STARTTLS", smtp_hello_send_starttls, smtp_hello_on_starttls_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_STARTTLS, false, SMTP_END_FAULT, "RFC 3207 4"},
    [SMTP_STAGE_CHOOSE] = {"AUTH", NULL, NULL,
        SMTP_CLIENT_AUTH, SMTP_TIME_NEVER, false, SMTP_END_FAULT, "RFC 4954 4"},
    [SMTP_STAGE_AUTH] = {"AUTH", smtp_login_send_auth, smtp_login_on_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_AUTH, false, SMTP_END_FAULT, "RFC 4954 4"},
    [SMTP_STAGE_CHALLENGE] = {"AUTH", NULL, NULL,
        SMTP_CLIENT_CHALLENGE, SMTP_TIME_NEVER, false, SMTP_END_FAULT, "RFC 4954 4"},
    [SMTP_STAGE_RESPONSE] = {"AUTH", smtp_login_send_response, smtp_login_on_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_AUTH, false, SMTP_END_FAULT, "RFC 4954 4"},
    [SMTP_STAGE_CANCEL] = {"AUTH", smtp_login_send_cancel, smtp_login_on_cancel_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_AUTH, false, SMTP_END_GOODBYE, "RFC 4954 4"},
    [SMTP_STAGE_IDLE] = {"idle", NULL, NULL,
        SMTP_CLIENT_IDLE, SMTP_TIME_NEVER, false, SMTP_END_FAULT, "RFC 5321 3.3"},
    [SMTP_STAGE_RSET] = {"RSET", smtp_transaction_send_rset, smtp_transaction_on_rset_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_RSET, true, SMTP_END_FAULT, "RFC 5321 4.1.1.5, RFC 2920"},
    [SMTP_STAGE_MAIL] = {"MAIL", smtp_transaction_send_mail, smtp_transaction_on_mail_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_REPLY, true, SMTP_END_FAULT, "RFC 5321 4.1.1.2, RFC 2920"},
    [SMTP_STAGE_RCPT] = {"RCPT", smtp_transaction_send_rcpt, smtp_transaction_on_rcpt_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_REPLY, true, SMTP_END_FAULT, "RFC 5321 4.1.1.3, RFC 2920"},
    [SMTP_STAGE_DATA] = {"DATA", smtp_transaction_send_data, smtp_transaction_on_data_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_DATA, true, SMTP_END_FAULT, "RFC 5321 4.1.1.4, RFC 2920"},
    [SMTP_STAGE_BDAT] = {"BDAT", smtp_transaction_send_bdat, smtp_transaction_on_bdat_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_FINAL, true, SMTP_END_FAULT, "RFC 3030 2, RFC 1047"},
    [SMTP_STAGE_CONTENT] = {"content", NULL, smtp_transaction_on_early_reply,
        SMTP_CLIENT_BODY, SMTP_TIME_BLOCK, true, SMTP_END_FAULT, "RFC 5321 4.5.2"},
    [SMTP_STAGE_FINAL] = {"final dot", smtp_transaction_send_dot, smtp_transaction_on_dot_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_FINAL, false, SMTP_END_FAULT, "RFC 5321 4.5.2, RFC 1047"},
    [SMTP_STAGE_VOID] = {"lone dot", smtp_transaction_send_void, smtp_transaction_on_void_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_FINAL, false, SMTP_END_QUIET, "RFC 2920 3.1"},
    [SMTP_STAGE_QUIT] = {"QUIT", smtp_hello_send_quit, smtp_hello_on_quit_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_QUIT, false, SMTP_END_GOODBYE, "RFC 5321 4.1.1.10"},
    [SMTP_STAGE_DEAD] = {"closed", NULL, NULL,
        SMTP_CLIENT_WAIT, SMTP_TIME_NEVER, false, SMTP_END_GOODBYE, ""},
    /* clang-format on */
};

const char *smtp_dialogue_name(const struct smtp_client *c)
{
    return c->conf.lmtp && c->stage == SMTP_STAGE_EHLO ? "LHLO" : states[c->stage].name;
}

bool smtp_dialogue_listens(const struct smtp_client *c)
{
    return c->stage != SMTP_STAGE_HANDSHAKE && c->stage != SMTP_STAGE_DEAD;
}

bool smtp_dialogue_is_early(const struct smtp_client *c)
{
    uint64_t gone = c->out_bytes - buf_len(&c->out);
    return c->n_owed == 0 || gone < c->owed[c->owed_first].sent_bytes;
}

/* The oldest transaction's content, or its end, is still on its way out. */
static bool is_in_content(const struct smtp_client *c)
{
    const struct smtp_flight *f = smtp_flight_oldest(c);
    bool at_end = c->stage == SMTP_STAGE_FINAL || c->stage == SMTP_STAGE_BDAT;
    return f && (c->stage == SMTP_STAGE_CONTENT || (at_end && !smtp_flight_is_out(c, f)));
}

bool smtp_dialogue_is_sending(const struct smtp_client *c)
{
    return c->stage == SMTP_STAGE_CONTENT || c->stage == SMTP_STAGE_FINAL ||
           c->stage == SMTP_STAGE_BDAT;
}

struct smtp_facts smtp_dialogue_facts(const struct smtp_client *c)
{
    const struct smtp_flight *f = smtp_flight_oldest(c);
    enum smtp_stage stage = c->stage == SMTP_STAGE_BDAT ? SMTP_STAGE_FINAL : c->stage;
    return (struct smtp_facts){
        .stage = is_in_content(c) ? SMTP_STAGE_CONTENT : stage,
        .stage_name = smtp_dialogue_name(c),
        .ehlo_name = c->conf.ehlo_name,
        .sender = f && !f->judged ? f->transaction->sender : NULL,
        .expects_starttls = c->conf.tls == SMTP_CLIENT_TLS_STARTTLS,
        .secured = c->secured,
        .login = c->conf.login,
        .authenticated = c->authenticated,
    };
}

/* What is known where no reply decides. With BDAT the message may be all out while the reply to
 * its MAIL is waited for. */
static struct smtp_facts facts_of_loss(const struct smtp_client *c)
{
    const struct smtp_flight *f = smtp_flight_oldest(c);
    struct smtp_facts facts = smtp_dialogue_facts(c);
    if (f && f->judged)
        facts.stage = SMTP_STAGE_VOID; /* only the connection is lost */
    else if (f && smtp_flight_is_out(c, f))
        facts.stage = SMTP_STAGE_FINAL;
    return facts;
}

enum smtp_stage smtp_dialogue_leave(struct smtp_client *c, const struct smtp_reply *r)
{
    struct smtp_facts facts = smtp_dialogue_facts(c);
    smtp_fault_of_reply(&c->end, &facts, r);
    return SMTP_STAGE_QUIT;
}

enum smtp_stage smtp_dialogue_lose_step(struct smtp_client *c, const struct smtp_reply *r,
                                        const char *expected)
{
    struct smtp_facts facts = facts_of_loss(c);
    smtp_fault_of_desync(&c->end, &facts, r, expected);
    c->out_of_step = true;
    return SMTP_STAGE_DEAD;
}

void smtp_dialogue_arm(struct smtp_client *c)
{
    bool blocked = c->stage == SMTP_STAGE_BDAT && is_in_content(c);
    c->time = blocked ? SMTP_TIME_BLOCK : states[c->stage].time;
    c->deadline_ms = c->time == SMTP_TIME_NEVER ? INT64_MAX : c->now_ms + c->times_ms[c->time];
}

static void owe(struct smtp_client *c, enum smtp_stage stage, struct smtp_flight *f,
                unsigned recipient)
{
    BUG_ON(c->n_owed == c->owed_max);
    unsigned at = (c->owed_first + c->n_owed++) % c->owed_max;
    /* The reply to BDAT comes behind its octets; where they end is not known yet. */
    uint64_t sent_bytes = stage == SMTP_STAGE_BDAT ? UINT64_MAX : c->out_bytes;
    c->owed[at] = (struct smtp_owed){stage, recipient, f, sent_bytes};
    if (f)
        f->n_owed++;
}

static void owe_replies(struct smtp_client *c, enum smtp_stage stage, struct smtp_flight *f)
{
    if (stage != SMTP_STAGE_FINAL || !c->conf.lmtp) {
        owe(c, stage, f, stage == SMTP_STAGE_RCPT ? f->last_sent : 0);
        return;
    }
    /* RFC 2033 4.2: one for each recipient that was accepted. */
    for (unsigned i = 0; i < f->transaction->n_recipients; i++) {
        if (f->accepted[i])
            owe(c, stage, f, i);
    }
}

static void send_command(struct smtp_client *c, enum smtp_stage stage, struct smtp_flight *f)
{
    size_t before = buf_len(&c->out);
    states[stage].send(c);
    BUG_ON(c->out.failed);
    c->out_bytes += buf_len(&c->out) - before;
    owe_replies(c, stage, f);
}

void smtp_dialogue_send(struct smtp_client *c, enum smtp_stage stage)
{
    send_command(c, stage, smtp_flight_newest(c));
}

static bool pipelines(const struct smtp_client *c)
{
    return c->conf.pipelining && smtp_caps_has(&c->caps, SMTP_CAP_PIPELINING);
}

/* May what comes next of f go out before the replies that are owed? (S-075; RFC 3030 2) */
static bool may_go_out(const struct smtp_client *c, const struct smtp_flight *f)
{
    if (f->next == SMTP_STAGE_IDLE)
        return false;
    if (f->next == SMTP_STAGE_CONTENT && f->chunked)
        return true;
    if (f->next == SMTP_STAGE_CONTENT || (f->next == SMTP_STAGE_BDAT && !f->ahead))
        return f->n_owed == 0;
    return c->n_owed == 0 || (pipelines(c) && states[f->next].pipelined);
}

static void send_on(struct smtp_client *c, struct smtp_flight *f)
{
    while (f->next != SMTP_STAGE_CONTENT && may_go_out(c, f)) {
        enum smtp_stage stage = f->next;
        send_command(c, stage, f);
        f->next = smtp_transaction_follower(f, stage);
    }
    if (f->next == SMTP_STAGE_CONTENT && may_go_out(c, f) && !f->asked) {
        f->asked = true;
        c->ask = SMTP_CLIENT_BODY;
    }
}

bool smtp_dialogue_has_room(const struct smtp_client *c)
{
    const struct smtp_flight *newest = smtp_flight_newest(c);
    bool sent = newest && newest->next == SMTP_STAGE_IDLE && (newest->whole || !newest->begun);
    return sent && !newest->transaction->alone && c->n_flights < c->flights_max &&
           pipelines(c) && c->stage != SMTP_STAGE_QUIT;
}

void smtp_dialogue_go_on(struct smtp_client *c)
{
    smtp_flight_end_answered(c);
    struct smtp_flight *newest = smtp_flight_newest(c);
    if (!newest) {
        smtp_dialogue_enter(c, SMTP_STAGE_IDLE);
        return;
    }
    send_on(c, newest);
    c->stage = c->n_owed ? c->owed[c->owed_first].stage : newest->next;
    if (c->room_news && smtp_dialogue_has_room(c)) {
        c->room_news = false;
        c->ask = SMTP_CLIENT_ROOM;
    }
}

static void die(struct smtp_client *c)
{
    smtp_flight_end_all(c);
    c->n_owed = 0;
    buf_release(&c->out);
    buf_release(&c->response);
    smtp_client_tell(c, SMTP_CLIENT_DEAD, NULL, &c->end);
}

void smtp_dialogue_enter(struct smtp_client *c, enum smtp_stage stage)
{
    bool in_login = stage >= SMTP_STAGE_AUTH && stage <= SMTP_STAGE_CANCEL;
    c->stage = stage;
    c->ask = states[stage].ask;
    c->reply.line_max =
        in_login ? SMTP_DIALOGUE_CHALLENGE_MAX + sizeof "334 \r" : SMTP_REPLY_LINE_MAX;
    if (states[stage].send)
        send_command(c, stage, NULL);
    if (stage == SMTP_STAGE_IDLE) {
        c->ready = true;
        c->idle_since_ms = c->now_ms;
    }
    smtp_dialogue_arm(c);
    if (stage == SMTP_STAGE_DEAD)
        die(c);
}

/* End with f, unless the end was decided before, or is nobody's loss. */
static void end_with(struct smtp_client *c, const struct fault *f)
{
    if (states[c->stage].end == SMTP_END_FAULT)
        c->end = *f;
    else if (states[c->stage].end == SMTP_END_QUIET)
        c->end = (struct fault){.scope = FAULT_NONE};
    smtp_dialogue_enter(c, SMTP_STAGE_DEAD);
}

/* The server closed a connection that had served before, and had not taken up the next message:
 * nobody's fault (S-086). */
static void end_by_server(struct smtp_client *c, const struct fault *f)
{
    const struct smtp_flight *oldest = smtp_flight_oldest(c);
    struct fault reconnect;
    smtp_fault_of_reconnect(&reconnect);
    bool at_start = c->stage == SMTP_STAGE_MAIL || c->stage == SMTP_STAGE_RSET;
    if (c->stage == SMTP_STAGE_IDLE && c->n_transactions > 0)
        end_with(c, &(struct fault){.scope = FAULT_NONE});
    else if (at_start && oldest->number > 1 && !f->ambiguous)
        end_with(c, &reconnect);
    else
        end_with(c, f);
}

static void close_at_421(struct smtp_client *c)
{
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault f;
    const struct smtp_flight *oldest = smtp_flight_oldest(c);
    if (oldest && oldest->judged)
        facts.stage = SMTP_STAGE_VOID; /* it judges nobody any more */
    if (c->stage == SMTP_STAGE_FINAL && c->conf.lmtp)
        facts.recipient = NULL; /* it is the answer to all that have none yet */
    smtp_fault_of_reply(&f, &facts, &c->reply);
    c->answered_end = true;
    end_by_server(c, &f);
}

/* What an answer to the first command that is owed one means. */
static void take_answer(struct smtp_client *c)
{
    struct smtp_flight *f = c->answered.flight;
    enum smtp_stage next = states[c->answered.stage].on_reply(c, &c->reply);
    if (!f || next == SMTP_STAGE_QUIT || next == SMTP_STAGE_DEAD) {
        smtp_dialogue_enter(c, next);
        return;
    }
    f->next = next;
    smtp_dialogue_go_on(c);
    smtp_dialogue_arm(c);
}

void smtp_dialogue_reply(struct smtp_client *c)
{
    c->oddities |= (c->reply.bare_lf ? SMTP_CLIENT_BARE_LF : 0u) |
                   (c->reply.mixed ? SMTP_CLIENT_MIXED_CODES : 0u);
    bool in_content = is_in_content(c);
    if (!c->reply_early) {
        c->answered = c->owed[c->owed_first];
        c->owed_first = (c->owed_first + 1) % c->owed_max;
        c->n_owed--;
        if (c->answered.flight)
            c->answered.flight->n_owed--;
        BUG_ON(c->answered.stage != c->stage);
    }
    if (c->reply.code == 421)
        close_at_421(c);
    else if (!c->reply_early)
        take_answer(c);
    else if (in_content)
        smtp_dialogue_enter(c, smtp_transaction_on_early_reply(c, &c->reply));
    else
        smtp_dialogue_garbage(c, NULL);
}

void smtp_dialogue_garbage(struct smtp_client *c, const char *why)
{
    struct smtp_facts facts = facts_of_loss(c);
    struct fault f;
    if (why)
        smtp_fault_of_garbage(&f, &facts, smtp_reply_pending(&c->reply), why);
    else
        smtp_fault_of_desync(&f, &facts, &c->reply, NULL);
    c->out_of_step = true;
    end_with(c, &f);
}

void smtp_dialogue_eof(struct smtp_client *c, const char *why)
{
    const struct smtp_flight *oldest = smtp_flight_oldest(c);
    struct smtp_facts facts = facts_of_loss(c);
    struct fault f;
    uint64_t waiting = buf_len(&c->out), given = oldest ? oldest->content_bytes : 0;
    smtp_fault_of_eof(&f, &facts, why, given > waiting ? given - waiting : 0,
                      oldest ? oldest->transaction->body_bytes : 0);
    end_by_server(c, &f);
}

void smtp_dialogue_timeout(struct smtp_client *c)
{
    struct smtp_facts facts = facts_of_loss(c);
    struct fault f;
    smtp_fault_of_timeout(&f, &facts, c->times_ms[c->time],
                          c->reply_begun ? c->reply.n_bytes : 0);
    end_with(c, &f);
}
