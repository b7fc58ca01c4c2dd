/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_dsn.h"

#include "printable.h"
#include "xtext.h"

static const struct {
    const char *word;
    enum smtp_notify bit;
} notify_words[] = {
    {"NEVER", SMTP_NOTIFY_NEVER},
    {"SUCCESS", SMTP_NOTIFY_SUCCESS},
    {"FAILURE", SMTP_NOTIFY_FAILURE},
    {"DELAY", SMTP_NOTIFY_DELAY},
};

/* 0 where it is none of them. */
static unsigned notify_bit(struct str word)
{
    for (size_t i = 0; i < sizeof notify_words / sizeof notify_words[0]; i++) {
        if (str_eq_nocase(word, str_of(notify_words[i].word)))
            return notify_words[i].bit;
    }
    return 0;
}

bool smtp_dsn_notify(struct str value, unsigned *notify)
{
    unsigned bits = 0;
    size_t comma;
    do {
        comma = str_find(value, ',');
        unsigned bit = notify_bit(str_head(value, comma));
        bits |= bit;
        if (bit == 0 || ((bits & SMTP_NOTIFY_NEVER) && bits != SMTP_NOTIFY_NEVER))
            return false;
        comma = comma < value.n ? comma + 1 : 0;
        value = str_tail(value, comma);
    } while (comma);
    *notify = bits;
    return true;
}

bool smtp_dsn_ret(struct str value, enum smtp_ret *ret)
{
    bool full = str_eq_nocase(value, STR_LIT("FULL"));
    if (!full && !str_eq_nocase(value, STR_LIT("HDRS")))
        return false;
    *ret = full ? SMTP_RET_FULL : SMTP_RET_HDRS;
    return true;
}

bool smtp_dsn_is_envid(struct str value)
{
    struct buf octets;
    if (value.n == 0 || !xtext_is_valid(value))
        return false;
    buf_init(&octets, SMTP_DSN_ENVID_MAX);
    xtext_decode(&octets, value);
    struct str s = buf_str(&octets);
    bool good = !octets.failed;
    for (size_t i = 0; i < s.n; i++)
        good = good && s.p[i] >= ' ' && s.p[i] <= '~';
    buf_release(&octets);
    return good;
}

/* RFC 5322's atom, less what has a meaning in xtext. */
static bool is_address_type(struct str type)
{
    static const struct str marks = STR_LIT("!#$%&'*-/?^_`{|}~.");
    for (size_t i = 0; i < type.n; i++) {
        if (!str_is_alpha(type.p[i]) && !str_is_digit(type.p[i]) &&
            str_find(marks, type.p[i]) == marks.n)
            return false;
    }
    return type.n > 0;
}

/* Both RFC 6533's forms and xtext are made of what stands here; a part that means nothing in
 * one of them is passed on as it came. */
static bool is_utf8_address(struct str address)
{
    while (address.n) {
        size_t n = printable_utf8(address);
        bool blank = address.p[0] == ' ' || address.p[0] == '=' || address.p[0] == '+';
        if (n == 0 || blank || (n == 1 && (address.p[0] < ' ' || address.p[0] > '~')))
            return false;
        address = str_tail(address, n);
    }
    return true;
}

bool smtp_dsn_is_orcpt(struct str value, bool utf8)
{
    size_t semicolon = str_find(value, ';');
    struct str type = str_head(value, semicolon);
    struct str address = str_tail(value, semicolon + 1);
    if (value.n > SMTP_DSN_ORCPT_MAX || !is_address_type(type) || address.n == 0)
        return false;
    return xtext_is_valid(address) ||
           (utf8 && str_eq_nocase(type, STR_LIT("utf-8")) && is_utf8_address(address));
}

static unsigned long code_point(struct str character)
{
    static const unsigned char first_bits[] = {0x7f, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned long code = (unsigned char)character.p[0] & first_bits[character.n];
    for (size_t i = 1; i < character.n; i++)
        code = code << 6 | ((unsigned char)character.p[i] & 0x3f);
    return code;
}

void smtp_dsn_put_orcpt(struct buf *out, struct str value)
{
    while (value.n) {
        struct str character = str_head(value, printable_utf8(value));
        if (character.n > 1)
            buf_printf(out, "\\x{%02lX}", code_point(character));
        else
            buf_putc(out, value.p[0]);
        value = str_tail(value, character.n > 1 ? character.n : 1);
    }
}
