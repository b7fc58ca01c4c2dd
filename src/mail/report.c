/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three parts are made first, each in its own buf, so that the boundary can be checked
 * against them. All text from outside goes through printable_put, which lets no line end
 * through, or is the original header, line by line: it cannot begin a field or a part. */
#include "report.h"

#include "address.h"
#include "date.h"
#include "fold.h"
#include "header.h"
#include "line_limit.h"
#include "printable.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_COLUMNS = 72,
    FIELD_COLUMNS = 76,
    WORD_MAX_BYTES = 900, /* a longer word is cut, so that it fits a line behind indentation */
    FACT_MAX = 512,       /* bytes of an address, a name or a sentence */
    BOUNDARY_MAX = 64,
    CAUSE_MAX = 100,               /* recipients told with one cause, small beside the next */
    TEXT_PART_MAX = 256 * 1024,    /* behind it the text only counts recipients */
    STATUS_PART_FULL = 768 * 1024, /* behind it recipients get only the fields that must be */
    STATUS_PART_MAX = 1536 * 1024  /* behind it they are left out */
};

/* A line being filled with words. */
struct fold {
    struct buf *out;
    const char *line_end; /* CRLF and what the next line begins with */
    size_t column;
    size_t columns;
};

static void put_clean(struct buf *out, const char *text)
{
    printable_put(out, str_of(text), FACT_MAX);
}

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

static void next_line(struct fold *fold)
{
    buf_puts(fold->out, fold->line_end);
    fold->column = strlen(fold->line_end) - 2;
}

static void put_word(struct fold *fold, struct str word)
{
    while (word.n > WORD_MAX_BYTES) {
        buf_put_str(fold->out, str_head(word, WORD_MAX_BYTES));
        word = str_tail(word, WORD_MAX_BYTES);
        next_line(fold);
    }
    buf_put_str(fold->out, word);
    fold->column += word.n;
}

/* Append the words of text, which is printable; blanks between them count as one. */
static void put_words(struct fold *fold, struct str text)
{
    struct str word = str_word(&text, " ");
    while (word.n) {
        put_word(fold, word);
        word = str_word(&text, " ");
        if (word.n && fold->column + 1 + word.n > fold->columns) {
            next_line(fold);
        } else if (word.n) {
            buf_putc(fold->out, ' ');
            fold->column++;
        }
    }
}

/* A heading and, indented under it, a text. */
static void put_paragraph(struct buf *out, const char *heading, const char *text)
{
    struct buf clean;
    buf_init(&clean, FACT_MAX);
    put_clean(&clean, text);
    struct fold fold = {out, "\r\n    ", 4, TEXT_COLUMNS};
    buf_puts(out, heading);
    next_line(&fold);
    put_words(&fold, buf_str(&clean));
    buf_puts(out, "\r\n");
    buf_release(&clean);
}

static void put_date(struct buf *out, int64_t wall_ms, const struct report_facts *facts)
{
    char date[DATE_MAX];
    date_rfc5322(date, wall_ms / 1000, facts->zone_minutes);
    buf_puts(out, date);
}

static bool is_same_text(const char *a, const char *b)
{
    return str_eq(str_of(a), str_of(b));
}

static bool is_same_cause(const struct report_recipient *a, const struct report_recipient *b)
{
    return is_same_text(a->remote, b->remote) && a->fault->scope == b->fault->scope &&
           is_same_text(a->fault->text, b->fault->text) &&
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

/* What happened, to whom, why, and what to do (N-007), for n recipients with the same cause. */
static void put_cause(struct buf *out, const struct report_recipient *recipients, unsigned n)
{
    const struct fault *fault = recipients[0].fault;
    buf_puts(out, "\r\nNot delivered to:\r\n");
    for (unsigned i = 0; i < n; i++) {
        buf_puts(out, "    ");
        put_clean(out, recipients[i].address);
        buf_puts(out, "\r\n");
    }
    put_paragraph(out, "What happened:", fault->text);
    put_paragraph(out, "What to do:", advice(fault));
    if (fault->reply[0] == '\0')
        return;
    char heading[FACT_MAX + 32] = "What the server said:";
    if (recipients[0].remote) {
        char name[FACT_MAX];
        printable_cut(name, sizeof name, str_of(recipients[0].remote));
        snprintf(heading, sizeof heading, "What the server %s said:", name);
    }
    put_paragraph(out, heading, fault->reply);
}

/* n_listed: recipients that the second part has. */
static void put_text(struct buf *out, const struct report_facts *facts, unsigned n_listed)
{
    buf_puts(out,
             "Your message could not be delivered to the recipients named below. It will\r\n"
             "not be tried again for them.\r\n");
    unsigned i = 0;
    while (i < facts->n_recipients && buf_len(out) < TEXT_PART_MAX) {
        unsigned n = 1;
        while (i + n < facts->n_recipients && n < CAUSE_MAX &&
               is_same_cause(&facts->recipients[i], &facts->recipients[i + n]))
            n++;
        put_cause(out, &facts->recipients[i], n);
        i += n;
    }
    if (i < facts->n_recipients)
        buf_printf(out,
                   "\r\nNor to %u more; the second part of this report lists %u recipients "
                   "in all%s.\r\n",
                   facts->n_recipients - i, n_listed,
                   n_listed < facts->n_recipients ? " and has no room for the others" : "");
    buf_puts(out, "\r\nThe mail relay on ");
    put_clean(out, facts->hostname);
    buf_puts(out, "\r\ntook the message in on ");
    put_date(out, facts->arrival_ms, facts);
    buf_puts(out, "\r\nunder the queue id ");
    put_clean(out, facts->id);
    buf_puts(out, ". Please give this id when you ask for help.\r\n"
                  "The header of the message is attached.\r\n");
}

/* RFC 3463: class "." subject "." detail. */
static bool is_status(const char *status)
{
    struct str rest = str_of(status);
    uint64_t numbers[3] = {0, 1000, 1000};
    for (int i = 0; i < 3; i++) {
        size_t n = str_find(rest, '.');
        if ((n == rest.n) != (i == 2) || !str_u64(str_head(rest, n), &numbers[i]))
            return false;
        rest = str_tail(rest, n + 1);
    }
    return (numbers[0] == 4 || numbers[0] == 5) && numbers[1] < 1000 && numbers[2] < 1000;
}

/* The server's words, or ours where it said none. */
static void put_diagnostic(struct buf *out, const struct fault *fault)
{
    static const char name[] = "Diagnostic-Code:";
    bool remote = fault->reply[0] != '\0';
    struct buf clean;
    struct buf ascii;
    buf_init(&clean, FACT_MAX);
    buf_init(&ascii, 4 * FACT_MAX + FAULT_CODE_MAX + 16);
    put_clean(&clean, remote ? fault->reply : fault->text);
    if (remote)
        buf_puts(&ascii, "smtp; ");
    else
        buf_printf(&ascii, "x-tranter; %s: ", fault->code);
    put_ascii(&ascii, buf_str(&clean));
    struct fold fold = {out, "\r\n ", sizeof name, FIELD_COLUMNS};
    buf_printf(out, "%s ", name);
    put_words(&fold, buf_str(&ascii));
    buf_puts(out, "\r\n");
    buf_release(&clean);
    buf_release(&ascii);
}

static void put_recipient(struct buf *out, const struct report_recipient *recipient,
                          const struct report_facts *facts)
{
    const struct fault *fault = recipient->fault;
    bool utf8 = address_is_utf8(str_of(recipient->address));
    buf_printf(out, "\r\nFinal-Recipient: %s; ", utf8 ? "utf-8" : "rfc822");
    put_clean(out, recipient->address);
    buf_printf(out, "\r\nAction: failed\r\nStatus: %s\r\n",
               is_status(fault->status) ? fault->status : "5.0.0");
    if (buf_len(out) > STATUS_PART_FULL)
        return;
    if (recipient->remote) {
        buf_puts(out, "Remote-MTA: dns; ");
        put_clean(out, recipient->remote);
        buf_puts(out, "\r\n");
    }
    put_diagnostic(out, fault);
    buf_puts(out, "Last-Attempt-Date: ");
    put_date(out, recipient->attempt_ms, facts);
    buf_puts(out, "\r\n");
}

/* RFC 3464 2. Returns how many recipients there was room for. */
static unsigned put_status(struct buf *out, const struct report_facts *facts)
{
    buf_puts(out, "Reporting-MTA: dns; ");
    put_clean(out, facts->hostname);
    buf_puts(out, "\r\nArrival-Date: ");
    put_date(out, facts->arrival_ms, facts);
    buf_puts(out, "\r\nX-Tranter-Queue-Id: ");
    put_clean(out, facts->id);
    buf_puts(out, "\r\n");
    unsigned n = 0;
    while (n < facts->n_recipients && buf_len(out) < STATUS_PART_MAX)
        put_recipient(out, &facts->recipients[n++], facts);
    return n;
}

static void put_header_line(struct buf *out, struct str line)
{
    struct buf clean;
    buf_init(&clean, line.n);
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] != '\0')
            buf_putc(&clean, line.p[i] == '\r' ? ' ' : line.p[i]);
    }
    struct str rest = buf_str(&clean);
    size_t max = LINE_LIMIT;
    while (rest.n > max) {
        bool hard;
        size_t n = fold_header(rest, max, &hard);
        buf_put_str(out, str_head(rest, n));
        buf_puts(out, hard ? "\r\n " : "\r\n");
        rest = str_tail(rest, n);
        max = LINE_LIMIT - hard;
    }
    if (rest.n) {
        buf_put_str(out, rest);
        buf_puts(out, "\r\n");
    }
    buf_release(&clean);
}

/* As many whole lines of the original header as REPORT_HEADER_MAX allows. */
static void put_header(struct buf *out, struct str header)
{
    struct str rest = str_head(header, REPORT_HEADER_MAX);
    if (rest.n < header.n) {
        while (rest.n && rest.p[rest.n - 1] != '\n')
            rest.n--;
    }
    while (rest.n) {
        size_t n = str_find(rest, '\n');
        struct str line = str_head(rest, n);
        rest = str_tail(rest, n + 1);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0)
            return;
        put_header_line(out, line);
    }
}

/* The value of the first field of that name in the original header, to be freed with value. */
static bool find_field(struct str header, const char *name, struct buf *value)
{
    struct header h;
    struct header_event e;
    bool found = false;
    header_init(&h, REPORT_HEADER_MAX);
    header_feed(&h, header.p, str_head(header, REPORT_HEADER_MAX).n);
    header_eof(&h);
    while (!found && header_next(&h, &e) == HEADER_FIELD)
        found = str_eq_nocase(e.name, str_of(name));
    if (found)
        buf_put_str(value, str_trim(e.value));
    header_release(&h);
    return found;
}

/* "<...>" of printable ASCII, which can be repeated in a field of ours. */
static bool is_message_id(struct str s)
{
    if (s.n < 3 || s.n > FACT_MAX || s.p[0] != '<' || s.p[s.n - 1] != '>')
        return false;
    for (size_t i = 1; i + 1 < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '<' || s.p[i] == '>')
            return false;
    }
    return true;
}

/* RFC 3834 3.1.5: whose mail this answers. */
static void put_references(struct buf *out, struct str header)
{
    struct buf id;
    buf_init(&id, REPORT_HEADER_MAX);
    if (find_field(header, "Message-ID", &id) && is_message_id(buf_str(&id))) {
        struct str s = buf_str(&id);
        buf_printf(out, "In-Reply-To: %.*s\r\nReferences: %.*s\r\n", STR_FMT(s), STR_FMT(s));
    }
    buf_release(&id);
}

static void put_own_header(struct buf *out, const struct report_facts *facts,
                           const char *boundary, bool is_8bit)
{
    buf_puts(out, "From: Mail Delivery System <MAILER-DAEMON@");
    put_clean(out, facts->domain);
    buf_puts(out, ">\r\nTo: ");
    put_clean(out, facts->sender);
    buf_puts(out, "\r\nSubject: Undelivered Mail Returned to Sender\r\nDate: ");
    put_date(out, facts->now_ms, facts);
    buf_printf(out, "\r\nMessage-ID: <%s.%lld@", facts->report_id, (long long)facts->now_ms);
    put_clean(out, facts->hostname);
    buf_puts(out, ">\r\n");
    put_references(out, facts->header);
    buf_puts(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: multipart/report; report-type=delivery-status;\r\n");
    buf_printf(out, " boundary=\"%s\"\r\n", boundary);
    if (is_8bit)
        buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
    buf_puts(out, "\r\nThis is a MIME-encapsulated message.\r\n");
}

static void put_part(struct buf *out, const char *boundary, const char *type, struct str body)
{
    buf_printf(out, "\r\n--%s\r\nContent-Type: %s\r\n", boundary, type);
    if (!str_is_ascii(body))
        buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
    buf_puts(out, "\r\n");
    buf_put_str(out, body);
}

/* A line that no part has. At most one try more than the parts have room for wrong ones. */
static void choose_boundary(char boundary[BOUNDARY_MAX], const char *report_id,
                            const struct buf parts[3])
{
    bool taken = true;
    for (unsigned i = 0; taken; i++) {
        snprintf(boundary, BOUNDARY_MAX, "=_%u_%.32s", i, report_id);
        taken = false;
        for (int part = 0; part < 3; part++) {
            struct str s = buf_str(&parts[part]);
            taken = taken || memmem(s.p, s.n, boundary, strlen(boundary)) != NULL;
        }
    }
}

static bool has_utf8_address(const struct report_facts *facts)
{
    bool utf8 = address_is_utf8(str_of(facts->sender));
    for (unsigned i = 0; i < facts->n_recipients; i++)
        utf8 = utf8 || address_is_utf8(str_of(facts->recipients[i].address));
    return utf8;
}

void report_failure(struct buf *out, const struct report_facts *facts)
{
    bool utf8 = has_utf8_address(facts); /* RFC 6533 */
    const char *const types[3] = {
        "text/plain; charset=utf-8",
        utf8 ? "message/global-delivery-status" : "message/delivery-status",
        utf8 ? "message/global-headers" : "text/rfc822-headers; charset=utf-8"};
    char boundary[BOUNDARY_MAX];
    struct buf parts[3];
    bool is_8bit = false;
    for (int i = 0; i < 3; i++)
        buf_init(&parts[i], SIZE_MAX);
    put_text(&parts[0], facts, put_status(&parts[1], facts));
    put_header(&parts[2], facts->header);
    for (int i = 0; i < 3; i++)
        is_8bit = is_8bit || !str_is_ascii(buf_str(&parts[i]));
    choose_boundary(boundary, facts->report_id, parts);
    put_own_header(out, facts, boundary, is_8bit);
    for (int i = 0; i < 3; i++) {
        put_part(out, boundary, types[i], buf_str(&parts[i]));
        buf_release(&parts[i]);
    }
    buf_printf(out, "\r\n--%s--\r\n", boundary);
}

bool report_is_wanted(struct str header)
{
    struct buf value;
    buf_init(&value, REPORT_HEADER_MAX);
    bool wanted = true;
    if (find_field(header, "Auto-Submitted", &value)) {
        struct str rest = buf_str(&value);
        wanted = str_eq_nocase(str_word(&rest, " \t\r\n;("), STR_LIT("no"));
    }
    buf_release(&value);
    return wanted;
}
