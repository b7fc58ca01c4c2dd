/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "alias.h"

#include "address.h"
#include "err.h"
#include "mem.h"
#include "printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct alias_table *alias_table_new(void)
{
    return mem_new(sizeof(struct alias_table));
}

void alias_table_free(struct alias_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n_targets; i++)
        free(t->targets[i].text);
    for (size_t i = 0; i < t->n_files; i++)
        free(t->files[i]);
    for (size_t i = 0; i < t->n_problems && i < ALIAS_PROBLEMS_MAX; i++)
        free(t->problems[i].sentence);
    free(t->files);
    free(t->targets);
    free(t->entries);
    address_set_release(&t->names);
    free(t);
}

void alias_table_tell(struct alias_table *t, bool grave, const char *file, int line,
                      const char *fmt, ...)
{
    char words[ERR_TEXT_MAX], shown[ERR_TEXT_MAX];
    struct err whole;
    va_list args;
    t->n_grave += grave;
    if (t->n_problems++ >= ALIAS_PROBLEMS_MAX)
        return;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    printable_cut(shown, sizeof shown, str_of(words));
    if (line)
        err_set(&whole, "%s:%d: %s", file, line, shown);
    else
        err_set(&whole, "%s: %s", file, shown);
    t->problems[t->n_problems - 1] = (struct alias_problem){grave, mem_strdup(whole.text)};
}

const char *alias_include_path(const struct alias_entry *entry)
{
    return entry->include ? entry->name + strlen(":include:") : NULL;
}

size_t alias_table_next_include(const struct alias_table *t, size_t index)
{
    for (index++; index < t->names.n; index++)
        if (alias_include_path(&t->entries[index]))
            return index;
    return SIZE_MAX;
}

bool alias_is_local(const struct alias_home *home, struct str mailbox)
{
    static const struct str localhost = {"localhost", 9}, below = {"localhost.", 10};
    struct str domain = address_domain(mailbox);
    return domain.n == 0 || str_eq_nocase(domain, str_of(home->hostname)) ||
           str_eq_nocase(domain, localhost) || str_starts_nocase(domain, below);
}

enum seen {
    UNSEEN,
    OPEN, /* the walk is below it */
    DONE
};

/* One expansion. */
struct walk {
    const struct alias_table *table;
    const struct alias_home *home;
    const struct alias_visitor *visitor;
    enum seen *seen; /* of each entry; NULL: none was met */
    size_t n;        /* addresses told */
    size_t start;    /* the entry that the walk began with */
    bool loops;      /* it was met again behind others */
    bool too_deep;
};

static void go_to(struct walk *w, unsigned depth, struct str mailbox, bool exact);

static void tell(struct walk *w, unsigned depth, struct str address, enum alias_end end)
{
    if (w->n++ < ALIAS_ADDRESSES_MAX)
        w->visitor->on_address(w->visitor->arg, depth, address, end);
}

/* A local name that no alias sends elsewhere. The domain of this host stays where it was given;
 * localhost is no place to send mail to. */
static void end_here(struct walk *w, unsigned depth, struct str mailbox)
{
    struct buf room;
    bool whole = str_eq_nocase(address_domain(mailbox), str_of(w->home->hostname));
    if (w->home->admin) {
        tell(w, depth, str_of(w->home->admin), ALIAS_END_ADMIN);
        return;
    }
    buf_init(&room, ADDRESS_MAX * 2);
    address_complete(&room, whole ? mailbox : address_local(mailbox), str_of(w->home->domain));
    tell(w, depth, buf_str(&room), ALIAS_END_COMPLETED);
    buf_release(&room);
}

static void go_through(struct walk *w, unsigned depth, const struct alias_entry *e)
{
    const struct alias_table *t = w->table;
    size_t index = (size_t)(e - t->entries);
    if (!w->seen)
        w->seen = mem_array(t->names.n, sizeof *w->seen);
    if (w->seen[index] != UNSEEN)
        return;
    w->seen[index] = OPEN;
    if (w->visitor->on_alias)
        w->visitor->on_alias(w->visitor->arg, depth, e);
    for (size_t i = e->first; i < e->first + e->n && w->n <= ALIAS_ADDRESSES_MAX; i++) {
        const struct alias_target *target = &t->targets[i];
        if (target->kind == ALIAS_NOBODY)
            tell(w, depth + 1, str_of(e->name), ALIAS_END_NOBODY);
        else if (target->kind != ALIAS_INCLUDE)
            go_to(w, depth + 1, str_of(target->text), target->kind == ALIAS_EXACT);
        else if (depth < ALIAS_DEPTH_MAX)
            go_through(w, depth + 1, &t->entries[target->entry]);
        else
            w->too_deep = true;
    }
    w->seen[index] = DONE;
}

/* The entry that applies to a local mailbox, or NULL. */
static const struct alias_entry *find(const struct alias_table *t, struct str mailbox)
{
    struct str local = address_local(mailbox);
    char name[ADDRESS_LOCAL_MAX + 1];
    size_t n = 0;
    bool quoted = local.n && local.p[0] == '"';
    for (size_t i = quoted; i + quoted < local.n && n < sizeof name; i++) {
        i += quoted && local.p[i] == '\\';
        name[n++] = str_lower(local.p[i]);
    }
    size_t index = address_set_find(&t->names, (struct str){name, n});
    const struct alias_entry *e = index == SIZE_MAX ? NULL : &t->entries[index];
    return e && e->usable && !alias_include_path(e) ? e : NULL;
}

static void go_to(struct walk *w, unsigned depth, struct str mailbox, bool exact)
{
    if (!alias_is_local(w->home, mailbox)) {
        tell(w, depth, mailbox, ALIAS_END_AS_IS);
        return;
    }
    const struct alias_entry *e = exact ? NULL : find(w->table, mailbox);
    size_t index = e ? (size_t)(e - w->table->entries) : SIZE_MAX;
    bool deep = e && depth >= ALIAS_DEPTH_MAX;
    bool again = e && w->seen && w->seen[index] == OPEN;
    w->too_deep = w->too_deep || deep;
    w->loops = w->loops || (again && depth > 1 && index == w->start);
    if (!e || deep || again)
        end_here(w, depth, mailbox);
    else
        go_through(w, depth, e);
}

void alias_expand(const struct alias_table *t, const struct alias_home *home,
                  struct str mailbox, bool exact, const struct alias_visitor *visitor)
{
    struct walk w = {.table = t, .home = home, .visitor = visitor, .start = SIZE_MAX};
    go_to(&w, 0, mailbox, exact);
    free(w.seen);
}

static void count(void *arg, unsigned depth, struct str address, enum alias_end end)
{
    (void)arg;
    (void)depth;
    (void)address;
    (void)end;
}

static void settle(struct alias_table *t, const struct alias_home *home, struct alias_entry *e)
{
    const struct alias_visitor visitor = {NULL, count, NULL};
    struct walk w = {
        .table = t, .home = home, .visitor = &visitor, .start = (size_t)(e - t->entries)};
    go_through(&w, 0, e);
    free(w.seen);
    bool large = w.n > ALIAS_ADDRESSES_MAX;
    if (w.loops)
        alias_table_tell(t, false, e->file, e->line,
                         "%s leads back to itself; break the circle, mail for it goes on as if "
                         "it had no alias",
                         e->name);
    if (w.too_deep || large)
        alias_table_tell(t, true, e->file, e->line,
                         "%s leads to more than %d %s; the alias is not used", e->name,
                         large ? ALIAS_ADDRESSES_MAX : ALIAS_DEPTH_MAX,
                         large ? "addresses" : "aliases one behind the other");
    e->usable = !w.too_deep && !large && w.n > 0;
}

void alias_table_settle(struct alias_table *t, const struct alias_home *home)
{
    for (size_t i = 0; i < t->names.n; i++)
        t->entries[i].usable = t->entries[i].n > 0;
    for (size_t i = 0; i < t->names.n; i++) {
        struct alias_entry *e = &t->entries[i];
        if (alias_include_path(e))
            continue;
        if (e->usable)
            settle(t, home, e);
        if (!e->usable)
            alias_table_tell(t, false, e->file, e->line,
                             "nothing is left of the alias %s; mail for it goes to admin, or "
                             "to %s at the domain",
                             e->name, e->name);
    }
}
