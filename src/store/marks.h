/* SPDX-License-Identifier: GPL-3.0-or-later */
/* marks_: which messages were about to be sent for good when the daemon died (S-089).
 *
 * A mark must be safe from a kill before the final dot leaves, so it cannot wait for the writer
 * thread: it is one write(2) in place into the file SPOOL/sending, a line of 16 bytes for each
 * message under way. A power cut may lose a mark that is seconds old, or bring one back; the
 * one costs a warning, the other a wait. */
#ifndef TRANTER_MARKS_H
#define TRANTER_MARKS_H

#include "attr.h"
#include "err.h"
#include "store.h"

struct marks {
    int fd;
    store_id *slots; /* as the lines of the file; 0: free */
    unsigned n_slots;
};

/* Open or make the file, and read the marks that a killed daemon left into slots. 0, or -1 with
 * a sentence in *err. */
int marks_open(struct marks *marks, int directory_fd, struct err *err) ATTR_MUST_CHECK;

/* Forget all marks, once they are in the database. */
int marks_forget(struct marks *marks, struct err *err) ATTR_MUST_CHECK;

/* Mark id, or take its mark away. Without effect when it is (not) marked. A failed write is
 * logged: it takes nothing from the mail, only a warning after a kill. */
void marks_set(struct marks *marks, store_id id);
void marks_clear(struct marks *marks, store_id id);

void marks_close(struct marks *marks);

#endif
