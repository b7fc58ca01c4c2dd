/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_session.h"

#include "mem.h"
#include "printable.h"

#include <stdio.h>

void smtp_session_reply(struct smtp_server *s, unsigned code, const char *status,
                        const char *text)
{
    char line[SMTP_SESSION_TEXT_MAX];
    printable_cut(line, sizeof(line), str_of(text));
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c > '~')
            *c = '?';
    }
    buf_printf(&s->out, "%u %s %s\r\n", code, status, line);
    BUG_ON(s->out.failed);
}

void smtp_session_say(struct smtp_server *s, unsigned code, const char *status, const char *fmt,
                      ...)
{
    char text[SMTP_SESSION_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    smtp_session_reply(s, code, status, text);
}

void smtp_session_ask(struct smtp_server *s, enum smtp_server_event_type question)
{
    s->event.type = question;
    s->asked = question;
}

void smtp_session_drop(struct smtp_server *s)
{
    s->abort_due = s->abort_due || s->envelope == SMTP_SESSION_OPEN;
    s->envelope = SMTP_SESSION_NO_SENDER;
    s->recipients = 0;
    s->invalid_recipients = 0;
    s->refused_recipients = 0;
}

void smtp_session_leave(struct smtp_server *s)
{
    smtp_session_drop(s);
    s->mode = SMTP_SESSION_ENDED;
    s->close_due = true;
}

bool smtp_session_charge(struct smtp_server *s)
{
    if (++s->errors < SMTP_SERVER_ERRORS_MAX)
        return false;
    smtp_session_say(s, 421, "4.7.0",
                     "%s closes after %d bad commands: look at what program sends them",
                     s->conf.hostname, SMTP_SERVER_ERRORS_MAX);
    smtp_session_leave(s);
    return true;
}

bool smtp_session_charge_spare(struct smtp_server *s)
{
    return ++s->spare > SMTP_SERVER_SPARE_MAX && smtp_session_charge(s);
}

void smtp_session_refuse(struct smtp_server *s, const struct smtp_refusal *why)
{
    if (!smtp_session_charge(s))
        smtp_session_reply(s, why->code, why->status, why->err.text);
}

void smtp_session_refuse_spare(struct smtp_server *s, const struct smtp_refusal *why)
{
    if (!smtp_session_charge_spare(s))
        smtp_session_reply(s, why->code, why->status, why->err.text);
}

void smtp_session_expect_no_content(struct smtp_server *s)
{
    if (s->mode == SMTP_SESSION_ENDED)
        return;
    s->content_refused = true;
    if (buf_len(&s->in) > 0)
        smtp_session_close_on_content(s);
}

void smtp_session_close_on_content(struct smtp_server *s)
{
    smtp_session_say(s, 421, "4.5.0",
                     "%s closes: octets came behind a DATA or BDAT that was refused; wait for "
                     "the 354 before sending content",
                     s->conf.hostname);
    smtp_session_leave(s);
}

void smtp_session_close_to_stop(struct smtp_server *s)
{
    smtp_session_say(s, 421, "4.3.2",
                     "%s closes because it is stopping: send again what got no 250",
                     s->conf.hostname);
    smtp_session_leave(s);
}
