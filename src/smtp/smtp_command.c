/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_command.h"

#include "address.h"
#include "smtp_parameter.h"

#include <stdio.h>

static const struct verb_name {
    const char *name;
    enum smtp_verb verb;
} verb_names[] = {
    {"EHLO", SMTP_VERB_EHLO},  {"HELO", SMTP_VERB_HELO},         {"LHLO", SMTP_VERB_LHLO},
    {"MAIL", SMTP_VERB_MAIL},  {"RCPT", SMTP_VERB_RCPT},         {"DATA", SMTP_VERB_DATA},
    {"RSET", SMTP_VERB_RSET},  {"NOOP", SMTP_VERB_NOOP},         {"QUIT", SMTP_VERB_QUIT},
    {"VRFY", SMTP_VERB_VRFY},  {"HELP", SMTP_VERB_HELP},         {"EXPN", SMTP_VERB_EXPN},
    {"ETRN", SMTP_VERB_ETRN},  {"AUTH", SMTP_VERB_AUTH},         {"BDAT", SMTP_VERB_BDAT},
    {"GET", SMTP_VERB_HTTP},   {"STARTTLS", SMTP_VERB_STARTTLS}, {"POST", SMTP_VERB_HTTP},
    {"PUT", SMTP_VERB_HTTP},   {"HEAD", SMTP_VERB_HTTP},         {"DELETE", SMTP_VERB_HTTP},
    {"PATCH", SMTP_VERB_HTTP}, {"OPTIONS", SMTP_VERB_HTTP},      {"TRACE", SMTP_VERB_HTTP},
    {"HOST:", SMTP_VERB_HTTP}, {"CONNECT", SMTP_VERB_HTTP},      {"PRI", SMTP_VERB_HTTP},
};

bool smtp_refusal_set(struct smtp_refusal *why, unsigned code, const char *status,
                      const char *fmt, ...)
{
    why->code = code;
    why->status = status;
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->err.text, sizeof(why->err.text), fmt, args);
    va_end(args);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static enum smtp_verb verb_of(struct str word)
{
    for (size_t i = 0; i < sizeof(verb_names) / sizeof(verb_names[0]); i++) {
        if (str_eq_nocase(word, str_of(verb_names[i].name)))
            return verb_names[i].verb;
    }
    return SMTP_VERB_UNKNOWN;
}

/* Index of the first control character other than a tab, or s.n. */
static size_t find_control(struct str s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] != '\x7f' && ((unsigned char)s.p[i] >= ' ' || s.p[i] == '\t'))
        i++;
    return i;
}

bool smtp_command_read(struct smtp_command *c, struct str line, struct smtp_refusal *why)
{
    bool ends_well = line.n >= 2 && line.p[line.n - 2] == '\r' && line.p[line.n - 1] == '\n';
    struct str text = str_head(line, ends_well ? line.n - 2 : line.n);
    struct str rest = str_trim(text);
    c->word = str_word(&rest, " \t");
    c->argument = str_trim(rest);
    c->verb = verb_of(c->word);
    if (!ends_well)
        return smtp_refusal_set(
            why, 500, "5.5.2",
            "This command line ends in LF alone: end every line with CR LF (with nc: "
            "-C; with socat: the option crlf)");
    size_t at = find_control(text);
    if (at < text.n)
        return smtp_refusal_set(
            why, 500, "5.5.2",
            "This command line has the control character 0x%02x at octet %zu: send "
            "printable characters only",
            (unsigned char)text.p[at], at + 1);
    return true;
}

/* Index of the '>' that ends a path, or path.n; path begins behind the '<'. */
static size_t find_bracket(struct str path)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < path.n && (quoted || path.p[i] != '>'); i++) {
        if (path.p[i] == '\\')
            i++;
        else if (path.p[i] == '"')
            quoted = !quoted;
    }
    return i < path.n ? i : path.n;
}

/* RFC 5321 4.1.1.3: "@a,@b:user@c" is accepted, and its route dropped. */
static struct str without_route(struct str path)
{
    bool literal = false;
    for (size_t i = 0; i < path.n && path.p[0] == '@'; i++) {
        if (path.p[i] == '[')
            literal = true;
        else if (path.p[i] == ']')
            literal = false;
        else if (path.p[i] == ':' && !literal)
            return str_tail(path, i + 1);
    }
    return path;
}

/* What differs between the paths of MAIL and RCPT. */
struct path_kind {
    const char *verb;
    const char *keyword;
    const char *syntax;
    const char *bad_address; /* status */
};

static const struct path_kind reverse_path = {"MAIL", "FROM:", "MAIL FROM:<user@example.com>",
                                              "5.1.7"};
static const struct path_kind forward_path = {"RCPT", "TO:", "RCPT TO:<user@example.com>",
                                              "5.1.3"};

/* Cut keyword and path off *rest, so that the parameters are left. *bracketed tells "<>" from
 * nothing at all. */
static bool cut_path(struct str *rest, struct str *path, bool *bracketed,
                     const struct path_kind *kind, struct smtp_refusal *why)
{
    if (!str_starts_nocase(*rest, str_of(kind->keyword)))
        return smtp_refusal_set(why, 501, "5.5.4", "The address is missing: write %s",
                                kind->syntax);
    *rest = str_trim(str_tail(*rest, str_of(kind->keyword).n));
    *bracketed = rest->n && rest->p[0] == '<';
    if (!*bracketed && str_find(*rest, '<') < rest->n)
        return smtp_refusal_set(
            why, 501, "5.5.4", "Only an address belongs here, no name: write %s", kind->syntax);
    if (!*bracketed) {
        *path = str_word(rest, " \t");
        return true;
    }
    *rest = str_tail(*rest, 1);
    size_t end = find_bracket(*rest);
    if (end == rest->n)
        return smtp_refusal_set(why, 501, "5.5.4", "The address has no closing '>': write %s",
                                kind->syntax);
    *path = str_head(*rest, end);
    *rest = str_tail(*rest, end + 1);
    if (rest->n && !is_blank(rest->p[0]))
        return smtp_refusal_set(why, 501, "5.5.4",
                                "Text follows the '>' of the address: write %s", kind->syntax);
    return true;
}

static bool check_address(struct str address, const struct path_kind *kind, bool utf8,
                          struct smtp_refusal *why)
{
    if (!address_is_mailbox(address))
        return smtp_refusal_set(
            why, 501, kind->bad_address,
            "<%.*s> is not a mailbox (local part of 1 to %d octets, '@', domain; or a "
            "local part alone): write %s, with special characters in quotes",
            STR_FMT(str_head(address, SMTP_PARAMETER_ECHO_MAX)), ADDRESS_LOCAL_MAX,
            kind->syntax);
    if (!utf8 && address_is_utf8(address))
        return smtp_refusal_set(
            why, 553, "5.6.7",
            "<%.*s> has characters beyond ASCII: say SMTPUTF8 behind MAIL's address",
            STR_FMT(str_head(address, SMTP_PARAMETER_ECHO_MAX)));
    return true;
}

/* The mailbox of a path that was cut out. */
static bool read_mailbox(struct str *address, struct str path, const struct path_kind *kind,
                         bool utf8, struct smtp_refusal *why)
{
    *address = without_route(path);
    if (path.n == 0)
        return smtp_refusal_set(why, 501, kind->bad_address, "The address is empty: write %s",
                                kind->syntax);
    return check_address(*address, kind, utf8, why);
}

/* The parameters say what the path may be, so they are read before it. */
bool smtp_command_mail(struct smtp_mail *m, struct str argument, unsigned offers,
                       struct smtp_refusal *why)
{
    struct str path;
    bool bracketed = false;
    *m = (struct smtp_mail){0};
    if (!cut_path(&argument, &path, &bracketed, &reverse_path, why) ||
        !smtp_parameter_mail(m, argument, offers, why))
        return false;
    return (path.n == 0 && bracketed) ||
           read_mailbox(&m->address, path, &reverse_path, m->utf8, why);
}

bool smtp_command_rcpt(struct smtp_rcpt *r, struct str argument, unsigned offers,
                       struct smtp_refusal *why)
{
    struct str path;
    bool bracketed = false;
    *r = (struct smtp_rcpt){0};
    if (!cut_path(&argument, &path, &bracketed, &forward_path, why) ||
        !smtp_parameter_rcpt(r, argument, offers, why))
        return false;
    return r->invalid.n > 0 ||
           read_mailbox(&r->address, path, &forward_path, offers & SMTP_OFFER_UTF8, why);
}
