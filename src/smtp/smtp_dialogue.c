/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_dialogue.h"

#include "mem.h"

struct smtp_facts smtp_dialogue_facts(const struct smtp_client *c)
{
    /* As long as the dot waits in out, the message is not all sent. */
    bool dot_waits = c->stage == SMTP_STAGE_FINAL && buf_len(&c->out) > 0;
    return (struct smtp_facts){
        .stage = dot_waits ? SMTP_STAGE_CONTENT : c->stage,
        .stage_name = smtp_dialogue_name(c),
        .ehlo_name = c->conf.ehlo_name,
        .sender = c->under_way ? c->transaction.sender : NULL,
        .expects_starttls = c->conf.tls == SMTP_CLIENT_TLS_STARTTLS,
        .secured = c->secured,
        .login = c->conf.login,
        .authenticated = c->authenticated,
    };
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
    struct smtp_facts facts = smtp_dialogue_facts(c);
    smtp_fault_of_desync(&c->end, &facts, r, expected);
    return SMTP_STAGE_DEAD;
}

/* Greeting, EHLO, STARTTLS. */

static void say_nothing(struct smtp_client *c)
{
    (void)c;
}

static enum smtp_stage on_greeting(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code == 220) {
        struct str line = {NULL, 0};
        size_t at = 0;
        smtp_reply_line(r, &at, &line);
        c->masked = str_eq(str_head(line, 4), STR_LIT("****"));
        return SMTP_STAGE_EHLO;
    }
    return smtp_dialogue_is_positive(r) ? smtp_dialogue_lose_step(c, r, "220")
                                        : smtp_dialogue_leave(c, r);
}

static void send_ehlo(struct smtp_client *c)
{
    buf_printf(&c->out, "%s %s\r\n", c->conf.lmtp ? "LHLO" : "EHLO", c->conf.ehlo_name);
}

static void read_caps(struct smtp_client *c, const struct smtp_reply *r)
{
    size_t at = 0;
    struct str line = {NULL, 0};
    smtp_caps_clear(&c->caps);
    smtp_reply_line(r, &at, &line);
    c->first_line_keyword = str_eq_nocase(str_trim(line), STR_LIT("STARTTLS"));
    while (smtp_reply_line(r, &at, &line))
        smtp_caps_add(&c->caps, line);
    c->masked |= smtp_caps_has(&c->caps, SMTP_CAP_MASKED);
}

static enum smtp_stage miss_starttls(struct smtp_client *c)
{
    if (c->masked) {
        fault_set(&c->end, FAULT_ACCOUNT, "5.7.0", "MBOX-MASKED",
                  "a firewall on the way rewrites SMTP (it masks what the server offers), and "
                  "STARTTLS is gone; nothing was sent");
        fault_fix(&c->end, "set port = 465, or have ESMTP inspection turned off");
        return SMTP_STAGE_QUIT;
    }
    fault_set(&c->end, FAULT_ACCOUNT, "5.7.0", "STARTTLS-MISSING",
              "the server does not offer STARTTLS%s; nothing was sent",
              c->first_line_keyword
                  ? " where an offer can stand (it names it on the first line of its answer)"
                  : "");
    fault_fix(&c->end, "set port = 465, which is TLS from the first byte; if port is 25, set "
                       "port = 587");
    return SMTP_STAGE_QUIT;
}

static enum smtp_stage miss_auth(struct smtp_client *c)
{
    const char *code = "AUTH-MISSING";
    const char *text = "the server offers no login, not even inside TLS";
    const char *fix = "check port: 587 and 465 are for submission; remove user and "
                      "password-file if the server relays by address";
    if (c->auth_in_clear) {
        code = "AUTH-MISSING-LOST";
        text = "the server offers login only before TLS, where it is never used";
        fix = "ask the server's administrator, or try port = 465";
    } else if (!c->secured) {
        text = "the server offers no login without TLS";
        fix = "set tls = \"auto\"";
    }
    fault_set(&c->end, FAULT_ACCOUNT, "5.7.0", code, "%s; expected AUTH in its answer to EHLO",
              text);
    fault_fix(&c->end, "%s", fix);
    return SMTP_STAGE_QUIT;
}

static enum smtp_stage after_ehlo(struct smtp_client *c)
{
    if (c->conf.tls != SMTP_CLIENT_TLS_NONE && !c->secured)
        return smtp_caps_has(&c->caps, SMTP_CAP_STARTTLS) ? SMTP_STAGE_STARTTLS
                                                          : miss_starttls(c);
    if (!c->conf.login)
        return SMTP_STAGE_IDLE;
    return c->caps.auth[0] ? SMTP_STAGE_CHOOSE : miss_auth(c);
}

static enum smtp_stage on_ehlo_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code == 250) {
        read_caps(c, r);
        return after_ehlo(c);
    }
    if (smtp_dialogue_is_positive(r))
        return smtp_dialogue_lose_step(c, r, "250");
    /* HELO offers neither TLS nor login (S-008). */
    bool helo_will_do = c->conf.tls == SMTP_CLIENT_TLS_NONE && !c->conf.login && !c->conf.lmtp;
    return helo_will_do ? SMTP_STAGE_HELO : smtp_dialogue_leave(c, r);
}

static void send_helo(struct smtp_client *c)
{
    buf_printf(&c->out, "HELO %s\r\n", c->conf.ehlo_name);
}

static enum smtp_stage on_helo_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code == 250)
        return SMTP_STAGE_IDLE;
    return smtp_dialogue_is_positive(r) ? smtp_dialogue_lose_step(c, r, "250")
                                        : smtp_dialogue_leave(c, r);
}

static void send_starttls(struct smtp_client *c)
{
    buf_puts(&c->out, "STARTTLS\r\n");
}

static enum smtp_stage on_starttls_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code == 220) {
        c->auth_in_clear = smtp_caps_has(&c->caps, SMTP_CAP_AUTH);
        return SMTP_STAGE_HANDSHAKE;
    }
    return smtp_dialogue_is_positive(r) ? smtp_dialogue_lose_step(c, r, "220")
                                        : smtp_dialogue_leave(c, r);
}

static void send_quit(struct smtp_client *c)
{
    buf_puts(&c->out, "QUIT\r\n");
}

static enum smtp_stage on_quit_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    (void)c;
    (void)r;
    return SMTP_STAGE_DEAD;
}

/* The dialogue. A state that sends nothing waits for its owner, who is asked. */
static const struct state {
    const char *name;
    void (*send)(struct smtp_client *c);
    enum smtp_stage (*on_reply)(struct smtp_client *c, const struct smtp_reply *r);
    enum smtp_client_event_type ask; /* the owner is asked this */
    enum smtp_dialogue_time time;
    bool pipelined; /* may go out before the reply to the command before it */
    enum smtp_dialogue_end end;
    const char *rfc;
} states[] = {
    /* clang-format off */
    [SMTP_STAGE_HANDSHAKE] = {"TLS handshake", NULL, NULL,
        SMTP_CLIENT_STARTTLS, SMTP_TIME_STARTTLS, false, SMTP_END_FAULT, "RFC 3207 4"},
    [SMTP_STAGE_GREETING] = {"greeting", say_nothing, on_greeting,
        SMTP_CLIENT_WAIT, SMTP_TIME_GREETING, false, SMTP_END_FAULT, "RFC 5321 3.1"},
    [SMTP_STAGE_EHLO] = {"EHLO", send_ehlo, on_ehlo_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_REPLY, false, SMTP_END_FAULT, "RFC 5321 4.1.1.1, RFC 2033"},
    [SMTP_STAGE_HELO] = {"HELO", send_helo, on_helo_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_REPLY, false, SMTP_END_FAULT, "RFC 5321 3.2"},
    [SMTP_STAGE_STARTTLS] = {"STARTTLS", send_starttls, on_starttls_reply,
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
    [SMTP_STAGE_MAIL] = {"MAIL", smtp_transaction_send_mail, smtp_transaction_on_mail_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_REPLY, false, SMTP_END_FAULT, "RFC 5321 4.1.1.2"},
    [SMTP_STAGE_RCPT] = {"RCPT", smtp_transaction_send_rcpt, smtp_transaction_on_rcpt_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_REPLY, true, SMTP_END_FAULT, "RFC 5321 4.1.1.3, RFC 2920"},
    [SMTP_STAGE_DATA] = {"DATA", smtp_transaction_send_data, smtp_transaction_on_data_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_DATA, true, SMTP_END_FAULT, "RFC 5321 4.1.1.4, RFC 2920"},
    [SMTP_STAGE_CONTENT] = {"content", NULL, smtp_transaction_on_early_reply,
        SMTP_CLIENT_BODY, SMTP_TIME_BLOCK, false, SMTP_END_FAULT, "RFC 5321 4.5.2"},
    [SMTP_STAGE_FINAL] = {"final dot", smtp_transaction_send_dot, smtp_transaction_on_dot_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_FINAL, false, SMTP_END_FAULT, "RFC 5321 4.5.2, RFC 1047"},
    [SMTP_STAGE_VOID] = {"lone dot", smtp_transaction_send_void, smtp_transaction_on_void_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_FINAL, false, SMTP_END_QUIET, "RFC 2920 3.1"},
    [SMTP_STAGE_RSET] = {"RSET", smtp_transaction_send_rset, smtp_transaction_on_rset_reply,
        SMTP_CLIENT_WAIT, SMTP_TIME_RSET, false, SMTP_END_QUIET, "RFC 5321 4.1.1.5"},
    [SMTP_STAGE_QUIT] = {"QUIT", send_quit, on_quit_reply,
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

void smtp_dialogue_arm(struct smtp_client *c)
{
    enum smtp_dialogue_time time = states[c->stage].time;
    c->deadline_ms = time == SMTP_TIME_NEVER ? INT64_MAX : c->now_ms + c->times_ms[time];
}

static void owe(struct smtp_client *c, enum smtp_stage stage, unsigned recipient)
{
    BUG_ON(c->n_owed == SMTP_DIALOGUE_OWED_MAX);
    unsigned at = (c->owed_first + c->n_owed++) % SMTP_DIALOGUE_OWED_MAX;
    c->owed[at] = (struct smtp_owed){stage, recipient, c->out_bytes};
}

static void owe_replies(struct smtp_client *c, enum smtp_stage stage)
{
    if (stage != SMTP_STAGE_FINAL || !c->conf.lmtp) {
        owe(c, stage, stage == SMTP_STAGE_RCPT ? c->last_sent : 0);
        return;
    }
    /* RFC 2033 4.2: one for each recipient that was accepted. */
    for (unsigned i = 0; i < c->transaction.n_recipients; i++) {
        if (c->accepted[i])
            owe(c, stage, i);
    }
}

/* What follows stage in a group of commands; DEAD for nothing. */
static enum smtp_stage follower(const struct smtp_client *c, enum smtp_stage stage)
{
    if (stage != SMTP_STAGE_MAIL && stage != SMTP_STAGE_RCPT)
        return SMTP_STAGE_DEAD;
    if (c->n_sent < c->transaction.n_recipients)
        return SMTP_STAGE_RCPT;
    return c->transaction.rehearsal ? SMTP_STAGE_DEAD : SMTP_STAGE_DATA;
}

/* Send stage's command, and those behind it that need not wait for its reply (S-075). */
static void send_group(struct smtp_client *c, enum smtp_stage stage)
{
    bool pipelining = c->conf.pipelining && smtp_caps_has(&c->caps, SMTP_CAP_PIPELINING);
    do {
        size_t before = buf_len(&c->out);
        states[stage].send(c);
        BUG_ON(c->out.failed);
        c->out_bytes += buf_len(&c->out) - before;
        owe_replies(c, stage);
        stage = follower(c, stage);
    } while (pipelining && states[stage].pipelined);
}

static void die(struct smtp_client *c)
{
    c->n_owed = 0;
    c->ask = SMTP_CLIENT_WAIT;
    buf_release(&c->out);
    buf_release(&c->response);
    smtp_client_tell(c, SMTP_CLIENT_DEAD, 0, &c->end);
}

void smtp_dialogue_enter(struct smtp_client *c, enum smtp_stage stage)
{
    c->stage = stage;
    c->ask = states[stage].ask;
    bool in_login = stage >= SMTP_STAGE_AUTH && stage <= SMTP_STAGE_CANCEL;
    c->reply.line_max =
        in_login ? SMTP_DIALOGUE_CHALLENGE_MAX + sizeof "334 \r" : SMTP_REPLY_LINE_MAX;
    if (states[stage].send && c->n_owed == 0)
        send_group(c, stage);
    c->ready |= stage == SMTP_STAGE_IDLE;
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
    struct fault reconnect;
    fault_set(&reconnect, FAULT_SERVER, "4.4.2", SMTP_FAULT_RECONNECT,
              "the server closed a connection that had served before; the message goes out "
              "over a fresh one");
    if (c->stage == SMTP_STAGE_IDLE && c->n_transactions > 0)
        end_with(c, &(struct fault){.scope = FAULT_NONE});
    else if (c->stage == SMTP_STAGE_MAIL && c->n_transactions > 1)
        end_with(c, &reconnect);
    else
        end_with(c, f);
}

static void close_at_421(struct smtp_client *c)
{
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault f;
    if (c->stage == SMTP_STAGE_FINAL && c->conf.lmtp)
        facts.recipient = NULL; /* it is the answer to all that have none yet */
    smtp_fault_of_reply(&f, &facts, &c->reply);
    end_by_server(c, &f);
}

void smtp_dialogue_reply(struct smtp_client *c)
{
    const struct smtp_reply *r = &c->reply;
    bool in_content = smtp_dialogue_facts(c).stage == SMTP_STAGE_CONTENT;
    if (!c->reply_early) {
        c->answered = c->owed[c->owed_first];
        c->owed_first = (c->owed_first + 1) % SMTP_DIALOGUE_OWED_MAX;
        c->n_owed--;
        BUG_ON(c->answered.stage != c->stage);
    }
    if (r->code == 421)
        close_at_421(c);
    else if (!c->reply_early)
        smtp_dialogue_enter(c, states[c->stage].on_reply(c, r));
    else if (in_content)
        smtp_dialogue_enter(c, smtp_transaction_on_early_reply(c, r));
    else
        smtp_dialogue_garbage(c, NULL);
}

void smtp_dialogue_garbage(struct smtp_client *c, const char *why)
{
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault f;
    if (why)
        smtp_fault_of_garbage(&f, &facts, smtp_reply_pending(&c->reply), why);
    else
        smtp_fault_of_desync(&f, &facts, &c->reply, NULL);
    end_with(c, &f);
}

void smtp_dialogue_eof(struct smtp_client *c, const char *why)
{
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault f;
    uint64_t waiting = buf_len(&c->out);
    smtp_fault_of_eof(&f, &facts, why,
                      c->content_bytes > waiting ? c->content_bytes - waiting : 0,
                      c->transaction.body_bytes);
    end_by_server(c, &f);
}

void smtp_dialogue_timeout(struct smtp_client *c)
{
    struct smtp_facts facts = smtp_dialogue_facts(c);
    struct fault f;
    smtp_fault_of_timeout(&f, &facts, c->times_ms[states[c->stage].time],
                          c->reply_begun ? c->reply.n_bytes : 0);
    end_with(c, &f);
}
