/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "alias.h"

#include "address.h"
#include "err.h"
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SHOWN_MAX = 100, /* bytes of a target that are repeated */
    MAILBOX_MAX = 64 * 1024
};

#define SHOWN(s) STR_FMT(str_head(s, SHOWN_MAX))

/* The alias in hand, being read. */
struct work {
    struct alias_reader *reader;
    size_t entry;
};

static void tell(const struct alias_reader *r, bool grave, const char *fmt, ...)
    ATTR_PRINTF(3, 4);

static void tell(const struct alias_reader *r, bool grave, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    alias_table_tell(r->table, grave, r->file, r->first_line, "%s", words);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Bytes of the quoted string or comment at the start of s; 0: it does not end. */
static size_t enclosed_bytes(struct str s)
{
    unsigned depth = 0;
    bool quoted = s.p[0] == '"';
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (quoted ? i > 0 && s.p[i] == '"' : s.p[i] == ')' && --depth == 0)
            return i + 1;
        else if (!quoted && s.p[i] == '(')
            depth++;
    }
    return 0;
}

/* Bytes before the first stop outside of quotes and comments, s.n where there is none.
 * SIZE_MAX: a quote does not end. */
static size_t find_outside(struct str s, char stop)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == stop)
            return i;
        if (s.p[i] == '\\') {
            i++;
        } else if (s.p[i] == '"' || s.p[i] == '(') {
            size_t n = enclosed_bytes(str_tail(s, i));
            if (n == 0)
                return SIZE_MAX;
            i += n - 1;
        }
    }
    return s.n;
}

static size_t add_entry(struct alias_table *t, struct str name, const char *file, int line)
{
    if (t->names.n == t->entries_room) {
        t->entries_room = t->entries_room ? t->entries_room * 2 : 64;
        t->entries = mem_resize(t->entries, t->entries_room, sizeof *t->entries);
    }
    BUG_ON(!address_set_add(&t->names, name));
    size_t index = t->names.n - 1;
    t->entries[index] = (struct alias_entry){
        .name = t->names.texts[index], .file = file, .line = line, .first = t->n_targets};
    return index;
}

static void add_target(const struct work *w, enum alias_kind kind, struct str text,
                       size_t entry)
{
    struct alias_table *t = w->reader->table;
    if (t->n_targets == ALIAS_TARGETS_MAX) {
        tell(w->reader, true, "there are more than %d targets in all; this one is left out",
             ALIAS_TARGETS_MAX);
        return;
    }
    if (t->n_targets == t->targets_room) {
        t->targets_room = t->targets_room ? t->targets_room * 2 : 64;
        t->targets = mem_resize(t->targets, t->targets_room, sizeof *t->targets);
    }
    t->targets[t->n_targets++] =
        (struct alias_target){kind, mem_strndup(text.p, text.n), entry};
    t->entries[w->entry].n++;
}

/* Without the quotes around the whole of it, as programs' command lines have them. */
static struct str bare(struct str element)
{
    bool quoted = element.n > 1 && element.p[0] == '"' && enclosed_bytes(element) == element.n;
    return quoted ? str_trim((struct str){element.p + 1, element.n - 2}) : element;
}

static void add_include(const struct work *w, struct str path)
{
    struct alias_table *t = w->reader->table;
    struct buf name;
    if (path.n == 0 || path.p[0] != '/') {
        tell(w->reader, true, ":include: takes an absolute path, one that begins with /");
        return;
    }
    buf_init(&name, ALIAS_LINE_MAX * 2);
    buf_printf(&name, ":include:%.*s", STR_FMT(path));
    size_t index = address_set_find(&t->names, buf_str(&name));
    if (index == SIZE_MAX && t->n_includes == ALIAS_INCLUDES_MAX) {
        tell(w->reader, true, "more than %d files are included; %.*s is left out",
             ALIAS_INCLUDES_MAX, SHOWN(path));
    } else {
        if (index == SIZE_MAX) {
            index = add_entry(t, buf_str(&name), w->reader->file, w->reader->first_line);
            t->entries[index].include = true;
            t->n_includes++;
        }
        add_target(w, ALIAS_INCLUDE, STR_LIT(""), index);
    }
    buf_release(&name);
}

/* What is no address to the list: false. */
static bool add_special(const struct work *w, struct str element)
{
    static const struct str include = {":include:", 9}, nobody = {"/dev/null", 9};
    struct str s = bare(element);
    if (str_eq(s, nobody))
        add_target(w, ALIAS_NOBODY, nobody, 0);
    else if (s.n && s.p[0] == '|')
        tell(w->reader, false,
             "no command is run for mail here: %.*s is left out; name an address instead",
             SHOWN(s));
    else if (s.n && s.p[0] == '/')
        tell(w->reader, false,
             "mail is not written to files here: %.*s is left out; name an address instead",
             SHOWN(s));
    else if (str_starts_nocase(s, include))
        add_include(w, bare(str_trim(str_tail(s, include.n))));
    else if (s.n && s.p[0] == ':')
        tell(w->reader, false, "%.*s has no meaning here and is left out; name an address",
             SHOWN(s));
    else
        return false;
    return true;
}

static void add_addresses(const struct work *w, struct str element)
{
    struct address_list list = address_list_of(element);
    enum address_list_result result;
    struct buf mailbox;
    buf_init(&mailbox, MAILBOX_MAX);
    while ((result = address_list_next(&list, &mailbox)) != ADDRESS_LIST_END) {
        struct str found = buf_str(&mailbox);
        if (result == ADDRESS_LIST_BAD)
            tell(w->reader, true, "\"%.*s\" is not an address; write it as user@example.com",
                 SHOWN(found));
        else if (address_domain(found).n > 0 || !add_special(w, found))
            add_target(w, list.exact ? ALIAS_EXACT : ALIAS_NAME, found, 0);
    }
    buf_release(&mailbox);
}

static void add_targets(const struct work *w, struct str rest)
{
    while (rest.n) {
        size_t n = find_outside(rest, ',');
        if (n == SIZE_MAX) {
            tell(w->reader, true, "a quote or comment begins at %.*s and does not end",
                 SHOWN(rest));
            return;
        }
        struct str element = str_trim(str_head(rest, n));
        if (element.n && !add_special(w, element))
            add_addresses(w, element);
        rest = str_tail(rest, n + 1);
    }
}

/* Append name as it is looked up. False: it is not one of a local user. */
static bool put_name(struct buf *out, struct str name)
{
    bool quoted = name.n > 1 && name.p[0] == '"';
    if (!address_is_mailbox(name) || address_domain(name).n > 0)
        return false;
    for (size_t i = quoted; i + quoted < name.n; i++) {
        i += quoted && name.p[i] == '\\';
        buf_putc(out, str_lower(name.p[i]));
    }
    return true;
}

static void take_alias(struct alias_reader *r, struct str name, struct str targets)
{
    struct alias_table *t = r->table;
    struct buf looked_up;
    buf_init(&looked_up, ADDRESS_MAX);
    bool good = put_name(&looked_up, name);
    size_t before = good ? address_set_find(&t->names, buf_str(&looked_up)) : SIZE_MAX;
    if (!good)
        tell(r, true, "\"%.*s\" is not the name of a local user; write NAME: ADDRESS",
             SHOWN(name));
    else if (before != SIZE_MAX)
        tell(r, false, "%.*s has an alias already, in line %d of %s, and this one is not used",
             SHOWN(name), t->entries[before].line, t->entries[before].file);
    else if (t->names.n >= ALIAS_ENTRIES_MAX)
        tell(r, true, "there are more than %d aliases; this one is not used",
             ALIAS_ENTRIES_MAX);
    else if (targets.n == 0)
        tell(r, true, "%.*s has nobody behind it; write an address there", SHOWN(name));
    else
        add_targets(
            &(struct work){r, add_entry(t, buf_str(&looked_up), r->file, r->first_line)},
            targets);
    buf_release(&looked_up);
}

static void take_logical(struct alias_reader *r)
{
    struct str line = str_trim(buf_str(&r->logical));
    size_t colon = r->include == SIZE_MAX ? find_outside(line, ':') : 0;
    if (r->first_line == 0)
        return;
    if (r->logical.failed)
        tell(r, true, "this alias is longer than %d bytes and not used", ALIAS_LINE_MAX);
    else if (r->include != SIZE_MAX)
        add_targets(&(struct work){r, r->include}, line);
    else if (colon >= line.n)
        tell(r, true, "this is no alias; write NAME: ADDRESS, or # before a comment");
    else
        take_alias(r, str_trim(str_head(line, colon)), str_trim(str_tail(line, colon + 1)));
    buf_clear(&r->logical);
    r->first_line = 0;
}

/* Without the comment. */
static struct str significant(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '#' && (i == 0 || is_blank(line.p[i - 1])))
            return str_head(line, i);
        size_t n = line.p[i] == '"' ? enclosed_bytes(str_tail(line, i)) : 0;
        if (line.p[i] == '\\')
            i++;
        else if (n)
            i += n - 1;
    }
    return line;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7F)
            return true;
    return false;
}

/* A line that is blank or all comment neither ends an alias nor is one. */
static void take_physical(struct alias_reader *r)
{
    struct str whole = buf_str(&r->physical);
    if (whole.n && whole.p[whole.n - 1] == '\r')
        whole.n--;
    struct str line = str_trim(significant(whole));
    bool continues = r->include == SIZE_MAX && whole.n && is_blank(whole.p[0]);
    r->line++;
    if (line.n == 0 && !r->physical.failed)
        return;
    if (!continues)
        take_logical(r);
    bool orphan = continues && r->first_line == 0;
    if (r->first_line == 0)
        r->first_line = r->line;
    if (r->physical.failed) {
        r->logical.failed = true;
    } else if (has_control(line) || orphan) {
        tell(r, true, "%s",
             orphan ? "this line begins with a blank and continues nothing; write NAME: ADDRESS"
                    : "there is a control character in this line, which is not used");
        buf_clear(&r->logical);
        r->first_line = 0;
    } else {
        if (buf_len(&r->logical))
            buf_putc(&r->logical, ' ');
        buf_put_str(&r->logical, line);
    }
    if (r->include != SIZE_MAX)
        take_logical(r);
}

void alias_reader_init(struct alias_reader *r, struct alias_table *t, const char *file)
{
    t->files = mem_resize(t->files, t->n_files + 1, sizeof *t->files);
    t->files[t->n_files] = mem_strdup(file);
    *r = (struct alias_reader){.table = t, .file = t->files[t->n_files++], .include = SIZE_MAX};
    buf_init(&r->physical, ALIAS_LINE_MAX);
    buf_init(&r->logical, ALIAS_LINE_MAX);
}

void alias_reader_init_include(struct alias_reader *r, struct alias_table *t, size_t index)
{
    alias_reader_init(r, t, alias_include_path(&t->entries[index]));
    r->include = index;
    t->entries[index].first = t->n_targets;
}

bool alias_reader_feed(struct alias_reader *r, const char *bytes, size_t n)
{
    struct str rest = {bytes, n};
    if (n > ALIAS_FILE_MAX - r->table->bytes)
        return false;
    r->table->bytes += n;
    while (rest.n) {
        struct str piece = str_head(rest, str_find(rest, '\n'));
        buf_put_str(&r->physical, piece);
        if (piece.n < rest.n) {
            take_physical(r);
            buf_clear(&r->physical);
        }
        rest = str_tail(rest, piece.n + 1);
    }
    return true;
}

void alias_reader_end(struct alias_reader *r)
{
    if (buf_len(&r->physical) || r->physical.failed)
        take_physical(r);
    take_logical(r);
    buf_release(&r->physical);
    buf_release(&r->logical);
}
