/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_value.h"

#include "sockname.h"

#include <string.h>

enum {
    RATE_MAX = 1000000,
    DOMAIN_MAX = 253, /* RFC 1035 section 2.3.4, as text */
    LABEL_MAX = 63,
    LOCAL_MAX = 64 /* RFC 5321 section 4.5.3.1.1 */
};

bool conf_value_duration(struct str text, int64_t *ms)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = {{'s', 1000}, {'m', 60 * 1000}, {'h', 3600 * 1000}, {'d', 24 * 3600 * 1000}};
    uint64_t number;
    if (str_eq(text, STR_LIT("0"))) {
        *ms = 0;
        return true;
    }
    if (text.n < 2 || !str_u64(str_head(text, text.n - 1), &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (text.p[text.n - 1] == units[i].unit && number <= INT64_MAX / units[i].ms) {
            *ms = (int64_t)(number * units[i].ms);
            return true;
        }
    return false;
}

bool conf_value_rate(struct str text, unsigned *number, int64_t *period_ms)
{
    char one[] = "1?";
    uint64_t read;
    size_t slash = str_find(text, '/');
    if (text.n != slash + 2 || !str_u64(str_head(text, slash), &read) || read < 1 ||
        read > RATE_MAX)
        return false;
    one[1] = text.p[slash + 1];
    if (!conf_value_duration(str_of(one), period_ms))
        return false;
    *number = (unsigned)read;
    return true;
}

bool conf_value_size(struct str text, uint64_t *bytes)
{
    static const char units[] = "KMG";
    unsigned shift = 0;
    const char *unit = text.n ? memchr(units, text.p[text.n - 1], sizeof units - 1) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        text = str_head(text, text.n - 1);
    }
    uint64_t number;
    if (!str_u64(text, &number) || number > UINT64_MAX >> shift)
        return false;
    *bytes = number << shift;
    return true;
}

bool conf_value_mode(struct str text, mode_t *mode)
{
    mode_t bits = 0;
    if (text.n != 3 && !(text.n == 4 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '7')
            return false;
        bits = bits * 8 + (mode_t)(text.p[i] - '0');
    }
    *mode = bits;
    return true;
}

bool conf_value_bool(struct str text, bool *value)
{
    int word = conf_value_choice(text, "true yes on false no off");
    if (word < 0)
        return false;
    *value = word < 3;
    return true;
}

int conf_value_choice(struct str text, const char *words)
{
    struct str rest = str_of(words), word;
    for (int i = 0; (word = str_word(&rest, " ")).n; i++)
        if (str_eq(word, text))
            return i;
    return -1;
}

static bool is_hex(char c)
{
    return str_is_digit(c) || (str_lower(c) >= 'a' && str_lower(c) <= 'f');
}

bool conf_value_fingerprint(struct str text, char digits[CONF_FINGERPRINT_DIGITS + 1])
{
    char read[CONF_FINGERPRINT_DIGITS + 1] = "";
    bool colons = text.n == CONF_FINGERPRINT_DIGITS + CONF_FINGERPRINT_DIGITS / 2 - 1;
    size_t n = 0;
    if (!colons && text.n != CONF_FINGERPRINT_DIGITS)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        bool is_colon = colons && i % 3 == 2;
        if (is_colon ? text.p[i] != ':' : !is_hex(text.p[i]))
            return false;
        if (!is_colon)
            read[n++] = str_lower(text.p[i]);
    }
    memcpy(digits, read, sizeof read);
    return true;
}

static bool is_label(struct str label, const char *also)
{
    if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        if (!str_is_alpha(c) && !str_is_digit(c) && (c == '\0' || !strchr(also, c)))
            return false;
    }
    return true;
}

static bool is_number(struct str text)
{
    size_t i = 0;
    while (i < text.n && str_is_digit(text.p[i]))
        i++;
    return i == text.n;
}

/* The last label of a name is never all digits: that would be a mistaken IPv4 address. */
static bool is_name(struct str text, const char *also)
{
    if (text.n > DOMAIN_MAX)
        return false;
    for (;;) {
        struct str label = str_head(text, str_find(text, '.'));
        if (!is_label(label, also))
            return false;
        if (label.n == text.n)
            return !is_number(label);
        text = str_tail(text, label.n + 1);
    }
}

bool conf_value_is_host(struct str text)
{
    if (sockname_is_ip(text))
        return true;
    if (text.n > 1 && text.p[text.n - 1] == '.')
        text.n--;
    return is_name(text, "-_");
}

bool conf_value_is_domain(struct str text)
{
    return is_name(text, "-");
}

/* RFC 5321 section 4.1.2: Dot-string. */
static bool is_local_part(struct str text)
{
    bool dot = true;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool atext = str_is_alpha(c) || str_is_digit(c) ||
                     (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
        if (!atext && (c != '.' || dot))
            return false;
        dot = !atext;
    }
    return !dot && text.n <= LOCAL_MAX;
}

bool conf_value_is_mailbox(struct str text)
{
    size_t at = str_find(text, '@');
    return is_local_part(str_head(text, at)) && conf_value_is_domain(str_tail(text, at + 1));
}

bool conf_value_is_literal(struct str text)
{
    static const struct str v6 = {"IPv6:", 5};
    if (text.n < 2 || text.p[0] != '[' || text.p[text.n - 1] != ']')
        return false;
    struct str inner = {text.p + 1, text.n - 2};
    bool tagged = str_starts_nocase(inner, v6);
    struct str ip = str_tail(inner, tagged ? v6.n : 0);
    bool is_v6 = str_find(ip, ':') < ip.n;
    return sockname_is_ip(ip) && is_v6 == tagged;
}

bool conf_value_is_loopback(struct str host)
{
    struct sockaddr_storage address;
    socklen_t length;
    return str_eq_nocase(host, STR_LIT("localhost")) ||
           str_eq_nocase(host, STR_LIT("localhost.")) ||
           (sockname_of_ip(host, 0, &address, &length) &&
            sockname_is_local((struct sockaddr *)&address));
}
