/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source_: standard input, read through intake. Blocks; there is no time limit on whoever
 * writes (compat 5.3.4). */
#ifndef TRANTER_SOURCE_H
#define TRANTER_SOURCE_H

#include "intake.h"

struct source {
    int fd;
    struct intake intake;
    bool at_eof;
    int error; /* errno of a read that failed, 0 for none; the message is not whole then */
};

/* Read from fd, which stays the caller's. dot_ends: a line "." ends the message. */
void source_init(struct source *s, int fd, bool dot_ends);
void source_release(struct source *s);

/* Read until the header is known (intake.state is INTAKE_BODY or later) and at least bytes of
 * wire form wait in intake.out, or until there is no more. */
void source_fill(struct source *s, size_t bytes);

/* No more will come: the message ended, or reading failed. */
bool source_is_done(const struct source *s);

/* Read and drop the rest, so that whoever writes sees our exit status and not SIGPIPE. A
 * terminal, and what follows a dot that ended the message, is not waited for. */
void source_drain(struct source *s);

#endif
