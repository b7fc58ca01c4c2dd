/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reach.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WAIT_DEFAULT_MS = 10 * 1000,
    WAIT_MAX_S = 86400,
    PAUSE_MS = 50
};

const char *reach_submission_path(void)
{
    const char *path = secure_getenv("TRANTER_SOCKET");
    return path && *path ? path : SUBMISSION_SOCKET;
}

void reach_control_path(struct buf *path)
{
    const char *control = secure_getenv("TRANTER_CONTROL");
    if (control && *control) {
        buf_puts(path, control);
        return;
    }
    const char *submission = reach_submission_path();
    const char *slash = strrchr(submission, '/');
    buf_put(path, submission, slash ? (size_t)(slash - submission) + 1 : 0);
    buf_puts(path, "control.sock");
}

int64_t reach_wait_ms(void)
{
    uint64_t seconds;
    if (!str_u64(str_of(secure_getenv("TRANTER_WAIT")), &seconds) || seconds > WAIT_MAX_S)
        return WAIT_DEFAULT_MS;
    return (int64_t)seconds * 1000;
}

/* A descriptor above 2, or -1 and errno. */
static int try_once(const struct sockaddr_un *address)
{
    int low = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (low < 0)
        return -1;
    int fd = low > STDERR_FILENO ? low : fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    bool connected =
        fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    int why = errno;
    if (fd != low)
        close(low);
    if (connected)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = why;
    return -1;
}

bool reach_is_away(int why)
{
    return why == ENOENT || why == ECONNREFUSED || why == EAGAIN;
}

static int say_why(const char *path, int why, int64_t waited_ms, struct err *err)
{
    char waited[48] = "";
    if (waited_ms > 0)
        snprintf(waited, sizeof waited, " (waited %lld s)", (long long)(waited_ms / 1000));
    const char *advice = "see its permissions";
    if (why == ENOENT || why == ECONNREFUSED)
        advice = "is tranterd running? see: systemctl status tranter.socket tranter.service";
    else if (why == EAGAIN)
        advice = "tranterd accepts no more; see its log";
    err_set(err, "cannot connect to %s: %s%s; %s", path, strerror(why), waited, advice);
    errno = why;
    return -1;
}

int reach_connect(const char *path, int64_t wait_ms, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        err_set(err, "the socket path %.200s is too long: a socket's may have %zu bytes", path,
                sizeof address.sun_path - 1);
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int64_t deadline_ms = clock_mono_ms() + wait_ms;
    for (;;) {
        int fd = try_once(&address);
        if (fd >= 0)
            return fd;
        int why = errno;
        if (!reach_is_away(why) || clock_mono_ms() >= deadline_ms)
            return say_why(path, why, reach_is_away(why) ? wait_ms : 0, err);
        poll(NULL, 0, PAUSE_MS);
    }
}
