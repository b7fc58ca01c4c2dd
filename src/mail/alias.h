/* SPDX-License-Identifier: GPL-3.0-or-later */
/* alias_: the alias file, as Sendmail and Postfix have it (aliases(5)): which addresses the
 * mail for a local name goes to. Pure: whoever has the files feeds them.
 *
 *     # comment                    also behind a blank, to the end of the line
 *     name: target, target,        a name has no letter case; quoted where it must be
 *         target                   a line that begins with a blank continues the one before
 *
 * A target is an address, another local name, "\name" (which is looked up no more), /dev/null
 * (nobody) or ":include:/path" of a file with a list of targets. No command is run and no file
 * is written: "|command", "/file" and ":word:" are left out and told as problems. Where nothing
 * is left of an alias, its name counts as one without: no mail is lost for it. */
#ifndef TRANTER_ALIAS_H
#define TRANTER_ALIAS_H

#include "address_set.h"
#include "buf.h"

enum {
    ALIAS_FILE_MAX = 16 * 1024 * 1024, /* bytes of all files together */
    ALIAS_LINE_MAX = 1024 * 1024,      /* bytes of an alias with its continuations */
    ALIAS_ENTRIES_MAX = 100000,
    ALIAS_TARGETS_MAX = 400000,
    ALIAS_INCLUDES_MAX = 1000,
    ALIAS_DEPTH_MAX = 20,        /* aliases one behind the other */
    ALIAS_ADDRESSES_MAX = 10000, /* of one name in the end */
    ALIAS_PROBLEMS_MAX = 100     /* whose sentences are kept */
};

enum alias_kind {
    ALIAS_NAME,    /* text is a mailbox; without a domain, or with one of this host, it is
                      looked up again */
    ALIAS_EXACT,   /* text is a mailbox, which is not looked up */
    ALIAS_INCLUDE, /* the targets of entry */
    ALIAS_NOBODY   /* /dev/null */
};

struct alias_target {
    enum alias_kind kind;
    char *text;
    size_t entry;
};

struct alias_entry {
    const char *name; /* as looked up: lower case, unquoted; ":include:/path" for a file */
    const char *file; /* where it stands, or is included first */
    int line;
    bool include; /* of a file; else it is an alias */
    size_t first; /* of its targets */
    size_t n;
    bool usable; /* something is left of it, and it is within the limits */
};

struct alias_problem {
    bool grave;     /* the file is not one that its author meant; else a part has no effect */
    char *sentence; /* "FILE:LINE: what is wrong; what to do" */
};

struct alias_table {
    struct address_set names;    /* of the entries, whose index they share */
    struct alias_entry *entries; /* names.n, in room for entries_room */
    size_t entries_room;
    struct alias_target *targets;
    size_t n_targets, targets_room;
    char **files; /* n_files names that entries borrow */
    size_t n_files;
    size_t n_includes;
    size_t bytes; /* fed so far */
    struct alias_problem problems[ALIAS_PROBLEMS_MAX];
    size_t n_problems; /* may be more than are kept */
    size_t n_grave;
};

/* An empty table; alias_table_free(). */
struct alias_table *alias_table_new(void);
void alias_table_free(struct alias_table *t);

/* Tell a problem of file; line 0: of the whole file. */
void alias_table_tell(struct alias_table *t, bool grave, const char *file, int line,
                      const char *fmt, ...) ATTR_PRINTF(5, 6);

/* Reads one file into a table, in pieces of any size. */
struct alias_reader {
    struct alias_table *table;
    const char *file;
    size_t
        include; /* the entry that this file's targets go to; SIZE_MAX: it is an alias file */
    struct buf physical; /* the line in hand */
    struct buf logical;  /* the alias in hand, with its continuations */
    int line;            /* of physical */
    int first_line;      /* of logical; 0: none is in hand */
};

/* Begin with an alias file, or with the file that entry index of the table includes. */
void alias_reader_init(struct alias_reader *r, struct alias_table *t, const char *file);
void alias_reader_init_include(struct alias_reader *r, struct alias_table *t, size_t index);

/* False: the files are too large; feed no more. */
bool alias_reader_feed(struct alias_reader *r, const char *bytes, size_t n);

/* The file is over. Gives the reader's memory back. */
void alias_reader_end(struct alias_reader *r);

/* The next entry behind index that includes a file (start with SIZE_MAX); SIZE_MAX: no more.
 * Files that are read bring others. */
size_t alias_table_next_include(const struct alias_table *t, size_t index);

/* The path of the file that an entry includes; NULL: it is an alias. */
const char *alias_include_path(const struct alias_entry *entry);

/* Names of this host, and where mail for its users goes; borrowed. */
struct alias_home {
    const char *hostname;
    const char *domain; /* completes a name */
    const char *admin;  /* NULL: nobody gets what no alias sends elsewhere */
};

/* All files are read: see which aliases are usable, and tell loops and what is too large. */
void alias_table_settle(struct alias_table *t, const struct alias_home *home);

/* Is mailbox a user of this host: without a domain, or at its hostname or at localhost? The
 * domain that completes names is not a host: somebody else may well have a user there. */
bool alias_is_local(const struct alias_home *home, struct str mailbox);

enum alias_end {
    ALIAS_END_AS_IS,     /* an address elsewhere */
    ALIAS_END_ADMIN,     /* a local name without an alias goes to the admin */
    ALIAS_END_COMPLETED, /* or is completed with the domain */
    ALIAS_END_NOBODY     /* address is the name that /dev/null stands for */
};

/* Who is told the way to each address. */
struct alias_visitor {
    /* entry applies; NULL: nobody wants to know. */
    void (*on_alias)(void *arg, unsigned depth, const struct alias_entry *entry);
    /* The mail goes to address (valid during the call); one may be told again. */
    void (*on_address)(void *arg, unsigned depth, struct str address, enum alias_end end);
    void *arg;
};

/* Tell whom mail for mailbox goes to: at least one address, or that it is nobody. exact:
 * without a look at aliases. A name that leads back to itself stands for the user of this host.
 * At most ALIAS_ADDRESSES_MAX are told. */
void alias_expand(const struct alias_table *t, const struct alias_home *home,
                  struct str mailbox, bool exact, const struct alias_visitor *visitor);

#endif
