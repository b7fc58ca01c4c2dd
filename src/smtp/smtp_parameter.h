/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_parameter_: the parameters of MAIL and RCPT; smtp_command.c's own. */
#ifndef TRANTER_SMTP_PARAMETER_H
#define TRANTER_SMTP_PARAMETER_H

#include "smtp_command.h"

enum {
    SMTP_PARAMETER_ECHO_MAX = 100 /* octets of the client's own words in a refusal */
};

/* Read text, what follows the path, into *m or *r, whose address is not touched. False with
 * *why: 555 for a parameter that is not offered, 501 for one that is badly written or there
 * twice. */
bool smtp_parameter_mail(struct smtp_mail *m, struct str text, unsigned offers,
                         struct smtp_refusal *why) ATTR_MUST_CHECK;
bool smtp_parameter_rcpt(struct smtp_rcpt *r, struct str text, unsigned offers,
                         struct smtp_refusal *why) ATTR_MUST_CHECK;

#endif
