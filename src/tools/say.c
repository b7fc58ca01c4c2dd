/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "say.h"

#include "printable.h"

#include <unistd.h>

enum {
    WORDS_MAX = 8192
};

void say_line(struct buf *out, const char *program, struct str words)
{
    struct buf clean;
    buf_init(&clean, WORDS_MAX);
    size_t start = buf_len(out);
    buf_printf(out, "%s: ", program);
    printable_put(&clean, words, SAY_LINE_MAX);
    struct str s = buf_str(&clean);
    for (size_t i = 0; i < s.n && buf_len(out) - start < SAY_LINE_MAX - 5; i++) {
        if ((unsigned char)s.p[i] < 0x80)
            buf_putc(out, s.p[i]);
        else
            buf_printf(out, "\\x%02X", (unsigned char)s.p[i]);
    }
    buf_putc(out, '\n');
    buf_release(&clean);
}

void say(const char *program, const char *fmt, ...)
{
    struct buf words;
    struct buf line;
    buf_init(&words, WORDS_MAX);
    buf_init(&line, SAY_LINE_MAX);
    va_list args;
    va_start(args, fmt);
    buf_vprintf(&words, fmt, args);
    va_end(args);
    say_line(&line, program, buf_str(&words));
    struct str s = buf_str(&line);
    ssize_t written = write(STDERR_FILENO, s.p, s.n);
    (void)written;
    buf_release(&words);
    buf_release(&line);
}
