/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp_advice.h"

#include "buf.h"
#include "printable.h"
#include "smtp_provider.h"

#include <stdio.h>
#include <string.h>

enum smtp_advice_secret smtp_advice_secret_of(struct str secret)
{
    static const struct str mark = STR_LIT("\xEF\xBB\xBF");
    if (secret.n == 0)
        return SMTP_ADVICE_SECRET_PLAIN;
    char first = secret.p[0], last = secret.p[secret.n - 1];
    if (str_eq(str_head(secret, mark.n), mark))
        return SMTP_ADVICE_SECRET_MARKED;
    if (first == ' ' || first == '\t' || last == ' ' || last == '\t')
        return SMTP_ADVICE_SECRET_BLANK;
    if (secret.n > 1 && first == last && (first == '"' || first == '\''))
        return SMTP_ADVICE_SECRET_QUOTED;
    return SMTP_ADVICE_SECRET_PLAIN;
}

static bool is(const struct fault *f, const char *code)
{
    return strcmp(f->code, code) == 0;
}

static void put(char *to, size_t size, const char *text)
{
    if (text)
        snprintf(to, size, "%s", text);
}

static void reword(struct fault *f, const char *code, const char *text, const char *fix)
{
    put(f->code, sizeof f->code, code);
    put(f->text, sizeof f->text, text);
    put(f->fix, sizeof f->fix, fix);
}

/* Go on in the sentence. */
static void add(struct fault *f, const char *fmt, ...) ATTR_PRINTF(2, 3);

static void add(struct fault *f, const char *fmt, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, 4 * FAULT_TEXT_MAX);
    buf_puts(&text, f->text);
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    printable_cut(f->text, sizeof f->text, buf_str(&text));
    buf_release(&text);
}

static bool is_tls_port(uint16_t port)
{
    return port == 465 || port == 2465;
}

static bool is_starttls_port(uint16_t port)
{
    return port == 587 || port == 2587 || port == 2525 || port == 25;
}

/* What the number of the port says. */
static void advise_port(struct fault *f, uint16_t port)
{
    bool plain = is(f, "MODE-PLAINBANNER") || is(f, "MODE-PLAINSYNC") ||
                 is(f, "MODE-PLAINREFUSE") || is(f, "TLS-TIMEOUT");
    if (is(f, "STARTTLS-MISSING") && port == 25)
        reword(f, "STARTTLS-MISSING-25",
               "port 25 of this server is for mail between servers, and does not offer "
               "STARTTLS; nothing was sent",
               "set port = 587, or port = 465");
    else if (is(f, "AUTH-MISSING") && port == 25)
        reword(
            f, NULL, NULL,
            "port 25 is for mail between servers: set port = 587, or port = 465; remove user "
            "and password-file only if this server relays by address");
    else if (is(f, "MODE-SILENT") && is_tls_port(port))
        fault_fix(f,
                  "port %u is TLS from the first byte: set tls = \"implicit\", or leave tls "
                  "out; for STARTTLS set port = 587",
                  port);
    else if (plain && is_starttls_port(port))
        fault_fix(f,
                  "port %u uses STARTTLS: set tls = \"starttls\", or leave tls out; for TLS "
                  "from the first byte set port = 465",
                  port);
}

static void advise_secret(struct fault *f, const struct smtp_advice *about)
{
    static const char *const looks[] = {
        [SMTP_ADVICE_SECRET_BLANK] = "a blank at its beginning or end",
        [SMTP_ADVICE_SECRET_QUOTED] = "quotation marks around it",
        [SMTP_ADVICE_SECRET_MARKED] = "a byte order mark before it (an editor's)",
    };
    const char *look = looks[about->secret];
    if (!is(f, "AUTH-REJECTED") || !look)
        return;
    add(f, "; the password has %s", look);
    reword(f, "AUTH-WHITESPACE", NULL, NULL);
    fault_fix(f, "if that is no part of it, take it out where the password is kept");
}

static void advise_user(struct fault *f, const char *user, const struct smtp_provider *provider)
{
    bool wants_address = !provider || !provider->user;
    if (!is(f, "AUTH-REJECTED") || !user || strchr(user, '@') || !wants_address)
        return;
    add(f, "; user is \"%.100s\", which is no full address", user);
    reword(f, "AUTH-USERFORM", NULL, NULL);
    fault_fix(f,
              "many providers want the full address: set user = \"%.100s@...\"; if it is "
              "right, check the password",
              user);
}

/* A customer's name for a provider's server: the certificate is for the server's own. */
static bool advise_name(struct fault *f)
{
    if (!is(f, "CERT-HOST") || !strstr(f->text, "ssl0.ovh.net"))
        return false;
    reword(f, NULL, NULL, "set host = \"ssl0.ovh.net\", which serves all of OVH's domains");
    return true;
}

void smtp_advise(struct fault *f, const struct smtp_advice *about)
{
    const struct smtp_provider *provider = smtp_provider_of(str_of(about->host));
    if (f->scope == FAULT_NONE || advise_name(f))
        return;
    advise_port(f, about->port);
    advise_secret(f, about);
    advise_user(f, about->user, provider);
    const struct smtp_provider_note *note =
        provider ? smtp_provider_note_of(provider, str_of(f->code)) : NULL;
    /* That a provider has no port 465 is news to those alone who tried it. */
    bool of_port = is(f, "TCP-TIMEOUT") || is(f, "TCP-REFUSED");
    if (note && (!of_port || is_tls_port(about->port)))
        reword(f, note->code, note->text, note->fix);
}
