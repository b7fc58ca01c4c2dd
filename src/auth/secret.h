/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secret_: credentials from where the administrator keeps them. */
#ifndef TRANTER_SECRET_H
#define TRANTER_SECRET_H

#include "buf.h"
#include "err.h"
#include "fault.h"

#include <sys/types.h>
#include <time.h>

enum {
    SECRET_MAX = 16 * 1024 /* bytes */
};

/* Read the first line of a file (or "credential:NAME", under $CREDENTIALS_DIRECTORY) into
 * secret, which the caller has initialised with SECRET_MAX and .secret, and wipes by releasing.
 * Refused: not a regular file, readable by others, owned by anyone but root or us (checked on
 * the open descriptor; a systemd credential's group mode is systemd's business), empty, too
 * long, NUL or control bytes. */
int secret_read(const char *source, struct buf *secret, struct err *err) ATTR_MUST_CHECK;

/* Leave the first line alone in secret, without its LF or CRLF. -1, and a sentence in
 * *err that has nothing of it: it is empty, or has a byte order mark or control bytes. */
int secret_keep_line(struct buf *secret, struct err *err) ATTR_MUST_CHECK;

/* Do words of a server's, who may repeat what it was told, have the secret in them, or a base64
 * word that stands for it? Its beginning counts, since words may be cut. What is shorter than 4
 * bytes cannot be told from other words. */
bool secret_is_told(struct str words, struct str secret) ATTR_MUST_CHECK;

/* Leave the server's words out of *f where they tell secret. */
void secret_hide(struct fault *f, struct str secret);

/* What tells a file from its next version, without its content. */
struct secret_stamp {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec modified, changed;
};

/* Of the file that source names; all zero where there is none. */
void secret_stamp(const char *source, struct secret_stamp *stamp);
bool secret_stamp_is_same(const struct secret_stamp *a,
                          const struct secret_stamp *b) ATTR_MUST_CHECK;

#endif
