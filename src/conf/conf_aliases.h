/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf_aliases_: the alias file that a configuration names, and what it includes. */
#ifndef TRANTER_CONF_ALIASES_H
#define TRANTER_CONF_ALIASES_H

#include "alias.h"
#include "conf.h"

/* What is local to conf, and where mail for it goes. Borrows from conf. */
struct alias_home conf_aliases_home(const struct conf *conf);

/* Load them, settled: conf->aliases, or CONF_ALIASES_FILE if it is there, and each file that
 * they include, which must be one that everybody may read: who may ask where a name leads sees
 * what is in it. The caller's. What is wrong in the files is among the table's problems; NULL,
 * and *err, where the alias file itself cannot be read or is too large. */
struct alias_table *conf_aliases_load(const struct conf *conf, struct err *err) ATTR_MUST_CHECK;

#endif
