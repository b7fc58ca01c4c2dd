/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conclude_: what the probes of the neighbouring ports say about a failure, and what exit
 * status it is. Pure. */
#ifndef TRANTER_CONCLUDE_H
#define TRANTER_CONCLUDE_H

#include "probe.h"

/* Would it help to know what other ports speak? */
bool conclude_wants_probes(const struct fault *f);

/* Put what was found on n ports into the sentence and the fix of f. mechanisms: those that may
 * be used there, NULL where no login is configured. */
void conclude(struct fault *f, const struct conf_smarthost *smarthost, const char *mechanisms,
              const struct probe_result *results, unsigned n);

/* 0 where there is none; 78 where a setting, the account or the message must be mended; 75
 * where it may pass by itself. */
int conclude_exit_status(const struct fault *f);

/* "port 465 speaks TLS from the first byte and offers the logins PLAIN LOGIN" */
void conclude_describe(const struct probe_result *r, struct buf *out);

#endif
