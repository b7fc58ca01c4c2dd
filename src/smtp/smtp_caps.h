/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_caps_: what a server offers in its EHLO reply (RFC 5321 4.1.1.1). */
#ifndef TRANTER_SMTP_CAPS_H
#define TRANTER_SMTP_CAPS_H

#include "buf.h"

enum smtp_cap {
    SMTP_CAP_PIPELINING = 1 << 0,
    SMTP_CAP_8BITMIME = 1 << 1,
    SMTP_CAP_SMTPUTF8 = 1 << 2,
    SMTP_CAP_SIZE = 1 << 3,
    SMTP_CAP_DSN = 1 << 4,
    SMTP_CAP_ENHANCEDSTATUSCODES = 1 << 5,
    SMTP_CAP_CHUNKING = 1 << 6,
    SMTP_CAP_STARTTLS = 1 << 7,
    SMTP_CAP_AUTH = 1 << 8,
    SMTP_CAP_REQUIRETLS = 1 << 9,
    SMTP_CAP_LIMITS = 1 << 10,
    SMTP_CAP_MASKED = 1 << 11,  /* no offer: a word of nothing but X, as firewalls write over
                                   those they do not know (S-018) */
    SMTP_CAP_XTRANTER = 1 << 12 /* our own: XID, XINVALID, XASIS, and RCPTMAX as in LIMITS */
};

enum {
    SMTP_CAPS_AUTH_MAX = 512
};

struct smtp_caps {
    unsigned set;                  /* of enum smtp_cap */
    uint64_t size_bytes;           /* with SIZE; 0: no known limit */
    uint64_t limit_rcpt;           /* LIMITS RCPTMAX (RFC 9422), or XTRANTER's; 0: none */
    uint64_t limit_mail;           /* LIMITS MAILMAX; 0: none */
    char auth[SMTP_CAPS_AUTH_MAX]; /* mechanisms in upper case, blank-separated, without
                                      duplicates; cut between words. What is no RFC 4422 name
                                      is left out */
};

/* Forget everything. */
void smtp_caps_clear(struct smtp_caps *caps);

/* Add one line of an EHLO reply, without its code; never the first one (S-011). Keywords are
 * matched whole and without regard to case; unknown ones are ignored (S-012). "AUTH=" is read
 * as "AUTH " (S-013), SMTPUTF8 brings 8BITMIME (S-074). A SIZE that is missing, zero or no
 * number is no known limit (S-071). */
void smtp_caps_add(struct smtp_caps *caps, struct str line);

static inline bool smtp_caps_has(const struct smtp_caps *caps, enum smtp_cap cap)
{
    return (caps->set & cap) != 0;
}

/* Is mechanism (upper case) among those offered? */
bool smtp_caps_has_auth(const struct smtp_caps *caps, struct str mechanism);

/* Take mechanism (upper case) off the list: the server does not take it (S-055). */
void smtp_caps_drop_auth(struct smtp_caps *caps, struct str mechanism);

#endif
