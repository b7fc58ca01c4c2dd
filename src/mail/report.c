/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three parts are made first, each in its own buf, so that the boundary can be checked
 * against them. */
#include "report.h"

#include "address.h"
#include "date.h"
#include "header.h"
#include "printable.h"
#include "report_part.h"

#include <stdio.h>
#include <string.h>

/* A report that comes back, whoever it seems to be from, is known by this. */
#define OWN_FIELD "X-Tranter-Report"

enum {
    WORD_MAX_BYTES = 900, /* a longer word is cut, so that it fits a line behind indentation */
    BOUNDARY_MAX = 64
};

void report_part_fact(struct buf *out, const char *text)
{
    printable_put(out, str_of(text), REPORT_PART_FACT_MAX);
}

void report_part_date(struct buf *out, int64_t wall_ms, const struct report_facts *facts)
{
    char date[DATE_MAX];
    date_rfc5322(date, wall_ms / 1000, facts->zone_minutes);
    buf_puts(out, date);
}

bool report_part_has(const struct report_facts *facts, enum report_action action)
{
    for (unsigned i = 0; i < facts->n_recipients; i++) {
        if (facts->recipients[i].action == action)
            return true;
    }
    return false;
}

static void next_line(struct report_part_fold *fold)
{
    buf_puts(fold->out, fold->line_end);
    fold->column = strlen(fold->line_end) - 2;
}

static void put_word(struct report_part_fold *fold, struct str word)
{
    while (word.n > WORD_MAX_BYTES) {
        buf_put_str(fold->out, str_head(word, WORD_MAX_BYTES));
        word = str_tail(word, WORD_MAX_BYTES);
        next_line(fold);
    }
    buf_put_str(fold->out, word);
    fold->column += word.n;
}

void report_part_words(struct report_part_fold *fold, struct str text)
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
    if (s.n < 3 || s.n > REPORT_PART_FACT_MAX || s.p[0] != '<' || s.p[s.n - 1] != '>')
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

static const char *subject(const struct report_facts *facts)
{
    if (report_part_has(facts, REPORT_FAILED))
        return "Undelivered Mail Returned to Sender";
    return report_part_has(facts, REPORT_DELAYED) ? "Delayed Mail (still being retried)"
                                                  : "Successful Mail Delivery Report";
}

static void put_own_header(struct buf *out, const struct report_facts *facts,
                           const char *boundary, bool is_8bit)
{
    buf_puts(out, "From: Mail Delivery System <MAILER-DAEMON@");
    report_part_fact(out, facts->domain);
    buf_puts(out, ">\r\nTo: ");
    report_part_fact(out, facts->sender);
    buf_printf(out, "\r\nSubject: %s\r\nDate: ", subject(facts));
    report_part_date(out, facts->now_ms, facts);
    buf_printf(out, "\r\nMessage-ID: <%s.%lld@", facts->report_id, (long long)facts->now_ms);
    report_part_fact(out, facts->hostname);
    buf_puts(out, ">\r\n");
    put_references(out, report_header_of(facts->original));
    buf_printf(out, OWN_FIELD ": %s\r\n", facts->report_id);
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

static const char *original_type(bool whole, bool utf8)
{
    if (whole)
        return utf8 ? "message/global" : "message/rfc822";
    return utf8 ? "message/global-headers" : "text/rfc822-headers; charset=utf-8";
}

void report_write(struct buf *out, const struct report_facts *facts)
{
    bool utf8 = has_utf8_address(facts); /* RFC 6533 */
    const char *const types[3] = {"text/plain; charset=utf-8",
                                  utf8 ? "message/global-delivery-status"
                                       : "message/delivery-status",
                                  original_type(facts->whole, utf8)};
    char boundary[BOUNDARY_MAX];
    struct buf parts[3];
    bool is_8bit = false;
    for (int i = 0; i < 3; i++)
        buf_init(&parts[i], SIZE_MAX);
    report_part_text(&parts[0], facts, report_part_status(&parts[1], facts));
    report_part_original(&parts[2], facts);
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
    bool wanted = !find_field(header, OWN_FIELD, &value);
    buf_clear(&value);
    if (wanted && find_field(header, "Auto-Submitted", &value)) {
        struct str rest = buf_str(&value);
        wanted = str_eq_nocase(str_word(&rest, " \t\r\n;("), STR_LIT("no"));
    }
    buf_release(&value);
    return wanted;
}
