/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How content is cut never changes what it is, and only CR LF "." CR LF ends it. */
#include "buf.h"
#include "mem.h"
#include "smtp_data.h"

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
    buf_init(&o->held, INPUT_MAX);
    buf_init(&o->content, INPUT_MAX);
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
    buf_release(&whole.held);
    buf_release(&whole.content);
    buf_release(&pieces.held);
    buf_release(&pieces.content);
    return 0;
}
