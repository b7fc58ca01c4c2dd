/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf_text_: the configuration's text, made ready for libconfuse.
 *
 * libconfuse counts lines wrongly after comments, takes a missing } at the end of the file for
 * one that is there, drops characters it does not know and reads the environment inside of
 * quotes. So comments become blanks here, and all of that is refused with a line number. */
#ifndef TRANTER_CONF_TEXT_H
#define TRANTER_CONF_TEXT_H

#include "buf.h"
#include "err.h"

enum {
    CONF_TEXT_MAX = 1024 * 1024, /* bytes of a configuration file */
    CONF_TEXT_SECTIONS_MAX = 1000,
    CONF_TEXT_DEPTH_MAX = 4 /* { inside of { */
};

struct conf_text {
    struct buf clean; /* same length and lines as the text, comments blank */
    unsigned n_sections;
    int section_lines[CONF_TEXT_SECTIONS_MAX]; /* where the n-th section's title stands */
};

/* Fill *t from text. 0; or the line number where something is wrong, with the sentence (without
 * file and line) in *err. Either way conf_text_release() gives the memory back. */
int conf_text_read(struct conf_text *t, struct str text, struct err *err) ATTR_MUST_CHECK;

void conf_text_release(struct conf_text *t);

#endif
