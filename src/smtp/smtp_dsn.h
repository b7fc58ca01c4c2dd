/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_dsn_: the values of the parameters with which a sender asks for reports (RFC 3461 4, RFC
 * 6533 3). Pure. */
#ifndef TRANTER_SMTP_DSN_H
#define TRANTER_SMTP_DSN_H

#include "buf.h"

/* NOTIFY: when to report, as bits. 0: the sender did not say, which asks for failure and delay.
 */
enum smtp_notify {
    SMTP_NOTIFY_NEVER = 1, /* with no other */
    SMTP_NOTIFY_SUCCESS = 2,
    SMTP_NOTIFY_FAILURE = 4,
    SMTP_NOTIFY_DELAY = 8
};

/* RET: what a report is to have of the message. */
enum smtp_ret {
    SMTP_RET_UNSET,
    SMTP_RET_FULL,
    SMTP_RET_HDRS
};

enum {
    SMTP_DSN_ENVID_MAX = 100, /* octets, before they are written as xtext */
    SMTP_DSN_ORCPT_MAX = 500  /* octets of "rfc822;" and what follows */
};

/* NEVER alone, or SUCCESS, FAILURE and DELAY in any order with commas between. False, and
 * *notify untouched, on anything else. */
bool smtp_dsn_notify(struct str value, unsigned *notify) ATTR_MUST_CHECK;

/* FULL or HDRS. */
bool smtp_dsn_ret(struct str value, enum smtp_ret *ret) ATTR_MUST_CHECK;

/* Is value an envelope id: xtext for up to SMTP_DSN_ENVID_MAX printable characters? "" is not.
 */
bool smtp_dsn_is_envid(struct str value) ATTR_MUST_CHECK;

/* Is value an original recipient: an address type (an atom), ";", and an address in xtext?
 * utf8: behind the type "utf-8" there may be UTF-8 as well. */
bool smtp_dsn_is_orcpt(struct str value, bool utf8) ATTR_MUST_CHECK;

/* Append value, which is an original recipient, in ASCII: a character beyond it as \x{HEX}, as
 * it may be written without SMTPUTF8, too. */
void smtp_dsn_put_orcpt(struct buf *out, struct str value);

#endif
