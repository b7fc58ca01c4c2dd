/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How content is cut never changes what it is, only CR LF "." CR LF ends it, and what is
 * encoded is decoded to the same. */
#include "buf.h"
#include "mem.h"
#include "smtp_data.h"
#include "smtp_dot.h"

#include <string.h>

enum {
    INPUT_MAX = 1 << 16
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct outcome {
    struct smtp_data d;
    struct buf held;
    struct buf content;
};

static void decode(struct outcome *o, struct str wire, size_t size)
{
    smtp_data_init(&o->d);
    buf_init(&o->held, 3 * INPUT_MAX);
    buf_init(&o->content, 3 * INPUT_MAX);
    while (wire.n > 0) {
        buf_put_str(&o->held, str_head(wire, size));
        wire = str_tail(wire, size);
        size_t held = buf_len(&o->held), decoded = 0;
        char *at = o->held.memory + o->held.head;
        size_t used = o->d.ended ? 0 : smtp_data_decode(&o->d, at, held, &decoded);
        BUG_ON(used > held || decoded > used);
        BUG_ON(!o->d.ended && held - used > SMTP_DATA_HELD_MAX);
        buf_put(&o->content, at, decoded);
        buf_consume(&o->held, used);
    }
}

static void release(struct outcome *o)
{
    buf_release(&o->held);
    buf_release(&o->content);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    BUG_ON(!str_eq(buf_str(&a->content), buf_str(&b->content)));
    BUG_ON(!str_eq(buf_str(&a->held), buf_str(&b->held)));
    BUG_ON(a->d.ended != b->d.ended || a->d.bytes != b->d.bytes);
    BUG_ON(a->d.flaw != b->d.flaw || a->d.flaw_line != b->d.flaw_line);
}

/* Found the slow way: the first CR LF "." CR LF of CR LF and wire. */
static void check_end(const struct outcome *o, struct str wire)
{
    bool first = wire.n >= 3 && memcmp(wire.p, ".\r\n", 3) == 0;
    const char *later = wire.n ? memmem(wire.p, wire.n, "\r\n.\r\n", 5) : NULL;
    BUG_ON(o->d.ended != (first || later));
    if (o->d.ended)
        BUG_ON(wire.n - buf_len(&o->held) != (first ? 3 : (size_t)(later - wire.p) + 5));
}

static void check_flaws(const struct outcome *o)
{
    struct str s = buf_str(&o->content);
    bool flawed = str_find(s, '\0') < s.n;
    for (size_t i = 0; i < s.n; i++) {
        flawed |= s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r');
        flawed |= s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] != '\n';
    }
    BUG_ON(flawed && o->d.flaw == SMTP_DATA_CLEAN);
}

/* What the encoder makes of content, but for the dots: strays are blanks, the last line ends.
 */
static void put_clean(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool ends_line = s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n';
        if (ends_line)
            buf_puts(out, "\r\n");
        else
            buf_putc(out, s.p[i] && s.p[i] != '\r' && s.p[i] != '\n' ? s.p[i] : ' ');
        i += ends_line;
    }
    if (s.n > 0 && (s.n < 2 || memcmp(s.p + s.n - 2, "\r\n", 2) != 0))
        buf_puts(out, "\r\n");
}

static void check_round_trip(struct str content, size_t size)
{
    struct buf wire, clean;
    buf_init(&wire, 3 * INPUT_MAX);
    buf_init(&clean, 2 * INPUT_MAX);
    put_clean(&clean, content);
    struct smtp_dot dot = smtp_dot_start(false);
    for (struct str rest = content; rest.n > 0; rest = str_tail(rest, size))
        smtp_dot_put(&dot, &wire, str_head(rest, size));
    smtp_dot_end(&dot, &wire);
    struct outcome o;
    decode(&o, buf_str(&wire), size);
    BUG_ON(!o.d.ended || o.d.flaw != SMTP_DATA_CLEAN || buf_len(&o.held) > 0);
    BUG_ON(!str_eq(buf_str(&o.content), buf_str(&clean)));
    release(&o);
    buf_release(&wire);
    buf_release(&clean);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > INPUT_MAX)
        return 0;
    size_t size = data[0] ? data[0] : 1;
    struct str wire = {(const char *)data + 1, n - 1};
    struct outcome whole, pieces;
    decode(&whole, wire, INPUT_MAX);
    decode(&pieces, wire, size);
    check_same(&whole, &pieces);
    check_end(&whole, wire);
    check_flaws(&whole);
    release(&whole);
    release(&pieces);
    check_round_trip(wire, size);
    return 0;
}
