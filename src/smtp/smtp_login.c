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
    bool unknown = r->code == 500 || r->code == 502 || r->code == 504;
    return unknown && c->stage == SMTP_STAGE_AUTH ? try_another(c, r)
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
