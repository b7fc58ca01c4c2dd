/* SPDX-License-Identifier: GPL-3.0-or-later */
/* match_: a part of the queue, as sendmail -qI, -qR and -qS name it. Pure. */
#ifndef TRANTER_MATCH_H
#define TRANTER_MATCH_H

#include "store.h"

struct match {
    char field;      /* 'I': the id; 'R': a recipient who waits; 'S': the envelope sender */
    bool no;         /* all but those */
    struct str text; /* is in it, whatever the letter case; borrowed */
};

/* Read "R:text" or "!R:text". False if it is neither, or text is empty. */
bool match_read(struct match *m, struct str words) ATTR_MUST_CHECK;

bool match_fits(const struct match *m, const struct store_message *message);

#endif
