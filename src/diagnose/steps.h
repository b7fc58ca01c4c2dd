/* SPDX-License-Identifier: GPL-3.0-or-later */
/* steps_: a walk's facts as the steps that a person follows: resolve, connect, TLS, greeting,
 * EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET, each with its time and what was learned. Pure. */
#ifndef TRANTER_STEPS_H
#define TRANTER_STEPS_H

#include "walk.h"

enum step_state {
    STEP_UNDER_WAY,
    STEP_GOOD,
    STEP_FAILED
};

struct step {
    const char *name; /* "resolve", "EHLO" */
    enum step_state state;
    int64_t took_ms;    /* -1 not known */
    struct buf learned; /* printable; lines with an LF between */
};

enum {
    STEPS_MAX = 24
};

/* Those begun so far, in their order; all but the last are over. Free with steps_release(). */
unsigned steps_of(const struct walk_facts *facts, enum conf_tls tls, uint16_t port,
                  struct step steps[STEPS_MAX]);
void steps_release(struct step *steps, unsigned n);

#endif
