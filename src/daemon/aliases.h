/* SPDX-License-Identifier: GPL-3.0-or-later */
/* aliases_: the aliases in force. They are loaded with the configuration, and by newaliases. */
#ifndef TRANTER_ALIASES_H
#define TRANTER_ALIASES_H

#include "alias.h"
#include "conf.h"

struct aliases;

/* The alias files of conf, and their problems told to the log. strict: a file in which there is
 * a grave one is not taken. NULL with *err. */
struct alias_table *aliases_load(const struct conf *conf, bool strict,
                                 struct err *err) ATTR_MUST_CHECK;

/* The aliases in force are those of table (taken), loaded for conf (referenced). */
struct aliases *aliases_new(struct conf *conf, struct alias_table *table);
void aliases_use(struct aliases *a, struct conf *conf, struct alias_table *table);
void aliases_free(struct aliases *a);

/* Append the problems, a line each; grave ones are marked. */
void aliases_put_problems(struct buf *out, const struct alias_table *table);

/* The table in force: until the next aliases_use(). */
const struct alias_table *aliases_table(const struct aliases *a);

/* The first grave problem of the table in force, which only a start lives with; NULL: none. */
const char *aliases_problem(const struct aliases *a);

/* The host that mail goes to first. */
const char *aliases_host(const struct aliases *a);

/* alias_expand() with what is in force. */
void aliases_expand(const struct aliases *a, struct str mailbox, bool exact,
                    const struct alias_visitor *visitor);

#endif
