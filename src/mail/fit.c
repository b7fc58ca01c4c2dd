/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines come through a window a little longer than a line may be: a line that ends inside it is
 * one piece, any other is cut into several. A piece belongs to a header, to the body of a part
 * (a leaf), or to the space around parts. All runs walk the same way; the first one writes the
 * plan, a treatment for each part, which the others follow. */
#include "fit.h"

#include "fold.h"
#include "line_limit.h"
#include "mem.h"
#include "mime.h"
#include "printable.h"
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOK_AHEAD = 3,        /* so that a UTF-8 sequence at the limit is seen whole */
    VALUE_MAX_BYTES = 8192 /* of a field that says what a body is; longer is not understood */
};

enum treatment {
    KEEP,
    LABEL_7BIT, /* of a multipart or message: what is in it has been encoded */
    QUOTE,
    BASE64
};

enum charset {
    ASCII,
    UTF8,
    UNKNOWN_8BIT
};

static const char *const charset_names[] = {
    [ASCII] = "us-ascii", [UTF8] = "utf-8", [UNKNOWN_8BIT] = "unknown-8bit"};

struct plan {
    unsigned char treatment;
    unsigned char charset; /* for a part that names no type */
};

enum place {
    HEADER,
    LEAF,   /* the body of a part that has no parts, or whose parts are not looked at */
    BETWEEN /* before the first part, or behind the last one */
};

enum piece_end {
    CUT, /* the line goes on */
    CRLF,
    END /* of the message */
};

/* Fields that say what a body is. */
enum field {
    NO_FIELD, /* none was met yet */
    FIELD_TYPE,
    FIELD_ENCODING,
    FIELD_VERSION,
    FIELD_OTHER
};

/* What is known of the part we are in. */
struct part {
    unsigned number;
    bool is_message; /* its header is a message's */
    bool in_digest;
    unsigned times[FIELD_OTHER + 1]; /* each field was met */
    struct mime_type type;
    enum mime_encoding encoding;
    bool has_long_line;
    enum charset charset; /* of the body so far */
};

struct level {
    char boundary[MIME_BOUNDARY_MAX];
    size_t n_boundary;
    bool digest;
};

struct fit {
    bool to_7bit;
    bool learned;
    bool remains_8bit;
    struct fit_changes last_changes; /* of the run before */
    struct plan plan[FIT_PARTS_MAX];

    /* Of a run. */
    struct buf *out; /* NULL in the first */
    struct fit_changes changes;
    char line[LINE_LIMIT + LOOK_AHEAD];
    size_t n_line;
    bool inside_line; /* a piece of it was cut off */
    bool owes_blank;  /* the next piece needs one in front */
    enum place place;
    enum field field;
    struct buf values[2]; /* of the type and of the encoding */
    struct part part;
    struct transfer transfer;
    unsigned n_parts;
    struct level levels[FIT_DEPTH_MAX];
    unsigned n_levels;
};

static void start_part(struct fit *f, bool is_message, bool in_digest)
{
    f->part =
        (struct part){.number = f->n_parts++, .is_message = is_message, .in_digest = in_digest};
    f->place = HEADER;
    f->field = NO_FIELD;
    buf_clear(&f->values[0]);
    buf_clear(&f->values[1]);
}

static void start_run(struct fit *f)
{
    f->changes = (struct fit_changes){.folded = 0};
    f->n_line = 0;
    f->inside_line = false;
    f->owes_blank = false;
    f->n_parts = 0;
    f->n_levels = 0;
    start_part(f, true, false);
}

struct fit *fit_new(bool to_7bit)
{
    struct fit *f = mem_new(sizeof *f);
    f->to_7bit = to_7bit;
    buf_init(&f->values[0], VALUE_MAX_BYTES);
    buf_init(&f->values[1], VALUE_MAX_BYTES);
    start_run(f);
    return f;
}

void fit_free(struct fit *f)
{
    if (!f)
        return;
    buf_release(&f->values[0]);
    buf_release(&f->values[1]);
    free(f);
}

static struct plan plan_of(const struct fit *f)
{
    static const struct plan keep = {KEEP, ASCII};
    return f->learned && f->part.number < FIT_PARTS_MAX ? f->plan[f->part.number] : keep;
}

static void set_plan(struct fit *f, enum treatment treatment)
{
    if (f->part.number < FIT_PARTS_MAX)
        f->plan[f->part.number] =
            (struct plan){(unsigned char)treatment, (unsigned char)f->part.charset};
}

static bool is_encoded(enum treatment treatment)
{
    return treatment == QUOTE || treatment == BASE64;
}

/* Write a piece as it is, in lines that are not too long. */
static void put_piece(struct fit *f, struct str piece, enum piece_end end)
{
    if (!f->out)
        return;
    if (f->owes_blank)
        buf_putc(f->out, ' ');
    buf_put_str(f->out, piece);
    if (end != END)
        buf_puts(f->out, "\r\n");
}

/* The end of a body is known: plan what becomes of it. */
static void plan_leaf(struct fit *f)
{
    struct part *p = &f->part;
    bool is_8bit = p->charset != ASCII;
    bool changeable =
        p->type.kind != MIME_SEALED && p->encoding != MIME_ENCODED && p->number < FIT_PARTS_MAX;
    bool whole = p->number == 0;
    if (changeable && p->type.kind == MIME_TEXT &&
        ((is_8bit && f->to_7bit) || (p->has_long_line && whole)))
        set_plan(f, QUOTE);
    else if (changeable && is_8bit && f->to_7bit)
        set_plan(f, BASE64);
    else
        f->remains_8bit = f->remains_8bit || is_8bit;
}

static void end_part(struct fit *f, bool at_boundary)
{
    if (f->place != LEAF)
        return;
    if (!f->learned)
        plan_leaf(f);
    else if (is_encoded(plan_of(f).treatment))
        transfer_end(&f->transfer, f->out, at_boundary);
}

/* Without a type, a part is text; in a digest, a message (RFC 2046 5.1.5). */
static void settle_type(struct fit *f)
{
    struct part *p = &f->part;
    if (p->times[FIELD_TYPE] == 0)
        p->type.kind = p->in_digest ? MIME_MESSAGE : MIME_TEXT;
    else if (p->times[FIELD_TYPE] > 1 || f->values[0].failed)
        p->type.kind = MIME_SEALED;
    else
        mime_type_parse(&p->type, buf_str(&f->values[0]));
    if (p->times[FIELD_ENCODING] == 0)
        p->encoding = MIME_7BIT;
    else if (p->times[FIELD_ENCODING] > 1 || f->values[1].failed)
        p->encoding = MIME_ENCODED;
    else
        p->encoding = mime_encoding_parse(buf_str(&f->values[1]));
}

/* The fields that tell what was done to the body. */
static void put_fields(struct fit *f)
{
    const struct part *p = &f->part;
    struct plan plan = plan_of(f);
    if (plan.treatment == LABEL_7BIT)
        buf_puts(f->out, "Content-Transfer-Encoding: 7bit\r\n");
    if (!is_encoded(plan.treatment))
        return;
    f->transfer =
        transfer_start(plan.treatment == BASE64 ? TRANSFER_BASE64 : TRANSFER_QUOTED_PRINTABLE);
    if (p->is_message && p->times[FIELD_VERSION] == 0)
        buf_puts(f->out, "MIME-Version: 1.0\r\n");
    if (p->times[FIELD_TYPE] == 0)
        buf_printf(f->out, "Content-Type: text/plain; charset=%s\r\n",
                   charset_names[plan.charset]);
    buf_printf(f->out, "Content-Transfer-Encoding: %s\r\n",
               transfer_name(f->transfer.encoding));
    f->changes.encoded++;
}

static void plan_label(struct fit *f)
{
    if (!f->learned && f->part.encoding != MIME_7BIT)
        set_plan(f, LABEL_7BIT);
}

static bool has_parts(const struct mime_type *type)
{
    return type->kind == MIME_MULTIPART || type->kind == MIME_DIGEST;
}

/* Parts concern us only if they have to become 7 bit. */
static void begin_body(struct fit *f)
{
    struct part *p = &f->part;
    bool open = f->to_7bit && p->encoding != MIME_ENCODED;
    if (open && has_parts(&p->type) && f->n_levels < FIT_DEPTH_MAX) {
        struct level *level = &f->levels[f->n_levels++];
        memcpy(level->boundary, p->type.boundary, p->type.n_boundary);
        level->n_boundary = p->type.n_boundary;
        level->digest = p->type.kind == MIME_DIGEST;
        plan_label(f);
        f->place = BETWEEN;
    } else if (open && p->type.kind == MIME_MESSAGE) {
        plan_label(f);
        start_part(f, true, false);
    } else {
        if (has_parts(&p->type) || p->type.kind == MIME_MESSAGE)
            p->type.kind = MIME_SEALED;
        f->place = LEAF;
    }
}

static void end_header(struct fit *f)
{
    settle_type(f);
    if (f->out)
        put_fields(f);
    put_piece(f, STR_LIT(""), CRLF);
    begin_body(f);
}

/* A line that is no field: whatever this is, it is left alone. */
static void give_up_header(struct fit *f)
{
    f->part.type.kind = MIME_SEALED;
    f->place = LEAF;
}

static enum field field_of(struct str line)
{
    static const struct {
        struct str name;
        enum field field;
    } known[] = {
        {STR_LIT("Content-Type"), FIELD_TYPE},
        {STR_LIT("Content-Transfer-Encoding"), FIELD_ENCODING},
        {STR_LIT("MIME-Version"), FIELD_VERSION},
    };
    size_t colon = str_find(line, ':');
    if (colon == line.n || colon == 0)
        return NO_FIELD;
    struct str name = str_trim(str_head(line, colon));
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] <= ' ' || name.p[i] >= 0x7F)
            return NO_FIELD;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (str_eq_nocase(name, known[i].name))
            return known[i].field;
    }
    return FIELD_OTHER;
}

/* Is it one that takes its place? The old one goes. */
static bool is_replaced(const struct fit *f)
{
    return f->field == FIELD_ENCODING && plan_of(f).treatment != KEEP;
}

/* Without the name, if that is in it. */
static void keep_value(struct fit *f, struct str piece, bool continues)
{
    struct str value = continues ? piece : str_tail(piece, str_find(piece, ':') + 1);
    if (f->field == FIELD_TYPE)
        buf_put_str(&f->values[0], value);
    else if (f->field == FIELD_ENCODING)
        buf_put_str(&f->values[1], value);
}

static void put_header_piece(struct fit *f, struct str piece, enum piece_end end)
{
    if (!f->out || is_replaced(f))
        return;
    if (end == CUT && !f->inside_line)
        f->changes.folded++;
    /* The last blanks of a line that was too long: no line may be of blanks alone. */
    if (end == CUT || !f->inside_line || !fold_is_blank(piece))
        put_piece(f, piece, end);
}

/* One piece of a header. False if it is none: the header ended without a blank line. */
static bool take_header_piece(struct fit *f, struct str piece, enum piece_end end)
{
    if (!f->inside_line && piece.n == 0) {
        end_header(f);
        return true;
    }
    bool continues = f->inside_line || fold_is_blank(str_head(piece, 1));
    if (!continues) {
        f->field = field_of(piece);
        f->part.times[f->field]++;
    }
    if (f->field == NO_FIELD) {
        give_up_header(f);
        return false;
    }
    keep_value(f, piece, continues);
    put_header_piece(f, piece, end);
    return true;
}

static bool is_utf8(struct str s)
{
    while (s.n) {
        size_t n = printable_utf8(s);
        if (n == 0)
            return false;
        s = str_tail(s, n);
    }
    return true;
}

static void learn_body(struct part *p, struct str piece, enum piece_end end)
{
    p->has_long_line = p->has_long_line || end == CUT;
    if (p->charset != UNKNOWN_8BIT && !str_is_ascii(piece))
        p->charset = is_utf8(piece) ? UTF8 : UNKNOWN_8BIT;
}

static void take_body_piece(struct fit *f, struct str piece, enum piece_end end)
{
    if (!f->learned && f->place == LEAF)
        learn_body(&f->part, piece, end);
    if (!f->out)
        return;
    if (f->place == LEAF && is_encoded(plan_of(f).treatment)) {
        transfer_put(&f->transfer, f->out, piece, end == CRLF);
        return;
    }
    f->changes.broken += end == CUT && !f->inside_line;
    put_piece(f, piece, end);
}

/* RFC 2046 5.1.1. */
static bool is_boundary(const struct level *level, struct str line, bool *closes)
{
    struct str boundary = {level->boundary, level->n_boundary};
    struct str rest = str_tail(line, 2 + boundary.n);
    if (!str_eq(str_head(line, 2), STR_LIT("--")) ||
        !str_eq(str_head(str_tail(line, 2), boundary.n), boundary))
        return false;
    *closes = str_eq(str_head(rest, 2), STR_LIT("--"));
    return fold_is_blank(str_tail(rest, *closes ? 2 : 0));
}

/* A boundary ends all that is within its multipart. */
static bool take_boundary(struct fit *f, struct str line, enum piece_end end)
{
    bool closes;
    unsigned i = f->n_levels;
    while (i > 0 && !is_boundary(&f->levels[i - 1], line, &closes))
        i--;
    if (i == 0)
        return false;
    end_part(f, true);
    f->place = BETWEEN;
    put_piece(f, line, end);
    f->n_levels = closes ? i - 1 : i;
    if (!closes)
        start_part(f, false, f->levels[i - 1].digest);
    return true;
}

static void take_piece(struct fit *f, struct str piece, enum piece_end end)
{
    if (!f->inside_line && end != CUT && take_boundary(f, piece, end))
        return;
    if (f->place == HEADER && take_header_piece(f, piece, end))
        return;
    take_body_piece(f, piece, end);
}

/* Of the next piece, without the blank that it may owe. */
static size_t piece_max(const struct fit *f)
{
    return f->inside_line ? LINE_LIMIT - 1 : LINE_LIMIT;
}

static void drop_front(struct fit *f, size_t n)
{
    f->n_line -= n;
    memmove(f->line, f->line + n, f->n_line);
}

/* The line is too long: take a piece off its front. In a header, blanks that fill a whole line
 * are one. */
static void cut_line(struct fit *f)
{
    struct str line = {f->line, f->n_line};
    size_t max = piece_max(f);
    bool hard = true;
    if (f->place == HEADER && fold_is_blank(str_head(line, max))) {
        drop_front(f, max - 1);
        return;
    }
    size_t n = f->place == HEADER ? fold_header(line, max, &hard) : fold_body(line, max);
    take_piece(f, str_head(line, n), CUT);
    drop_front(f, n);
    f->inside_line = true;
    f->owes_blank = hard;
}

static void end_line(struct fit *f, enum piece_end end)
{
    while (f->n_line > piece_max(f))
        cut_line(f);
    take_piece(f, (struct str){f->line, f->n_line}, end);
    f->n_line = 0;
    f->inside_line = false;
    f->owes_blank = false;
}

/* Move bytes into the window, at most to the end of the line; how many. */
static size_t fill_line(struct fit *f, struct str bytes)
{
    bytes = str_head(bytes, piece_max(f) + LOOK_AHEAD - f->n_line);
    size_t n = str_find(bytes, '\n');
    n = n < bytes.n ? n + 1 : n;
    memcpy(f->line + f->n_line, bytes.p, n);
    f->n_line += n;
    return n;
}

void fit_feed(struct fit *f, struct buf *out, struct str bytes)
{
    f->out = f->learned ? out : NULL;
    while (bytes.n > 0) {
        bytes = str_tail(bytes, fill_line(f, bytes));
        struct str line = {f->line, f->n_line};
        if (line.n >= 2 && str_eq(str_tail(line, line.n - 2), STR_LIT("\r\n"))) {
            f->n_line -= 2;
            end_line(f, CRLF);
        }
        while (f->n_line == piece_max(f) + LOOK_AHEAD)
            cut_line(f);
    }
}

/* If octets over 127 stay somewhere, what is around them must go on saying so. */
static void settle_labels(struct fit *f)
{
    if (!f->remains_8bit)
        return;
    for (unsigned i = 0; i < FIT_PARTS_MAX; i++) {
        if (f->plan[i].treatment == LABEL_7BIT)
            f->plan[i].treatment = KEEP;
    }
}

void fit_end(struct fit *f, struct buf *out)
{
    f->out = f->learned ? out : NULL;
    if (f->n_line > 0)
        end_line(f, END);
    end_part(f, false);
    if (!f->learned)
        settle_labels(f);
    f->learned = true;
    f->last_changes = f->changes;
    start_run(f);
}

struct fit_changes fit_changes(const struct fit *f)
{
    return f->last_changes;
}
