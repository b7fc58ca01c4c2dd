/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gather_: the metrics of this daemon now, as text and as the file for node_exporter's textfile
 * collector. */
#ifndef TRANTER_GATHER_H
#define TRANTER_GATHER_H

#include "buf.h"
#include "err.h"
#include "relay.h"
#include "store.h"
#include "tally.h"

enum {
    GATHER_FILE_MS = 60 * 1000 /* between two versions of the file */
};

/* Where they come from; borrowed for the call. */
struct gather_source {
    struct store *store;
    struct relay *relay;
    const struct tally *tally;
    int64_t started_ms; /* wall clock */
    bool reload_failed;
};

/* Append the text. */
void gather_text(struct buf *out, const struct gather_source *source);

/* The file at path could be made: -1 with *err where its directory is not there. */
int gather_check(const char *path, struct err *err) ATTR_MUST_CHECK;

/* Put the text into the file at path, for everybody to read; whoever reads it finds the old
 * text or the new. 0, or -1 with *err. */
int gather_file(const char *path, const struct gather_source *source,
                struct err *err) ATTR_MUST_CHECK;

#endif
