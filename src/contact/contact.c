/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "contact.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    STARTTLS_TIMEOUT_MS = 60 * 1000, /* unless reply-timeout is shorter */
    AUTH_TIMEOUT_MS = 120 * 1000     /* likewise */
};

const char *contact_literal(const struct conf *conf, int fd, char text[CONTACT_LITERAL_MAX])
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    char ip[SOCKNAME_TEXT_MAX];
    if (conf->ehlo_name[0] == '[' || getsockname(fd, (struct sockaddr *)&address, &n) < 0)
        return NULL;
    sockname_ip((const struct sockaddr *)&address, ip);
    snprintf(text, CONTACT_LITERAL_MAX, "[%s%s]", address.ss_family == AF_INET6 ? "IPv6:" : "",
             ip);
    return ip[0] ? text : NULL;
}

static int64_t earlier_ms(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

struct smtp_client_conf contact_client(const struct conf *conf, const struct conf_smarthost *s,
                                       const char *literal)
{
    static const enum smtp_client_tls modes[] = {
        [CONF_TLS_STARTTLS] = SMTP_CLIENT_TLS_STARTTLS,
        [CONF_TLS_IMPLICIT] = SMTP_CLIENT_TLS_IMPLICIT,
        [CONF_TLS_NONE] = SMTP_CLIENT_TLS_NONE,
    };
    return (struct smtp_client_conf){
        .ehlo_name = conf->ehlo_name,
        .ehlo_literal = literal,
        .tls = modes[s->tls],
        .login = s->login,
        .tls_verified = s->tls != CONF_TLS_NONE && s->verify != CONF_VERIFY_NONE,
        .timeouts = {.greeting_ms = s->reply_timeout_ms,
                     .reply_ms = s->reply_timeout_ms,
                     .starttls_ms = earlier_ms(s->reply_timeout_ms, STARTTLS_TIMEOUT_MS),
                     .auth_ms = earlier_ms(s->reply_timeout_ms, AUTH_TIMEOUT_MS),
                     .data_ms = s->reply_timeout_ms,
                     .final_ms = s->data_timeout_ms},
    };
}

struct tls *contact_session(const struct conf_smarthost *s, struct tls_context *context,
                            const char *alias, struct fault *f)
{
    struct err err;
    struct tls *tls = tls_new(context, s->tls_name ? s->tls_name : s->host, &err);
    if (!tls) {
        fault_set(f, FAULT_ACCOUNT, "4.7.5", "TLS-NAME", "%s", err.text);
        fault_fix(f, "set tls-name to the name in the server's certificate");
    } else if (alias[0]) {
        tls_know_alias(tls, alias);
    }
    return tls;
}

struct tls_context *contact_tls(const struct conf_smarthost *smarthost, struct err *err)
{
    static const enum tls_verify meanings[] = {
        [CONF_VERIFY_FULL] = TLS_VERIFY_FULL,
        [CONF_VERIFY_NONE] = TLS_VERIFY_NONE,
        [CONF_VERIFY_FINGERPRINT] = TLS_VERIFY_FINGERPRINT,
    };
    return tls_context_new(
        &(struct tls_policy){
            .verify = meanings[smarthost->verify],
            .fingerprints = smarthost->tls_fingerprints,
            .ca_file = smarthost->tls_ca_file,
            .cert_file = smarthost->tls_cert,
            .key_file = smarthost->tls_key,
            .priority = smarthost->tls_priority,
        },
        err);
}

void contact_advise(struct fault *f, const struct conf_smarthost *smarthost,
                    enum smtp_advice_secret secret)
{
    smtp_advise(f, &(struct smtp_advice){.host = smarthost->host,
                                         .port = smarthost->port,
                                         .user = smarthost->user,
                                         .secret = secret});
}

void contact_explain_end(struct fault *f, const struct fault *of_connection)
{
    if (of_connection && strcmp(of_connection->code, "TLS-TRUNCATED") == 0 &&
        strcmp(f->code, "LOST-STAGE") == 0)
        snprintf(f->code, sizeof f->code, "%s", of_connection->code);
}

/* An address of IPv6 that carries one of IPv4 is that one. */
static struct str ip_of(const struct sockaddr *address, char text[SOCKNAME_TEXT_MAX])
{
    static const struct str mapped = STR_LIT("::ffff:");
    sockname_ip(address, text);
    struct str ip = str_of(text);
    return str_starts_nocase(ip, mapped) ? str_tail(ip, mapped.n) : ip;
}

/* The two ends of a connection. */
struct ends {
    struct sockaddr_storage ours, theirs;
};

static bool get_ends(int fd, struct ends *e)
{
    socklen_t n_ours = sizeof e->ours, n_theirs = sizeof e->theirs;
    return getsockname(fd, (struct sockaddr *)&e->ours, &n_ours) == 0 &&
           getpeername(fd, (struct sockaddr *)&e->theirs, &n_theirs) == 0;
}

/* Does a listener on listen ("address:port") have the far end? */
static bool has(const char *listen, const struct ends *e)
{
    struct sockaddr_storage parsed;
    socklen_t length;
    const struct sockaddr *address = (const struct sockaddr *)&parsed;
    const struct sockaddr *theirs = (const struct sockaddr *)&e->theirs;
    char own_text[SOCKNAME_TEXT_MAX], our_text[SOCKNAME_TEXT_MAX],
        their_text[SOCKNAME_TEXT_MAX];
    if (!sockname_parse(str_of(listen), &parsed, &length) || sockname_port(address) == 0 ||
        sockname_port(address) != sockname_port(theirs))
        return false;
    struct str own = ip_of(address, own_text);
    struct str their_ip = ip_of(theirs, their_text);
    bool any = str_eq(own, STR_LIT("0.0.0.0")) || str_eq(own, STR_LIT("::"));
    /* Who connects to an address of this machine does so from that very address. */
    bool within = sockname_is_local(theirs) ||
                  str_eq(their_ip, ip_of((const struct sockaddr *)&e->ours, our_text));
    return str_eq(own, their_ip) || (any && within);
}

bool contact_is_self(const struct conf *conf, int fd, struct fault *f)
{
    struct ends e;
    if (!get_ends(fd, &e))
        return false;
    for (unsigned i = 0; i < conf->n_listen; i++) {
        char text[SOCKNAME_TEXT_MAX];
        if (!has(conf->listen[i], &e))
            continue;
        const struct sockaddr *theirs = (const struct sockaddr *)&e.theirs;
        struct str their_ip = ip_of(theirs, text);
        fault_set(f, FAULT_ACCOUNT, "5.4.6", "LOOP-SELF",
                  "the smarthost at %.*s port %u is this daemon itself, which listens on %s; "
                  "mail would go in a circle",
                  STR_FMT(their_ip), sockname_port(theirs), conf->listen[i]);
        fault_fix(f, "set host and port to those of your provider's server");
        return true;
    }
    return false;
}
