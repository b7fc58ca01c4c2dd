/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_: one line for each decision, in Postfix's words and field order, so that its readers
 * read them.
 *
 * A line is "ID: to=<a@b>, relay=..., status=sent (250 ok)": an optional queue id, facts as
 * key=value, and a tail in plain words. The same facts go to a structured sink (the journal,
 * JSON) as fields. Values are made printable here, so that no caller can forget. The sink is
 * the one writable global of libbase. Threads: any may log. */
#ifndef TRANTER_LOG_H
#define TRANTER_LOG_H

#include "attr.h"
#include "str.h"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

struct log_fact {
    const char *key;   /* "to", "relay" */
    const char *value; /* as it came; brackets and all */
};

enum {
    LOG_FACTS_MAX = 16,
    LOG_LINE_MAX = 2048 /* bytes of a whole line, NUL included */
};

/* A decision as it reaches a sink. Everything is borrowed for the call and already printable.
 */
struct log_entry {
    enum log_level level;
    const char *id;               /* queue id or NULL */
    const struct log_fact *facts; /* n_facts of them */
    size_t n_facts;
    const char *line; /* the whole line, without level and newline */
};

typedef void log_sink(const struct log_entry *entry);

/* Send lines of level and above (more urgent) to sink; NULL is standard error. */
void log_open(enum log_level level, log_sink *sink);

/* Who says it, as syslog has it: "tranter/smtp" for what Postfix's smtp would say of a message,
 * and likewise pickup, smtpd, cleanup, qmgr and bounce, since readers of Postfix's log count by
 * these; "tranterd" for the rest. */
const char *log_ident(const struct log_entry *entry);

/* Sinks that need libc alone. */
void log_to_stderr(const struct log_entry *entry);
void log_to_syslog(const struct log_entry *entry);

bool log_wants(enum log_level level);

/* "error", "warning", "notice", "info", "debug" to its level; false for anything else. */
bool log_level_parse(struct str name, enum log_level *level);
const char *log_level_name(enum log_level level);

/* One decision: facts (n of them, those whose value is NULL are left out) and a tail (NULL for
 * none) appended after a blank. */
void log_facts(enum log_level level, const char *id, const struct log_fact *facts, size_t n,
               const char *tail);

/* One line of plain words. */
void log_say(enum log_level level, const char *id, const char *fmt, ...) ATTR_PRINTF(3, 4);

#endif
