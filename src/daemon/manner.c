/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manner.h"

#include "log.h"
#include "smtp_client.h"
#include "smtp_fault.h"

#include <limits.h>

void manner_init(struct manner *m, unsigned pipeline)
{
    *m = (struct manner){
        .pipeline = pipeline, .chunking = pipeline > 1, .messages_max = UINT_MAX};
}

static bool has_code(const struct fault *fault, const char *code)
{
    return str_eq(str_of(fault->code), str_of(code));
}

void manner_learn(struct manner *m, const char *smarthost, const struct fault *fault)
{
    bool confused = has_code(fault, "PROTO-DESYNC") || has_code(fault, "PROTO-GARBAGE");
    if (has_code(fault, SMTP_FAULT_CHUNKING) && m->chunking) {
        m->chunking = false;
        log_say(LOG_LEVEL_NOTICE, NULL,
                "smarthost \"%s\" is sent mail with DATA from now on: %s", smarthost,
                fault->text);
    }
    if (confused && m->pipeline > 1) {
        manner_init(m, 1);
        log_say(LOG_LEVEL_NOTICE, NULL,
                "smarthost \"%s\" is sent one command after another from now on, as with "
                "pipeline = 1: %s",
                smarthost, fault->text);
    }
}

void manner_lost(struct manner *m, const char *smarthost, unsigned messages)
{
    if (messages == m->ended_after && messages < m->messages_max) {
        m->messages_max = messages;
        log_say(
            LOG_LEVEL_NOTICE, NULL,
            "smarthost \"%s\" ends connections after %u messages without a word (421); from "
            "now on they have no more, as with messages-per-connection = %u",
            smarthost, messages, messages);
    }
    m->ended_after = messages;
}

void manner_note(struct manner *m, const char *smarthost, unsigned oddities)
{
    static const struct {
        enum smtp_client_oddity oddity;
        const char *text;
    } texts[] = {
        {SMTP_CLIENT_BARE_LF, "ends lines with LF alone"},
        {SMTP_CLIENT_MIXED_CODES, "has different codes in one reply; the last counts"},
        {SMTP_CLIENT_NOT_354, "answers DATA with another code than 354"},
    };
    unsigned news = oddities & ~m->oddities;
    m->oddities |= news;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (news & texts[i].oddity)
            log_say(LOG_LEVEL_INFO, NULL, "smarthost \"%s\" %s; this is put up with", smarthost,
                    texts[i].text);
    }
}
