/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service.h"

#include "buf.h"
#include "clock.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#endif

void service_notify(const char *fmt, ...)
{
#ifdef HAVE_LIBSYSTEMD
    char state[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(state, sizeof state, fmt, args);
    va_end(args);
    sd_notify(0, state);
#else
    (void)fmt;
#endif
}

unsigned service_sockets(int fds[SERVICE_SOCKETS_MAX])
{
    unsigned n = 0;
#ifdef HAVE_LIBSYSTEMD
    int passed = sd_listen_fds(1);
    for (int i = 0; i < passed && n < SERVICE_SOCKETS_MAX; i++)
        fds[n++] = SD_LISTEN_FDS_START + i;
#else
    (void)fds;
#endif
    return n;
}

static void log_to_json(const struct log_entry *entry)
{
    json_t *o = json_pack("{s:f, s:s}", "time", (double)clock_wall_ms() / 1000, "level",
                          log_level_name(entry->level));
    if (entry->id)
        json_object_set_new(o, "queue_id", json_string(entry->id));
    for (size_t i = 0; i < entry->n_facts; i++)
        json_object_set_new(o, entry->facts[i].key, json_string(entry->facts[i].value));
    json_object_set_new(o, "message", json_string(entry->line));
    char *text = json_dumps(o, JSON_COMPACT);
    if (text) {
        struct iovec parts[] = {{text, strlen(text)}, {(void *)(uintptr_t) "\n", 1}};
        ssize_t written = writev(STDERR_FILENO, parts, 2);
        (void)written;
    }
    free(text);
    json_decref(o);
}

#ifdef HAVE_LIBSYSTEMD

static const int priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,     [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_NOTICE] = LOG_NOTICE, [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

/* TRANTER_TO=, TRANTER_RELAY=, ...: upper case, as the journal wants names. */
static void put_field_name(struct buf *out, const char *key)
{
    buf_puts(out, "TRANTER_");
    for (; *key; key++)
        buf_putc(out, *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A')
                      : *key == '-'              ? '_'
                                                 : *key);
}

static void log_to_journal(const struct log_entry *entry)
{
    struct buf fields[LOG_FACTS_MAX + 6];
    struct iovec iov[LOG_FACTS_MAX + 6];
    size_t n = 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        buf_init(&fields[i], 2 * LOG_LINE_MAX);
    buf_printf(&fields[n++], "MESSAGE=%s", entry->line);
    buf_printf(&fields[n++], "PRIORITY=%d", priorities[entry->level]);
    buf_puts(&fields[n++], "SYSLOG_FACILITY=2");
    buf_printf(&fields[n++], "SYSLOG_IDENTIFIER=%s", log_ident(entry));
    buf_printf(&fields[n++], "SYSLOG_PID=%d", (int)getpid());
    if (entry->id)
        buf_printf(&fields[n++], "TRANTER_QUEUE_ID=%s", entry->id);
    for (size_t i = 0; i < entry->n_facts; i++, n++) {
        put_field_name(&fields[n], entry->facts[i].key);
        buf_printf(&fields[n], "=%s", entry->facts[i].value);
    }
    for (size_t i = 0; i < n; i++) {
        struct str s = buf_str(&fields[i]);
        iov[i] = (struct iovec){(void *)(uintptr_t)s.p, s.n};
    }
    if (sd_journal_sendv(iov, (int)n) < 0)
        log_to_syslog(entry);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        buf_release(&fields[i]);
}

/* systemd sets JOURNAL_STREAM to the device and inode of the stream it connected
 * (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == (dev_t)device &&
           st.st_ino == (ino_t)inode;
}

#else

static void log_to_journal(const struct log_entry *entry)
{
    log_to_syslog(entry);
}

static bool stderr_is_journal(void)
{
    return false;
}

#endif

log_sink *service_log_sink(const char *name)
{
    if (strcmp(name, "auto") == 0)
        name = stderr_is_journal()                                     ? "journal"
               : isatty(STDERR_FILENO) || access("/dev/log", F_OK) < 0 ? "stderr"
                                                                       : "syslog";
    return strcmp(name, "journal") == 0  ? log_to_journal
           : strcmp(name, "syslog") == 0 ? log_to_syslog
           : strcmp(name, "json") == 0   ? log_to_json
                                         : log_to_stderr;
}
