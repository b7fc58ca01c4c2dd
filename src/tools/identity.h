/* SPDX-License-Identifier: GPL-3.0-or-later */
/* identity_: who calls, by the real uid, and how that is written as an address and in a From
 * field (compat 3.2, 4). */
#ifndef TRANTER_IDENTITY_H
#define TRANTER_IDENTITY_H

#include "buf.h"

#include <sys/types.h>

enum {
    IDENTITY_LOGIN_MAX = 256, /* bytes with NUL */
    IDENTITY_NAME_MAX = 256   /* bytes with NUL; longer names are cut */
};

struct identity {
    char login[IDENTITY_LOGIN_MAX]; /* as a mailbox without domain: quoted where it needs it */
    char name[IDENTITY_NAME_MAX];   /* full name, perhaps empty */
};

/* What the password file or, where uid has no entry, the environment says; "uid-4242" where
 * that is no name either. Asks the system once; not pure. */
void identity_look_up(struct identity *who, uid_t uid);

/* The same from what is known: login and gecos of the passwd entry, both NULL when there is
 * none, and then fallback (a value of $LOGNAME, or NULL). Pure. */
void identity_set(struct identity *who, uid_t uid, const char *login, const char *gecos,
                  const char *fallback);

/* Append a header field in wire form: "From: Full Name <address>", or without a name the
 * address alone. The name is quoted, or encoded (RFC 2047), as its bytes demand. Pure. */
void identity_put_field(struct buf *out, const char *field, const char *name,
                        struct str address);

#endif
