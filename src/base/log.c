/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "log.h"

#include "buf.h"
#include "mem.h"
#include "printable.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

static enum log_level lowest = LOG_LEVEL_INFO;
static log_sink *current = log_to_stderr;

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},      [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
    [LOG_LEVEL_NOTICE] = {"notice", LOG_NOTICE}, [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

void log_open(enum log_level level, log_sink *sink)
{
    lowest = level;
    current = sink ? sink : log_to_stderr;
}

bool log_wants(enum log_level level)
{
    return level <= lowest;
}

const char *log_level_name(enum log_level level)
{
    return levels[level].name;
}

bool log_level_parse(struct str name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (str_eq(name, str_of(levels[i].name))) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_to_stderr(const struct log_entry *entry)
{
    char prefix[32];
    int n = snprintf(prefix, sizeof prefix,
                     entry->level < LOG_LEVEL_INFO ? "tranterd: %s: " : "tranterd: ",
                     log_level_name(entry->level));
    struct iovec parts[] = {{prefix, (size_t)n},
                            {(void *)(uintptr_t)entry->line, strlen(entry->line)},
                            {(void *)(uintptr_t) "\n", 1}};
    /* One write, so that lines of several threads do not mix; a log that cannot be written has
     * nobody to tell. */
    ssize_t written = writev(STDERR_FILENO, parts, 3);
    (void)written;
}

static const struct {
    struct str begin; /* of what is said of a message */
    const char *ident;
} voices[] = {
    {STR_LIT("to="), "tranter/smtp"},       {STR_LIT("from="), "tranter/qmgr"},
    {STR_LIT("removed"), "tranter/qmgr"},   {STR_LIT("message-id="), "tranter/cleanup"},
    {STR_LIT("uid="), "tranter/pickup"},    {STR_LIT("client="), "tranter/smtpd"},
    {STR_LIT("sender "), "tranter/bounce"},
};

const char *log_ident(const struct log_entry *entry)
{
    size_t head = entry->id ? strlen(entry->id) + strlen(": ") : 0;
    struct str said = str_tail(str_of(entry->line), head);
    for (size_t i = 0; entry->id && i < sizeof voices / sizeof voices[0]; i++)
        if (str_starts_nocase(said, voices[i].begin))
            return voices[i].ident;
    return "tranterd";
}

/* openlog() keeps the name for all threads. */
void log_to_syslog(const struct log_entry *entry)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    openlog(log_ident(entry), LOG_PID | LOG_NDELAY, LOG_MAIL);
    syslog(LOG_MAIL | levels[entry->level].priority, "%s", entry->line);
    pthread_mutex_unlock(&mutex);
}

void log_facts(enum log_level level, const char *id, const struct log_fact *facts, size_t n,
               const char *tail)
{
    if (!log_wants(level))
        return;
    struct log_fact clean[LOG_FACTS_MAX];
    char *owned[LOG_FACTS_MAX];
    size_t n_clean = 0;
    struct buf line;
    buf_init(&line, LOG_LINE_MAX - 1);
    BUG_ON(n > LOG_FACTS_MAX);
    if (id)
        buf_printf(&line, "%s: ", id);
    for (size_t i = 0; i < n; i++) {
        if (!facts[i].value)
            continue;
        struct buf value;
        buf_init(&value, LOG_LINE_MAX);
        printable_put(&value, str_of(facts[i].value), LOG_LINE_MAX / 4);
        owned[n_clean] = buf_strdup(&value);
        buf_release(&value);
        clean[n_clean] = (struct log_fact){facts[i].key, owned[n_clean]};
        buf_printf(&line, "%s%s=%s", n_clean ? ", " : "", facts[i].key, owned[n_clean]);
        n_clean++;
    }
    if (tail) {
        buf_puts(&line, n_clean ? " " : "");
        printable_put(&line, str_of(tail), buf_space(&line));
    }
    char *text = buf_strdup(&line);
    current(&(struct log_entry){level, id, clean, n_clean, text});
    free(text);
    for (size_t i = 0; i < n_clean; i++)
        free(owned[i]);
    buf_release(&line);
}

void log_say(enum log_level level, const char *id, const char *fmt, ...)
{
    if (!log_wants(level))
        return;
    char text[LOG_LINE_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    log_facts(level, id, NULL, 0, text);
}
