/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "address.h"

#include "printable.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    LABEL_MAX = 63 /* octets, RFC 1035 2.3.4 */
};

/* Length of the UTF-8 character over U+009F at the start of s; 0 where there is none. C1
 * controls are controls. */
static size_t wide_length(struct str s)
{
    size_t n = printable_utf8(s);
    if (n < 2)
        return 0;
    return n == 2 && s.p[0] == '\xC2' && (unsigned char)s.p[1] < 0xA0 ? 0 : n;
}

static bool is_atext(char c)
{
    return str_is_alpha(c) || str_is_digit(c) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_string(struct str s)
{
    bool atom = false;
    while (s.n) {
        size_t n = is_atext(s.p[0]) ? 1 : wide_length(s);
        if (n == 0 && !(s.p[0] == '.' && atom))
            return false;
        atom = n != 0;
        s = str_tail(s, n ? n : 1);
    }
    return atom;
}

static bool is_quoted_string(struct str s)
{
    s = str_tail(s, 1);
    while (s.n) {
        if (s.p[0] == '"')
            return s.n == 1;
        if (s.p[0] == '\\')
            s = str_tail(s, 1);
        bool ascii = s.n && s.p[0] >= ' ' && s.p[0] <= '~';
        size_t n = ascii ? 1 : wide_length(s);
        if (n == 0)
            return false;
        s = str_tail(s, n);
    }
    return false;
}

static bool is_local(struct str s)
{
    if (s.n == 0 || s.n > ADDRESS_LOCAL_MAX)
        return false;
    return s.p[0] == '"' ? is_quoted_string(s) : is_dot_string(s);
}

/* Letters, digits, inner hyphens; UTF-8 (RFC 6531, whose length counts in another coding), and
 * the underscore that real hosts have. */
static bool is_label(struct str s)
{
    if (s.n == 0 || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    if (s.n > LABEL_MAX && str_is_ascii(s))
        return false;
    while (s.n) {
        char c = s.p[0];
        bool plain = str_is_alpha(c) || str_is_digit(c) || c == '-' || c == '_';
        size_t n = plain ? 1 : wide_length(s);
        if (n == 0)
            return false;
        s = str_tail(s, n);
    }
    return true;
}

/* RFC 5321 4.1.3: IPv4 and the one registered tag. */
static bool is_literal(struct str s)
{
    static const struct str tag = {"IPv6:", 5};
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (s.n < 2 || s.p[s.n - 1] != ']')
        return false;
    s = str_head(str_tail(s, 1), s.n - 2);
    bool v6 = str_starts_nocase(s, tag);
    if (v6)
        s = str_tail(s, tag.n);
    if (s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, address) == 1;
}

static bool is_domain(struct str s)
{
    if (s.n == 0 || s.n > ADDRESS_DOMAIN_MAX)
        return false;
    if (s.p[0] == '[')
        return is_literal(s);
    for (;;) {
        size_t n = str_find(s, '.');
        if (!is_label(str_head(s, n)))
            return false;
        if (n == s.n)
            return true;
        s = str_tail(s, n + 1);
    }
}

struct str address_local(struct str mailbox)
{
    size_t at = mailbox.n;
    bool quoted = false;
    for (size_t i = 0; i < mailbox.n; i++) {
        if (mailbox.p[i] == '"')
            quoted = !quoted;
        else if (mailbox.p[i] == '\\' && quoted)
            i++;
        else if (mailbox.p[i] == '@' && !quoted)
            at = i;
    }
    return str_head(mailbox, at);
}

struct str address_domain(struct str mailbox)
{
    return str_tail(mailbox, address_local(mailbox).n + 1);
}

bool address_is_mailbox(struct str s)
{
    struct str local = address_local(s);
    if (s.n > ADDRESS_MAX || !is_local(local))
        return false;
    return local.n == s.n || is_domain(str_tail(s, local.n + 1));
}

bool address_is_utf8(struct str mailbox)
{
    return !str_is_ascii(mailbox);
}

bool address_same(struct str a, struct str b)
{
    return str_eq(address_local(a), address_local(b)) &&
           str_eq_nocase(address_domain(a), address_domain(b));
}

void address_complete(struct buf *out, struct str mailbox, struct str domain)
{
    buf_put_str(out, mailbox);
    if (address_domain(mailbox).n == 0) {
        buf_putc(out, '@');
        buf_put_str(out, domain);
    }
}
