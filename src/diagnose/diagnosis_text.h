/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnosis_text_, diagnosis_json_: a diagnosis for people and for programs. Pure. */
#ifndef TRANTER_DIAGNOSIS_TEXT_H
#define TRANTER_DIAGNOSIS_TEXT_H

#include "diagnosis.h"

/* Append what is new since *shown steps were told (0 at first), a line for each step that is
 * over; with d->over all the rest. now_s: seconds since 1970. */
void diagnosis_text_put(struct buf *out, const struct diagnosis *d, unsigned *shown,
                        int64_t now_s);

/* Append all of it, once it is over, as one JSON object in a line. */
void diagnosis_json_put(struct buf *out, const struct diagnosis *d, int64_t now_s);

#endif
