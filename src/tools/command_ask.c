/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the running daemon is asked over its control socket. */
#include "command.h"

#include "ask.h"
#include "conf.h"
#include "mem.h"
#include "reach.h"
#include "say.h"
#include "spool_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

/* Where a daemon is, or was. */
struct place {
    char *socket;
    char *spool; /* NULL: no configuration says */
};

/* The connection that an interrupt is to end, and the signal that was it. */
static volatile sig_atomic_t asked_fd, interrupted;

static void on_interrupt(int number)
{
    int code = errno;
    interrupted = number;
    shutdown(asked_fd, SHUT_WR);
    errno = code;
}

static void show_progress(uint64_t at, uint64_t of)
{
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " looked at ", at, of);
}

/* The control socket is the one that the configuration names which was named, else the
 * environment's, else the default configuration's. Where a configuration cannot be read, and a
 * reload that was refused is just when one asks, the environment and the default are left. The
 * default is no stand-in for a file that was named: -1, that would be another daemon. */
static int find_place(const struct command_line *line, struct place *place)
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
    place->socket = mem_strdup(known ? control : CONTROL_SOCKET);
    place->spool = conf ? mem_strdup(conf->spool) : NULL;
    conf_unref(conf);
    return 0;
}

/* Work that takes long is stopped between two messages, and its count told, before the signal
 * has its way. */
static int ask_for_change(int fd, const struct buf *question, struct err *err)
{
    struct sigaction action = {.sa_handler = on_interrupt}, old;
    bool terminal = isatty(STDERR_FILENO) == 1;
    asked_fd = fd;
    interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &old);
    int exit_status = ask(fd, question, terminal ? show_progress : NULL, err);
    sigaction(SIGINT, &old, NULL);
    if (terminal)
        fputs("\r\033[K", stderr);
    return exit_status;
}

/* Nobody is there to be asked, as why says. */
static int ask_spool(const struct place *place, const struct buf *question,
                     const struct err *why)
{
    struct err err = {.text = ""};
    struct store *spool = place->spool ? spool_answer_open(place->spool, &err) : NULL;
    if (!spool) {
        say(command_program, "%s", why->text);
        if (err.text[0])
            say(command_program, "nor can its spool be read: %s", err.text);
        return EX_UNAVAILABLE;
    }
    say(command_program, "tranterd is not running, or not at %s: read from %s", place->socket,
        place->spool);
    int exit_status = spool_answer(spool, place->spool, buf_str(question), &err);
    if (err.text[0])
        say(command_program, "%s", err.text);
    return exit_status;
}

static int put_question(const struct command *command, const struct place *place,
                        const struct buf *question)
{
    struct err err;
    int fd = reach_connect(place->socket, 0, &err);
    if (fd < 0 && reach_is_away(errno) && command->reads_spool)
        return ask_spool(place, question, &err);
    int exit_status = EX_UNAVAILABLE;
    if (fd >= 0)
        exit_status = command->changes ? ask_for_change(fd, question, &err)
                                       : ask(fd, question, NULL, &err);
    if (err.text[0])
        say(command_program, "%s", err.text);
    if (fd >= 0 && command->changes && interrupted)
        raise(interrupted);
    return exit_status;
}

int command_ask(const struct command *command, const struct command_line *line)
{
    struct buf question;
    struct place place = {.socket = NULL};
    buf_init(&question, ASK_QUESTION_MAX);
    int exit_status = EX_USAGE;
    if (command_words(command, line, &question) == 0)
        exit_status = find_place(line, &place) == 0 ? put_question(command, &place, &question)
                                                    : EX_CONFIG;
    free(place.socket);
    free(place.spool);
    buf_release(&question);
    return exit_status;
}
