/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_key.h"

#include "printable.h"

#include <string.h>

enum {
    NAME_MAX_BYTES = 32, /* of a name that is compared */
    NAME_SHOWN_MAX = 48
};

/* What people write that is no key of this version, and how to do without. */
static const struct {
    const char *name, *sentence;
} ways_out[] = {
    {"route",
     "is not available in this version; take the section out: all smarthosts are tried "
     "in the order written"},
    {"rewrite", "is not available in this version; take the section out"},
    {"limit", "is not available in this version; take the section out"},
    {"password", "does not belong into this file, which others may read; write it into a file "
                 "of its own, mode 0600, and put password-file = \"/PATH/OF/IT\" here"},
    {"include", "is not available; write everything into this file"},
};

/* Edits (add, drop, replace a byte) between two names. */
static unsigned distance(struct str a, struct str b)
{
    unsigned row[NAME_MAX_BYTES + 1];
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned replaced =
                diagonal + (str_lower(a.p[i - 1]) == str_lower(b.p[j - 1]) ? 0 : 1);
            unsigned moved = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = replaced < moved ? replaced : moved;
        }
    }
    return row[b.n];
}

static const char *nearest(const struct conf_key *keys, struct str name, bool in_smarthost)
{
    const char *best = NULL;
    unsigned best_distance = name.n < 6 ? 2 : 3; /* this many edits are too many */
    if (name.n > NAME_MAX_BYTES)
        return NULL;
    for (; keys->name; keys++) {
        unsigned d = distance(name, str_of(keys->name));
        if (d < best_distance) {
            best = keys->name;
            best_distance = d;
        }
    }
    if (!in_smarthost && distance(name, STR_LIT("smarthost")) < best_distance)
        best = "smarthost";
    return best;
}

static const char *way_out(struct str name)
{
    for (size_t i = 0; i < sizeof ways_out / sizeof ways_out[0]; i++)
        if (str_eq(name, str_of(ways_out[i].name)))
            return ways_out[i].sentence;
    return NULL;
}

void conf_key_unknown(struct str name, bool in_smarthost, struct err *why)
{
    const struct conf_key *here = in_smarthost ? conf_smarthost_keys : conf_global_keys;
    const struct conf_key *there = in_smarthost ? conf_global_keys : conf_smarthost_keys;
    const char *sentence = way_out(name);
    const char *near = nearest(here, name, in_smarthost);
    char shown[NAME_SHOWN_MAX];
    printable_cut(shown, sizeof shown, name);
    if (sentence)
        err_set(why, "%s %s", shown, sentence);
    else if (in_smarthost && str_eq(name, STR_LIT("smarthost")))
        err_set(why, "a smarthost cannot stand inside of another; close the one before with }");
    else if (conf_key_find(there, name) >= 0 && in_smarthost)
        err_set(why, "%s is a key of the whole file; write it outside of smarthost { }", shown);
    else if (conf_key_find(there, name) >= 0)
        err_set(why, "%s is a key of a smarthost; write it inside of smarthost \"NAME\" { }",
                shown);
    else if (near)
        err_set(why, "there is no key \"%s\"; did you mean %s?", shown, near);
    else
        err_set(why, "there is no key \"%s\"; tranter.conf(5) lists those there are", shown);
}
