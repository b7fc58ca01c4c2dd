/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the running daemon is asked over its control socket. */
#include "command.h"

#include "ask.h"
#include "conf.h"
#include "conf_value.h"
#include "question.h"
#include "reach.h"
#include "say.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    ID_MAX = 64 /* bytes of a queue id; ours are shorter */
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

static int put_question(const struct command *command, const char *path,
                        const struct buf *question)
{
    struct err err;
    int fd = reach_connect(path, 0, &err);
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

static void put_flags(const struct command *command, const struct command_line *line,
                      struct buf *question)
{
    if (line->option[COMMAND_JSON])
        buf_puts(question, " json");
    if (line->option[COMMAND_RAW])
        buf_puts(question, " raw");
    if (command->changes)
        buf_puts(question, " count");
    if (command->changes && isatty(STDERR_FILENO) == 1)
        buf_puts(question, " progress");
}

/* -1, and said why, if there is no such user. */
static int put_user(struct buf *question, const char *name)
{
    uint64_t uid;
    if (!str_u64(str_of(name), &uid)) {
        const struct passwd *entry = getpwnam(name);
        if (!entry) {
            say(command_program, "there is no user %.64s", name);
            return -1;
        }
        uid = entry->pw_uid;
    }
    buf_printf(question, " user=%" PRIu64, uid);
    return 0;
}

static int put_age(struct buf *question, const char *text)
{
    int64_t ms;
    if (!conf_value_duration(str_of(text), &ms)) {
        say(command_program, "\"%.64s\" is no duration; write 30s, 5m, 1h or 5d", text);
        return -1;
    }
    buf_printf(question, " older=%" PRId64, ms);
    return 0;
}

static int put_conditions(const struct command_line *line, struct buf *question)
{
    const char *const *option = line->option;
    if (option[COMMAND_FROM])
        question_put(question, "from", option[COMMAND_FROM]);
    if (option[COMMAND_TO])
        question_put(question, "to", option[COMMAND_TO]);
    if (option[COMMAND_STATE])
        question_put(question, "state", option[COMMAND_STATE]);
    if (option[COMMAND_OLDER] && put_age(question, option[COMMAND_OLDER]) < 0)
        return -1;
    return option[COMMAND_USER] ? put_user(question, option[COMMAND_USER]) : 0;
}

/* The limits of status, which the daemon reads: "warning-age=4h". */
static int put_limits(const struct command_line *line, struct buf *question)
{
    static const struct {
        enum command_option option;
        const char *name;
    } limits[] = {
        {COMMAND_WARNING_AGE, "warning-age"},     {COMMAND_CRITICAL_AGE, "critical-age"},
        {COMMAND_WARNING_QUEUE, "warning-queue"}, {COMMAND_CRITICAL_QUEUE, "critical-queue"},
        {COMMAND_WARNING_DEAD, "warning-dead"},   {COMMAND_CRITICAL_DEAD, "critical-dead"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const char *value = line->option[limits[i].option];
        if (!value)
            continue;
        char word[ID_MAX];
        int n = snprintf(word, sizeof word, "%s=%s", limits[i].name, value);
        if (n < (int)sizeof word && ask_put_word(question, str_of(word)))
            continue;
        say(command_program, "--%s wants a time such as 4h for an age, a number for messages",
            limits[i].name);
        return -1;
    }
    return 0;
}

static int put_ids(const struct command_line *line, struct buf *question)
{
    for (int i = 0; i < line->n_words; i++) {
        struct str id = str_of(line->words[i]);
        if (id.n > ID_MAX || str_find(id, '=') < id.n || !ask_put_word(question, id) ||
            str_eq(id, STR_LIT("all"))) {
            say(command_program, "\"%.*s\" is not a queue id; tranterctl queue lists them",
                STR_FMT(str_head(id, ID_MAX)));
            return -1;
        }
    }
    return 0;
}

/* -1, and said why, if what was said after the command is not what it takes. */
static int put_words(const struct command *command, const struct command_line *line,
                     struct buf *question)
{
    buf_puts(question, command->verb);
    put_flags(command, line, question);
    size_t flags = buf_len(question);
    if (put_conditions(line, question) < 0 || put_limits(line, question) < 0 ||
        put_ids(line, question) < 0)
        return -1;
    bool selects = buf_len(question) > flags;
    if (line->option[COMMAND_ALL] || (command->all_by_default && !selects))
        buf_puts(question, " all");
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
        exit_status = find_socket(line, &path) == 0
                          ? put_question(command, buf_str(&path).p, &question)
                          : EX_CONFIG;
    buf_release(&path);
    buf_release(&question);
    return exit_status;
}
