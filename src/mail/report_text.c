/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happened, to whom, why, and what to do (N-007): a paragraph for all recipients with the
 * same cause. */
#include "report_part.h"

#include "printable.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_COLUMNS = 72,
    CAUSE_MAX = 100,           /* recipients told with one cause, small beside the next */
    TEXT_PART_MAX = 256 * 1024 /* behind it the text only counts recipients */
};

/* A heading and, indented under it, a text. */
static void put_paragraph(struct buf *out, const char *heading, const char *text)
{
    struct buf clean;
    buf_init(&clean, REPORT_PART_FACT_MAX);
    report_part_fact(&clean, text);
    struct report_part_fold fold = {out, "\r\n    ", 4, TEXT_COLUMNS};
    buf_printf(out, "%s\r\n    ", heading);
    report_part_words(&fold, buf_str(&clean));
    buf_puts(out, "\r\n");
    buf_release(&clean);
}

static bool is_same_text(const char *a, const char *b)
{
    return str_eq(str_of(a), str_of(b));
}

static bool is_same_cause(const struct report_recipient *a, const struct report_recipient *b)
{
    return a->action == b->action && is_same_text(a->remote, b->remote) &&
           a->fault->scope == b->fault->scope && is_same_text(a->fault->text, b->fault->text) &&
           is_same_text(a->fault->fix, b->fault->fix) &&
           is_same_text(a->fault->reply, b->fault->reply);
}

static const char *advice(const struct fault *fault)
{
    if (fault->fix[0] != '\0')
        return fault->fix;
    if (fault->scope == FAULT_RECIPIENT)
        return "Check the address for a mistake and send the message again. If the address is "
               "right, ask the recipient by other means.";
    if (fault->scope == FAULT_MESSAGE)
        return "Change the message so that the server can accept it, and send it again.";
    return "Show this report to your administrator. Once the cause is mended, send the "
           "message again.";
}

static void put_failure(struct buf *out, const struct report_recipient *r)
{
    put_paragraph(out, "What happened:", r->fault->text);
    put_paragraph(out, "What to do:", advice(r->fault));
}

static void put_delay(struct buf *out, const struct report_recipient *r)
{
    put_paragraph(out, "What happened:", r->fault->text);
    put_paragraph(
        out, "What to do:",
        "Nothing, if it can wait. Do not send the message again, or it arrives twice. "
        "If it is urgent, show this report to your administrator.");
    if (r->fault->fix[0] != '\0')
        put_paragraph(out, "What your administrator can do:", r->fault->fix);
}

static void put_success(struct buf *out, const struct report_recipient *r)
{
    (void)r;
    put_paragraph(out, "What happened:",
                  "The next server took the message, and answers for it from here. It does not "
                  "report what becomes of messages.");
    put_paragraph(out, "What to do:", "Nothing.");
}

static const struct section {
    const char *heading;
    void (*put)(struct buf *out, const struct report_recipient *r);
} sections[] = {
    [REPORT_FAILED] = {"Not delivered to:", put_failure},
    [REPORT_DELAYED] = {"Not delivered yet to:", put_delay},
    [REPORT_RELAYED] = {"Handed on for:", put_success},
};

/* For n recipients with the same cause. */
static void put_cause(struct buf *out, const struct report_recipient *recipients, unsigned n)
{
    const struct section *section = &sections[recipients[0].action];
    const struct fault *fault = recipients[0].fault;
    buf_printf(out, "\r\n%s\r\n", section->heading);
    for (unsigned i = 0; i < n; i++) {
        buf_puts(out, "    ");
        report_part_fact(out, recipients[i].address);
        buf_puts(out, "\r\n");
    }
    section->put(out, recipients);
    if (fault->reply[0] == '\0')
        return;
    char heading[REPORT_PART_FACT_MAX + 32] = "What the server said:";
    if (recipients[0].remote) {
        char name[REPORT_PART_FACT_MAX];
        printable_cut(name, sizeof name, str_of(recipients[0].remote));
        snprintf(heading, sizeof heading, "What the server %s said:", name);
    }
    put_paragraph(out, heading, fault->reply);
}

static void put_opening(struct buf *out, const struct report_facts *facts)
{
    if (report_part_has(facts, REPORT_FAILED)) {
        buf_puts(
            out,
            "Your message could not be delivered to the recipients named below. It will\r\n"
            "not be tried again for them.\r\n");
    } else if (report_part_has(facts, REPORT_DELAYED)) {
        buf_puts(out,
                 "Your message has not been delivered yet to the recipients named below. It "
                 "is\r\ntried again until ");
        report_part_date(out, facts->retry_until_ms, facts);
        buf_puts(out, ".\r\n");
    } else {
        buf_puts(out, "You asked to be told what became of your message. All is well.\r\n");
    }
}

/* Failures first: they are what the opening is about. Returns how many recipients were told of.
 */
static unsigned put_causes(struct buf *out, const struct report_facts *facts)
{
    unsigned told = 0;
    for (unsigned action = 0; action < sizeof sections / sizeof sections[0]; action++) {
        unsigned i = 0;
        while (i < facts->n_recipients && buf_len(out) < TEXT_PART_MAX) {
            const struct report_recipient *r = &facts->recipients[i++];
            if (r->action != action)
                continue;
            unsigned n = 1;
            while (i < facts->n_recipients && n < CAUSE_MAX &&
                   is_same_cause(r, &facts->recipients[i])) {
                n++;
                i++;
            }
            put_cause(out, r, n);
            told += n;
        }
    }
    return told;
}

void report_part_text(struct buf *out, const struct report_facts *facts, unsigned n_listed)
{
    put_opening(out, facts);
    unsigned told = put_causes(out, facts);
    if (told < facts->n_recipients)
        buf_printf(out,
                   "\r\nThe same holds for %u more; the second part of this report lists %u "
                   "recipients in all%s.\r\n",
                   facts->n_recipients - told, n_listed,
                   n_listed < facts->n_recipients ? " and has no room for the others" : "");
    buf_puts(out, "\r\nThe mail relay on ");
    report_part_fact(out, facts->hostname);
    buf_puts(out, "\r\ntook the message in on ");
    report_part_date(out, facts->arrival_ms, facts);
    buf_puts(out, "\r\nunder the queue id ");
    report_part_fact(out, facts->id);
    buf_printf(out, ". Please give this id when you ask for help.\r\nThe %s is attached.\r\n",
               facts->whole ? "message" : "header of the message");
}
