/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line is read or refused in words; what is read is safe to be put into an envelope. */
#include "address.h"
#include "mem.h"
#include "smtp_command.h"
#include "xtext.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_within(struct str part, struct str whole)
{
    BUG_ON(part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n));
}

static void check_address(struct str address, bool utf8, struct str line)
{
    check_within(address, line);
    BUG_ON(!address_is_mailbox(address) || (!utf8 && address_is_utf8(address)));
    for (size_t i = 0; i < address.n; i++)
        BUG_ON((unsigned char)address.p[i] < ' ' || address.p[i] == '\x7f');
}

static void check_refusal(const struct smtp_refusal *why)
{
    BUG_ON(why->code < 500 || why->code > 599 || why->status[0] != '5');
    BUG_ON(strlen(why->err.text) < 20);
}

static void read_mail(struct str argument, unsigned offers)
{
    struct smtp_mail mail;
    struct smtp_refusal why;
    if (!smtp_command_mail(&mail, argument, offers, &why)) {
        check_refusal(&why);
        return;
    }
    if (mail.address.n > 0)
        check_address(mail.address, mail.utf8, argument);
    check_within(mail.xid, argument);
    check_within(mail.envid, argument);
    BUG_ON(mail.envid.n > 0 && !smtp_dsn_is_envid(mail.envid));
    BUG_ON(mail.as_is && !(offers & SMTP_OFFER_XTRANTER));
    BUG_ON(mail.xid.n > 0 &&
           (!(offers & SMTP_OFFER_XTRANTER) || mail.xid.n != SMTP_XID_DIGITS));
}

static void check_orcpt(struct str orcpt)
{
    struct buf ascii;
    buf_init(&ascii, 4 * SMTP_DSN_ORCPT_MAX);
    smtp_dsn_put_orcpt(&ascii, orcpt);
    BUG_ON(ascii.failed || !str_is_ascii(buf_str(&ascii)));
    for (size_t i = 0; i < orcpt.n; i++)
        BUG_ON((unsigned char)orcpt.p[i] <= ' ' || orcpt.p[i] == '\x7f');
    buf_release(&ascii);
}

static void read_rcpt(struct str argument, unsigned offers)
{
    struct smtp_rcpt rcpt;
    struct smtp_refusal why;
    if (!smtp_command_rcpt(&rcpt, argument, offers, &why)) {
        check_refusal(&why);
        return;
    }
    BUG_ON((rcpt.address.n == 0) != (rcpt.invalid.n > 0));
    if (rcpt.address.n > 0)
        check_address(rcpt.address, offers & SMTP_OFFER_UTF8, argument);
    check_within(rcpt.orcpt, argument);
    check_orcpt(rcpt.orcpt);
    BUG_ON((rcpt.notify & SMTP_NOTIFY_NEVER) && rcpt.notify != SMTP_NOTIFY_NEVER);
    struct buf words;
    buf_init(&words, rcpt.invalid.n);
    xtext_decode(&words, rcpt.invalid);
    BUG_ON(words.failed || !xtext_is_valid(rcpt.invalid) ||
           (rcpt.invalid.n && !(offers & SMTP_OFFER_XTRANTER)));
    buf_release(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str line = {(const char *)data, n};
    struct smtp_command c;
    struct smtp_refusal why;
    bool clean = smtp_command_read(&c, line, &why);
    check_within(c.word, line);
    check_within(c.argument, line);
    BUG_ON(c.verb >= SMTP_VERBS);
    if (!clean) {
        check_refusal(&why);
        return 0;
    }
    for (unsigned offers = 0; offers <= (SMTP_OFFER_XTRANTER | SMTP_OFFER_UTF8); offers++) {
        read_mail(c.argument, offers);
        read_rcpt(c.argument, offers);
    }
    return 0;
}
