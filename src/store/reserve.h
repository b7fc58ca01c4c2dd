/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reserve_: room on the spool's file system that is kept for what must be recorded when the
 * disk is full: what became of mail, removals, retries.
 *
 * It is the file SPOOL/reserve. When such a record finds no room, the file gives up its blocks;
 * until it has them again no new mail is taken, which would use them up. */
#ifndef TRANTER_RESERVE_H
#define TRANTER_RESERVE_H

#include "attr.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
    /* Twice what the log has when it is checkpointed: once for the log to grow, once for the
     * database to take it. On a small file system less, a sixteenth of it. */
    RESERVE_BYTES = 16 * 1024 * 1024
};

struct reserve {
    int fd; /* -1: there is none, and nobody misses it */
    off_t bytes;
    bool held;
};

/* Open or make the file, of at most so many bytes (0: none is wanted), and take its blocks if
 * there is room for them. What keeps it from being made is logged, and is nobody's failure. */
void reserve_open(struct reserve *r, int directory_fd, off_t bytes);
void reserve_close(struct reserve *r);

/* Take the blocks. True when they are held. */
bool reserve_take(struct reserve *r);

/* Give them up. False: there are none to give. */
bool reserve_release(struct reserve *r);

#endif
