/* SPDX-License-Identifier: GPL-3.0-or-later */
/* session_: -bs, an SMTP session of the daemon's on standard input and output. */
#ifndef TRANTER_SESSION_H
#define TRANTER_SESSION_H

#include "buf.h"
#include "err.h"

/* How the session's lines end is told by its first one. */
enum session_line_end {
    SESSION_UNKNOWN,
    SESSION_LF,
    SESSION_CRLF
};

/* Makes lines end in CRLF, as the daemon wants them, in such a way that no text inside a
 * message becomes the end of it: where lines end in CRLF, a line that a bare LF or CR begins or
 * ends keeps its leading dot as text. Pure. */
struct session_filter {
    enum session_line_end line_end;
    bool start; /* at the start of a line */
    bool bare;  /* which a bare CR or LF began */
    bool dot;   /* "." came first on this line and is held back */
    bool cr;    /* CR came and is held back */
};

void session_filter_init(struct session_filter *f);

/* Append what is to be sent for n bytes to out, at most 2 * n + 4 bytes. NULs are left out. */
void session_filter_feed(struct session_filter *f, struct buf *out, const char *bytes,
                         size_t n);

/* Copy between standard input and output and the connected socket fd, which is closed, until
 * the daemon ends the session. Returns the exit status, with the sentence where it is not 0. */
int session_run(int fd, struct err *err);

#endif
