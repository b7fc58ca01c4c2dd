/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_provider_: what is known of the great providers; smtp_provider.c is nothing but data. It
 * words a sentence and its fix better, and never decides whose fault it was. */
#ifndef TRANTER_SMTP_PROVIDER_H
#define TRANTER_SMTP_PROVIDER_H

#include "str.h"

/* What a fault means there. Blank-separated lists. */
struct smtp_provider_note {
    const char *codes; /* of the faults that it is about; NULL ends the notes */
    const char *code;  /* the better code, of the same scope; NULL: it stays */
    const char *text;  /* the better sentence; NULL: it stays */
    const char *fix;
};

enum {
    SMTP_PROVIDER_NOTES_MAX = 6
};

struct smtp_provider {
    const char *name;
    const char *hosts; /* "smtp.gmail.com", "*.example.com" */
    const char *user;  /* how its user names look; NULL: an address */
    struct smtp_provider_note notes[SMTP_PROVIDER_NOTES_MAX];
};

/* Whose server host is; NULL: of nobody that is known. */
const struct smtp_provider *smtp_provider_of(struct str host);

/* Its note about a fault with this code; NULL: none. */
const struct smtp_provider_note *smtp_provider_note_of(const struct smtp_provider *provider,
                                                       struct str code);

#endif
