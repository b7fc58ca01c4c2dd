/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixup.h"

#include "address.h"
#include "date.h"
#include "printable.h"

#include <stdio.h>
#include <string.h>

enum {
    FACT_MAX = 320 /* bytes of a fact in a field that we write: lines stay under 998 */
};

/* What may be missing. The Resent- forms are the same bits, shifted. */
enum {
    SEEN_DATE = 1,
    SEEN_MESSAGE_ID = 2,
    SEEN_FROM = 4,
    RESENT_SHIFT = 3,
    SEEN_RESENT = 1 << 6 /* any field of a resend */
};

enum treatment {
    KEEP,
    DROP,
    QUALIFY,
    COUNT
};

static const struct rule {
    const char *name;
    enum treatment treatment;
    unsigned seen;
} rules[] = {
    {"Bcc", DROP, 0},
    {"Cc", QUALIFY, 0},
    {"Content-Length", DROP, 0},
    {"Date", KEEP, SEEN_DATE},
    {"From", QUALIFY, SEEN_FROM},
    {"Message-ID", KEEP, SEEN_MESSAGE_ID},
    {"Received", COUNT, 0},
    {"Reply-To", QUALIFY, 0},
    {"Resent-Bcc", DROP, SEEN_RESENT},
    {"Resent-Cc", QUALIFY, SEEN_RESENT},
    {"Resent-Date", KEEP, SEEN_RESENT | SEEN_DATE << RESENT_SHIFT},
    {"Resent-From", QUALIFY, SEEN_RESENT | SEEN_FROM << RESENT_SHIFT},
    {"Resent-Message-ID", KEEP, SEEN_RESENT | SEEN_MESSAGE_ID << RESENT_SHIFT},
    {"Resent-Reply-To", QUALIFY, SEEN_RESENT},
    {"Resent-Sender", QUALIFY, SEEN_RESENT},
    {"Resent-To", QUALIFY, SEEN_RESENT},
    {"Return-Path", DROP, 0},
    {"Sender", QUALIFY, 0},
    {"To", QUALIFY, 0},
};

void fixup_init(struct fixup *f, const struct fixup_facts *facts)
{
    *f = (struct fixup){.facts = *facts, .last_byte = '\n'};
    header_init(&f->header, facts->header_limit_bytes);
}

void fixup_release(struct fixup *f)
{
    header_release(&f->header);
}

static void put_fact(struct buf *out, const char *fact)
{
    printable_put(out, str_of(fact), FACT_MAX);
}

static void put_date(const struct fixup *f, struct buf *out)
{
    char date[DATE_MAX];
    date_rfc5322(date, f->facts.now_ms / 1000, f->facts.zone_minutes);
    buf_puts(out, date);
}

static void put_received(const struct fixup *f, struct buf *out)
{
    buf_puts(out, "Received: from ");
    put_fact(out, f->facts.peer);
    buf_puts(out, "\r\n\tby ");
    put_fact(out, f->facts.hostname);
    buf_puts(out, " (tranter) with ");
    put_fact(out, f->facts.protocol);
    buf_puts(out, " id ");
    put_fact(out, f->facts.id);
    buf_puts(out, ";\r\n\t");
    put_date(f, out);
    buf_puts(out, "\r\n");
}

static const struct rule *rule_of(struct str name)
{
    static const struct rule keep = {"", KEEP, 0};
    static const struct rule keep_resent = {"Resent-", KEEP, SEEN_RESENT};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (str_eq_nocase(name, str_of(rules[i].name)))
            return &rules[i];
    }
    return str_starts_nocase(name, str_of(keep_resent.name)) ? &keep_resent : &keep;
}

static void note_message_id(struct fixup *f, unsigned seen, struct str value)
{
    bool resent = (seen & SEEN_RESENT) != 0;
    bool better = f->message_id[0] == '\0' || (!resent && (f->seen & SEEN_MESSAGE_ID) == 0);
    if ((seen & (SEEN_MESSAGE_ID | SEEN_MESSAGE_ID << RESENT_SHIFT)) && better)
        printable_cut(f->message_id, sizeof f->message_id, str_trim(value));
}

/* Is it what put_received() writes here? */
static bool is_own_received(const struct fixup *f, struct str value)
{
    struct buf own;
    buf_init(&own, FACT_MAX + 64);
    buf_puts(&own, "\tby ");
    put_fact(&own, f->facts.hostname);
    buf_puts(&own, " (tranter) with ");
    bool is_own = memmem(value.p, value.n, buf_str(&own).p, buf_len(&own)) != NULL;
    buf_release(&own);
    return is_own;
}

static bool is_one_hop_too_many(struct fixup *f, struct str value)
{
    f->received++;
    f->own_received += is_own_received(f, value);
    return f->received > FIXUP_RECEIVED_MAX || f->own_received > FIXUP_OWN_MAX;
}

static enum fixup_status pass_field(struct fixup *f, struct buf *out,
                                    const struct header_event *e)
{
    const struct rule *rule = rule_of(e->name);
    note_message_id(f, rule->seen, e->value);
    f->seen |= rule->seen;
    if (rule->treatment == DROP)
        return FIXUP_OK;
    if (rule->treatment == COUNT && is_one_hop_too_many(f, e->value))
        return FIXUP_LOOP;
    if (rule->treatment == QUALIFY && !f->facts.as_is) {
        buf_put(out, e->field.p, (size_t)(e->value.p - e->field.p));
        address_qualify_list(out, e->value, str_of(f->facts.domain));
    } else {
        buf_put_str(out, e->field);
    }
    buf_puts(out, "\r\n");
    return FIXUP_OK;
}

static void put_missing(struct fixup *f, struct buf *out)
{
    bool resent = (f->seen & SEEN_RESENT) != 0;
    const char *prefix = resent ? "Resent-" : "";
    unsigned seen = resent ? f->seen >> RESENT_SHIFT : f->seen;
    if (!(seen & SEEN_DATE)) {
        buf_printf(out, "%sDate: ", prefix);
        put_date(f, out);
        buf_puts(out, "\r\n");
    }
    if (!(seen & SEEN_MESSAGE_ID)) {
        char id[2 * FACT_MAX];
        snprintf(id, sizeof id, "<%s.%lld@%s>", f->facts.id, (long long)f->facts.now_ms,
                 f->facts.hostname);
        buf_printf(out, "%sMessage-ID: ", prefix);
        put_fact(out, id);
        buf_puts(out, "\r\n");
        note_message_id(f, SEEN_MESSAGE_ID, str_of(id));
    }
    if (!(seen & SEEN_FROM)) {
        buf_printf(out, "%sFrom: ", prefix);
        bool null_sender = f->facts.sender[0] == '\0';
        buf_puts(out, null_sender ? "MAILER-DAEMON@" : "");
        put_fact(out, null_sender ? f->facts.domain : f->facts.sender);
        buf_puts(out, "\r\n");
    }
}

static void pass_body(struct fixup *f, struct buf *out, struct str bytes)
{
    if (bytes.n == 0)
        return;
    buf_put_str(out, bytes);
    f->last_byte = bytes.p[bytes.n - 1];
}

static void begin_body(struct fixup *f, struct buf *out)
{
    if (!f->facts.as_is)
        put_missing(f, out);
    buf_puts(out, "\r\n");
    f->in_body = true;
    pass_body(f, out, header_rest(&f->header));
    header_release(&f->header);
}

/* Pass on what is whole of the header block. */
static enum fixup_status pass_header(struct fixup *f, struct buf *out)
{
    struct header_event e;
    for (;;) {
        switch (header_next(&f->header, &e)) {
        case HEADER_MORE:
            return FIXUP_OK;
        case HEADER_FIELD:
            if (pass_field(f, out, &e) != FIXUP_OK)
                return FIXUP_LOOP;
            break;
        case HEADER_END:
        case HEADER_BODY:
            begin_body(f, out);
            return FIXUP_OK;
        case HEADER_LARGE:
            return FIXUP_HEADER_LARGE;
        }
    }
}

/* What found no room would be missing in the middle of the message. */
static void mind_room(struct fixup *f, const struct buf *out)
{
    if (out->failed && f->status == FIXUP_OK)
        f->status = FIXUP_HEADER_LARGE;
}

static void begin(struct fixup *f, struct buf *out)
{
    if (!f->started)
        put_received(f, out);
    f->started = true;
}

static void watch(struct fixup *f, struct str stored)
{
    f->body_8bit = f->body_8bit || !str_is_ascii(stored);
    line_limit_watch(&f->lines, stored);
}

enum fixup_status fixup_feed(struct fixup *f, struct buf *out, const void *bytes, size_t n)
{
    size_t before = buf_len(out);
    if (f->status != FIXUP_OK)
        return f->status;
    begin(f, out);
    if (f->in_body) {
        pass_body(f, out, (struct str){bytes, n});
    } else {
        header_feed(&f->header, bytes, n);
        f->status = pass_header(f, out);
    }
    mind_room(f, out);
    watch(f, str_tail(buf_str(out), before));
    return f->status;
}

enum fixup_status fixup_end(struct fixup *f, struct buf *out)
{
    size_t before = buf_len(out);
    if (f->status != FIXUP_OK)
        return f->status;
    begin(f, out);
    if (!f->in_body) {
        header_eof(&f->header);
        f->status = pass_header(f, out);
    }
    if (f->status == FIXUP_OK && f->last_byte != '\n')
        buf_puts(out, f->last_byte == '\r' ? "\n" : "\r\n");
    mind_room(f, out);
    f->last_byte = '\n';
    watch(f, str_tail(buf_str(out), before));
    return f->status;
}
