/* SPDX-License-Identifier: GPL-3.0-or-later */
/* symptom_: the codes that faults have, and who has to act. Nothing but data. */
#ifndef TRANTER_SYMPTOM_H
#define TRANTER_SYMPTOM_H

#include <stdbool.h>

enum symptom_cure {
    SYMPTOM_PASSES,  /* it may pass by itself */
    SYMPTOM_SETTING, /* a setting or the account must be mended, or the server */
    SYMPTOM_MESSAGE  /* this message or recipient is refused; the way is good */
};

struct symptom {
    const char *code;
    enum symptom_cure cure;
    bool of_port; /* another port may be the cure: it is worth a probe */
};

/* NULL: a code that is not known. */
const struct symptom *symptom_of(const char *code);

/* All of them, for the tests: the i-th, or NULL. */
const struct symptom *symptom_at(unsigned i);

#endif
