/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf_key_: every key of the configuration as a row: its name, its preset, how its value is
 * read, and what to write when it cannot be. */
#ifndef TRANTER_CONF_KEY_H
#define TRANTER_CONF_KEY_H

#include "conf.h"

struct conf_key {
    const char *name;
    const char *preset; /* as it would be written; NULL: none */
    /* Read value into the row's field of *owner. False when it cannot be, with a sentence in
     * *why where there is a better one than .wanted. */
    bool (*read)(const struct conf_key *key, struct str value, void *owner, struct err *why);
    const char *wanted; /* what to write instead */
    size_t offset;      /* of the field in struct conf or struct conf_smarthost */
    uint64_t min, max;  /* of a number, in the unit of the field */
    const char *words;  /* of a choice, blank-separated */
    bool list;          /* read is called once for each of its values */
    bool text;          /* the field is a char * that conf owns */
    bool quiet;         /* never repeat the value: it may be a secret put in the wrong place */
};

/* Of the file itself and of a smarthost { }; the row with a NULL name ends each. */
extern const struct conf_key conf_global_keys[];
extern const struct conf_key conf_smarthost_keys[];

enum {
    CONF_KEYS_MAX = 40 /* rows of either table at most */
};

/* tls = "auto" until the port is known. */
#define CONF_TLS_AUTO ((enum conf_tls)(CONF_TLS_NONE + 1))

/* Number of the row, -1 where no key is called so. */
int conf_key_find(const struct conf_key *keys, struct str name);

/* Set each field that has a preset, lists left out. */
void conf_key_presets(const struct conf_key *keys, void *owner);

/* Free each field that is text. */
void conf_key_release(const struct conf_key *keys, void *owner);

/* Say in *why that name is no key here, and what to write: the nearest one, the place where it
 * belongs, or how to do without a key that this version does not have. */
void conf_key_unknown(struct str name, bool in_smarthost, struct err *why);

#endif
