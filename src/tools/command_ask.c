/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the running daemon is asked over its control socket. */
#include "command.h"

#include "ask.h"
#include "conf.h"
#include "reach.h"
#include "say.h"

#include <stdlib.h>
#include <sysexits.h>

enum {
    ID_MAX = 64 /* bytes of a queue id; ours are shorter */
};

/* Append the path of the control socket: as the configuration that was named says, else the
 * environment, else the default configuration. Where a configuration cannot be read, and a
 * reload that was refused is just when one asks, the environment and the default are left. The
 * default is no stand-in for a file that was named: -1, that would be another daemon. */
static int find_socket(const struct command_line *line, struct buf *path)
{
    struct err err;
    const char *environment = getenv("TRANTER_CONTROL");
    bool told = !line->file && environment && *environment;
    struct conf *conf = told ? NULL : conf_load(line->file ? line->file : CONFIG_FILE, &err);
    const char *control = conf ? conf->control : environment;
    bool known = control && *control;
    if (!known && line->file) {
        say(command_program, "%s; or name the daemon's control socket in $TRANTER_CONTROL",
            err.text);
        return -1;
    }
    buf_puts(path, known ? control : CONTROL_SOCKET);
    buf_putc(path, '\0');
    conf_unref(conf);
    return 0;
}

static int put_question(const char *path, const struct buf *question)
{
    struct err err;
    int fd = reach_connect(path, 0, &err);
    int exit_status = fd < 0 ? EX_UNAVAILABLE : ask(fd, question, &err);
    if (err.text[0])
        say(command_program, "%s", err.text);
    return exit_status;
}

/* -1, and said why, if the words after the command are not what it takes. */
static int put_words(const struct command *command, const struct command_line *line,
                     struct buf *question)
{
    buf_puts(question, command->verb);
    if (line->option[COMMAND_JSON])
        buf_puts(question, " json");
    if (line->option[COMMAND_ALL] || (command->all_by_default && line->n_words == 0))
        buf_puts(question, " all");
    for (int i = 0; i < line->n_words; i++) {
        struct str id = str_of(line->words[i]);
        if (id.n > ID_MAX || !ask_put_word(question, id) || str_eq(id, STR_LIT("all"))) {
            say(command_program, "\"%.*s\" is not a queue id; tranterctl queue lists them",
                STR_FMT(str_head(id, ID_MAX)));
            return -1;
        }
    }
    if (!question->failed && buf_len(question) < ASK_QUESTION_MAX)
        return 0;
    say(command_program,
        "these are too many ids at once, of %d bytes; give them in parts, or --all",
        ASK_QUESTION_MAX);
    return -1;
}

int command_ask(const struct command *command, const struct command_line *line)
{
    struct buf question;
    struct buf path;
    buf_init(&question, ASK_QUESTION_MAX);
    buf_init(&path, 1024 * 1024);
    int exit_status = EX_USAGE;
    if (put_words(command, line, &question) == 0)
        exit_status = find_socket(line, &path) == 0 ? put_question(buf_str(&path).p, &question)
                                                    : EX_CONFIG;
    buf_release(&path);
    buf_release(&question);
    return exit_status;
}
