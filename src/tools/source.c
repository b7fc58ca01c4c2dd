/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024
};

void source_init(struct source *s, int fd, bool dot_ends)
{
    *s = (struct source){.fd = fd};
    intake_init(&s->intake, dot_ends);
}

void source_release(struct source *s)
{
    intake_release(&s->intake);
}

/* Bytes read; 0 at the end of file, which is remembered: a terminal would begin again. */
static size_t read_some(struct source *s, char bytes[READ_BYTES])
{
    ssize_t n = 0;
    if (!s->at_eof && !s->error) {
        do
            n = read(s->fd, bytes, READ_BYTES);
        while (n < 0 && errno == EINTR);
    }
    if (n < 0)
        s->error = errno;
    s->at_eof = n == 0;
    return n > 0 ? (size_t)n : 0;
}

bool source_is_done(const struct source *s)
{
    return s->error || s->intake.state == INTAKE_END || s->intake.state == INTAKE_LARGE;
}

void source_fill(struct source *s, size_t bytes)
{
    char block[READ_BYTES];
    while (!source_is_done(s) &&
           (s->intake.state < INTAKE_BODY || buf_len(&s->intake.out) < bytes)) {
        size_t n = read_some(s, block);
        if (n)
            intake_feed(&s->intake, block, n);
        else if (s->at_eof)
            intake_eof(&s->intake);
    }
}

void source_drain(struct source *s)
{
    char block[READ_BYTES];
    bool dot = s->intake.state == INTAKE_END && !s->at_eof;
    if (isatty(s->fd))
        return;
    size_t n;
    do {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (dot && poll(&p, 1, 0) <= 0)
            return;
        n = read_some(s, block);
        if (dot)
            s->intake.n_ignored += n;
    } while (n);
}
