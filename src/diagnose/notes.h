/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notes_: what a diagnosis has to say that is no fault. Pure. */
#ifndef TRANTER_NOTES_H
#define TRANTER_NOTES_H

#include "diagnosis.h"

enum {
    NOTES_EXPIRY_DAYS = 14, /* a certificate with less is worth a word */
    NOTES_SLOW_MS = 15 * 1000
};

/* Fill d->notes from what was learned. now_s: seconds since 1970. */
void notes_take(struct diagnosis *d, const struct conf *conf, int64_t now_s);

#endif
