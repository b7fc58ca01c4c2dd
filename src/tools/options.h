/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options_: sendmail's command line as Sendmail, Postfix and their callers write it.
 *
 * One table of letters; a letter's value is glued (-fa@b) or the next word (-f a@b), letters
 * without one cluster (-ti), options end at the first operand or "--". Pure: nothing is
 * printed, nothing is read but the words. */
#ifndef TRANTER_OPTIONS_H
#define TRANTER_OPTIONS_H

#include "buf.h"
#include "err.h"

enum options_mode {
    OPTIONS_SUBMIT,  /* -bm: a message on standard input */
    OPTIONS_SESSION, /* -bs: SMTP on standard input and output */
    OPTIONS_QUEUE,   /* -bp, mailq */
    OPTIONS_ALIASES, /* -bi, newaliases */
    OPTIONS_RETRY,   /* -q, runq */
    OPTIONS_VERIFY,  /* -bv: what would become of the operands */
    OPTIONS_NOTHING, /* exit 0 at once */
    OPTIONS_HELP,
    OPTIONS_VERSION
};

/* Strings are the command line's own. */
struct options {
    enum options_mode mode;
    bool from_header;        /* -t */
    bool dot_is_data;        /* -i, -oi: a line "." does not end the message */
    bool quiet;              /* -eq, -oeq: no words on standard error */
    bool verbose;            /* -v */
    bool bare;               /* -G: add no header field */
    bool json;               /* mailq --json */
    const char *sender;      /* -f, -r; NULL when not given; "" and "<>" are the null sender */
    const char *full_name;   /* -F; NULL when not given */
    const char *notify;      /* -N, checked; NULL when not given */
    const char *ret;         /* -R, "full" or "hdrs" in any case; NULL when not given */
    const char *match;       /* -qI, -qR, -qS: "Itext", "!Itext"; NULL when not given */
    const char *envelope_id; /* -V, not yet xtext; NULL when not given */
    char *const *operands;   /* n_operands of them */
    size_t n_operands;
    struct buf warnings; /* lines, each with its newline: what was ignored, and why */
};

/* Read argc words, the first of which is the name of the program. -1, and a sentence, if they
 * are not to be understood: exit 64. options_release() either way. */
int options_parse(struct options *o, int argc, char *const *argv,
                  struct err *err) ATTR_MUST_CHECK;
void options_release(struct options *o);

#endif
