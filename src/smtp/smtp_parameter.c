/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_parameter.h"

#include "xtext.h"

/* What a parameter is read into: mail or rcpt. offers are of enum smtp_offer. */
struct target {
    struct smtp_mail *mail;
    struct smtp_rcpt *rcpt;
    unsigned offers;
};

static bool read_size(struct target *t, struct str value, struct smtp_refusal *why)
{
    bool digits = value.n > 0;
    for (size_t i = 0; i < value.n; i++)
        digits = digits && str_is_digit(value.p[i]);
    if (!digits)
        return smtp_refusal_set(why, 501, "5.5.4",
                                "SIZE takes the message's size in octets: write SIZE=12345");
    if (!str_u64(value, &t->mail->size_bytes))
        t->mail->size_bytes = UINT64_MAX;
    return true;
}

static bool read_body(struct target *t, struct str value, struct smtp_refusal *why)
{
    t->mail->body_8bit = str_eq_nocase(value, STR_LIT("8BITMIME"));
    if (t->mail->body_8bit || str_eq_nocase(value, STR_LIT("7BIT")))
        return true;
    return smtp_refusal_set(why, 501, "5.5.4", "BODY is 7BIT or 8BITMIME here, not %.*s",
                            STR_FMT(str_head(value, SMTP_PARAMETER_ECHO_MAX)));
}

static bool read_xid(struct target *t, struct str value, struct smtp_refusal *why)
{
    bool good = value.n == SMTP_XID_DIGITS;
    for (size_t i = 0; i < value.n; i++)
        good = good && (str_is_digit(value.p[i]) || (value.p[i] >= 'a' && value.p[i] <= 'f'));
    if (!good)
        return smtp_refusal_set(why, 501, "5.5.4", "XID takes %d lower-case hexadecimal digits",
                                SMTP_XID_DIGITS);
    t->mail->xid = value;
    return true;
}

static bool read_utf8(struct target *t, struct str value, struct smtp_refusal *why)
{
    if (value.n > 0)
        return smtp_refusal_set(why, 501, "5.5.4",
                                "SMTPUTF8 takes no value: send the word alone");
    t->mail->utf8 = true;
    return true;
}

static bool read_as_is(struct target *t, struct str value, struct smtp_refusal *why)
{
    if (value.n > 0)
        return smtp_refusal_set(why, 501, "5.5.4", "XASIS takes no value: send the word alone");
    t->mail->as_is = true;
    return true;
}

static bool read_require_tls(struct target *t, struct str value, struct smtp_refusal *why)
{
    if (value.n > 0)
        return smtp_refusal_set(why, 501, "5.5.4",
                                "REQUIRETLS takes no value: send the word alone");
    t->mail->require_tls = true;
    return true;
}

static bool read_ret(struct target *t, struct str value, struct smtp_refusal *why)
{
    return smtp_dsn_ret(value, &t->mail->ret) ||
           smtp_refusal_set(why, 501, "5.5.4", "RET is FULL or HDRS, not %.*s",
                            STR_FMT(str_head(value, SMTP_PARAMETER_ECHO_MAX)));
}

static bool read_envid(struct target *t, struct str value, struct smtp_refusal *why)
{
    t->mail->envid = value;
    return smtp_dsn_is_envid(value) ||
           smtp_refusal_set(why, 501, "5.5.4",
                            "ENVID takes 1 to %d printable characters in xtext: write a "
                            "blank as +20, + as +2B, = as +3D",
                            SMTP_DSN_ENVID_MAX);
}

static bool read_notify(struct target *t, struct str value, struct smtp_refusal *why)
{
    return smtp_dsn_notify(value, &t->rcpt->notify) ||
           smtp_refusal_set(why, 501, "5.5.4",
                            "NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY, not %.*s",
                            STR_FMT(str_head(value, SMTP_PARAMETER_ECHO_MAX)));
}

static bool read_orcpt(struct target *t, struct str value, struct smtp_refusal *why)
{
    t->rcpt->orcpt = value;
    return smtp_dsn_is_orcpt(value, t->offers & SMTP_OFFER_UTF8) ||
           smtp_refusal_set(why, 501, "5.5.4",
                            "ORCPT takes a type and an address in xtext, up to %d octets: "
                            "write ORCPT=rfc822;user@example.com",
                            SMTP_DSN_ORCPT_MAX);
}

static bool read_invalid(struct target *t, struct str value, struct smtp_refusal *why)
{
    if (value.n == 0 || !xtext_is_valid(value))
        return smtp_refusal_set(why, 501, "5.5.4", "XINVALID takes some words in xtext");
    t->rcpt->invalid = value;
    return true;
}

static bool read_exact(struct target *t, struct str value, struct smtp_refusal *why)
{
    if (value.n > 0)
        return smtp_refusal_set(why, 501, "5.5.4",
                                "XEXACT takes no value: send the word alone");
    t->rcpt->exact = true;
    return true;
}

struct parameter {
    const char *name;
    unsigned offer; /* of enum smtp_offer, that it needs; 0: none */
    bool (*read)(struct target *t, struct str value, struct smtp_refusal *why);
};

static const struct parameter mail_parameters[] = {
    {"SIZE", 0, read_size},
    {"BODY", 0, read_body},
    {"SMTPUTF8", 0, read_utf8},
    {"RET", 0, read_ret},
    {"ENVID", 0, read_envid},
    {"REQUIRETLS", SMTP_OFFER_REQUIRETLS, read_require_tls},
    {"XID", SMTP_OFFER_XTRANTER, read_xid},
    {"XASIS", SMTP_OFFER_XTRANTER, read_as_is},
    {NULL, 0, NULL},
};

static const struct parameter rcpt_parameters[] = {
    {"NOTIFY", 0, read_notify},
    {"ORCPT", 0, read_orcpt},
    {"XINVALID", SMTP_OFFER_XTRANTER, read_invalid},
    {"XEXACT", SMTP_OFFER_XTRANTER, read_exact},
    {NULL, 0, NULL},
};

/* All parameters of verb in text, each at most once. */
static bool read_all(struct target *t, struct str text, const char *verb,
                     struct smtp_refusal *why)
{
    const struct parameter *all = t->mail ? mail_parameters : rcpt_parameters;
    unsigned seen = 0;
    struct str word;
    while ((word = str_word(&text, " \t")).n) {
        size_t equals = str_find(word, '=');
        struct str name = str_head(word, equals);
        unsigned i = 0;
        while (all[i].name && !str_eq_nocase(name, str_of(all[i].name)))
            i++;
        if (!all[i].name || (all[i].offer & ~t->offers))
            return smtp_refusal_set(
                why, 555, "5.5.4",
                "%s's parameter %.*s is not offered here: leave it out (EHLO lists what is)",
                verb, STR_FMT(str_head(name, SMTP_PARAMETER_ECHO_MAX)));
        if (seen & 1U << i)
            return smtp_refusal_set(why, 501, "5.5.4",
                                    "%s has the parameter %s twice: give it once", verb,
                                    all[i].name);
        seen |= 1U << i;
        if (!all[i].read(t, str_tail(word, equals + 1), why))
            return false;
    }
    return true;
}

bool smtp_parameter_mail(struct smtp_mail *m, struct str text, unsigned offers,
                         struct smtp_refusal *why)
{
    return read_all(&(struct target){.mail = m, .offers = offers}, text, "MAIL", why);
}

bool smtp_parameter_rcpt(struct smtp_rcpt *r, struct str text, unsigned offers,
                         struct smtp_refusal *why)
{
    return read_all(&(struct target){.rcpt = r, .offers = offers}, text, "RCPT", why);
}
