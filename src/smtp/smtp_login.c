/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base64.h"
#include "mem.h"
#include "smtp_dialogue.h"

void smtp_login_send_auth(struct smtp_client *c)
{
    BUG_ON(c->conf.tls != SMTP_CLIENT_TLS_NONE && !c->secured);
    buf_printf(&c->out, "AUTH %s", c->mechanism);
    if (c->has_response && !c->deferred) {
        buf_puts(&c->out, buf_len(&c->response) ? " " : " =");
        base64_encode(&c->out, buf_str(&c->response));
        buf_release(&c->response);
    }
    buf_puts(&c->out, "\r\n");
}

void smtp_login_send_response(struct smtp_client *c)
{
    base64_encode(&c->out, buf_str(&c->response));
    buf_puts(&c->out, "\r\n");
    buf_release(&c->response);
}

static enum smtp_stage break_off(struct smtp_client *c, const struct smtp_reply *r,
                                 const char *what)
{
    fault_set(&c->end, FAULT_SERVER, "4.7.0", "AUTH-BADSERVER",
              "the server breaks the login protocol: %s", what);
    fault_fix(&c->end, "leave %s out of auth to try another mechanism", c->mechanism);
    if (r->code != 334)
        fault_reply(&c->end, buf_str(&r->text));
    return SMTP_STAGE_CANCEL;
}

static enum smtp_stage on_challenge(struct smtp_client *c, const struct smtp_reply *r)
{
    struct str text = buf_str(&r->text);
    if (r->n_lines > 1)
        return break_off(c, r, "a challenge of several lines");
    if (++c->rounds > SMTP_DIALOGUE_ROUNDS_MAX)
        return break_off(c, r, "more than 10 challenges");
    if (str_eq(text, STR_LIT("=")))
        text = STR_LIT("");
    if (c->deferred && text.n > 0)
        return break_off(c, r, "a challenge where our first response was due");
    if (c->deferred) {
        c->deferred = false;
        return SMTP_STAGE_RESPONSE;
    }
    buf_clear(&c->challenge);
    if (text.n > SMTP_DIALOGUE_CHALLENGE_MAX || !base64_decode(&c->challenge, text))
        return break_off(c, r, "a challenge that is not base64");
    return SMTP_STAGE_CHALLENGE;
}

static bool contains_nocase(struct str text, struct str word)
{
    while (text.n >= word.n && !str_starts_nocase(text, word))
        text = str_tail(text, 1);
    return text.n >= word.n;
}

/* The server offers the mechanism, and does not have it (S-055). 534 is for a mechanism that is
 * too weak, and providers use it for much else. */
static bool is_unavailable(const struct smtp_reply *r)
{
    return r->code == 500 || r->code == 502 || r->code == 504 ||
           (r->code == 534 && contains_nocase(buf_str(&r->text), STR_LIT("mechanism")));
}

static bool offers(const struct smtp_client *c, struct str mechanism)
{
    struct str rest = str_of(c->caps.auth), word;
    while ((word = str_word(&rest, " ")).n)
        if (str_eq_nocase(word, mechanism))
            return true;
    return false;
}

/* A server that keeps nothing but hashes of another kind for this user cannot even ask him for
 * a proof: it refuses SCRAM's first message, with 432 where a plain login would make it what it
 * needs (A-004, RFC 4954 section 6). A wrong password is refused later. */
static bool has_no_verifier(const struct smtp_client *c, const struct smtp_reply *r)
{
    bool refused = r->code == 535 || r->code == 454 || r->code == 432;
    return refused && c->conf.tls_verified && c->secured && !c->descended &&
           str_starts_nocase(str_of(c->mechanism), STR_LIT("SCRAM-")) &&
           (offers(c, STR_LIT("PLAIN")) || offers(c, STR_LIT("LOGIN")));
}

/* Once, and what was refused counts if nothing else can be tried. */
static enum smtp_stage descend(struct smtp_client *c, const struct smtp_reply *r)
{
    static const struct str scram[] = {STR_LIT("SCRAM-SHA-256-PLUS"),
                                       STR_LIT("SCRAM-SHA-1-PLUS"), STR_LIT("SCRAM-SHA-256"),
                                       STR_LIT("SCRAM-SHA-1")};
    for (size_t i = 0; i < sizeof scram / sizeof scram[0]; i++)
        smtp_caps_drop_auth(&c->caps, scram[i]);
    smtp_dialogue_leave(c, r);
    c->descended = true;
    return SMTP_STAGE_CHOOSE;
}

static enum smtp_stage try_another(struct smtp_client *c, const struct smtp_reply *r)
{
    smtp_caps_drop_auth(&c->caps, str_of(c->mechanism));
    if (c->caps.auth[0])
        return SMTP_STAGE_CHOOSE;
    smtp_dialogue_leave(c, r);
    fault_set(&c->end, FAULT_ACCOUNT, "5.7.0", "AUTH-NOMECH",
              "the server takes none of the mechanisms it offers; the last was %s (%u instead "
              "of 235)",
              c->mechanism, r->code);
    fault_fix(&c->end, "ask the server's administrator, or check port");
    return SMTP_STAGE_QUIT;
}

enum smtp_stage smtp_login_on_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    /* All that was secret has gone out; its memory is wiped here. */
    if (buf_len(&c->out) == 0)
        buf_release(&c->out);
    if (r->code == 334)
        return on_challenge(c, r);
    if (r->code == 235 && !c->deferred) {
        c->authenticated = true;
        return SMTP_STAGE_IDLE;
    }
    if (smtp_dialogue_is_positive(r))
        return smtp_dialogue_lose_step(c, r, c->deferred ? "334" : "235 or 334");
    buf_release(&c->response);
    if (c->stage == SMTP_STAGE_AUTH && has_no_verifier(c, r))
        return descend(c, r);
    return c->stage == SMTP_STAGE_AUTH && is_unavailable(r) ? try_another(c, r)
                                                            : smtp_dialogue_leave(c, r);
}

void smtp_login_send_cancel(struct smtp_client *c)
{
    buf_puts(&c->out, "*\r\n");
}

enum smtp_stage smtp_login_on_cancel_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    (void)c;
    (void)r;
    return SMTP_STAGE_QUIT;
}
