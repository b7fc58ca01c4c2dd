/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf_value_: values as people write them. Pure; each is false for what it does not read, and
 * leaves its result untouched then. */
#ifndef TRANTER_CONF_VALUE_H
#define TRANTER_CONF_VALUE_H

#include "attr.h"
#include "str.h"

#include <sys/types.h>

/* "30s", "5m", "1h", "5d", or "0"; in milliseconds. */
bool conf_value_duration(struct str text, int64_t *ms) ATTR_MUST_CHECK;

/* "14/s", "300/m", "100/h", "2000/d": a number from 1 to 1000000 in a period of ms. */
bool conf_value_rate(struct str text, unsigned *number, int64_t *period_ms) ATTR_MUST_CHECK;

/* "50M", "64K", "2G" (powers of 1024), or plain bytes. */
bool conf_value_size(struct str text, uint64_t *bytes) ATTR_MUST_CHECK;

/* Octal permission bits, three digits or four with a leading 0: "0666". */
bool conf_value_mode(struct str text, mode_t *mode) ATTR_MUST_CHECK;

/* "true", "yes", "on"; "false", "no", "off". */
bool conf_value_bool(struct str text, bool *value) ATTR_MUST_CHECK;

/* Index of text in the blank-separated words; -1 where it is none of them. */
int conf_value_choice(struct str text, const char *words);

enum {
    CONF_FINGERPRINT_DIGITS = 64 /* of a SHA-256 */
};

/* A SHA-256 in hexadecimal digits of any case, with a colon between all bytes or none; digits
 * is what is left in lower case. */
bool conf_value_fingerprint(struct str text,
                            char digits[CONF_FINGERPRINT_DIGITS + 1]) ATTR_MUST_CHECK;

/* A host to connect to: name (letters, digits, "-", "_", dots, perhaps one at the end), IPv4 or
 * IPv6 without brackets. */
bool conf_value_is_host(struct str text);

/* A domain name as in a mail address: labels of letters, digits and "-". */
bool conf_value_is_domain(struct str text);

/* A mailbox with a domain, its local part of atoms and dots in ASCII: "admin@example.com". */
bool conf_value_is_mailbox(struct str text);

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3). */
bool conf_value_is_literal(struct str text);

/* Is it this machine's own loopback, as a host: localhost, 127.0.0.0/8, ::1? */
bool conf_value_is_loopback(struct str host);

#endif
