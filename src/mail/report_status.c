/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report_part.h"

#include "address.h"
#include "printable.h"
#include "xtext.h"

#include <stdio.h>
#include <string.h>

enum {
    FIELD_COLUMNS = 76,
    STATUS_PART_FULL = 768 * 1024, /* behind it recipients get only the fields that must be */
    STATUS_PART_MAX = 1536 * 1024  /* behind it they are left out */
};

static void put_ascii(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x80)
            buf_putc(out, text.p[i]);
        else
            buf_printf(out, "\\x%02X", c);
    }
}

/* What text, which is xtext, stands for, made printable ASCII. */
static void put_xtext(struct buf *out, struct str text)
{
    struct buf octets, clean;
    buf_init(&octets, text.n);
    buf_init(&clean, REPORT_PART_FACT_MAX);
    if (xtext_is_valid(text))
        xtext_decode(&octets, text);
    printable_put(&clean, buf_str(&octets), REPORT_PART_FACT_MAX);
    put_ascii(out, buf_str(&clean));
    buf_release(&octets);
    buf_release(&clean);
}

/* RFC 3463: class "." subject "." detail. */
static bool is_status(struct str rest)
{
    uint64_t numbers[3] = {0, 1000, 1000};
    for (int i = 0; i < 3; i++) {
        size_t n = str_find(rest, '.');
        if ((n == rest.n) != (i == 2) || !str_u64(str_head(rest, n), &numbers[i]))
            return false;
        rest = str_tail(rest, n + 1);
    }
    return (numbers[0] == 2 || numbers[0] == 4 || numbers[0] == 5) && numbers[1] < 1000 &&
           numbers[2] < 1000;
}

/* The class says what the action does: a failure may have been one for now, all the time; what
 * waits, for the account's fault, say, has not failed. */
static void put_status(struct buf *out, const struct report_recipient *r)
{
    static const char classes[] = {
        [REPORT_FAILED] = '5', [REPORT_DELAYED] = '4', [REPORT_RELAYED] = '2'};
    struct str status = str_of(r->fault->status);
    char class = classes[r->action];
    bool known = is_status(status);
    bool fits = known && (r->action < REPORT_RELAYED) == (status.p[0] != '2');
    if (fits && r->action == REPORT_FAILED)
        class = status.p[0];
    buf_printf(out, "Status: %c%.*s\r\n", class,
               STR_FMT(fits ? str_tail(status, 1) : STR_LIT(".0.0")));
}

/* The server's words, or ours where it said none. */
static void put_diagnostic(struct buf *out, const struct fault *fault)
{
    static const char name[] = "Diagnostic-Code:";
    bool remote = fault->reply[0] != '\0';
    struct buf clean;
    struct buf ascii;
    if (!remote && fault->scope == FAULT_NONE)
        return;
    buf_init(&clean, REPORT_PART_FACT_MAX);
    buf_init(&ascii, 4 * REPORT_PART_FACT_MAX + FAULT_CODE_MAX + 16);
    report_part_fact(&clean, remote ? fault->reply : fault->text);
    if (remote)
        buf_puts(&ascii, "smtp; ");
    else
        buf_printf(&ascii, "x-tranter; %s: ", fault->code);
    put_ascii(&ascii, buf_str(&clean));
    struct report_part_fold fold = {out, "\r\n ", sizeof name, FIELD_COLUMNS};
    buf_printf(out, "%s ", name);
    report_part_words(&fold, buf_str(&ascii));
    buf_puts(out, "\r\n");
    buf_release(&clean);
    buf_release(&ascii);
}

static void put_orcpt(struct buf *out, const char *orcpt)
{
    struct str rest = str_of(orcpt);
    struct str type = str_head(rest, str_find(rest, ';'));
    buf_puts(out, "Original-Recipient: ");
    put_xtext(out, type);
    buf_puts(out, "; ");
    put_xtext(out, str_tail(rest, type.n + 1));
    buf_puts(out, "\r\n");
}

static void put_date_field(struct buf *out, const char *name, int64_t wall_ms,
                           const struct report_facts *facts)
{
    buf_printf(out, "%s: ", name);
    report_part_date(out, wall_ms, facts);
    buf_puts(out, "\r\n");
}

static void put_recipient(struct buf *out, const struct report_recipient *r,
                          const struct report_facts *facts)
{
    static const char *const actions[] = {
        [REPORT_FAILED] = "failed", [REPORT_DELAYED] = "delayed", [REPORT_RELAYED] = "relayed"};
    bool full = buf_len(out) <= STATUS_PART_FULL;
    buf_puts(out, "\r\n");
    if (full && r->orcpt)
        put_orcpt(out, r->orcpt);
    buf_printf(out, "Final-Recipient: %s; ",
               address_is_utf8(str_of(r->address)) ? "utf-8" : "rfc822");
    report_part_fact(out, r->address);
    buf_printf(out, "\r\nAction: %s\r\n", actions[r->action]);
    put_status(out, r);
    if (!full)
        return;
    if (r->remote) {
        buf_puts(out, "Remote-MTA: dns; ");
        report_part_fact(out, r->remote);
        buf_puts(out, "\r\n");
    }
    put_diagnostic(out, r->fault);
    if (r->attempt_ms)
        put_date_field(out, "Last-Attempt-Date", r->attempt_ms, facts);
    if (r->action == REPORT_DELAYED)
        put_date_field(out, "Will-Retry-Until", facts->retry_until_ms, facts);
}

unsigned report_part_status(struct buf *out, const struct report_facts *facts)
{
    if (facts->envid) {
        buf_puts(out, "Original-Envelope-Id: ");
        put_xtext(out, str_of(facts->envid));
        buf_puts(out, "\r\n");
    }
    buf_puts(out, "Reporting-MTA: dns; ");
    report_part_fact(out, facts->hostname);
    buf_puts(out, "\r\n");
    put_date_field(out, "Arrival-Date", facts->arrival_ms, facts);
    buf_puts(out, "X-Tranter-Queue-Id: ");
    report_part_fact(out, facts->id);
    buf_puts(out, "\r\n");
    unsigned n = 0;
    while (n < facts->n_recipients && buf_len(out) < STATUS_PART_MAX)
        put_recipient(out, &facts->recipients[n++], facts);
    return n;
}
