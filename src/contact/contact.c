/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "contact.h"

#include "sockname.h"

#include <sys/socket.h>

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
