/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fault_: why a message, a recipient or a smarthost failed. The scope is decided once, where
 * the fact is known, and carried from there to the queue, the log, mailq and the report. By
 * value. */
#ifndef TRANTER_FAULT_H
#define TRANTER_FAULT_H

#include "attr.h"
#include "str.h"

/* Whose fault it was; ARCHITECTURE's five. What happens follows from it alone (and from
 * .permanent for the last two). */
enum fault_scope {
    FAULT_NONE,     /* no fault: accepted */
    FAULT_SERVER,   /* the smarthost or the way to it: all its mail waits, no message is charged
                     */
    FAULT_ACCOUNT,  /* TLS or login setting, password, quota: as server, and loudly */
    FAULT_SENDER,   /* this sender may not use this account: the message waits, loudly */
    FAULT_MESSAGE,  /* too large, content refused: this message */
    FAULT_RECIPIENT /* this recipient alone */
};

enum {
    FAULT_STATUS_MAX = 12, /* "5.123.123" and NUL */
    FAULT_CODE_MAX = 32,   /* protocol.md's CODE column */
    FAULT_TEXT_MAX = 512
};

struct fault {
    enum fault_scope scope;
    bool permanent; /* trying again cannot help */
    bool ambiguous; /* the final dot was sent and no reply came: it may have been delivered */
    char status[FAULT_STATUS_MAX]; /* RFC 3463, "4.4.1" */
    char code[FAULT_CODE_MAX];  /* diag=, "STARTTLS-MISSING"; never empty where scope is set */
    char text[FAULT_TEXT_MAX];  /* cause, in a sentence; made printable */
    char fix[FAULT_TEXT_MAX];   /* the setting or step that mends it; may be empty */
    char reply[FAULT_TEXT_MAX]; /* the server's own words with their code, made printable; may
                                   be empty */
};

/* "server", "account", ... ; "none". */
const char *fault_scope_name(enum fault_scope scope);

/* Fill *f afresh: scope, permanent from the status' first digit (5), status, code, and the
 * sentence (made printable). */
void fault_set(struct fault *f, enum fault_scope scope, const char *status, const char *code,
               const char *fmt, ...) ATTR_PRINTF(5, 6);

/* Say which setting or step mends it. */
void fault_fix(struct fault *f, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Keep the server's words. */
void fault_reply(struct fault *f, struct str words);

#endif
