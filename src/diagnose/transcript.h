/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transcript_: a dialogue as it was: each command with its reply and their times. Without I/O:
 * it is told what went out and what came in. What logs in is left out, whatever the mechanism.
 */
#ifndef TRANTER_TRANSCRIPT_H
#define TRANTER_TRANSCRIPT_H

#include "smtp_reply.h"

#include <stdint.h>

enum {
    TRANSCRIPT_MAX = 64,         /* exchanges; later ones are left out */
    TRANSCRIPT_LINE_MAX = 200,   /* bytes of a command or a line of a reply, as shown */
    TRANSCRIPT_COMMAND_MAX = 512 /* bytes of a command that are looked at */
};

struct transcript_exchange {
    char command[TRANSCRIPT_LINE_MAX]; /* printable; "" for the greeting, "AUTH PLAIN (secret)",
                                          "(secret)" */
    struct buf lines;    /* of the reply, with their code, printable, an LF behind each; of 334
                            without what it asks */
    unsigned code;       /* of the reply; 0: none came */
    bool secured;        /* the reply came, or was awaited, inside TLS */
    int64_t asked_ms;    /* monotonic */
    int64_t answered_ms; /* -1 */
};

struct transcript {
    struct transcript_exchange exchanges[TRANSCRIPT_MAX];
    unsigned n;          /* those begun */
    unsigned n_answered; /* of them, in order */
    bool secured;
    bool in_login;
    unsigned login;  /* the exchange that began it */
    struct buf sent; /* the command line in hand; secret */
    struct smtp_reply reply;
    bool garbled; /* what came is no reply: nothing more is looked at */
};

/* The connection is up: the greeting is awaited. */
void transcript_init(struct transcript *t, int64_t now_ms);
void transcript_release(struct transcript *t); /* wiped */

/* Bytes in clear, before TLS takes them and after it gave them. */
void transcript_sent(struct transcript *t, struct str bytes, int64_t now_ms);
void transcript_received(struct transcript *t, struct str bytes, int64_t now_ms);

/* A server may repeat the secret: leave out the replies that tell it (secret.h). */
void transcript_hide(struct transcript *t, struct str secret);

/* TLS is up. With implicit TLS the greeting is awaited from now on. */
void transcript_secured(struct transcript *t, int64_t now_ms);

/* The i-th (0, 1, ...) exchange whose command begins with verb ("EHLO"; "" is the greeting), or
 * NULL. */
const struct transcript_exchange *transcript_find(const struct transcript *t, const char *verb,
                                                  unsigned i);

#endif
