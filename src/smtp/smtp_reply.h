/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smtp_reply_: one reply of a server, read with limits (S-130 to S-139), and written (RFC 5321
 * 4.2, RFC 2034).
 *
 * Reading stops behind the last byte of the reply, never before, never after. Nothing is
 * skipped and nothing is guessed: whatever breaks the grammar makes the whole stream BAD. */
#ifndef TRANTER_SMTP_REPLY_H
#define TRANTER_SMTP_REPLY_H

#include "buf.h"
#include "err.h"

enum {
    SMTP_REPLY_LINE_MAX = 4096, /* bytes of a line with its CRLF (S-131) */
    SMTP_REPLY_MAX = 65536,     /* bytes of a whole reply (S-132) */
    SMTP_REPLY_LINES_MAX = 256, /* lines of a reply (S-132) */
    SMTP_REPLY_STATUS_MAX = 12, /* "5.123.123" and NUL */
    SMTP_REPLY_OUR_LINE_MAX =
        512 /* bytes of a line we write, with its CRLF (RFC 5321 4.5.3.1.5)
             */
};

enum smtp_reply_result {
    SMTP_REPLY_MORE, /* all was taken, the reply is not at its end */
    SMTP_REPLY_GOOD, /* a whole reply; its fields are valid until the next feed */
    SMTP_REPLY_BAD   /* not a reply, or over a limit; for good */
};

struct smtp_reply {
    unsigned code;                      /* of the last line, 200 to 559 (S-092, S-134) */
    unsigned n_lines;                   /* so far */
    bool mixed;                         /* the lines' codes differ in their last two digits */
    bool bare_lf;                       /* a line ended with LF alone (S-136) */
    char status[SMTP_REPLY_STATUS_MAX]; /* RFC 3463, of the first line that has one of the
                                           code's class (S-091); "" for none */

    /* Of smtp_reply_feed() alone. */
    size_t line_max;
    size_t n_bytes;
    enum smtp_reply_result result;
    struct buf line; /* the line in hand */
    struct buf text; /* the lines without their codes, separated by LF */
};

/* Ready for the first byte. line_max: bytes of a line, SMTP_REPLY_LINE_MAX but for AUTH. */
void smtp_reply_init(struct smtp_reply *r, size_t line_max);
void smtp_reply_release(struct smtp_reply *r);

/* Take bytes, up to the end of one reply at most; *taken says how many. After GOOD the next
 * call begins a new reply. BAD: err says what is wrong (it may be NULL), and every later call
 * says BAD. */
enum smtp_reply_result smtp_reply_feed(struct smtp_reply *r, struct str bytes, size_t *taken,
                                       struct err *err);

/* The bytes of the line that has not ended, or that was BAD. Valid until the next call. */
struct str smtp_reply_pending(const struct smtp_reply *r);

/* Walk the lines of a GOOD reply, without code and line end: false after the last. Start with
 * *at = 0. */
bool smtp_reply_line(const struct smtp_reply *r, size_t *at, struct str *line);

/* Append the server's words: code, blank, and all lines' texts separated by blanks. Not yet
 * printable. */
void smtp_reply_words(const struct smtp_reply *r, struct buf *out);

/* Read an RFC 3463 status at the start of text whose class is that of code: its length, or 0.
 */
size_t smtp_reply_status(struct str text, unsigned code);

/* Append a reply in wire form. status ("2.1.0") stands in each line; NULL or "" leaves it out.
 * text: its lines are separated by LF; each is made printable and cut to
 * SMTP_REPLY_OUR_LINE_MAX. */
void smtp_reply_format(struct buf *out, unsigned code, const char *status, struct str text);

#endif
