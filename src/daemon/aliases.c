/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "aliases.h"

#include "conf_aliases.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>

struct aliases {
    struct conf *conf;
    struct alias_table *table;
};

static size_t kept(const struct alias_table *t)
{
    return t->n_problems < ALIAS_PROBLEMS_MAX ? t->n_problems : ALIAS_PROBLEMS_MAX;
}

static void log_problems(const struct alias_table *t)
{
    for (size_t i = 0; i < kept(t); i++)
        log_say(t->problems[i].grave ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, NULL, "%s",
                t->problems[i].sentence);
}

/* The first grave problem that is kept, else the first of all. */
static const char *worst(const struct alias_table *t)
{
    for (size_t i = 0; i < kept(t); i++)
        if (t->problems[i].grave)
            return t->problems[i].sentence;
    return t->problems[0].sentence;
}

struct alias_table *aliases_load(const struct conf *conf, bool strict, struct err *err)
{
    struct alias_table *t = conf_aliases_load(conf, err);
    if (!t)
        return NULL;
    log_problems(t);
    if (!strict || t->n_grave == 0)
        return t;
    err_set(err, "%s", worst(t));
    alias_table_free(t);
    return NULL;
}

struct aliases *aliases_new(struct conf *conf, struct alias_table *table)
{
    struct aliases *a = mem_new(sizeof *a);
    a->conf = conf_ref(conf);
    a->table = table;
    return a;
}

void aliases_use(struct aliases *a, struct conf *conf, struct alias_table *table)
{
    conf_ref(conf);
    conf_unref(a->conf);
    a->conf = conf;
    alias_table_free(a->table);
    a->table = table;
}

void aliases_free(struct aliases *a)
{
    if (!a)
        return;
    conf_unref(a->conf);
    alias_table_free(a->table);
    free(a);
}

void aliases_put_problems(struct buf *out, const struct alias_table *t)
{
    for (size_t i = 0; i < kept(t); i++)
        buf_printf(out, "%s%s\n", t->problems[i].sentence,
                   t->problems[i].grave ? "" : " (warning)");
    if (t->n_problems > kept(t))
        buf_printf(out, "and %zu more\n", t->n_problems - kept(t));
}

const struct alias_table *aliases_table(const struct aliases *a)
{
    return a->table;
}

const char *aliases_problem(const struct aliases *a)
{
    return a->table->n_grave ? worst(a->table) : NULL;
}

const char *aliases_host(const struct aliases *a)
{
    return a->conf->smarthosts[0].host;
}

void aliases_expand(const struct aliases *a, struct str mailbox, bool exact,
                    const struct alias_visitor *visitor)
{
    struct alias_home home = conf_aliases_home(a->conf);
    alias_expand(a->table, &home, mailbox, exact, visitor);
}
