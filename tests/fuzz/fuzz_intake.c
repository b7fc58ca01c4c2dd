/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message on sendmail's standard input. The first byte says how the rest is cut, and whether
 * a dot ends it. Whatever comes in, what goes out is lines that the daemon takes, and does not
 * depend on the cuts. */
#include "address.h"
#include "intake.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_wire(struct str wire)
{
    bool start = true;
    for (size_t i = 0; i < wire.n; i++) {
        bool last = i + 1 == wire.n;
        char next = last ? '\0' : wire.p[i + 1];
        BUG_ON(wire.p[i] == '\0');
        BUG_ON(wire.p[i] == '\r' && next != '\n');
        BUG_ON(wire.p[i] == '\n' && (i == 0 || wire.p[i - 1] != '\r'));
        BUG_ON(start && wire.p[i] == '.' && next != '.');
        start = wire.p[i] == '\n';
    }
    BUG_ON(!start);
}

static void take_in(struct intake *in, struct str text, size_t step, bool dot_ends)
{
    intake_init(in, dot_ends);
    while (text.n) {
        intake_feed(in, text.p, str_head(text, step).n);
        text = str_tail(text, step);
    }
    intake_eof(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct intake whole;
    struct intake cut;
    uint8_t how = n ? bytes[0] : 0;
    struct str text = {n ? (const char *)bytes + 1 : "", n ? n - 1 : 0};
    take_in(&whole, text, 65536, how & 1);
    take_in(&cut, text, how / 2 + 1u, how & 1);
    BUG_ON(whole.state != cut.state);
    if (whole.state == INTAKE_END) {
        check_wire(buf_str(&whole.out));
        BUG_ON(!str_eq(buf_str(&whole.out), buf_str(&cut.out)));
    }
    const struct recipients *r = intake_recipients(&whole);
    BUG_ON(r->good.n != intake_recipients(&cut)->good.n);
    for (size_t i = 0; i < r->good.n; i++)
        BUG_ON(!address_is_mailbox(str_of(r->good.texts[i])));
    intake_release(&cut);
    intake_release(&whole);
    return 0;
}
