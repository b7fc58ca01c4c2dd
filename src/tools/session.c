/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    OUT_MAX = 2 * READ_BYTES + 4
};

void session_filter_init(struct session_filter *f)
{
    *f = (struct session_filter){.start = true};
}

static void end_line(struct session_filter *f, struct buf *out, bool bare)
{
    if (f->dot)
        buf_puts(out, bare ? ".." : ".");
    buf_puts(out, "\r\n");
    f->dot = false;
    f->start = true;
    f->bare = bare;
}

static void on_lf(struct session_filter *f, struct buf *out)
{
    if (f->line_end == SESSION_UNKNOWN)
        f->line_end = f->cr ? SESSION_CRLF : SESSION_LF;
    bool bare = !f->cr && f->line_end == SESSION_CRLF;
    f->cr = false;
    end_line(f, out, bare);
}

static void on_text(struct session_filter *f, struct buf *out, char byte)
{
    bool first_dot = f->start && byte == '.';
    if (f->dot)
        buf_putc(out, '.');
    f->dot = first_dot && !f->bare;
    if (first_dot && f->bare)
        buf_puts(out, "..");
    else if (!first_dot)
        buf_putc(out, byte);
    f->start = false;
}

static void take(struct session_filter *f, struct buf *out, char byte)
{
    if (byte == '\0')
        return;
    if (byte == '\n') {
        on_lf(f, out);
        return;
    }
    if (f->cr)
        end_line(f, out, true);
    f->cr = byte == '\r';
    if (!f->cr)
        on_text(f, out, byte);
}

void session_filter_feed(struct session_filter *f, struct buf *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        take(f, out, bytes[i]);
}

struct session {
    int fd;
    struct session_filter filter;
    struct buf to_daemon;
    bool input_over;
    bool over;
    int exit_status;
    struct err *err;
};

static void fail(struct session *s, int exit_status, const char *what)
{
    err_set(s->err, "%s: %s", what, strerror(errno));
    s->exit_status = exit_status;
    s->over = true;
}

static bool is_passing(int why)
{
    return why == EINTR || why == EAGAIN;
}

static void read_input(struct session *s)
{
    char bytes[READ_BYTES];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n > 0) {
        session_filter_feed(&s->filter, &s->to_daemon, bytes, (size_t)n);
    } else if (n == 0) {
        s->input_over = true;
        shutdown(s->fd, SHUT_WR);
    } else if (!is_passing(errno)) {
        fail(s, EX_IOERR, "cannot read standard input");
    }
}

static void write_daemon(struct session *s)
{
    struct str text = buf_str(&s->to_daemon);
    ssize_t n = send(s->fd, text.p, text.n, MSG_NOSIGNAL);
    if (n >= 0)
        buf_consume(&s->to_daemon, (size_t)n);
    else if (!is_passing(errno))
        buf_clear(&s->to_daemon); /* it has gone, and its last words are still to be read */
}

static void write_output(struct session *s, struct str text)
{
    while (text.n && !s->over) {
        ssize_t n = write(STDOUT_FILENO, text.p, text.n);
        if (n < 0 && errno != EINTR)
            fail(s, EX_IOERR, "cannot write to standard output");
        text = str_tail(text, n < 0 ? 0 : (size_t)n);
    }
}

static void read_daemon(struct session *s)
{
    char bytes[READ_BYTES];
    ssize_t n = recv(s->fd, bytes, sizeof bytes, 0);
    if (n > 0)
        write_output(s, (struct str){bytes, (size_t)n});
    else if (n == 0)
        s->over = true;
    else if (!is_passing(errno))
        fail(s, EX_OSERR, "the connection to the mail daemon was lost");
}

static void turn(struct session *s)
{
    bool wants_input = !s->input_over && buf_len(&s->to_daemon) == 0;
    struct pollfd p[] = {
        {.fd = s->fd, .events = buf_len(&s->to_daemon) ? POLLIN | POLLOUT : POLLIN},
        {.fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN},
    };
    if (poll(p, 2, -1) < 0) {
        if (errno != EINTR)
            fail(s, EX_OSERR, "cannot wait for the mail daemon");
        return;
    }
    if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
        read_daemon(s);
    if (!s->over && (p[0].revents & POLLOUT))
        write_daemon(s);
    if (!s->over && p[1].revents)
        read_input(s);
}

int session_run(int fd, struct err *err)
{
    struct session s = {.fd = fd, .err = err};
    session_filter_init(&s.filter);
    buf_init(&s.to_daemon, OUT_MAX);
    while (!s.over)
        turn(&s);
    buf_release(&s.to_daemon);
    close(fd);
    return s.exit_status;
}
