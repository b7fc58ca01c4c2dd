/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_key.h"

#include "argv.h"
#include "buf.h"
#include "conf_value.h"
#include "mem.h"
#include "sockname.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX = 1000, /* bytes of any text value */
    FINGERPRINTS_MAX = 16
};

#define SECONDS(n) ((uint64_t)(n)*1000)
#define MINUTES(n) SECONDS((n)*60)
#define HOURS(n) MINUTES((n)*60)
#define DAYS(n) HOURS((n)*24)
#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static void *field_of(const struct conf_key *key, void *owner)
{
    return (char *)owner + key->offset;
}

static bool in_range(const struct conf_key *key, uint64_t number)
{
    return number >= key->min && number <= key->max;
}

static bool set_text(const struct conf_key *key, struct str value, void *owner)
{
    char **field = field_of(key, owner);
    free(*field);
    *field = mem_strndup(value.p, value.n);
    return true;
}

static bool is_plain_text(struct str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
            return false;
    return value.n > 0 && value.n <= TEXT_MAX;
}

static bool is_path(struct str value)
{
    return is_plain_text(value) && value.p[0] == '/';
}

static bool read_text(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    (void)why;
    return is_plain_text(value) && set_text(key, value, owner);
}

static bool read_path(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    (void)why;
    return is_path(value) && set_text(key, value, owner);
}

static bool read_socket(const struct conf_key *key, struct str value, void *owner,
                        struct err *why)
{
    (void)why;
    return is_path(value) && value.n <= SOCKNAME_PATH_MAX && set_text(key, value, owner);
}

static bool read_secret_source(const struct conf_key *key, struct str value, void *owner,
                               struct err *why)
{
    static const struct str credential = {"credential:", 11};
    (void)why;
    struct str name = str_tail(value, credential.n);
    bool named = str_starts_nocase(value, credential) && is_plain_text(name) &&
                 str_find(name, '/') == name.n;
    return (named || is_path(value)) && set_text(key, value, owner);
}

static bool read_command(const struct conf_key *key, struct str value, void *owner,
                         struct err *why)
{
    struct argv argv;
    struct err inner;
    if (!is_plain_text(value))
        return false;
    char *line = mem_strndup(value.p, value.n);
    bool good = argv_split(&argv, line, &inner) == 0;
    free(line);
    argv_release(&argv);
    if (!good) {
        err_set(why, "%s", inner.text);
        return false;
    }
    return set_text(key, value, owner);
}

static bool read_host(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    (void)why;
    return conf_value_is_host(value) && set_text(key, value, owner);
}

static bool read_domain(const struct conf_key *key, struct str value, void *owner,
                        struct err *why)
{
    (void)why;
    return conf_value_is_domain(value) && set_text(key, value, owner);
}

static bool read_mailbox(const struct conf_key *key, struct str value, void *owner,
                         struct err *why)
{
    (void)why;
    return conf_value_is_mailbox(value) && set_text(key, value, owner);
}

static bool read_aliases(const struct conf_key *key, struct str value, void *owner,
                         struct err *why)
{
    (void)why;
    return (value.n == 0 || is_path(value)) && set_text(key, value, owner);
}

/* Servers refuse an unqualified name in EHLO, so it is refused here, where it can be mended. */
static bool read_hostname(const struct conf_key *key, struct str value, void *owner,
                          struct err *why)
{
    (void)why;
    bool qualified = conf_value_is_domain(value) && str_find(value, '.') < value.n;
    return (qualified || conf_value_is_literal(value)) && set_text(key, value, owner);
}

static bool read_duration(const struct conf_key *key, struct str value, void *owner,
                          struct err *why)
{
    int64_t *field = field_of(key, owner), ms;
    (void)why;
    if (!conf_value_duration(value, &ms) || !in_range(key, (uint64_t)ms))
        return false;
    *field = ms;
    return true;
}

static bool read_size(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    uint64_t *field = field_of(key, owner), bytes;
    (void)why;
    if (!conf_value_size(value, &bytes) || !in_range(key, bytes))
        return false;
    *field = bytes;
    return true;
}

static bool read_count(const struct conf_key *key, struct str value, void *owner,
                       struct err *why)
{
    unsigned *field = field_of(key, owner);
    uint64_t number;
    (void)why;
    if (!str_u64(value, &number) || !in_range(key, number))
        return false;
    *field = (unsigned)number;
    return true;
}

static bool read_rate(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    struct conf_rate *field = field_of(key, owner);
    (void)why;
    return conf_value_rate(value, &field->messages, &field->period_ms);
}

static bool read_port(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    uint16_t *field = field_of(key, owner);
    uint64_t number;
    (void)why;
    if (!str_u64(value, &number) || !in_range(key, number))
        return false;
    *field = (uint16_t)number;
    return true;
}

static bool read_mode(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    (void)why;
    return conf_value_mode(value, field_of(key, owner));
}

static bool read_bool(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    (void)why;
    return conf_value_bool(value, field_of(key, owner));
}

static bool read_word(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    (void)why;
    return conf_value_choice(value, key->words) >= 0 && set_text(key, value, owner);
}

static bool read_tls(const struct conf_key *key, struct str value, void *owner, struct err *why)
{
    static const enum conf_tls meanings[] = {CONF_TLS_AUTO, CONF_TLS_STARTTLS,
                                             CONF_TLS_IMPLICIT, CONF_TLS_NONE};
    enum conf_tls *field = field_of(key, owner);
    int choice = conf_value_choice(value, key->words);
    (void)why;
    if (choice < 0)
        return false;
    *field = meanings[choice];
    return true;
}

static bool read_verify(const struct conf_key *key, struct str value, void *owner,
                        struct err *why)
{
    static const enum conf_verify meanings[] = {CONF_VERIFY_FULL, CONF_VERIFY_NONE,
                                                CONF_VERIFY_FINGERPRINT};
    enum conf_verify *field = field_of(key, owner);
    int choice = conf_value_choice(value, key->words);
    (void)why;
    if (choice < 0)
        return false;
    *field = meanings[choice];
    return true;
}

static bool read_listing(const struct conf_key *key, struct str value, void *owner,
                         struct err *why)
{
    bool *all = field_of(key, owner);
    int choice = conf_value_choice(value, key->words);
    (void)why;
    if (choice < 0)
        return false;
    *all = choice == 1;
    return true;
}

static bool read_fingerprint(const struct conf_key *key, struct str value, void *owner,
                             struct err *why)
{
    char digits[CONF_FINGERPRINT_DIGITS + 1];
    struct conf_smarthost *smarthost = owner;
    (void)key;
    if (!conf_value_fingerprint(value, digits))
        return false;
    const char *before = smarthost->tls_fingerprints ? smarthost->tls_fingerprints : "";
    if (conf_value_choice(str_of(digits), before) >= 0) {
        err_set(why, "is in the list twice; take one out");
        return false;
    }
    struct buf words;
    buf_init(&words, FINGERPRINTS_MAX * sizeof digits);
    buf_printf(&words, "%s%s%s", before, *before ? " " : "", digits);
    if (words.failed) {
        err_set(why, "is one too many; write at most %d", FINGERPRINTS_MAX);
        buf_release(&words);
        return false;
    }
    free(smarthost->tls_fingerprints);
    smarthost->tls_fingerprints = buf_strdup(&words);
    buf_release(&words);
    return true;
}

static bool read_listen(const struct conf_key *key, struct str value, void *owner,
                        struct err *why)
{
    struct conf *conf = owner;
    struct sockaddr_storage address;
    socklen_t length;
    (void)key;
    if (!is_plain_text(value) || !sockname_parse(value, &address, &length))
        return false;
    if (value.p[0] != '/' && sockname_port((struct sockaddr *)&address) == 0)
        return false;
    for (unsigned i = 0; i < conf->n_listen; i++)
        if (str_eq(value, str_of(conf->listen[i]))) {
            err_set(why, "is in the list twice; take one out");
            return false;
        }
    conf->listen = mem_resize(conf->listen, conf->n_listen + 1, sizeof *conf->listen);
    conf->listen[conf->n_listen++] = mem_strndup(value.p, value.n);
    return true;
}

static bool read_auth(const struct conf_key *key, struct str value, void *owner,
                      struct err *why)
{
    struct conf_smarthost *smarthost = owner;
    if (conf_value_choice(value, key->words) < 0)
        return false;
    if (smarthost->auth && conf_value_choice(value, smarthost->auth) >= 0) {
        err_set(why, "is in the list twice; take one out");
        return false;
    }
    struct buf words;
    buf_init(&words, TEXT_MAX);
    buf_printf(&words, "%s%s%.*s", smarthost->auth ? smarthost->auth : "",
               smarthost->auth ? " " : "", STR_FMT(value));
    free(smarthost->auth);
    smarthost->auth = buf_strdup(&words);
    buf_release(&words);
    return true;
}

#define CONF_MECHANISMS                                                                        \
    "EXTERNAL OAUTHBEARER XOAUTH2 SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 "          \
    "SCRAM-SHA-1 PLAIN LOGIN CRAM-MD5"
#define GLOBAL(field) .offset = offsetof(struct conf, field)
#define HOST(field) .offset = offsetof(struct conf_smarthost, field)

#define WANT_PATH "write an absolute path, one that begins with /"
#define WANT_SOCKET                                                                            \
    "write the absolute path of a socket, one that begins with / and has at most 107 bytes"
#define WANT_COMMAND                                                                           \
    "write a program with its absolute path, and its arguments; there is no shell"
#define WANT_BOOL "write true or false"

const struct conf_key conf_global_keys[] = {
    {"hostname", NULL, read_hostname,
     "servers want a name with a dot in it; write this machine's full name, such as "
     "\"web1.example.com\", or leave hostname out",
     GLOBAL(hostname), .text = true},
    {"domain", NULL, read_domain, "write a mail domain, such as \"example.com\"",
     GLOBAL(domain), .text = true},
    {"admin", NULL, read_mailbox,
     "write the address of the person who reads this machine's mail, such as "
     "\"admin@example.com\"",
     GLOBAL(admin), .text = true},
    {"aliases", NULL, read_aliases, WANT_PATH ", or \"\" for no alias file", GLOBAL(aliases),
     .text = true},
    {"listen", RUNSTATEDIR "/tranter/smtp.sock", read_listen,
     "write the absolute path of a socket (at most 107 bytes), or address:port such as "
     "\"127.0.0.1:2525\" or \"[::1]:2525\"",
     GLOBAL(listen), .list = true},
    {"listen-anywhere", "false", read_bool, WANT_BOOL, GLOBAL(listen_anywhere)},
    {"listen-mode", "0666", read_mode, "write a file's mode in octal, such as \"0666\"",
     GLOBAL(listen_mode)},
    {"control", RUNSTATEDIR "/tranter/control.sock", read_socket, WANT_SOCKET, GLOBAL(control),
     .text = true},
    {"spool", LOCALSTATEDIR "/spool/tranter", read_path, WANT_PATH, GLOBAL(spool),
     .text = true},
    {"message-size-limit", "50M", read_size,
     "write a size from \"1K\" to \"2000M\", such as \"50M\"", GLOBAL(message_size_limit_bytes),
     KIB(1), MIB(2000)}, /* STORE_RECIPIENTS_MAX chunks */
    {"recipient-limit", "1000", read_count, "write a number from 1 to 32767",
     GLOBAL(recipient_limit), 1, 32767}, /* STORE_RECIPIENTS_MAX */
    {"minimum-free-space", "64M", read_size,
     "write a size up to \"1024G\", such as \"64M\", or \"0\" for none",
     GLOBAL(minimum_free_bytes), 0, GIB(1024)},
    {"lifetime", "5d", read_duration, "write a time from \"1s\" to \"365d\", such as \"5d\"",
     GLOBAL(lifetime_ms), SECONDS(1), DAYS(365)},
    {"warn-after", "4h", read_duration,
     "write a time up to \"365d\", such as \"4h\", or \"0\" for no report of a delay",
     GLOBAL(warn_after_ms), 0, DAYS(365)},
    {"keep-dead", "30d", read_duration,
     "write a time from \"1s\" to \"3650d\", such as \"30d\"", GLOBAL(keep_dead_ms), SECONDS(1),
     DAYS(3650)},
    {"retry-min", "1m", read_duration, "write a time from \"1s\" to \"1d\", such as \"1m\"",
     GLOBAL(retry_min_ms), SECONDS(1), DAYS(1)},
    {"retry-max", "1h", read_duration, "write a time from \"1s\" to \"7d\", such as \"1h\"",
     GLOBAL(retry_max_ms), SECONDS(1), DAYS(7)},
    {"metrics-file", NULL, read_path, WANT_PATH, GLOBAL(metrics_file), .text = true},
    {"stop-timeout", "10s", read_duration, "write a time up to \"10m\", such as \"10s\"",
     GLOBAL(stop_timeout_ms), 0, MINUTES(10)},
    {"queue-listing", "own", read_listing,
     "write \"own\": users see addresses of their own messages alone, or \"all\"",
     GLOBAL(queue_listing_all), .words = "own all"},
    {"log", "auto", read_word,
     "write \"auto\", \"journal\", \"syslog\", \"stderr\" or \"json\"", GLOBAL(log),
     .words = "auto journal syslog stderr json", .text = true},
    {"log-level", "info", read_word,
     "write \"error\", \"warning\", \"notice\", \"info\" or \"debug\"", GLOBAL(log_level),
     .words = "error warning notice info debug", .text = true},
    {.name = NULL},
};

const struct conf_key conf_smarthost_keys[] = {
    {"host", NULL, read_host,
     "write a host's name or its IP address alone (no brackets; the port goes into port; other "
     "letters than a to z as xn--)",
     HOST(host), .text = true},
    {"port", "587", read_port, "write a number from 1 to 65535, such as 587 or 465", HOST(port),
     1, UINT16_MAX},
    {"tls", "auto", read_tls,
     "write \"auto\", \"starttls\" (587), \"implicit\" (465) or \"none\"", HOST(tls),
     .words = "auto starttls implicit none"},
    {"tls-verify", "full", read_verify,
     "write \"full\", \"fingerprint\" with tls-fingerprint beside it, or \"none\" for no "
     "protection at all",
     HOST(verify), .words = "full none fingerprint"},
    {"tls-fingerprint", NULL, read_fingerprint,
     "write the SHA-256 of the server's certificate or public key, 64 hexadecimal digits, with "
     "colons or without",
     HOST(tls_fingerprints), .list = true, .text = true},
    {"tls-name", NULL, read_host, "write the host name that the certificate has",
     HOST(tls_name), .text = true},
    {"tls-ca-file", NULL, read_path, WANT_PATH, HOST(tls_ca_file), .text = true},
    {"tls-cert", NULL, read_path, WANT_PATH, HOST(tls_cert), .text = true},
    {"tls-key", NULL, read_path, WANT_PATH, HOST(tls_key), .text = true},
    {"tls-priority", NULL, read_text, "write a GnuTLS priority string, or take the key out",
     HOST(tls_priority), .text = true},
    {"user", NULL, read_text, "write the login name on one line, or take the key out",
     HOST(user), .text = true},
    {"password-file", NULL, read_secret_source,
     "write the absolute path of a file whose first line is the password, or "
     "\"credential:NAME\"; the password itself does not belong here",
     HOST(password_file), .text = true, .quiet = true},
    {"password-command", NULL, read_command, WANT_COMMAND, HOST(password_command), .text = true,
     .quiet = true},
    {"token-command", NULL, read_command, WANT_COMMAND, HOST(token_command), .text = true,
     .quiet = true},
    {"token-lifetime", "50m", read_duration,
     "write a time from \"1m\" to \"30d\", such as \"50m\"", HOST(token_lifetime_ms),
     MINUTES(1), DAYS(30)},
    {"allow-plaintext-auth", "false", read_bool, WANT_BOOL, HOST(allow_plaintext_auth)},
    {"auth", NULL, read_auth,
     "write a list of mechanisms, such as {\"SCRAM-SHA-256\", \"PLAIN\", \"LOGIN\"}",
     HOST(auth), .words = CONF_MECHANISMS, .list = true, .text = true},
    {"connections", "4", read_count, "write a number from 1 to 100", HOST(connections), 1, 100},
    {"messages-per-connection", "1000", read_count, "write a number from 1 to 1000000",
     HOST(messages_per_connection), 1, 1000000},
    {"pipeline", "4", read_count, "write a number from 1 (one by one) to 64", HOST(pipeline), 1,
     64},
    {"rate", NULL, read_rate,
     "write how many messages may go in a second, minute, hour or day, such as \"14/s\", "
     "\"300/m\", \"100/h\" or \"2000/d\"",
     HOST(rate)},
    {"connect-timeout", "30s", read_duration,
     "write a time from \"1s\" to \"10m\", such as \"30s\"", HOST(connect_timeout_ms),
     SECONDS(1), MINUTES(10)},
    {"reply-timeout", "5m", read_duration, "write a time from \"1s\" to \"1h\", such as \"5m\"",
     HOST(reply_timeout_ms), SECONDS(1), HOURS(1)},
    {"data-timeout", "10m", read_duration,
     "write a time from \"1s\" to \"1h\", such as \"10m\"", HOST(data_timeout_ms), SECONDS(1),
     HOURS(1)},
    {"idle-timeout", "10s", read_duration, "write a time up to \"1h\", such as \"10s\"",
     HOST(idle_timeout_ms), 0, HOURS(1)},
    {.name = NULL},
};

_Static_assert(sizeof conf_global_keys / sizeof conf_global_keys[0] <= CONF_KEYS_MAX, "");
_Static_assert(sizeof conf_smarthost_keys / sizeof conf_smarthost_keys[0] <= CONF_KEYS_MAX, "");

int conf_key_find(const struct conf_key *keys, struct str name)
{
    for (int i = 0; keys[i].name; i++)
        if (str_eq(name, str_of(keys[i].name)))
            return i;
    return -1;
}

void conf_key_presets(const struct conf_key *keys, void *owner)
{
    for (; keys->name; keys++)
        if (keys->preset && !keys->list)
            BUG_ON(!keys->read(keys, str_of(keys->preset), owner, NULL));
}

void conf_key_release(const struct conf_key *keys, void *owner)
{
    for (; keys->name; keys++)
        if (keys->text)
            free(*(char **)field_of(keys, owner));
}
