/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake.h"

enum field_kind {
    FIELD_OTHER,
    FIELD_RECIPIENTS,
    FIELD_FROM,
    FIELD_RECEIVED
};

void intake_init(struct intake *in, bool dot_ends)
{
    *in = (struct intake){.state = INTAKE_HEADER};
    buf_init(&in->out, INTAKE_OUT_MAX);
    header_init(&in->header, INTAKE_HEADER_MAX);
    canon_init(&in->canon, dot_ends);
    in->canon.header = true;
    recipients_init(&in->to);
    recipients_init(&in->resent);
}

void intake_release(struct intake *in)
{
    buf_release(&in->out);
    header_release(&in->header);
    recipients_release(&in->to);
    recipients_release(&in->resent);
}

static enum field_kind kind_of(struct str name)
{
    static const struct {
        const char *name;
        enum field_kind kind;
    } kinds[] = {
        {"To", FIELD_RECIPIENTS}, {"Cc", FIELD_RECIPIENTS},     {"Bcc", FIELD_RECIPIENTS},
        {"From", FIELD_FROM},     {"Received", FIELD_RECEIVED},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (str_eq_nocase(name, str_of(kinds[i].name)))
            return kinds[i].kind;
    }
    return FIELD_OTHER;
}

/* Each resend puts its block of fields before what was there, and relays put Received between
 * them (RFC 5322 3.6.6): the first block is the resend at hand. */
static void note_resent(struct intake *in, enum field_kind kind, struct str value)
{
    in->has_resent = true;
    if (in->resent_over)
        return;
    if (kind == FIELD_FROM)
        in->has_resent_from = true;
    if (kind == FIELD_RECIPIENTS) {
        in->resent_named = true;
        recipients_add_list(&in->resent, value);
    }
}

static void note_field(struct intake *in, struct str name, struct str value)
{
    struct str prefix = STR_LIT("Resent-");
    if (str_starts_nocase(name, prefix)) {
        note_resent(in, kind_of(str_tail(name, prefix.n)), value);
        return;
    }
    enum field_kind kind = kind_of(name);
    if (kind == FIELD_FROM)
        in->has_from = true;
    if (kind == FIELD_RECIPIENTS)
        recipients_add_list(&in->to, value);
    if (kind == FIELD_RECEIVED && in->has_resent)
        in->resent_over = true;
}

/* The value is read from the wire form, where no CR stands alone any more. */
static void take_field(struct intake *in, const struct header_event *e)
{
    size_t before = buf_len(&in->out);
    canon_feed(&in->canon, &in->out, e->field.p, e->field.n);
    canon_feed(&in->canon, &in->out, "\n", 1);
    struct str wire = str_tail(buf_str(&in->out), before);
    note_field(in, e->name, str_tail(wire, str_find(wire, ':') + 1));
}

static void take_body(struct intake *in, const char *bytes, size_t n)
{
    in->n_ignored += n - canon_feed(&in->canon, &in->out, bytes, n);
    if (in->canon.ended)
        in->state = INTAKE_END;
}

static void begin_body(struct intake *in)
{
    in->canon.header = false;
    in->state = INTAKE_BODY;
    buf_puts(&in->out, "\r\n");
    struct str rest = header_rest(&in->header);
    take_body(in, rest.p, rest.n);
}

static void read_header(struct intake *in)
{
    struct header_event e;
    for (;;) {
        switch (header_next(&in->header, &e)) {
        case HEADER_FIELD:
            take_field(in, &e);
            break;
        case HEADER_END:
        case HEADER_BODY:
            begin_body(in);
            return;
        case HEADER_LARGE:
            in->state = INTAKE_LARGE;
            return;
        case HEADER_MORE:
            return;
        }
    }
}

static void take(struct intake *in, struct str s)
{
    if (in->state == INTAKE_HEADER) {
        header_feed(&in->header, s.p, s.n);
        read_header(in);
    } else if (in->state == INTAKE_BODY) {
        take_body(in, s.p, s.n);
    } else if (in->state == INTAKE_END) {
        in->n_ignored += s.n;
    }
}

/* NULs are left out, whatever stands around them (compat D14). */
enum intake_state intake_feed(struct intake *in, const char *bytes, size_t n)
{
    struct str rest = {bytes, n};
    while (rest.n) {
        struct str piece = str_head(rest, str_find(rest, '\0'));
        take(in, piece);
        in->n_nul += piece.n < rest.n;
        rest = str_tail(rest, piece.n + 1);
    }
    return in->state;
}

enum intake_state intake_eof(struct intake *in)
{
    if (in->state == INTAKE_HEADER) {
        header_eof(&in->header);
        read_header(in);
    }
    if (in->state == INTAKE_BODY) {
        canon_end(&in->canon, &in->out);
        in->state = INTAKE_END;
    }
    return in->state;
}

const struct recipients *intake_recipients(const struct intake *in)
{
    return in->resent_named ? &in->resent : &in->to;
}
