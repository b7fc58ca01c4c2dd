/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source.h"

#include "mem.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024
};

static const struct str end = STR_LIT(".\r\nQUIT\r\n");

void source_init(struct source *s, int fd, bool dot_ends)
{
    struct stat st;
    *s = (struct source){.fd = fd, .dot_ends = dot_ends, .start = -1};
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        s->start = lseek(fd, 0, SEEK_CUR);
    intake_init(&s->intake, dot_ends);
    buf_init(&s->kept, SOURCE_KEPT_MAX);
}

void source_release(struct source *s)
{
    intake_release(&s->intake);
    buf_release(&s->kept);
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

void source_end(struct source *s)
{
    BUG_ON(!source_is_done(s) || s->error);
    if (!s->over)
        buf_put_str(&s->intake.out, end);
    s->over = true;
}

void source_take(struct source *s, size_t n)
{
    if (s->start < 0 && !s->kept.failed) {
        buf_put(&s->kept, buf_str(&s->intake.out).p, n);
        if (s->kept.failed) {
            buf_release(&s->kept);
            s->kept.failed = true;
        }
    }
    buf_consume(&s->intake.out, n);
}

bool source_is_repeatable(struct source *s)
{
    if (s->start >= 0)
        return true;
    if (s->kept.failed)
        return false;
    source_fill(s, buf_space(&s->kept) + 1);
    size_t left = buf_len(&s->intake.out) + (s->over ? 0 : end.n);
    return source_is_done(s) && left <= buf_space(&s->kept);
}

static bool read_again(struct source *s)
{
    if (lseek(s->fd, s->start, SEEK_SET) < 0)
        return false;
    intake_release(&s->intake);
    intake_init(&s->intake, s->dot_ends);
    s->at_eof = s->over = false;
    source_fill(s, 0);
    return true;
}

bool source_rewind(struct source *s)
{
    if (s->start >= 0)
        return read_again(s);
    if (s->kept.failed)
        return false;
    struct str rest = buf_str(&s->intake.out);
    struct buf whole;
    buf_init(&whole, s->intake.out.max + SOURCE_KEPT_MAX);
    buf_put_str(&whole, buf_str(&s->kept));
    buf_put_str(&whole, rest);
    buf_release(&s->intake.out);
    buf_clear(&s->kept);
    s->intake.out = whole;
    return true;
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
