/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_command_: the lines that a client sends: a verb and its argument, and the arguments of
 * MAIL and RCPT (RFC 5321 4.1, 1870, 3461, 6152, and our own XTRANTER). Pure; views point into
 * the line. */
#ifndef TRANTER_SMTP_COMMAND_H
#define TRANTER_SMTP_COMMAND_H

#include "buf.h"
#include "err.h"
#include "smtp_dsn.h"

enum smtp_verb {
    SMTP_VERB_EHLO,
    SMTP_VERB_HELO,
    SMTP_VERB_LHLO,
    SMTP_VERB_MAIL,
    SMTP_VERB_RCPT,
    SMTP_VERB_DATA,
    SMTP_VERB_RSET,
    SMTP_VERB_NOOP,
    SMTP_VERB_QUIT,
    SMTP_VERB_VRFY,
    SMTP_VERB_HELP,
    SMTP_VERB_EXPN,
    SMTP_VERB_ETRN,
    SMTP_VERB_AUTH,
    SMTP_VERB_STARTTLS,
    SMTP_VERB_BDAT,
    SMTP_VERB_HTTP,    /* the start of an HTTP request, or its Host field (L-013) */
    SMTP_VERB_UNKNOWN, /* anything else, an empty line too */
    SMTP_VERBS
};

struct smtp_command {
    enum smtp_verb verb;
    struct str word;     /* the verb as it came; may be empty */
    struct str argument; /* what follows, without blanks at its ends */
};

/* Why a command is not obeyed, ready to be answered. */
struct smtp_refusal {
    unsigned code;      /* SMTP reply code */
    const char *status; /* RFC 3463; static */
    struct err err;     /* a sentence; may hold raw bytes of the client's */
};

/* What is taken in some sessions alone. */
enum smtp_offer {
    SMTP_OFFER_XTRANTER = 1 << 0,   /* what a program of ours may say besides */
    SMTP_OFFER_REQUIRETLS = 1 << 2, /* of a program on this machine, and not announced, since
                                       RFC 8689 knows the keyword inside TLS alone */
    SMTP_OFFER_UTF8 = 1 << 1        /* addresses in UTF-8, behind a MAIL with SMTPUTF8 */
};

enum {
    SMTP_XID_DIGITS = 32 /* of a submission id */
};

/* What MAIL says. */
struct smtp_mail {
    struct str address;  /* mailbox without angle brackets and source route; "" is the null
                            sender */
    uint64_t size_bytes; /* SIZE=; 0 when not given; UINT64_MAX when it is more than that */
    bool body_8bit;      /* BODY=8BITMIME */
    bool require_tls;    /* REQUIRETLS (RFC 8689): it may go on over verified TLS alone */
    bool utf8;           /* SMTPUTF8 (RFC 6531): addresses may be in UTF-8 */
    enum smtp_ret ret;   /* RET= (RFC 3461) */
    struct str envid;    /* ENVID=, in xtext as it came; "" when not given */
    struct str xid;      /* XID= (XTRANTER): SMTP_XID_DIGITS lower-case hexadecimal digits, the
                            same when a message is submitted again; "" when not given */
    bool as_is;          /* XASIS (XTRANTER): nothing is to be added to the header or completed
                            in it but the Received field */
};

/* What RCPT says. */
struct smtp_rcpt {
    struct str address; /* as in smtp_mail; "" where .invalid is set, and only there */
    unsigned notify;    /* NOTIFY= (RFC 3461), enum smtp_notify; 0 when not given */
    struct str orcpt;   /* ORCPT=, "rfc822;" and xtext as it came; "" when not given */
    struct str invalid; /* XINVALID= (XTRANTER): in place of an address, words that could not be
                           read as one; in xtext (xtext.h). "" when not given */
    bool exact;         /* XEXACT (XTRANTER): no alias is to be looked up */
};

/* Read one line, given with its line end. False, with *why, where it does not end in CR LF or
 * has a control character (L-035); *c is filled all the same. */
bool smtp_command_read(struct smtp_command *c, struct str line,
                       struct smtp_refusal *why) ATTR_MUST_CHECK;

/* Read the argument of MAIL: "FROM:", the path, the parameters; offers are of enum smtp_offer.
 * False with *why: 501 for bad syntax, 553 for an address in UTF-8 without SMTPUTF8, 555 for a
 * parameter that is not offered. The address is a mailbox, a local part alone, or ""; a path
 * without angle brackets is taken too, as Postfix does. */
bool smtp_command_mail(struct smtp_mail *m, struct str argument, unsigned offers,
                       struct smtp_refusal *why) ATTR_MUST_CHECK;

/* Read the argument of RCPT in the same way. */
bool smtp_command_rcpt(struct smtp_rcpt *r, struct str argument, unsigned offers,
                       struct smtp_refusal *why) ATTR_MUST_CHECK;

/* Fill *why. Always false, so that a reader can return it. */
bool smtp_refusal_set(struct smtp_refusal *why, unsigned code, const char *status,
                      const char *fmt, ...) ATTR_PRINTF(4, 5);

#endif
