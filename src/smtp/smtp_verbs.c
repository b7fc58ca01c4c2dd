/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each verb does, as a row of one table: a function, or a fixed answer. */
#include "smtp_session.h"

#include <inttypes.h>

static void keep_peer_name(struct smtp_server *s, struct str name)
{
    static const struct str marks = STR_LIT(".-:[]_");
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < SMTP_SERVER_PEER_NAME_MAX; i++) {
        char c = name.p[i];
        if (str_is_alpha(c) || str_is_digit(c) || str_find(marks, c) < marks.n)
            s->peer_name[n++] = c;
    }
    s->peer_name[n] = '\0';
}

static unsigned offers_of(const struct smtp_server *s)
{
    return s->conf.network || s->protocol == SMTP_SESSION_SMTP ? 0 : SMTP_OFFER_XTRANTER;
}

static unsigned mail_offers_of(const struct smtp_server *s)
{
    return offers_of(s) | (s->conf.network ? 0 : SMTP_OFFER_REQUIRETLS);
}

static unsigned rcpt_offers_of(const struct smtp_server *s)
{
    return offers_of(s) | (s->utf8 ? SMTP_OFFER_UTF8 : 0);
}

/* RFC 2034: the answer to a greeting has no status code. */
static void answer_greeting(struct smtp_server *s)
{
    if (s->protocol == SMTP_SESSION_SMTP) {
        buf_printf(&s->out, "250 %s\r\n", s->conf.hostname);
        return;
    }
    buf_printf(&s->out,
               "250-%s\r\n250-PIPELINING\r\n250-SIZE %" PRIu64 "\r\n250-8BITMIME\r\n"
               "250-SMTPUTF8\r\n250-DSN\r\n",
               s->conf.hostname, s->conf.message_limit_bytes);
    if (offers_of(s) & SMTP_OFFER_XTRANTER)
        buf_printf(&s->out, "250-XTRANTER RCPTMAX=%u\r\n", s->conf.recipient_limit);
    buf_puts(&s->out, "250 ENHANCEDSTATUSCODES\r\n");
}

static void obey_greeting(struct smtp_server *s, const struct smtp_command *c,
                          enum smtp_session_protocol protocol)
{
    static const struct smtp_refusal mixed = {
        503,
        "5.5.1",
        {"LMTP (LHLO) and SMTP (EHLO, HELO) do not mix in one session: connect again for the "
         "other"}};
    static const struct smtp_refusal nameless = {
        501, "5.5.4", {"The name of your host is missing: write EHLO host.example.com"}};
    bool lmtp = protocol == SMTP_SESSION_LMTP;
    if (s->protocol && lmtp != (s->protocol == SMTP_SESSION_LMTP)) {
        smtp_session_refuse(s, &mixed);
    } else if (c->argument.n == 0) {
        smtp_session_refuse(s, &nameless);
    } else {
        smtp_session_drop(s);
        s->protocol = protocol;
        keep_peer_name(s, c->argument);
        answer_greeting(s);
    }
}

static void obey_ehlo(struct smtp_server *s, const struct smtp_command *c)
{
    obey_greeting(s, c, SMTP_SESSION_ESMTP);
}

static void obey_helo(struct smtp_server *s, const struct smtp_command *c)
{
    obey_greeting(s, c, SMTP_SESSION_SMTP);
}

static void obey_lhlo(struct smtp_server *s, const struct smtp_command *c)
{
    obey_greeting(s, c, SMTP_SESSION_LMTP);
}

static void refuse_size(struct smtp_server *s, uint64_t size_bytes)
{
    s->envelope = SMTP_SESSION_SENDER_REFUSED;
    if (smtp_session_charge_spare(s))
        return;
    smtp_session_say(s, 552, "5.3.4",
                     "The message is announced with %" PRIu64
                     " octets, and the limit (message-size-limit) is %" PRIu64
                     ": send less, or have the limit raised",
                     size_bytes, s->conf.message_limit_bytes);
}

static void obey_mail(struct smtp_server *s, const struct smtp_command *c)
{
    static const struct smtp_refusal twice = {
        503, "5.5.1", {"The sender was given already: go on with RCPT, or begin with RSET"}};
    if (s->envelope == SMTP_SESSION_OPEN) {
        smtp_session_refuse(s, &twice);
        return;
    }
    struct smtp_mail mail;
    struct smtp_refusal why;
    if (!smtp_command_mail(&mail, c->argument, mail_offers_of(s), &why)) {
        s->envelope = SMTP_SESSION_SENDER_REFUSED;
        smtp_session_refuse(s, &why);
        return;
    }
    if (s->conf.message_limit_bytes && mail.size_bytes > s->conf.message_limit_bytes) {
        refuse_size(s, mail.size_bytes);
        return;
    }
    s->event.mail = mail;
    s->utf8 = mail.utf8;
    smtp_session_ask(s, SMTP_SERVER_MAIL);
}

/* RCPT or DATA without a sender. Behind a MAIL that was refused it was pipelined in good
 * faith. */
static void refuse_without_sender(struct smtp_server *s)
{
    static const struct smtp_refusal too_early = {
        503, "5.5.1", {"There is no sender yet: send MAIL FROM:<user@example.com> first"}};
    static const struct smtp_refusal refused = {
        503, "5.5.1", {"The sender was refused: send MAIL with another one first"}};
    if (s->envelope == SMTP_SESSION_SENDER_REFUSED)
        smtp_session_refuse_spare(s, &refused);
    else
        smtp_session_refuse(s, &too_early);
}

static void refuse_recipient(struct smtp_server *s)
{
    s->refused_recipients++;
    if (!smtp_session_charge_spare(s))
        smtp_session_say(s, 452, "4.5.3",
                         "The message has %u recipients, which is the limit (recipient-limit): "
                         "send it to the rest separately",
                         s->recipients);
}

static void obey_rcpt(struct smtp_server *s, const struct smtp_command *c)
{
    struct smtp_rcpt rcpt;
    struct smtp_refusal why;
    if (s->envelope != SMTP_SESSION_OPEN) {
        refuse_without_sender(s);
    } else if (s->recipients == s->conf.recipient_limit) {
        refuse_recipient(s);
    } else if (!smtp_command_rcpt(&rcpt, c->argument, rcpt_offers_of(s), &why)) {
        /* A list may have many bad addresses; its good ones are not to suffer. */
        s->refused_recipients++;
        smtp_session_refuse_spare(s, &why);
    } else {
        s->event.rcpt = rcpt;
        s->asks_invalid = rcpt.invalid.n > 0;
        smtp_session_ask(s, SMTP_SERVER_RCPT);
    }
}

static void obey_data(struct smtp_server *s, const struct smtp_command *c)
{
    static const struct smtp_refusal too_early = {
        503, "5.5.1", {"There is no recipient yet: send RCPT TO:<user@example.com> first"}};
    static const struct smtp_refusal all_refused = {
        503,
        "5.5.1",
        {"None of the recipients was accepted: send RCPT with another one first"}};
    static const struct smtp_refusal none_valid = {
        501, "5.1.3", {"None of the recipients is an address: nothing was queued"}};
    (void)c;
    if (s->recipients > s->invalid_recipients) {
        smtp_session_ask(s, SMTP_SERVER_DATA);
        return;
    }
    if (s->envelope != SMTP_SESSION_OPEN)
        refuse_without_sender(s);
    else if (s->invalid_recipients > 0)
        smtp_session_refuse_spare(s, &none_valid);
    else if (s->refused_recipients > 0)
        smtp_session_refuse_spare(s, &all_refused);
    else
        smtp_session_refuse(s, &too_early);
    smtp_session_expect_no_content(s);
}

static void obey_rset(struct smtp_server *s, const struct smtp_command *c)
{
    (void)c;
    smtp_session_drop(s);
    smtp_session_reply(s, 250, "2.0.0", "Ok");
}

static void obey_quit(struct smtp_server *s, const struct smtp_command *c)
{
    (void)c;
    smtp_session_say(s, 221, "2.0.0", "%s closes", s->conf.hostname);
    smtp_session_leave(s);
}

enum verb_flag {
    AFTER_GREETING = 1 << 0,
    NO_ARGUMENT = 1 << 1,
    SPARE = 1 << 2,          /* moves nothing */
    BEFORE_CONTENT = 1 << 3, /* content follows it, where it is obeyed */
    BAD = 1 << 4             /* counts as a bad command */
};

static const struct verb {
    unsigned flags; /* of enum verb_flag */
    void (*obey)(struct smtp_server *s, const struct smtp_command *c);
    struct smtp_refusal answer; /* where obey is NULL; its code may be good, too */
} verbs[SMTP_VERBS] = {
    [SMTP_VERB_EHLO] = {SPARE, obey_ehlo, {0}},
    [SMTP_VERB_HELO] = {SPARE, obey_helo, {0}},
    [SMTP_VERB_LHLO] = {SPARE, obey_lhlo, {0}},
    [SMTP_VERB_MAIL] = {AFTER_GREETING, obey_mail, {0}},
    [SMTP_VERB_RCPT] = {AFTER_GREETING, obey_rcpt, {0}},
    [SMTP_VERB_DATA] = {AFTER_GREETING | NO_ARGUMENT | BEFORE_CONTENT, obey_data, {0}},
    [SMTP_VERB_RSET] = {NO_ARGUMENT | SPARE, obey_rset, {0}},
    [SMTP_VERB_QUIT] = {0, obey_quit, {0}},
#define ANSWER(flags, code, status, text)                                                      \
    {                                                                                          \
        flags, NULL,                                                                           \
        {                                                                                      \
            code, status,                                                                      \
            {                                                                                  \
                text                                                                           \
            }                                                                                  \
        }                                                                                      \
    }
    [SMTP_VERB_NOOP] = ANSWER(SPARE, 250, "2.0.0", "Ok"),
    [SMTP_VERB_VRFY] =
        ANSWER(SPARE, 252, "2.0.0", "Addresses are not looked up: send the mail and see"),
    [SMTP_VERB_HELP] = ANSWER(
        SPARE, 214, "2.0.0",
        "EHLO LHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT; tranterd(8) tells more"),
    [SMTP_VERB_EXPN] =
        ANSWER(BAD, 502, "5.5.1", "EXPN is not offered here: tranterctl why shows aliases"),
    [SMTP_VERB_ETRN] =
        ANSWER(BAD, 502, "5.5.1", "ETRN is not offered here: tranterctl retry sends now"),
    [SMTP_VERB_AUTH] =
        ANSWER(BAD, 502, "5.5.1",
               "AUTH is not offered here: turn authentication off in the program that submits"),
    [SMTP_VERB_STARTTLS] =
        ANSWER(BAD, 502, "5.5.1",
               "STARTTLS is not offered here, as nothing leaves this host: turn TLS off in the "
               "program that submits"),
    [SMTP_VERB_BDAT] =
        ANSWER(BAD | BEFORE_CONTENT, 502, "5.5.1", "BDAT is not offered here: use DATA"),
    [SMTP_VERB_HTTP] =
        ANSWER(BAD, 500, "5.5.2", "This is HTTP, and mail is spoken here: check the address"),
    [SMTP_VERB_UNKNOWN] =
        ANSWER(BAD, 500, "5.5.2", "This command is unknown: HELP lists those that are known"),
#undef ANSWER
};

/* Does the command meet what its row asks for? If not, it is refused. */
static bool may_obey(struct smtp_server *s, const struct verb *verb,
                     const struct smtp_command *c)
{
    static const struct smtp_refusal no_greeting = {
        503, "5.5.1", {"Your greeting is missing: send EHLO host.example.com (or LHLO) first"}};
    static const struct smtp_refusal argument = {
        501, "5.5.4", {"This command takes no argument: send the word alone"}};
    if (verb->flags & SPARE && smtp_session_charge_spare(s))
        return false;
    if (verb->flags & AFTER_GREETING && !s->protocol)
        smtp_session_refuse(s, &no_greeting);
    else if (verb->flags & NO_ARGUMENT && c->argument.n > 0)
        smtp_session_refuse(s, &argument);
    else if (verb->flags & BAD)
        smtp_session_refuse(s, &verb->answer);
    else
        return true;
    if (verb->flags & BEFORE_CONTENT)
        smtp_session_expect_no_content(s);
    return false;
}

void smtp_verbs_obey(struct smtp_server *s, const struct smtp_command *c)
{
    const struct verb *verb = &verbs[c->verb];
    if (!may_obey(s, verb, c))
        return;
    if (verb->obey)
        verb->obey(s, c);
    else
        smtp_session_reply(s, verb->answer.code, verb->answer.status, verb->answer.err.text);
}
