/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conf_: the configuration as an immutable struct (libconfuse syntax, INTERFACE's keys). */
#ifndef TRANTER_CONF_H
#define TRANTER_CONF_H

#include "err.h"
#include "str.h"

#include <sys/types.h>

#define CONF_ALIASES_FILE "/etc/aliases"

enum conf_tls {
    CONF_TLS_STARTTLS,
    CONF_TLS_IMPLICIT,
    CONF_TLS_NONE
}; /* "auto" is settled from the port */
enum conf_verify {
    CONF_VERIFY_FULL,
    CONF_VERIFY_NONE,
    CONF_VERIFY_FINGERPRINT
};

/* So many in any period of so long; messages 0: no limit. */
struct conf_rate {
    unsigned messages;
    int64_t period_ms;
};

enum {
    CONF_RATE_MAX = 16
};

/* "300/m" */
void conf_rate_format(char text[CONF_RATE_MAX], const struct conf_rate *rate);

struct conf_smarthost {
    char *name;
    char *host;
    uint16_t port;
    enum conf_tls tls;
    bool tls_auto; /* the port decided */
    enum conf_verify verify;
    char *tls_name;         /* name to check; host when not set */
    char *tls_fingerprints; /* blank-separated SHA-256 in lower-case hex, set with
                               CONF_VERIFY_FINGERPRINT alone; else NULL */
    char *tls_ca_file;      /* NULL: system trust */
    char *tls_cert, *tls_key, *tls_priority;                /* NULL: none, none, default */
    char *user;                                             /* NULL: none */
    char *password_file, *password_command, *token_command; /* one of them at most */
    int64_t token_lifetime_ms;
    bool login;                /* by AUTH, without which no mail goes out */
    bool allow_plaintext_auth; /* log in without TLS: set, or host is this machine's loopback */
    char *auth; /* blank-separated mechanisms in order of preference; NULL: our order */
    unsigned connections;
    unsigned messages_per_connection;
    unsigned pipeline; /* transactions in flight on a connection */
    struct conf_rate rate;
    int64_t connect_timeout_ms, reply_timeout_ms, data_timeout_ms, idle_timeout_ms;
    int line; /* where it begins in the file */
};

struct conf {
    unsigned references;
    char *file;
    char *hostname; /* for Received and Message-ID: FQDN, the short name where there is none, or
                       the address literal that was configured */
    bool hostname_asked; /* of this machine: no key says it */
    char *ehlo_name; /* hostname where it is an FQDN or literal, else an address literal of this
                        machine, "[192.0.2.1]" */
    char *domain;    /* completes addresses without one */
    char *admin;     /* gets mail for local users that no alias sends elsewhere, and notices of
                        dead mail: a mailbox with its domain; NULL: nobody */
    char *aliases;   /* alias file; "": none; NULL: CONF_ALIASES_FILE, if it is there */
    int aliases_line; /* where that is set; 0: nowhere */
    char **listen;    /* n_listen: absolute path, or address:port */
    unsigned n_listen;
    bool listen_anywhere;
    mode_t listen_mode;
    char *control;
    char *spool;
    uint64_t message_size_limit_bytes;
    unsigned recipient_limit;
    uint64_t minimum_free_bytes;
    int64_t lifetime_ms, warn_after_ms, keep_dead_ms, retry_min_ms, retry_max_ms,
        stop_timeout_ms;
    bool queue_listing_all; /* everyone sees everyone's addresses and reasons */
    char *metrics_file;     /* NULL: none */
    char *log;              /* "auto", "journal", "syslog", "stderr", "json" */
    char *log_level;
    struct conf_smarthost *smarthosts; /* n_smarthosts, at least one */
    unsigned n_smarthosts;
};

/* Load and check file (at most 1 MiB). NULL, and "FILE:LINE: what is wrong and what to write
 * instead" in *err. One reference is the caller's. Without a hostname key this machine's name
 * is asked for, which may ask the resolver. The files that keys name are not looked at. */
struct conf *conf_load(const char *file, struct err *err) ATTR_MUST_CHECK;

/* The same for a process that has loaded old already: what it asked then, it does not ask
 * again, so that a resolver that does not answer holds nothing up. */
struct conf *conf_reload(const char *file, const struct conf *old,
                         struct err *err) ATTR_MUST_CHECK;

/* The same for a text already read, without a look at this machine: hostname, ehlo_name and
 * domain stay NULL where the text does not say. file is for the sentence. */
struct conf *conf_parse(const char *file, struct str text, struct err *err) ATTR_MUST_CHECK;

/* Hold a reference; give it back. The last one frees. */
struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf *conf);

#endif
