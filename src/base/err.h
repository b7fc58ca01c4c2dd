/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err_: what went wrong, as one sentence that a tired administrator can act on. By value, so
 * nobody owns it. */
#ifndef TRANTER_ERR_H
#define TRANTER_ERR_H

#include "attr.h"

enum {
    ERR_TEXT_MAX = 512 /* bytes, NUL included; longer text is cut */
};

struct err {
    char text[ERR_TEXT_MAX];
};

/* Set the sentence. e may be NULL: nobody wants to know. Always returns -1, so that a caller
 * can return it. */
int err_set(struct err *e, const char *fmt, ...) ATTR_PRINTF(2, 3);

#endif
