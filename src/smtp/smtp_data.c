/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_data.h"

#include <string.h>

void smtp_data_init(struct smtp_data *d)
{
    *d = (struct smtp_data){.line_start = true};
}

static void note_flaw(struct smtp_data *d, enum smtp_data_flaw flaw)
{
    if (d->flaw != SMTP_DATA_CLEAN)
        return;
    d->flaw = flaw;
    d->flaw_line = d->lines + 1;
}

/* Look for what may not stand in a run without CR. Only the first flaw counts, so that a run
 * after it is not looked at. */
static void note_flaws(struct smtp_data *d, struct str run)
{
    if (d->flaw != SMTP_DATA_CLEAN)
        return;
    size_t lf = str_find(run, '\n');
    if (str_find(str_head(run, lf), '\0') < lf)
        note_flaw(d, SMTP_DATA_NUL);
    else if (lf < run.n)
        note_flaw(d, SMTP_DATA_BARE_LF);
}

/* How much of text is content up to the end of a line, or as far as can be told: a CR at the
 * end waits for what follows it. */
static size_t take_line(struct smtp_data *d, struct str text)
{
    size_t cr = str_find(text, '\r');
    note_flaws(d, str_head(text, cr));
    if (cr + 1 >= text.n) {
        d->line_start = false;
        return cr;
    }
    d->line_start = text.p[cr + 1] == '\n';
    if (d->line_start) {
        d->lines++;
        return cr + 2;
    }
    note_flaw(d, SMTP_DATA_BARE_CR);
    return cr + 1;
}

/* Most content is lines without any of what is looked for here: they are passed in blocks, with
 * arithmetic that compilers do many octets at a time. */
enum {
    BLOCK_BYTES = 64
};

/* Whether a block, behind which there is one octet more, is content as it stands: no NUL, LF
 * behind each CR and nowhere else, no dot behind an LF. */
static bool is_plain(const char *p, unsigned *lines)
{
    unsigned char bad = 0, n = 0;
    for (int i = 0; i < BLOCK_BYTES; i++) {
        unsigned char lf = p[i] == '\n';
        unsigned char next_lf = p[i + 1] == '\n';
        unsigned char dot = p[i + 1] == '.';
        bad |= (p[i] == '\0') | ((p[i] == '\r') ^ next_lf) | (lf & dot);
        n = (unsigned char)(n + lf);
    }
    *lines = n;
    return !bad;
}

/* How much of text is plain; it ends in front of a CR or a line's first octet, or within a
 * line. */
static size_t take_plain(struct smtp_data *d, struct str text)
{
    size_t at = 0;
    unsigned lines;
    if (d->flaw != SMTP_DATA_CLEAN || text.n == 0 || text.p[0] == '\n')
        return 0;
    while (text.n - at > BLOCK_BYTES && is_plain(text.p + at, &lines)) {
        d->lines += lines;
        at += BLOCK_BYTES;
    }
    if (at > 0 && text.p[at - 1] == '\r')
        at--;
    if (at > 0)
        d->line_start = text.p[at - 1] == '\n';
    return at;
}

enum dot {
    DOT_UNKNOWN, /* more octets are needed */
    DOT_STUFFED,
    DOT_END
};

/* What the dot is with which a line begins. */
static enum dot dot_of(struct str line)
{
    static const char end[3] = ".\r\n";
    size_t n = line.n < sizeof(end) ? line.n : sizeof(end);
    if (memcmp(line.p, end, n) != 0)
        return DOT_STUFFED;
    return n == sizeof(end) ? DOT_END : DOT_UNKNOWN;
}

size_t smtp_data_decode(struct smtp_data *d, char *wire, size_t n, size_t *decoded)
{
    size_t from = 0, to = 0;
    while (from < n && !d->ended) {
        struct str rest = {wire + from, n - from};
        if (d->line_start && rest.p[0] == '.') {
            enum dot dot = dot_of(rest);
            if (dot == DOT_UNKNOWN)
                break;
            d->ended = dot == DOT_END;
            d->line_start = false;
            from += d->ended ? 3 : 1;
            continue;
        }
        size_t taken = take_plain(d, rest);
        if (taken == 0)
            taken = take_line(d, rest);
        if (taken == 0)
            break;
        if (to != from)
            memmove(wire + to, wire + from, taken);
        from += taken;
        to += taken;
    }
    d->bytes += to;
    *decoded = to;
    return from;
}
