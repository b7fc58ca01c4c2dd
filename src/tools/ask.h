/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ask_: a question to the daemon on its control socket.
 *
 * The question is one line, "VERB ARG...\n". The answer is frames "N\n" with N bytes each for
 * standard output, lines "at N OF\n" of how far it has come, and then "end CODE\n" or "end CODE
 * sentence\n": the exit status, and what is said on standard error. */
#ifndef TRANTER_ASK_H
#define TRANTER_ASK_H

#include "buf.h"
#include "err.h"

enum {
    ASK_QUESTION_MAX = 64 * 1024,      /* bytes with the newline */
    ASK_LINE_MAX = 1024,               /* bytes of an answer's line, without the newline */
    ASK_FRAME_MAX = 1024 * 1024 * 1024 /* bytes of a frame */
};

enum ask_event {
    ASK_MORE, /* feed it more */
    ASK_AT,   /* .at and .of are known */
    ASK_DATA, /* .data is for standard output; told in pieces */
    ASK_END,  /* .exit_status and .sentence are known; nothing more is looked at */
    ASK_BAD   /* this is not an answer */
};

/* Reads an answer; pure. */
struct ask_answer {
    char line[ASK_LINE_MAX + 1];
    size_t line_bytes;
    uint64_t frame_bytes; /* of the frame in hand: still to come */
    struct str data;      /* with ASK_DATA: of the bytes that were fed */
    uint64_t at, of;      /* with ASK_AT: so many of so many */
    int exit_status;      /* with ASK_END: 0 to 255 */
    const char *sentence; /* with ASK_END: in line, "" for none */
    bool over;
};

void ask_answer_init(struct ask_answer *a);

/* Take bytes off the front of *input, up to the next event. */
enum ask_event ask_answer_next(struct ask_answer *a, struct str *input);

/* Append a word to a question, after a blank where it is not the first. False, and nothing is
 * added, if it is empty or has blanks or controls in it. */
bool ask_put_word(struct buf *question, struct str word) ATTR_MUST_CHECK;

/* Put the question (without its newline) to the daemon on the connected socket fd, which is
 * closed, and write what it answers to standard output. progress, or NULL, is told how far it
 * has come. A signal handler may shut fd down for writing: the daemon then comes to an end.
 * Returns the exit status: the daemon's, or 69 (74 where standard output fails); *err is the
 * sentence, empty where there is nothing to say. */
int ask(int fd, const struct buf *question, void (*progress)(uint64_t at, uint64_t of),
        struct err *err);

#endif
