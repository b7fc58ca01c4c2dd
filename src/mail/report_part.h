/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_part_: the three parts of a report, each without its MIME header; report.c's own. All
 * text from outside goes through printable_put(), which lets no line end through, or is the
 * original, line by line: it cannot begin a field or a part. */
#ifndef TRANTER_REPORT_PART_H
#define TRANTER_REPORT_PART_H

#include "report.h"

enum {
    REPORT_PART_FACT_MAX = 512 /* bytes of an address, a name or a sentence */
};

/* For people. n_listed: recipients that the second part has. */
void report_part_text(struct buf *out, const struct report_facts *facts, unsigned n_listed);

/* For software (RFC 3464 2). Returns how many recipients there was room for. */
unsigned report_part_status(struct buf *out, const struct report_facts *facts);

/* The original header or message. */
void report_part_original(struct buf *out, const struct report_facts *facts);

/* A line being filled with words. */
struct report_part_fold {
    struct buf *out;
    const char *line_end; /* CRLF and what the next line begins with */
    size_t column;
    size_t columns;
};

/* Append the words of text, which is printable; blanks between them count as one. */
void report_part_words(struct report_part_fold *fold, struct str text);

/* Append text, made printable, or a date. */
void report_part_fact(struct buf *out, const char *text);
void report_part_date(struct buf *out, int64_t wall_ms, const struct report_facts *facts);

/* Does any recipient have this action? */
bool report_part_has(const struct report_facts *facts, enum report_action action);

#endif
