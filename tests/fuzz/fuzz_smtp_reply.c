/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stream of replies: the first octet says how it is cut. What is read stays within its
 * limits, does not depend on the cut, and can be written and read again. */
#include "mem.h"
#include "smtp_reply.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_reply(const struct smtp_reply *r)
{
    size_t at = 0, lines = 0;
    struct str line;
    BUG_ON(r->code < 200 || r->code > 559);
    BUG_ON(r->n_lines == 0 || r->n_lines > SMTP_REPLY_LINES_MAX);
    BUG_ON(buf_len(&r->text) > SMTP_REPLY_MAX || r->text.failed || r->line.failed);
    BUG_ON(r->status[0] && r->status[0] != (char)('0' + r->code / 100));
    while (smtp_reply_line(r, &at, &line))
        lines++;
    BUG_ON(lines != r->n_lines);
}

static void check_written(const struct smtp_reply *r)
{
    struct smtp_reply again;
    struct buf wire;
    size_t taken = 0;
    buf_init(&wire, SMTP_REPLY_LINES_MAX * SMTP_REPLY_OUR_LINE_MAX);
    smtp_reply_format(&wire, r->code, "", buf_str(&r->text));
    smtp_reply_init(&again, SMTP_REPLY_OUR_LINE_MAX);
    enum smtp_reply_result result = smtp_reply_feed(&again, buf_str(&wire), &taken, NULL);
    BUG_ON(wire.failed);
    /* Made printable it may grow beyond what a reader takes; no more than that. */
    BUG_ON(result == SMTP_REPLY_BAD && buf_len(&wire) <= SMTP_REPLY_MAX);
    BUG_ON(result == SMTP_REPLY_GOOD &&
           (taken != buf_len(&wire) || again.code != r->code || again.n_lines != r->n_lines));
    smtp_reply_release(&again);
    buf_release(&wire);
}

/* Append what is read to seen. */
static void read_all(struct str bytes, size_t each, struct buf *seen)
{
    struct smtp_reply r;
    enum smtp_reply_result result = SMTP_REPLY_MORE;
    smtp_reply_init(&r, SMTP_REPLY_LINE_MAX);
    while (bytes.n > 0 && result != SMTP_REPLY_BAD) {
        size_t taken = 0;
        result = smtp_reply_feed(&r, str_head(bytes, each), &taken, NULL);
        BUG_ON(taken > each || taken > bytes.n || (taken == 0 && result != SMTP_REPLY_BAD));
        bytes = str_tail(bytes, taken);
        if (result == SMTP_REPLY_GOOD) {
            check_reply(&r);
            check_written(&r);
            smtp_reply_words(&r, seen);
            buf_puts(seen, r.status);
        }
    }
    buf_puts(seen, result == SMTP_REPLY_BAD ? "bad" : "");
    smtp_reply_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf whole, cut;
    if (n == 0 || n > 1 << 18)
        return 0;
    struct str bytes = {(const char *)data + 1, n - 1};
    buf_init(&whole, 1 << 20);
    buf_init(&cut, 1 << 20);
    read_all(bytes, n, &whole);
    read_all(bytes, 1 + (size_t)data[0] * data[0], &cut);
    BUG_ON(!str_eq(buf_str(&whole), buf_str(&cut)));
    buf_release(&whole);
    buf_release(&cut);
    return 0;
}
