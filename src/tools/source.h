/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source_: standard input, read through intake. Blocks; there is no time limit on whoever
 * writes (compat 5.3.4). What went out can be had again, for a daemon that did not answer: from
 * a regular file, which is read again, or out of memory, up to SOURCE_KEPT_MAX. */
#ifndef TRANTER_SOURCE_H
#define TRANTER_SOURCE_H

#include "intake.h"

#include <sys/types.h>

enum {
    SOURCE_KEPT_MAX = 1024 * 1024 /* bytes of wire form */
};

struct source {
    int fd;
    bool dot_ends;
    struct intake intake;
    bool at_eof;
    int error;   /* errno of a read that failed, 0 for none; the message is not whole then */
    bool over;   /* source_end() has put the end */
    off_t start; /* where a regular file stood when we came; -1: it is none */
    struct buf kept; /* what was taken; .failed: no longer all of it */
};

/* Read from fd, which stays the caller's. dot_ends: a line "." ends the message. */
void source_init(struct source *s, int fd, bool dot_ends);
void source_release(struct source *s);

/* Read until the header is known (intake.state is INTAKE_BODY or later) and at least bytes of
 * wire form wait in intake.out, or until there is no more. */
void source_fill(struct source *s, size_t bytes);

/* No more will come: the message ended, or reading failed. */
bool source_is_done(const struct source *s);

/* Behind a message that is done and whole, put its final dot, once, and QUIT: nothing is owed
 * after it (RFC 2920 3.1). */
void source_end(struct source *s);

/* Take n bytes off the front of intake.out: they went out. */
void source_take(struct source *s, size_t n);

/* Can the whole message be had again, whatever is still to be read? Reads ahead to know. */
bool source_is_repeatable(struct source *s);

/* Begin the message again. False where it cannot be had again; then nothing has changed. */
bool source_rewind(struct source *s);

/* Read and drop the rest, so that whoever writes sees our exit status and not SIGPIPE. A
 * terminal, and what follows a dot that ended the message, is not waited for. */
void source_drain(struct source *s);

#endif
