/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the greeting to what was agreed; and the goodbye. */
#include "smtp_dialogue.h"

void smtp_hello_say_nothing(struct smtp_client *c)
{
    (void)c;
}

enum smtp_stage smtp_hello_on_greeting(struct smtp_client *c, const struct smtp_reply *r)
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

void smtp_hello_send_ehlo(struct smtp_client *c)
{
    buf_printf(&c->out, "%s %s\r\n", c->conf.lmtp ? "LHLO" : "EHLO",
               c->literal ? c->conf.ehlo_literal : c->conf.ehlo_name);
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

/* An address in its place tells whether the name alone was at fault (S-009). */
static bool is_about_our_name(const struct smtp_reply *r)
{
    return r->code == 501 || r->code == 550 || r->code == 553;
}

enum smtp_stage smtp_hello_on_ehlo_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code == 250) {
        read_caps(c, r);
        return after_ehlo(c);
    }
    if (smtp_dialogue_is_positive(r))
        return smtp_dialogue_lose_step(c, r, "250");
    if (is_about_our_name(r) && !c->literal && c->conf.ehlo_literal) {
        c->literal = true;
        return SMTP_STAGE_EHLO;
    }
    /* HELO offers neither TLS nor login (S-008). */
    bool helo_will_do = c->conf.tls == SMTP_CLIENT_TLS_NONE && !c->conf.login && !c->conf.lmtp;
    return helo_will_do ? SMTP_STAGE_HELO : smtp_dialogue_leave(c, r);
}

void smtp_hello_send_helo(struct smtp_client *c)
{
    buf_printf(&c->out, "HELO %s\r\n", c->literal ? c->conf.ehlo_literal : c->conf.ehlo_name);
}

enum smtp_stage smtp_hello_on_helo_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code == 250)
        return SMTP_STAGE_IDLE;
    return smtp_dialogue_is_positive(r) ? smtp_dialogue_lose_step(c, r, "250")
                                        : smtp_dialogue_leave(c, r);
}

void smtp_hello_send_starttls(struct smtp_client *c)
{
    buf_puts(&c->out, "STARTTLS\r\n");
}

enum smtp_stage smtp_hello_on_starttls_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code == 220) {
        c->auth_in_clear = smtp_caps_has(&c->caps, SMTP_CAP_AUTH);
        return SMTP_STAGE_HANDSHAKE;
    }
    return smtp_dialogue_is_positive(r) ? smtp_dialogue_lose_step(c, r, "220")
                                        : smtp_dialogue_leave(c, r);
}

void smtp_hello_send_quit(struct smtp_client *c)
{
    buf_puts(&c->out, "QUIT\r\n");
}

enum smtp_stage smtp_hello_on_quit_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    (void)c;
    (void)r;
    return SMTP_STAGE_DEAD;
}
