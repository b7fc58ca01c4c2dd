/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command of the configuration. Whatever it is cut into, written with quotes around each word
 * it is cut into the same. */
#include "argv.h"
#include "buf.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void quote(struct buf *line, const char *word)
{
    buf_putc(line, '"');
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            buf_putc(line, '\\');
        buf_putc(line, *word);
    }
    buf_puts(line, "\" ");
}

static void check_again(const struct argv *argv)
{
    struct buf line;
    struct argv again;
    struct err err;
    size_t n = 0;
    buf_init(&line, 1 << 16);
    for (; argv->words[n]; n++)
        quote(&line, argv->words[n]);
    BUG_ON(n == 0 || n > ARGV_MAX || argv->words[0][0] != '/');
    char *text = buf_strdup(&line);
    int result = argv_split(&again, text, &err);
    BUG_ON(result != 0 || again.words[n]);
    for (size_t i = 0; i < n; i++)
        BUG_ON(strcmp(argv->words[i], again.words[i]) != 0);
    argv_release(&again);
    free(text);
    buf_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct argv argv;
    struct err err = {.text = ""};
    if (n > 4096 || memchr(data, '\0', n))
        return 0;
    char *line = mem_strndup((const char *)data, n);
    if (argv_split(&argv, line, &err) == 0)
        check_again(&argv);
    else
        BUG_ON(!err.text[0] || argv.memory);
    argv_release(&argv);
    free(line);
    return 0;
}
