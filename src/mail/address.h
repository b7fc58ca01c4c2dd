/* SPDX-License-Identifier: GPL-3.0-or-later */
/* address_: mailboxes of RFC 5321 paths and of RFC 5322 address lists. Pure; linear time; no
 * allocation but the caller's buf. */
#ifndef TRANTER_ADDRESS_H
#define TRANTER_ADDRESS_H

#include "buf.h"

enum {
    ADDRESS_LOCAL_MAX = 64,   /* octets, RFC 5321 4.5.3.1.1 */
    ADDRESS_DOMAIN_MAX = 255, /* 4.5.3.1.2 */
    ADDRESS_MAX = 320         /* a whole mailbox, '@' included */
};

/* Is s a mailbox that may stand in MAIL or RCPT: dot-string or quoted-string local part, then
 * '@' and a domain or address literal, or a local part alone? "" is not. UTF-8 is let through;
 * controls never are (S-114). */
bool address_is_mailbox(struct str s);

/* Has it a domain? Its last '@' outside quotes is where it begins; the views point into
 * mailbox. */
struct str address_local(struct str mailbox);
struct str address_domain(struct str mailbox); /* empty when there is none */

/* Has it an octet over 127? */
bool address_is_utf8(struct str mailbox);

/* Same mailbox: local part exact, domain without regard to case (N-055). */
bool address_same(struct str a, struct str b);

/* Append mailbox, completed with "@domain" if it has none. */
void address_complete(struct buf *out, struct str mailbox, struct str domain);

/* Walks an RFC 5322 address-list as people and sendmail's callers write it: comments (up to 100
 * deep), groups (also empty), quoted strings, routes (dropped), folding, phrases with dots and
 * stray specials, ';' and blanks between plain addresses, empty elements and "<>" (nobody).
 * "\root" is root, and exact; ":include:/x", "|x" and "/x" are local parts like any other; one
 * dot behind a domain is dropped. Fields may be set only through address_list_of(). */
struct address_list {
    struct str rest;
    size_t plain_bytes; /* of rest: known to be addresses without a phrase, side by side */
    bool exact;         /* of the last one that was GOOD: a backslash stood before it, so no
                           alias is meant (compat 3.1) */
};

enum address_list_result {
    ADDRESS_LIST_END,  /* no more */
    ADDRESS_LIST_GOOD, /* mailbox has an RFC 5321 mailbox, quoted only where it must be */
    ADDRESS_LIST_BAD   /* mailbox has the element as it stood, cut at its limit: no address can
                          be read from it */
};

struct address_list address_list_of(struct str text);

/* The next address. mailbox is cleared first; its limit should be at least ADDRESS_MAX * 2. */
enum address_list_result address_list_next(struct address_list *list, struct buf *mailbox);

/* Append text, an address-list header value as it stands, with "@domain" put behind each
 * addr-spec that has none; every other byte is kept (N-043). */
void address_qualify_list(struct buf *out, struct str text, struct str domain);

#endif
