/* SPDX-License-Identifier: GPL-3.0-or-later */
/* service_: what the service manager is told and gives: readiness, sockets, the journal.
 * Without libsystemd each does nothing. */
#ifndef TRANTER_SERVICE_H
#define TRANTER_SERVICE_H

#include "attr.h"
#include "log.h"

enum {
    SERVICE_SOCKETS_MAX = 32
};

/* Tell the state: "READY=1", "STATUS=...", lines as in sd_notify(3). */
void service_notify(const char *fmt, ...) ATTR_PRINTF(1, 2);

/* The listening sockets that were passed, at most SERVICE_SOCKETS_MAX; returns how many. */
unsigned service_sockets(int fds[SERVICE_SOCKETS_MAX]);

/* The sink for log = name ("auto", "journal", "syslog", "stderr", "json"); auto is the journal
 * where standard error is connected to it, syslog, or standard error where that is a
 * terminal or there is no syslog. */
log_sink *service_log_sink(const char *name);

#endif
