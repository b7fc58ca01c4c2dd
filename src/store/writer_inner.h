/* SPDX-License-Identifier: GPL-3.0-or-later */
/* writer_inner_: what writer.c (the thread, and what goes in and out), writer_group.c (a group
 * and its transaction) and writer_chores.c (what is done between groups) share. */
#ifndef TRANTER_WRITER_INNER_H
#define TRANTER_WRITER_INNER_H

#include "writer.h"

/* How an SQLite error is told. */
struct writer_verdict {
    bool fatal;
    bool damaged; /* the database is not what it must be */
    enum store_failure failure;
    char words[256];
};

/* What is answered once the database has failed. */
extern const char writer_inner_no_more[];

/* writer.c */
bool writer_inner_is_broken(struct writer *w);

/* A group of acceptances was on the disk after us. */
void writer_inner_took(struct writer *w, int64_t us);

/* Keep the result until it is published, or nothing for what has none. */
void writer_inner_finish(struct writer *w, struct operation *op, enum store_failure failure,
                         const char *reason);

/* writer_group.c */

/* What rc means, which came of the file that which names (SQLITE_FCNTL_). */
struct writer_verdict writer_inner_judge(struct writer *w, int rc, int which);
void writer_inner_break_off(struct writer *w, const struct writer_verdict *v);

/* Something was committed: it is on the disk, or will have to be. */
void writer_inner_committed(struct writer *w);

/* Commit ops together and finish each, or each alone where they cannot be. What is left in ops
 * after was not tried, since the database failed. */
void writer_inner_run(struct writer *w, struct operation_list *ops);

/* Finish all: applied, or, with why they failed in failed, not. */
void writer_inner_finish_all(struct writer *w, struct operation_list *ops, const char *failed);

/* writer_chores.c */
void writer_inner_checkpoint(struct writer *w);
void writer_inner_sync_log(struct writer *w);
void writer_inner_retry_stalled(struct writer *w);

/* The mono ms at which something is to be done without new operations; INT64_MAX: never. */
int64_t writer_inner_next_chore(const struct writer *w);
void writer_inner_attend(struct writer *w);

#endif
