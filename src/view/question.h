/* SPDX-License-Identifier: GPL-3.0-or-later */
/* question_: what is asked about messages on the control socket, after its verb: words with
 * blanks between them, in any order,
 *
 *     json raw count progress       how the answer is to be
 *     all                           every message
 *     ID                            this one; any number of them
 *     from=XTEXT to=XTEXT           a pattern, in xtext
 *     older=MS user=UID             its age; who submitted it
 *     state=NAME[,NAME...]          queue_state_'s names
 *     match=TEXT                    match_'s text: the rest of the line, blanks and all
 *
 * Pure. */
#ifndef TRANTER_QUESTION_H
#define TRANTER_QUESTION_H

#include "err.h"
#include "selection.h"

struct question {
    bool json;
    bool raw;
    bool count;    /* tell at the end how many it were */
    bool progress; /* tell how far it has come */
    struct selection selection;
    char *text; /* that selection.match is part of; owned */
};

/* Read words, at now_ms of the wall clock. 0; or an exit status with *err, and nothing is to be
 * released. */
int question_read(struct question *q, struct str words, int64_t now_ms,
                  struct err *err) ATTR_MUST_CHECK;
void question_release(struct question *q);

/* Append name, "=" and value in xtext to a question, after a blank. */
void question_put(struct buf *out, const char *name, const char *value);

#endif
