/* SPDX-License-Identifier: GPL-3.0-or-later */
/* drop_: the drop directory, SPOOL/drop: what sendmail stored while we were away. Each file is
 * a session, and is fed to one, as its owner's. Nothing about it is trusted: it must be a
 * regular file with one name and a bounded size, and what is wrong with it is set aside under a
 * name that ends in ".bad", logged once, and never deleted. A file is removed when all of it is
 * in the queue; should we die before that, its submission id keeps the second time harmless. */
#ifndef TRANTER_DROP_H
#define TRANTER_DROP_H

#include "conf.h"
#include "loop.h"
#include "submit.h"

enum {
    DROP_SWEEP_MS = 60 * 1000
};

struct drop;

/* The drop directory of conf's spool, which need not be there. loop and submit are borrowed. */
struct drop *drop_new(struct loop *loop, struct submit *submit, const struct conf *conf);
void drop_free(struct drop *d);

/* Follow conf's message-size-limit. */
void drop_reload(struct drop *d, const struct conf *conf);

/* Look through the directory now, and every DROP_SWEEP_MS from then on. */
void drop_sweep(struct drop *d);

/* Begin no more files; the session in hand ends with the others. */
void drop_stop(struct drop *d);

#endif
