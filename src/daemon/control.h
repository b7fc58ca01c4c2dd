/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control_: the administrator's socket. A request is one line, VERB and words; the answer is
 * frames, "N" and N bytes for standard output each, and at last "end CODE" with an optional
 * sentence for standard error. CODE is an exit status (sysexits). Between frames "at N OF"
 * tells those who asked for it how far it has come (question.h has such words). Whoever closes
 * their side of the connection stops what changes messages. Who asks is the kernel's word. */
#ifndef TRANTER_CONTROL_H
#define TRANTER_CONTROL_H

#include "aliases.h"
#include "conf.h"
#include "err.h"
#include "loop.h"
#include "relay.h"
#include "store.h"

/* What the socket answers from. Borrowed while the control lives. */
struct control_facts {
    struct loop *loop;
    struct store *store;
    struct relay *relay;
    const struct tally *tally;
    const struct aliases *aliases;
    int64_t started_ms; /* wall clock */

    /* Load the configuration afresh; -1 with *err when it is refused, 1 when it is not the time
     * for it. */
    int (*reload)(void *arg, struct err *err);
    /* Load the alias files afresh; -1 with *err when they are refused. */
    int (*renew_aliases)(void *arg, struct err *err);
    /* Look for mail in the drop directory now. */
    void (*sweep)(void *arg);
    void *arg;
};

struct control;

/* Listen on conf->control. NULL with *err. */
struct control *control_new(const struct control_facts *facts, const struct conf *conf,
                            struct err *err) ATTR_MUST_CHECK;
void control_free(struct control *c);

/* The configuration that holds from now on, which was loaded at loaded_ms (wall clock), and why
 * the last reload failed (NULL: it did not). conf is not kept. */
void control_loaded(struct control *c, const struct conf *conf, int64_t loaded_ms,
                    const char *failure);

/* Append what is wrong, in one line for a service manager; "running" where nothing is. */
void control_status_line(const struct control *control, struct buf *out);

#endif
