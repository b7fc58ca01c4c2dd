/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ask.h"

#include "mem.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 * 1024,
    PATIENCE_MS = 60 * 1000 /* without a byte from the daemon */
};

void ask_answer_init(struct ask_answer *a)
{
    *a = (struct ask_answer){.sentence = ""};
}

/* "CODE" or "CODE sentence". */
static enum ask_event read_end(struct ask_answer *a, struct str text)
{
    uint64_t status;
    size_t n = str_find(text, ' ');
    if (!str_u64(str_head(text, n), &status) || status > 255)
        return ASK_BAD;
    a->exit_status = (int)status;
    a->sentence = str_tail(text, n + 1).p;
    a->over = true;
    return ASK_END;
}

/* "N OF". */
static enum ask_event read_at(struct ask_answer *a, struct str text)
{
    size_t n = str_find(text, ' ');
    bool good = str_u64(str_head(text, n), &a->at) && str_u64(str_tail(text, n + 1), &a->of);
    return good ? ASK_AT : ASK_BAD;
}

static enum ask_event read_line(struct ask_answer *a)
{
    struct str line = {a->line, a->line_bytes};
    static const struct str end = STR_LIT("end "), at = STR_LIT("at ");
    a->line[a->line_bytes] = '\0';
    a->line_bytes = 0;
    if (str_eq(str_head(line, end.n), end))
        return read_end(a, str_tail(line, end.n));
    if (str_eq(str_head(line, at.n), at))
        return read_at(a, str_tail(line, at.n));
    if (!str_u64(line, &a->frame_bytes) || a->frame_bytes > ASK_FRAME_MAX)
        return ASK_BAD;
    return ASK_MORE;
}

/* Take what there is of a line; MORE while it has no end. */
static enum ask_event take_line(struct ask_answer *a, struct str *input)
{
    size_t n = str_find(*input, '\n');
    if (n > ASK_LINE_MAX - a->line_bytes)
        return ASK_BAD;
    memcpy(a->line + a->line_bytes, input->p, n);
    a->line_bytes += n;
    bool whole = n < input->n;
    *input = str_tail(*input, n + 1);
    return whole ? read_line(a) : ASK_MORE;
}

enum ask_event ask_answer_next(struct ask_answer *a, struct str *input)
{
    while (!a->over && input->n) {
        if (a->frame_bytes) {
            size_t n = a->frame_bytes < input->n ? (size_t)a->frame_bytes : input->n;
            a->data = str_head(*input, n);
            a->frame_bytes -= n;
            *input = str_tail(*input, n);
            return ASK_DATA;
        }
        enum ask_event event = take_line(a, input);
        if (event != ASK_MORE)
            return event;
    }
    return a->over ? ASK_END : ASK_MORE;
}

bool ask_put_word(struct buf *question, struct str word)
{
    for (size_t i = 0; i < word.n; i++) {
        if ((unsigned char)word.p[i] <= ' ' || word.p[i] == 0x7F)
            return false;
    }
    if (word.n == 0)
        return false;
    if (buf_len(question))
        buf_putc(question, ' ');
    buf_put_str(question, word);
    return true;
}

static bool wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    int ready;
    do
        ready = poll(&p, 1, PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0;
}

static bool send_question(int fd, const struct buf *question)
{
    struct buf line;
    buf_init(&line, ASK_QUESTION_MAX);
    buf_put_str(&line, buf_str(question));
    buf_putc(&line, '\n');
    bool good = !line.failed;
    while (good && buf_len(&line)) {
        struct str s = buf_str(&line);
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n >= 0)
            buf_consume(&line, (size_t)n);
        else
            good = errno == EINTR || (errno == EAGAIN && wait_for(fd, POLLOUT));
    }
    buf_release(&line);
    return good;
}

static bool write_out(struct str data)
{
    while (data.n) {
        ssize_t n = write(STDOUT_FILENO, data.p, data.n);
        if (n < 0 && errno != EINTR)
            return false;
        data = str_tail(data, n < 0 ? 0 : (size_t)n);
    }
    return true;
}

static int fail(int exit_status, struct err *err, const char *what)
{
    err_set(err, "%s: %s", what, strerror(errno));
    return exit_status;
}

/* Whoever closed a pipe has read enough, and wants to hear no more of it. */
static int fail_output(struct err *err)
{
    if (errno != EPIPE)
        return fail(EX_IOERR, err, "cannot write to standard output");
    err->text[0] = '\0';
    return EX_IOERR;
}

/* The events of what has just been read; -1 while the answer goes on. */
static int take_events(struct ask_answer *a, struct str input,
                       void (*progress)(uint64_t at, uint64_t of), struct err *err)
{
    enum ask_event event = ask_answer_next(a, &input);
    for (; event == ASK_DATA || event == ASK_AT; event = ask_answer_next(a, &input)) {
        if (event == ASK_DATA && !write_out(a->data))
            return fail_output(err);
        if (event == ASK_AT && progress)
            progress(a->at, a->of);
    }
    if (event == ASK_MORE)
        return -1;
    if (event == ASK_END) {
        err_set(err, "%s", a->sentence);
        return a->exit_status;
    }
    err_set(err,
            "the daemon's answer is not in the control socket's language; are tranterd and "
            "this program of the same version?");
    return EX_UNAVAILABLE;
}

static int read_answer(int fd, void (*progress)(uint64_t at, uint64_t of), struct err *err)
{
    struct ask_answer a;
    ask_answer_init(&a);
    int exit_status = -1;
    while (exit_status < 0) {
        char bytes[READ_BYTES];
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_for(fd, POLLIN))))
            continue;
        if (n < 0)
            return fail(EX_UNAVAILABLE, err, "no answer from the daemon");
        if (n == 0) {
            err_set(err, "the daemon closed the connection before its answer was complete; see "
                         "its log");
            return EX_UNAVAILABLE;
        }
        exit_status = take_events(&a, (struct str){bytes, (size_t)n}, progress, err);
    }
    return exit_status;
}

int ask(int fd, const struct buf *question, void (*progress)(uint64_t at, uint64_t of),
        struct err *err)
{
    BUG_ON(question->failed || buf_len(question) >= ASK_QUESTION_MAX);
    err->text[0] = '\0';
    int exit_status = send_question(fd, question)
                          ? read_answer(fd, progress, err)
                          : fail(EX_UNAVAILABLE, err, "cannot ask the daemon");
    close(fd);
    return exit_status;
}
