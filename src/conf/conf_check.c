/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_check.h"

#include "conf_value.h"
#include "mem.h"
#include "printable.h"
#include "sockname.h"

#include <stdio.h>
#include <string.h>

enum {
    SMARTHOST_NAME_MAX = 63
};

void conf_check_refuse(struct conf_draft *d, int line, const char *sentence)
{
    char shown[ERR_TEXT_MAX];
    printable_cut(shown, sizeof shown, str_of(sentence));
    err_set(d->err, "%s:%d: %s", d->file, line, shown);
    d->failed = true;
}

/* One smarthost under examination. */
struct subject {
    struct conf_draft *d;
    struct conf_smarthost *s;
    const int *lines;
};

static int line_of(const struct subject *x, const char *key)
{
    return x->lines[conf_key_find(conf_smarthost_keys, str_of(key))];
}

static bool refuse(const struct subject *x, int line, const char *sentence)
{
    conf_check_refuse(x->d, line, sentence);
    return false;
}

static bool name_is_good(const struct subject *x)
{
    struct str name = str_of(x->s->name);
    size_t good = 0;
    while (good < name.n && (str_is_alpha(name.p[good]) || str_is_digit(name.p[good]) ||
                             strchr("._-", name.p[good])))
        good++;
    if (name.n == 0 || name.n > SMARTHOST_NAME_MAX || good < name.n)
        return refuse(
            x, x->s->line,
            "a smarthost's name is 1 to 63 letters, digits, \".\", \"_\" and \"-\", as "
            "in smarthost \"main\" {");
    return true;
}

static bool has_host(const struct subject *x)
{
    return x->s->host ||
           refuse(x, x->s->line,
                  "this smarthost has no host; write host = \"smtp.example.com\" inside of it");
}

static bool allows(const struct conf_smarthost *s, const char *mechanism)
{
    return !s->auth || conf_value_choice(str_of(mechanism), s->auth) >= 0;
}

static bool allows_tokens(const struct conf_smarthost *s)
{
    return allows(s, "OAUTHBEARER") || allows(s, "XOAUTH2");
}

static bool allows_passwords(const struct conf_smarthost *s)
{
    return allows(s, "SCRAM-SHA-256-PLUS") || allows(s, "SCRAM-SHA-1-PLUS") ||
           allows(s, "SCRAM-SHA-256") || allows(s, "SCRAM-SHA-1") || allows(s, "PLAIN") ||
           allows(s, "LOGIN") || allows(s, "CRAM-MD5");
}

/* Which key says where the secret comes from; NULL for none. */
static const char *secret_key(const struct conf_smarthost *s)
{
    if (s->token_command)
        return "token-command";
    if (s->password_command)
        return "password-command";
    return s->password_file ? "password-file" : NULL;
}

static bool miss_user(const struct subject *x)
{
    char sentence[128];
    snprintf(sentence, sizeof sentence,
             "%s needs a login name; write user = \"NAME\" beside it", secret_key(x->s));
    return refuse(x, line_of(x, secret_key(x->s)), sentence);
}

static bool secret_is_one(const struct subject *x)
{
    const struct conf_smarthost *s = x->s;
    int sources = !!s->password_file + !!s->password_command + !!s->token_command;
    if (sources > 1)
        return refuse(x, line_of(x, secret_key(s)),
                      "password-file, password-command and token-command are ways to the same "
                      "thing; keep one of them");
    if (line_of(x, "token-lifetime") && !s->token_command)
        return refuse(x, line_of(x, "token-lifetime"),
                      "token-lifetime has no effect alone; write token-command beside it, or "
                      "take it out");
    if (sources == 0 && s->user && !s->tls_cert)
        return refuse(x, line_of(x, "user"),
                      "user needs a password; write password-file = \"/PATH\" beside it");
    return !sources || s->user || miss_user(x);
}

/* A list that leaves nothing would stop all mail, later. */
static bool mechanisms_fit(const struct subject *x)
{
    const struct conf_smarthost *s = x->s;
    bool by_certificate = s->tls_cert && allows(s, "EXTERNAL");
    if (s->auth && allows(s, "EXTERNAL") && !s->tls_cert && !secret_key(s))
        return refuse(x, line_of(x, "auth"),
                      "EXTERNAL logs in with a certificate; write tls-cert and tls-key beside "
                      "it");
    if (s->token_command && !allows_tokens(s) && !by_certificate)
        return refuse(x, line_of(x, "auth"),
                      "token-command needs a mechanism that takes a token; add XOAUTH2 and "
                      "OAUTHBEARER");
    if ((s->password_file || s->password_command) && !allows_passwords(s) && !by_certificate)
        return refuse(x, line_of(x, "auth"),
                      "a password needs a mechanism that takes one; add SCRAM-SHA-256 and "
                      "PLAIN");
    if (s->user && !secret_key(s) && !by_certificate)
        return refuse(x, line_of(x, "auth"),
                      "user has neither a password nor a mechanism that needs none; add "
                      "EXTERNAL, or write password-file = \"/PATH\"");
    return true;
}

static bool credentials_are_whole(const struct subject *x)
{
    if (x->s->tls_cert && !x->s->tls_key)
        return refuse(x, line_of(x, "tls-cert"),
                      "tls-cert needs its key; write tls-key = \"/PATH\" beside it");
    if (!x->s->tls_cert && x->s->tls_key)
        return refuse(x, line_of(x, "tls-key"),
                      "tls-key needs its certificate; write tls-cert = \"/PATH\" beside it");
    if (!secret_is_one(x) || !mechanisms_fit(x))
        return false;
    x->s->login = x->s->user || (x->s->tls_cert && x->s->auth && allows(x->s, "EXTERNAL"));
    return true;
}

/* A list without effect would be a false comfort. */
static bool fingerprints_are_used(const struct subject *x)
{
    bool asked = x->s->verify == CONF_VERIFY_FINGERPRINT;
    if (asked && !x->s->tls_fingerprints)
        return refuse(x, line_of(x, "tls-verify"),
                      "tls-verify = \"fingerprint\" needs to know which; write tls-fingerprint "
                      "= {\"SHA-256\"} beside it");
    if (!asked && x->s->tls_fingerprints)
        return refuse(x, line_of(x, "tls-fingerprint"),
                      "tls-fingerprint has no effect alone; write tls-verify = \"fingerprint\" "
                      "beside it");
    return true;
}

static bool password_is_safe(const struct subject *x)
{
    if (conf_value_is_loopback(str_of(x->s->host)))
        x->s->allow_plaintext_auth = true;
    if (x->s->tls != CONF_TLS_NONE || !x->s->login || x->s->allow_plaintext_auth)
        return true;
    return refuse(x, line_of(x, "tls"),
                  "tls = \"none\" would show user and password to everyone on the way; take it "
                  "out, or write allow-plaintext-auth = true where nobody can listen");
}

static void settle_tls(struct conf_smarthost *s)
{
    bool implicit = s->port == 465 || s->port == 2465;
    s->tls_auto = s->tls == CONF_TLS_AUTO;
    if (s->tls_auto)
        s->tls = implicit ? CONF_TLS_IMPLICIT : CONF_TLS_STARTTLS;
    if (!s->tls_name)
        s->tls_name = mem_strdup(s->host);
}

static bool smarthost_is_good(const struct subject *x)
{
    if (!name_is_good(x) || !has_host(x) || !credentials_are_whole(x) ||
        !fingerprints_are_used(x))
        return false;
    settle_tls(x->s);
    return password_is_safe(x);
}

static int global_line(const struct conf_draft *d, const char *key)
{
    return d->lines[conf_key_find(conf_global_keys, str_of(key))];
}

/* Never NULL where it may be asked for: each address was read by the same parser before. */
static bool is_local(const char *listen)
{
    struct sockaddr_storage address;
    socklen_t length;
    return sockname_parse(str_of(listen), &address, &length) &&
           sockname_is_local((struct sockaddr *)&address);
}

static void check_listen(struct conf_draft *d)
{
    struct conf *conf = d->conf;
    int row = conf_key_find(conf_global_keys, STR_LIT("listen"));
    const struct conf_key *key = &conf_global_keys[row];
    if (conf->n_listen == 0)
        BUG_ON(!key->read(key, str_of(key->preset), conf, NULL));
    for (unsigned i = 0; i < conf->n_listen && !d->failed; i++) {
        if (strcmp(conf->listen[i], conf->control) == 0)
            conf_check_refuse(d, d->lines[row] ? d->lines[row] : global_line(d, "control"),
                              "listen and control name the same socket; give one another path");
        else if (!conf->listen_anywhere && !is_local(conf->listen[i]))
            conf_check_refuse(d, d->lines[row],
                              "listen names an address that others can reach, and takes mail "
                              "without a login; write 127.0.0.1 or [::1], or listen-anywhere = "
                              "true beside it");
    }
}

static void check_retries(struct conf_draft *d)
{
    int min_line = global_line(d, "retry-min"), max_line = global_line(d, "retry-max");
    if (d->conf->retry_min_ms > d->conf->retry_max_ms)
        conf_check_refuse(d, max_line ? max_line : min_line,
                          "retry-min is longer than retry-max; make it shorter");
}

void conf_check(struct conf_draft *d)
{
    struct conf *conf = d->conf;
    conf->aliases_line = global_line(d, "aliases");
    check_listen(d);
    if (!d->failed)
        check_retries(d);
    if (!d->failed && conf->n_smarthosts == 0)
        conf_check_refuse(d, 1,
                          "there is no smarthost to send mail to; write smarthost \"main\" { "
                          "host = \"smtp.example.com\" user = \"NAME\" password-file = "
                          "\"/PATH\" }");
    for (unsigned i = 0; i < conf->n_smarthosts && !d->failed; i++) {
        struct subject x = {d, &conf->smarthosts[i], d->smarthost_lines[i]};
        smarthost_is_good(&x);
    }
}
