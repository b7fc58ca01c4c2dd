/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tranterctl: the administrator's tool. It asks the daemon over the control socket and prints
 * what it answers. */
#include "ask.h"
#include "conf.h"
#include "reach.h"
#include "say.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    ID_MAX = 64 /* bytes of a queue id; ours are shorter */
};

static const char program[] = "tranterctl";

static const char help[] =
    "usage: tranterctl [-c FILE] COMMAND\n"
    "  status [--json]       is the daemon running, what waits, how are the smarthosts\n"
    "  queue [--json]        list the queue (also: mailq)\n"
    "  retry [ID... | --all] attempt now\n"
    "  remove ID... | --all  drop messages from the queue, for good\n"
    "  reload                load the configuration afresh\n"
    "  check                 check the configuration file\n"
    "  -c FILE               the configuration file; default " CONFIG_FILE "\n"
    "Exit status: 0 done, 64 usage, 67 no such message, 69 the daemon cannot be reached,\n"
    "77 not permitted, 78 configuration. See tranterctl(8).\n";

/* The command line. */
struct request {
    const char *file; /* -c, or NULL */
    bool json;
    bool all;
    char **ids; /* n_ids words after the command */
    int n_ids;
};

struct command {
    const char *name;
    const char *verb; /* on the control socket */
    bool has_json;
    bool takes_ids; /* or --all */
    bool all_by_default;
    int (*run)(const struct command *command, const struct request *request);
};

static int ask_daemon(const struct command *command, const struct request *request);
static int check_configuration(const struct command *command, const struct request *request);
static int not_available(const struct command *command, const struct request *request);

static const struct command commands[] = {
    {"status", "status", .has_json = true, .run = ask_daemon},
    {"queue", "queue", .has_json = true, .run = ask_daemon},
    {"mailq", "queue", .has_json = true, .run = ask_daemon},
    {"retry", "retry", .takes_ids = true, .all_by_default = true, .run = ask_daemon},
    {"remove", "remove", .takes_ids = true, .run = ask_daemon},
    {"reload", "reload", .run = ask_daemon},
    {"check", NULL, .run = check_configuration},
    {"show", NULL, .takes_ids = true, .run = not_available},
    {"hold", NULL, .takes_ids = true, .run = not_available},
    {"release", NULL, .takes_ids = true, .run = not_available},
    {"return", NULL, .takes_ids = true, .run = not_available},
    {"diagnose", NULL, .takes_ids = true, .run = not_available},
    {"why", NULL, .takes_ids = true, .run = not_available},
    {"metrics", NULL, .run = not_available},
};

static int not_available(const struct command *command, const struct request *request)
{
    (void)request;
    say(program, "%s is not available in this version", command->name);
    return EX_USAGE;
}

static int check_configuration(const struct command *command, const struct request *request)
{
    (void)command;
    struct err err;
    struct conf *conf = conf_load(request->file ? request->file : CONFIG_FILE, &err);
    if (!conf) {
        say(program, "%s", err.text);
        return EX_CONFIG;
    }
    printf("%s: good\n", conf->file);
    conf_unref(conf);
    return EX_OK;
}

/* Append the path of the control socket: as the configuration that was named says, else the
 * environment, else the default configuration. Where a configuration cannot be read, and a
 * reload that was refused is just when one asks, the environment and the default are left. The
 * default is no stand-in for a file that was named: -1, that would be another daemon. */
static int find_socket(const struct request *request, struct buf *path)
{
    struct err err;
    const char *environment = getenv("TRANTER_CONTROL");
    bool told = !request->file && environment && *environment;
    struct conf *conf =
        told ? NULL : conf_load(request->file ? request->file : CONFIG_FILE, &err);
    const char *control = conf ? conf->control : environment;
    bool known = control && *control;
    if (!known && request->file) {
        say(program, "%s; or name the daemon's control socket in $TRANTER_CONTROL", err.text);
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
        say(program, "%s", err.text);
    return exit_status;
}

/* -1, and said why, if the words after the command are not what it takes. */
static int put_words(const struct command *command, const struct request *request,
                     struct buf *question)
{
    buf_puts(question, command->verb);
    if (request->json)
        buf_puts(question, " json");
    if (request->all || (command->all_by_default && request->n_ids == 0))
        buf_puts(question, " all");
    for (int i = 0; i < request->n_ids; i++) {
        struct str id = str_of(request->ids[i]);
        if (id.n > ID_MAX || !ask_put_word(question, id) || str_eq(id, STR_LIT("all"))) {
            say(program, "\"%.*s\" is not a queue id; tranterctl queue lists them",
                STR_FMT(str_head(id, ID_MAX)));
            return -1;
        }
    }
    if (!question->failed && buf_len(question) < ASK_QUESTION_MAX)
        return 0;
    say(program, "these are too many ids at once, of %d bytes; give them in parts, or --all",
        ASK_QUESTION_MAX);
    return -1;
}

static int ask_daemon(const struct command *command, const struct request *request)
{
    struct buf question;
    struct buf path;
    buf_init(&question, ASK_QUESTION_MAX);
    buf_init(&path, 1024 * 1024);
    int exit_status = EX_USAGE;
    if (put_words(command, request, &question) == 0)
        exit_status = find_socket(request, &path) == 0
                          ? put_question(buf_str(&path).p, &question)
                          : EX_CONFIG;
    buf_release(&path);
    buf_release(&question);
    return exit_status;
}

/* NULL if the words fit the command, else what is wrong with them. */
static const char *misfit(const struct command *command, const struct request *request)
{
    if (request->json && !command->has_json)
        return "takes no --json";
    if ((request->all || request->n_ids > 0) && !command->takes_ids)
        return "takes nothing after it";
    if (request->all && request->n_ids > 0)
        return "takes ids or --all, not both";
    if (command->takes_ids && !command->all_by_default && command->run == ask_daemon &&
        !request->all && request->n_ids == 0)
        return "needs ids, or --all";
    return NULL;
}

static int run_command(const char *name, const struct request *request)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *command = &commands[i];
        if (strcmp(name, command->name) != 0)
            continue;
        const char *why = misfit(command, request);
        if (!why || command->run == not_available)
            return command->run(command, request);
        say(program, "%s %s; see tranterctl --help", name, why);
        return EX_USAGE;
    }
    say(program, "there is no command %.100s; see tranterctl --help", name);
    return EX_USAGE;
}

/* -1 while the command line goes on, else the exit status. */
static int read_options(struct request *request, int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},         {"all", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'V'},
        {"config", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            request->file = optarg;
            break;
        case 'j':
            request->json = true;
            break;
        case 'a':
            request->all = true;
            break;
        case 'h':
            fputs(help, stdout);
            return EX_OK;
        case 'V':
            puts(PACKAGE_STRING);
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct request request = {.file = NULL};
    signal(SIGPIPE, SIG_IGN);
    int exit_status = argc < 1 ? EX_USAGE : read_options(&request, argc, argv);
    if (exit_status < 0 && optind >= argc) {
        say(program, "which command? See tranterctl --help");
        exit_status = EX_USAGE;
    } else if (exit_status < 0) {
        request.ids = argv + optind + 1;
        request.n_ids = argc - optind - 1;
        exit_status = run_command(argv[optind], &request);
    }
    if (fflush(stdout) != 0 && exit_status == EX_OK) {
        say(program, "cannot write to standard output: %s", strerror(errno));
        exit_status = EX_IOERR;
    }
    return exit_status;
}
