/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_caps.h"

#include <string.h>

enum {
    MECHANISM_MAX = 20 /* RFC 4422 3.1 */
};

static const char blanks[] = " \t";

static void read_size(struct smtp_caps *caps, struct str values)
{
    uint64_t size = 0;
    caps->size_bytes = str_u64(str_word(&values, blanks), &size) ? size : 0;
}

static bool is_mechanism(struct str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (!str_is_alpha(c) && !str_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return word.n > 0 && word.n <= MECHANISM_MAX;
}

static void add_mechanism(struct smtp_caps *caps, struct str word)
{
    char name[MECHANISM_MAX];
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        name[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    struct str mechanism = {name, word.n};
    size_t used = strlen(caps->auth);
    size_t blank = used ? 1 : 0;
    if (smtp_caps_has_auth(caps, mechanism) || used + blank + word.n + 1 > sizeof caps->auth)
        return;
    if (blank)
        caps->auth[used++] = ' ';
    memcpy(caps->auth + used, name, word.n);
    caps->auth[used + word.n] = '\0';
}

static void read_auth(struct smtp_caps *caps, struct str values)
{
    for (struct str word; (word = str_word(&values, blanks)).n;) {
        if (is_mechanism(word))
            add_mechanism(caps, word);
    }
}

/* RFC 9422: LIMITS MAILMAX=20 RCPTMAX=100. */
static void read_limits(struct smtp_caps *caps, struct str values)
{
    static const struct str mail = STR_LIT("MAILMAX="), rcpt = STR_LIT("RCPTMAX=");
    for (struct str word; (word = str_word(&values, blanks)).n;) {
        if (str_starts_nocase(word, mail))
            str_u64(str_tail(word, mail.n), &caps->limit_mail);
        else if (str_starts_nocase(word, rcpt))
            str_u64(str_tail(word, rcpt.n), &caps->limit_rcpt);
    }
}

static const struct keyword {
    struct str name;
    unsigned set;
    void (*read)(struct smtp_caps *caps, struct str values);
} keywords[] = {
    {STR_LIT("PIPELINING"), SMTP_CAP_PIPELINING, NULL},
    {STR_LIT("8BITMIME"), SMTP_CAP_8BITMIME, NULL},
    {STR_LIT("SMTPUTF8"), SMTP_CAP_SMTPUTF8 | SMTP_CAP_8BITMIME, NULL},
    {STR_LIT("SIZE"), SMTP_CAP_SIZE, read_size},
    {STR_LIT("DSN"), SMTP_CAP_DSN, NULL},
    {STR_LIT("ENHANCEDSTATUSCODES"), SMTP_CAP_ENHANCEDSTATUSCODES, NULL},
    {STR_LIT("CHUNKING"), SMTP_CAP_CHUNKING, NULL},
    {STR_LIT("STARTTLS"), SMTP_CAP_STARTTLS, NULL},
    {STR_LIT("AUTH"), SMTP_CAP_AUTH, read_auth},
    {STR_LIT("REQUIRETLS"), SMTP_CAP_REQUIRETLS, NULL},
    {STR_LIT("LIMITS"), SMTP_CAP_LIMITS, read_limits},
    {STR_LIT("XTRANTER"), SMTP_CAP_XTRANTER, read_limits},
};

void smtp_caps_clear(struct smtp_caps *caps)
{
    *caps = (struct smtp_caps){.set = 0};
}

static bool is_masked(struct str word)
{
    size_t n = 0;
    while (n < word.n && (word.p[n] == 'X' || word.p[n] == 'x'))
        n++;
    /* Cisco's ESMTP inspection leaves the last letter: XXXXXXXA for STARTTLS. */
    return word.n >= 4 && n + 1 >= word.n;
}

void smtp_caps_add(struct smtp_caps *caps, struct str line)
{
    static const struct str legacy = STR_LIT("AUTH=");
    struct str rest = str_trim(line);
    struct str word = str_word(&rest, blanks);
    if (str_starts_nocase(word, legacy)) {
        rest = str_tail(str_trim(line), legacy.n);
        word = STR_LIT("AUTH");
    }
    if (is_masked(word))
        caps->set |= SMTP_CAP_MASKED;
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (!str_eq_nocase(word, keywords[i].name))
            continue;
        caps->set |= keywords[i].set;
        if (keywords[i].read)
            keywords[i].read(caps, rest);
        return;
    }
}

/* Where mechanism stands in the list, and NULL if it does not. */
static char *find_mechanism(char *list, struct str mechanism)
{
    struct str rest = str_of(list);
    for (struct str word; (word = str_word(&rest, blanks)).n;) {
        if (str_eq(word, mechanism))
            return list + (word.p - list);
    }
    return NULL;
}

bool smtp_caps_has_auth(const struct smtp_caps *caps, struct str mechanism)
{
    struct str rest = str_of(caps->auth);
    for (struct str word; (word = str_word(&rest, blanks)).n;) {
        if (str_eq(word, mechanism))
            return true;
    }
    return false;
}

void smtp_caps_drop_auth(struct smtp_caps *caps, struct str mechanism)
{
    char *at = find_mechanism(caps->auth, mechanism);
    if (!at)
        return;
    char *next = at + mechanism.n;
    if (*next == ' ')
        next++;
    else if (at > caps->auth)
        at--; /* the last one: its blank is before it */
    memmove(at, next, strlen(next) + 1);
}
