/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_: a program that runs beside the loop and prints something short. It has no shell, no
 * terminal, nothing to read, no descriptors of ours, a small environment and an end. */
#ifndef TRANTER_COMMAND_H
#define TRANTER_COMMAND_H

#include "buf.h"
#include "loop.h"

enum {
    COMMAND_COMPLAINT_MAX = 256 /* bytes kept of the first line on standard error */
};

/* How it ended. Borrowed while on_end runs. */
struct command_end {
    bool timed_out;       /* killed, with all it had started, after timeout_ms */
    bool flooded;         /* killed: it printed more than output_max bytes */
    int status;           /* waitpid()'s */
    struct buf *output;   /* what it printed; secret */
    struct str complaint; /* the first line on standard error that is not empty; any bytes */
};

struct command;

/* Start argv[0] with argv, in a session of its own, in "/", with standard input from /dev/null,
 * and this environment: PATH, LC_ALL=C.UTF-8, and of ours HOME, USER, LOGNAME, TZ and
 * CREDENTIALS_DIRECTORY. on_end(owner, end) is called once from the loop when it has ended;
 * the command is over then. NULL, with the reason in *error (errno), if it cannot be started.
 */
struct command *command_new(struct loop *loop, char *const argv[], size_t output_max,
                            int64_t timeout_ms,
                            void (*on_end)(void *owner, const struct command_end *end),
                            void *owner, int *error);

/* Kill it; on_end is not called. Not after on_end. */
void command_free(struct command *c);

#endif
