/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mode_: which of the two encrypted modes is spoken to a smarthost. Where tls is "auto" the
 * port decided, and a port may speak the other one: that one is tried once in each attempt at a
 * connection, over a new connection, after the first has shown the mismatch. Both ends of the
 * change are verified TLS, so that who forces it gains nothing; plain text is never a choice
 * (protocol.md S-002, S-003). Pure. */
#ifndef TRANTER_MODE_H
#define TRANTER_MODE_H

#include "conf.h"
#include "fault.h"

/* What is known of a smarthost until the next reload. */
struct mode {
    enum conf_tls spoken; /* the next connection begins with it */
    bool works;           /* a handshake was verified in the configured one */
    bool told;            /* the advice was news once */
    struct fault advice;  /* what to set, while another than the configured one is spoken; else
                             scope NONE */
};

/* Of one attempt at a connection. */
struct mode_trial {
    enum conf_tls spoken;
    bool begun;         /* there was a connection */
    bool proved;        /* a handshake was verified in the one spoken */
    bool turned;        /* it is the second one tried */
    bool works;         /* as of struct mode */
    struct fault first; /* how the first one ended, if turned */
};

/* Begin with the configured one. */
void mode_init(struct mode *m, const struct conf_smarthost *s);
void mode_begin(struct mode_trial *t, const struct mode *m);

/* The connection ended with *f. True: the other mode is to be tried, and t->spoken is it.
 * Silence is no sign where the configured mode works: the server is slow. */
bool mode_turn(struct mode_trial *t, const struct conf_smarthost *s, const struct fault *f);

/* The attempt is over with *f: which fault to tell. That of the configured mode, unless the
 * other one's handshake was verified. Borrowed from t or f. */
const struct fault *mode_fault(const struct mode_trial *t, const struct conf_smarthost *s,
                               const struct fault *f);

/* The attempt brought a connection, or none: remember the mode that was verified, and forget
 * one that was not any more. True: m->advice is news for the log. */
bool mode_learn(struct mode *m, const struct conf_smarthost *s, const struct mode_trial *t);

#endif
