/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "argv.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* Where we are in a line. */
struct cursor {
    const char *from;
    char *to; /* words are written one after another, each with its NUL */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int copy_quoted(struct cursor *at, struct err *err)
{
    char quote = *at->from++;
    while (*at->from != quote) {
        if (*at->from == '\\' && quote == '"' && (at->from[1] == '"' || at->from[1] == '\\'))
            at->from++;
        if (*at->from == '\0')
            return err_set(err, "has a quote (%c) that does not end", quote);
        *at->to++ = *at->from++;
    }
    at->from++;
    return 0;
}

static int copy_plain(struct cursor *at, struct err *err)
{
    char c = *at->from;
    if (strchr("|&;<>()$`", c))
        return err_set(err,
                       "has a %c, which only a shell understands, and none is started; put it "
                       "in quotes, or write \"/bin/sh -c '...'\"",
                       c);
    if (c == '\\' && *++at->from == '\0')
        return err_set(err, "ends in a backslash");
    *at->to++ = *at->from++;
    return 0;
}

static int copy_word(struct cursor *at, struct err *err)
{
    if (*at->from == '~')
        return err_set(err, "has a ~, which only a shell understands; write the path");
    while (*at->from && !is_blank(*at->from)) {
        bool quoted = *at->from == '\'' || *at->from == '"';
        if ((quoted ? copy_quoted(at, err) : copy_plain(at, err)) < 0)
            return -1;
    }
    *at->to++ = '\0';
    return 0;
}

static int split(struct argv *argv, const char *line, struct err *err)
{
    struct cursor at = {line, argv->memory};
    size_t n = 0;
    for (;;) {
        while (is_blank(*at.from))
            at.from++;
        if (*at.from == '\0')
            break;
        if (n == ARGV_MAX)
            return err_set(err, "has more than %d arguments", ARGV_MAX);
        argv->words[n++] = at.to;
        if (copy_word(&at, err) < 0)
            return -1;
    }
    if (n == 0 || argv->words[0][0] != '/')
        return err_set(err, "has to begin with the absolute path of a program");
    return 0;
}

int argv_split(struct argv *argv, const char *line, struct err *err)
{
    memset(argv, 0, sizeof *argv);
    /* A word is never longer than what it is written as, and a NUL stands for a blank. */
    argv->memory = mem_new(strlen(line) + 1);
    int result = split(argv, line, err);
    if (result < 0)
        argv_release(argv);
    return result;
}

void argv_release(struct argv *argv)
{
    free(argv->memory);
    memset(argv, 0, sizeof *argv);
}
