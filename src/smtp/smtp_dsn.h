/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_dsn_: what a sender asks of reports, in MAIL and RCPT (RFC 3461 4). */
#ifndef TRANTER_SMTP_DSN_H
#define TRANTER_SMTP_DSN_H

/* NOTIFY=, of a recipient: a set; 0 where the sender did not say. NEVER stands alone. */
enum smtp_notify {
    SMTP_NOTIFY_NEVER = 1 << 0,
    SMTP_NOTIFY_SUCCESS = 1 << 1,
    SMTP_NOTIFY_FAILURE = 1 << 2,
    SMTP_NOTIFY_DELAY = 1 << 3
};

/* RET=, of a message: how much of it comes back with a report. */
enum smtp_ret {
    SMTP_RET_UNSET,
    SMTP_RET_FULL,
    SMTP_RET_HDRS
};

#endif
