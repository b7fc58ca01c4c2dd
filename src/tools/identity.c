/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "identity.h"

#include "address.h"
#include "base64.h"
#include "printable.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORD_BYTES =
        36 /* of raw text in an encoded word, so that its line stays within 76 (RFC 2047 2) */
};

static bool is_atext(char c)
{
    return str_is_alpha(c) || str_is_digit(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static void put_quoted(struct buf *out, struct str text)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, text.p[i]);
    }
    buf_putc(out, '"');
}

static void copy_out(char *text, size_t size, const struct buf *from)
{
    struct str s = str_head(buf_str(from), size - 1);
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
}

/* A login that is no mailbox as it stands ("DOMAIN\user", "two words") goes in quotes. */
static void set_login(struct identity *who, const char *login)
{
    struct buf text;
    buf_init(&text, IDENTITY_LOGIN_MAX - 1);
    if (address_is_mailbox(str_of(login)) && !strchr(login, '@'))
        buf_puts(&text, login);
    else
        put_quoted(&text, str_of(login));
    if (!text.failed)
        copy_out(who->login, sizeof who->login, &text);
    buf_release(&text);
}

/* The first part of the comment field, where '&' is the login with a capital (finger's custom).
 */
static void set_name(struct identity *who, const char *login, const char *gecos)
{
    struct buf text;
    buf_init(&text, IDENTITY_NAME_MAX - 1);
    for (const char *c = gecos; *c && *c != ','; c++) {
        if (*c != '&') {
            buf_putc(&text, *c);
            continue;
        }
        bool lower = login[0] >= 'a' && login[0] <= 'z';
        buf_putc(&text, lower ? (char)(login[0] - 'a' + 'A') : login[0]);
        buf_puts(&text, login + 1);
    }
    copy_out(who->name, sizeof who->name, &text);
    buf_release(&text);
}

static bool is_sane_login(const char *text)
{
    size_t n = text ? strlen(text) : 0;
    for (size_t i = 0; i < n; i++) {
        if (!str_is_alpha(text[i]) && !str_is_digit(text[i]) && !strchr("._-", text[i]))
            return false;
    }
    return n > 0 && n <= ADDRESS_LOCAL_MAX;
}

void identity_set(struct identity *who, uid_t uid, const char *login, const char *gecos,
                  const char *fallback)
{
    *who = (struct identity){.name = ""};
    snprintf(who->login, sizeof who->login, "uid-%lu", (unsigned long)uid);
    if (login && *login) {
        set_login(who, login);
        set_name(who, login, gecos ? gecos : "");
    } else if (is_sane_login(fallback)) {
        set_login(who, fallback);
    }
}

void identity_look_up(struct identity *who, uid_t uid)
{
    const struct passwd *entry = getpwuid(uid);
    if (entry) {
        identity_set(who, uid, entry->pw_name, entry->pw_gecos, NULL);
        return;
    }
    const char *logname = getenv("LOGNAME");
    identity_set(who, uid, NULL, NULL, is_sane_login(logname) ? logname : getenv("USER"));
}

static bool is_utf8(struct str text)
{
    while (text.n) {
        size_t n = printable_utf8(text);
        if (n == 0)
            return false;
        text = str_tail(text, n);
    }
    return true;
}

/* At most max bytes of text, cut between characters. */
static struct str cut(struct str text, size_t max)
{
    bool utf8 = is_utf8(text);
    size_t n = 0;
    while (n < text.n) {
        size_t next = utf8 ? printable_utf8(str_tail(text, n)) : 1;
        if (n + next > max)
            break;
        n += next;
    }
    return str_head(text, n);
}

/* Blanks between encoded words are not part of the text, so the fold costs nothing. */
static void put_encoded(struct buf *out, struct str text)
{
    bool utf8 = is_utf8(text);
    while (text.n) {
        struct str word = cut(text, WORD_BYTES);
        buf_puts(out, utf8 ? "=?utf-8?B?" : "=?unknown-8bit?B?");
        base64_encode(out, word);
        buf_puts(out, "?=");
        text = str_tail(text, word.n);
        if (text.n)
            buf_puts(out, "\r\n ");
    }
}

static void put_phrase(struct buf *out, struct str name)
{
    bool plain = true;
    bool ascii = true;
    for (size_t i = 0; i < name.n; i++) {
        plain = plain && (is_atext(name.p[i]) || name.p[i] == ' ');
        ascii = ascii && (unsigned char)name.p[i] < 0x80;
    }
    if (!ascii)
        put_encoded(out, name);
    else if (plain)
        buf_put_str(out, name);
    else
        put_quoted(out, name);
}

/* Controls in a name would be header lines of the caller's making. */
static void put_harmless(struct buf *out, struct str name)
{
    name = cut(str_trim(name), IDENTITY_NAME_MAX - 1);
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        buf_putc(out, c < ' ' || c == 0x7F ? ' ' : name.p[i]);
    }
}

void identity_put_field(struct buf *out, const char *field, const char *name,
                        struct str address)
{
    struct buf harmless;
    buf_init(&harmless, IDENTITY_NAME_MAX);
    put_harmless(&harmless, str_of(name));
    struct str words = str_trim(buf_str(&harmless));
    buf_printf(out, "%s: ", field);
    if (words.n) {
        put_phrase(out, words);
        buf_puts(out, words.n > WORD_BYTES ? "\r\n <" : " <");
    }
    buf_put_str(out, address);
    buf_puts(out, words.n ? ">\r\n" : "\r\n");
    buf_release(&harmless);
}
