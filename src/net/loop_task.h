/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop_task_: what libnet's own files need from the loop. */
#ifndef TRANTER_LOOP_TASK_H
#define TRANTER_LOOP_TASK_H

#include "loop.h"

#include <stddef.h>

enum {
    LOOP_SCRATCH_BYTES = 64 * 1024
};

/* Run once, run(arg); lies inside the object that it is about. */
struct loop_task {
    void (*run)(void *arg);
    void *arg;
    struct loop_task *next; /* the rest is loop_task's own */
    struct loop_task **link;
    bool queued;
};

/* Run task at the end of this turn, after the caller's at_turn_end and before what was deferred
 * is freed. Without effect while it is queued. */
void loop_task_at_turn_end(struct loop *loop, struct loop_task *task);

/* Run task when the loop itself is freed: the object has no other owner any more. */
void loop_task_at_free(struct loop *loop, struct loop_task *task);

/* Not when the loop is freed, then: the object goes before. */
void loop_task_cancel(struct loop_task *task);

/* Room to read into, LOOP_SCRATCH_BYTES of it; whoever reads copies out before it returns. */
char *loop_task_scratch(struct loop *loop);

#endif
