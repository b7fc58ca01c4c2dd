/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_fault.h"

#include "mem.h"
#include "smtp_fault_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Append sentence with its names filled in. */
static void expand(struct buf *out, const char *sentence, const struct smtp_facts *facts,
                   const char *answer)
{
    const struct {
        struct str name;
        const char *value;
    } names[] = {{STR_LIT("{answer}"), answer},
                 {STR_LIT("{stage}"), facts->stage_name},
                 {STR_LIT("{ehlo}"), facts->ehlo_name},
                 {STR_LIT("{sender}"), facts->sender},
                 {STR_LIT("{recipient}"), facts->recipient}};
    struct str rest = str_of(sentence);
    while (rest.n > 0) {
        size_t i = 0, n = sizeof names / sizeof names[0];
        while (i < n && !str_eq(str_head(rest, names[i].name.n), names[i].name))
            i++;
        if (i < n)
            buf_puts(out, names[i].value ? names[i].value : "");
        else
            buf_put(out, rest.p, 1);
        rest = str_tail(rest, i < n ? names[i].name.n : 1);
    }
}

static void keep_words(struct fault *f, const struct smtp_reply *r)
{
    struct buf words;
    buf_init(&words, SMTP_REPLY_MAX * 2);
    smtp_reply_words(r, &words);
    fault_reply(f, buf_str(&words));
    buf_release(&words);
}

void smtp_fault_none(struct fault *f, const struct smtp_reply *r)
{
    *f = (struct fault){.scope = FAULT_NONE};
    snprintf(f->status, sizeof f->status, "%s", r->status[0] ? r->status : "2.0.0");
    keep_words(f, r);
}

/* "550 5.7.60" */
static void answer_of(char *answer, size_t size, const struct smtp_reply *r)
{
    snprintf(answer, size, "%u%s%s", r->code, r->status[0] ? " " : "", r->status);
}

static void status_of(char *status, size_t size, const char *model, const struct smtp_reply *r)
{
    bool own = model[0] == 'x' && r->status[0];
    snprintf(status, size, "%s", own ? r->status : model);
    if (status[0] == 'x')
        status[0] = (char)('0' + r->code / 100);
}

void smtp_fault_of_reply(struct fault *f, const struct smtp_facts *facts,
                         const struct smtp_reply *r)
{
    const struct smtp_fault_rule *rule = smtp_fault_rule_of(facts, r);
    BUG_ON(!rule);
    char status[FAULT_STATUS_MAX], answer[8 + SMTP_REPLY_STATUS_MAX];
    status_of(status, sizeof status, rule->status, r);
    answer_of(answer, sizeof answer, r);
    struct buf text, fix;
    buf_init(&text, 4 * FAULT_TEXT_MAX);
    buf_init(&fix, 4 * FAULT_TEXT_MAX);
    expand(&text, rule->text, facts, answer);
    expand(&fix, rule->fix, facts, answer);
    enum fault_scope scope = rule->scope;
    if (scope == FAULT_MESSAGE && facts->recipient)
        scope = FAULT_RECIPIENT;
    fault_set(f, scope, status, rule->code, "%.*s", STR_FMT(buf_str(&text)));
    fault_fix(f, "%.*s", STR_FMT(buf_str(&fix)));
    keep_words(f, r);
    buf_release(&text);
    buf_release(&fix);
}

void smtp_fault_make_ambiguous(struct fault *f)
{
    struct fault plain = *f;
    if (f->ambiguous)
        return;
    fault_set(f, FAULT_MESSAGE, "4.4.2", plain.code,
              "%s; all of the message had been sent, so it may arrive twice", plain.text);
    memcpy(f->reply, plain.reply, sizeof f->reply);
    f->ambiguous = true;
}

/* After the dot nobody knows whether the message was taken. */
static void set_by_stage(struct fault *f, const struct smtp_facts *facts,
                         enum fault_scope scope, const char *code, const char *text)
{
    fault_set(f, scope, "4.4.2", code, "%s", text);
    if (facts->stage == SMTP_STAGE_FINAL)
        smtp_fault_make_ambiguous(f);
}

/* While content goes out, what stops it may lie in the message; it is charged (S-087). */
static enum fault_scope scope_of_loss(const struct smtp_facts *facts)
{
    return facts->stage == SMTP_STAGE_CONTENT ? FAULT_MESSAGE : FAULT_SERVER;
}

void smtp_fault_of_desync(struct fault *f, const struct smtp_facts *facts,
                          const struct smtp_reply *r, const char *expected)
{
    char text[FAULT_TEXT_MAX];
    if (facts->stage == SMTP_STAGE_EHLO && r->code == 220)
        snprintf(text, sizeof text,
                 "a second greeting came where the answer to %s was expected",
                 facts->stage_name);
    else if (expected)
        snprintf(text, sizeof text, "expected %s at %s, but %u came", expected,
                 facts->stage_name, r->code);
    else
        snprintf(text, sizeof text, "a reply (%u) came at %s that nothing had asked for",
                 r->code, facts->stage_name);
    set_by_stage(f, facts, FAULT_SERVER, "PROTO-DESYNC", text);
    keep_words(f, r);
}

static const struct protocol {
    struct str first;
    const char *code;
    const char *text;
    const char *fix;
} protocols[] = {
    {STR_LIT("\x15"), "MODE-TLSBYTES",
     "the server speaks TLS from the first byte, not STARTTLS", "set tls = \"implicit\""},
    {STR_LIT("\x16"), "MODE-TLSBYTES",
     "the server speaks TLS from the first byte, not STARTTLS", "set tls = \"implicit\""},
    {STR_LIT("HTTP/"), "MODE-HTTP",
     "a web server or captive portal answered, not a mail server", "check host and port"},
    {STR_LIT("<"), "MODE-HTTP", "a web server or captive portal answered, not a mail server",
     "check host and port"},
    {STR_LIT("SSH-"), "MODE-OTHERPROTO", "an SSH server answered, not a mail server",
     "check port: 587 or 465 is usual"},
    {STR_LIT("* OK"), "MODE-OTHERPROTO", "an IMAP server answered; it does not send mail",
     "check port: 587 or 465 is usual"},
    {STR_LIT("+OK"), "MODE-OTHERPROTO", "a POP3 server answered; it does not send mail",
     "check port: 587 or 465 is usual"},
    {STR_LIT("RFB "), "MODE-OTHERPROTO", "a VNC server answered, not a mail server",
     "check port: 587 or 465 is usual"},
};

static const struct protocol *protocol_of(const struct smtp_facts *facts, struct str bytes)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        if (facts->stage == SMTP_STAGE_GREETING &&
            str_eq(str_head(bytes, protocols[i].first.n), protocols[i].first))
            return &protocols[i];
    }
    return NULL;
}

void smtp_fault_of_garbage(struct fault *f, const struct smtp_facts *facts, struct str bytes,
                           const char *why)
{
    const struct protocol *other = protocol_of(facts, bytes);
    char text[FAULT_TEXT_MAX];
    snprintf(text, sizeof text, "%s at %s", why, facts->stage_name);
    if (other && strcmp(other->code, "MODE-HTTP") == 0)
        fault_set(f, FAULT_SERVER, "4.5.0", other->code, "%s", other->text);
    else if (other)
        fault_set(f, FAULT_ACCOUNT, "5.5.0", other->code, "%s", other->text);
    else
        set_by_stage(f, facts, FAULT_SERVER, "PROTO-GARBAGE", text);
    fault_fix(f, "%s", other ? other->fix : "");
    fault_reply(f, str_head(bytes, 64));
}

void smtp_fault_of_eof(struct fault *f, const struct smtp_facts *facts, const char *why,
                       uint64_t sent_bytes, uint64_t total_bytes)
{
    char text[FAULT_TEXT_MAX];
    const char *code = "LOST-STAGE";
    snprintf(text, sizeof text, "the connection ended at %s", facts->stage_name);
    if (facts->stage == SMTP_STAGE_GREETING) {
        code = "TCP-RST-EARLY";
        snprintf(text, sizeof text,
                 "the server closed the connection before greeting; it may be refusing this "
                 "address");
    } else if (facts->stage == SMTP_STAGE_HANDSHAKE) {
        code = "TLS-CLOSED";
        snprintf(text, sizeof text, "the connection was closed during the start of TLS");
    } else if (facts->stage == SMTP_STAGE_CONTENT) {
        code = "LOST-MIDDATA";
        snprintf(text, sizeof text,
                 "the connection ended after %" PRIu64 " of %" PRIu64 " octets of the message",
                 sent_bytes, total_bytes);
    } else if (facts->stage == SMTP_STAGE_FINAL) {
        code = "LOST-AFTERDOT";
    }
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, "%s%s%s", why ? " (" : "", why ? why : "",
             why ? ")" : "");
    set_by_stage(f, facts, scope_of_loss(facts), code, text);
}

void smtp_fault_of_timeout(struct fault *f, const struct smtp_facts *facts, int64_t timeout_ms,
                           size_t reply_bytes)
{
    int64_t seconds = timeout_ms / 1000;
    char text[FAULT_TEXT_MAX];
    if (facts->stage == SMTP_STAGE_GREETING && facts->expects_starttls && reply_bytes == 0) {
        fault_set(f, FAULT_SERVER, "4.4.2", "MODE-SILENT",
                  "no greeting in %" PRId64
                  " s; a server that expects TLS from the first byte waits like this",
                  seconds);
        fault_fix(f, "if it is one, which tranterctl diagnose finds out, set tls = "
                     "\"implicit\", or port = 587");
        return;
    }
    if (facts->stage == SMTP_STAGE_HANDSHAKE) {
        fault_set(f, FAULT_SERVER, "4.4.2", "TLS-TIMEOUT",
                  "TLS was not up after %" PRId64 " s; a server that speaks plain text first "
                  "waits like this",
                  seconds);
        fault_fix(f, "if it is one, which tranterctl diagnose finds out, set tls = "
                     "\"starttls\"");
        return;
    }
    if (facts->stage == SMTP_STAGE_CONTENT) {
        fault_set(f, scope_of_loss(facts), "4.4.2", "TCP-MTU",
                  "nothing of the message could be sent for %" PRId64
                  " s, though commands passed",
                  seconds);
        fault_fix(f, "if it stays so, look at the path MTU (VPN, PPPoE, a firewall that drops "
                     "ICMP): lower this machine's MTU, or clamp the MSS");
        return;
    }
    snprintf(text, sizeof text,
             "no whole reply at %s in %" PRId64 " s (%zu octets of one came)",
             facts->stage_name, seconds, reply_bytes);
    set_by_stage(f, facts, scope_of_loss(facts), "TIMEOUT-STAGE", text);
}

void smtp_fault_of_reconnect(struct fault *f)
{
    fault_set(f, FAULT_SERVER, "4.4.2", SMTP_FAULT_RECONNECT,
              "the connection ended before the server took up this message; it goes out over a "
              "fresh one");
}

void smtp_fault_of_chunking(struct fault *f, const struct smtp_reply *r)
{
    fault_set(f, FAULT_SERVER, "4.5.1", SMTP_FAULT_CHUNKING,
              "the server offers CHUNKING, but refuses BDAT (%u); the message goes out with "
              "DATA over a fresh connection",
              r->code);
    keep_words(f, r);
}

void smtp_fault_of_split(struct fault *f, const struct smtp_reply *r)
{
    fault_set(f, FAULT_RECIPIENT, "4.5.3", SMTP_FAULT_RCPT_SPLIT,
              "too many recipients for one transaction (%u); it goes out with the next",
              r->code);
    keep_words(f, r);
}
