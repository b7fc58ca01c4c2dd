/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spool_answer_: what tranterctl can say of the queue while no daemon runs, from the spool
 * itself. */
#ifndef TRANTER_SPOOL_ANSWER_H
#define TRANTER_SPOOL_ANSWER_H

#include "err.h"
#include "store.h"

/* Open the spool in directory; root becomes the spool's owner for it, for good. NULL with
 * *err. */
struct store *spool_answer_open(const char *directory, struct err *err) ATTR_MUST_CHECK;

/* Answer the question (as it would be put to the daemon: queue, show or status, and its words)
 * on standard output from the spool s (taken) in directory. Returns the exit status; *err is
 * the sentence, empty where there is nothing to say. */
int spool_answer(struct store *s, const char *directory, struct str question, struct err *err);

#endif
