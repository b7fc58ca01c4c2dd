/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tranterctl: the administrator's tool. Here is its command line; what the commands do is in
 * command_*.c. */
#include "command.h"
#include "say.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

const char command_program[] = "tranterctl";

static const char help[] =
    "usage: tranterctl [-c FILE] COMMAND\n"
    "  status                is all well (exit 0), or is it bad (1, 2), and why; limits:\n"
    "                        --warning-age, --critical-age DURATION, -queue, -dead NUMBER\n"
    "  queue [SELECTION]     list the queue (also: mailq)\n"
    "  show ID [--raw]       one message: envelope, history, header; all of it, as it is\n"
    "  retry [SELECTION]     attempt now\n"
    "  hold SELECTION        keep in the queue until released\n"
    "  release SELECTION     let go, and attempt now\n"
    "  remove SELECTION      drop from the queue, for good\n"
    "  return SELECTION      give up now: its sender gets a report\n"
    "  reload                load the configuration afresh\n"
    "  metrics               numbers for Prometheus, as OpenMetrics text\n"
    "  check                 check the configuration file and the aliases\n"
    "  why ADDRESS           which aliases, smarthosts and settings apply to mail for it\n"
    "  diagnose [SMARTHOST]  walk to it without sending; say what is wrong, and what mends it\n"
    "SELECTION is ID... | --all | those that fit all of --from PATTERN, --to PATTERN,\n"
    "--older DURATION, --user NAME|UID, --state queued|active|deferred|held|dead.\n"
    "  --json                print JSON\n"
    "  -c FILE               the configuration file; default " CONFIG_FILE "\n"
    "Exit status: 0 done, 64 usage, 67 no such message, 69 the daemon cannot be reached,\n"
    "75 not now (diagnose), 77 not permitted, 78 configuration. See tranterctl(8).\n";

enum {
    JSON = COMMAND_TAKES(COMMAND_JSON),
    ALL = COMMAND_TAKES(COMMAND_ALL),
    WHO = COMMAND_TAKES(COMMAND_FROM) | COMMAND_TAKES(COMMAND_USER),
    CONDITIONS = COMMAND_TAKES(COMMAND_FROM) | COMMAND_TAKES(COMMAND_TO) |
                 COMMAND_TAKES(COMMAND_OLDER) | COMMAND_TAKES(COMMAND_USER) |
                 COMMAND_TAKES(COMMAND_STATE),
    CHANGE = JSON | ALL | CONDITIONS,
    LIMITS = COMMAND_TAKES(COMMAND_WARNING_AGE) | COMMAND_TAKES(COMMAND_CRITICAL_AGE) |
             COMMAND_TAKES(COMMAND_WARNING_QUEUE) | COMMAND_TAKES(COMMAND_CRITICAL_QUEUE) |
             COMMAND_TAKES(COMMAND_WARNING_DEAD) | COMMAND_TAKES(COMMAND_CRITICAL_DEAD)
};

static const struct {
    const char *name;
    int has_value; /* as getopt_long has it */
} command_options[COMMAND_OPTIONS] = {
    [COMMAND_JSON] = {"json", no_argument},
    [COMMAND_ALL] = {"all", no_argument},
    [COMMAND_FROM] = {"from", required_argument},
    [COMMAND_TO] = {"to", required_argument},
    [COMMAND_OLDER] = {"older", required_argument},
    [COMMAND_USER] = {"user", required_argument},
    [COMMAND_STATE] = {"state", required_argument},
    [COMMAND_RAW] = {"raw", no_argument},
    [COMMAND_WARNING_AGE] = {"warning-age", required_argument},
    [COMMAND_CRITICAL_AGE] = {"critical-age", required_argument},
    [COMMAND_WARNING_QUEUE] = {"warning-queue", required_argument},
    [COMMAND_CRITICAL_QUEUE] = {"critical-queue", required_argument},
    [COMMAND_WARNING_DEAD] = {"warning-dead", required_argument},
    [COMMAND_CRITICAL_DEAD] = {"critical-dead", required_argument},
};

static const struct command commands[] = {
    {"status", "status", .takes = JSON | LIMITS, .reads_spool = true, .run = command_ask},
    {"queue", "queue", .takes = JSON | ALL | CONDITIONS, .takes_ids = true, .reads_spool = true,
     .run = command_ask},
    {"mailq", "queue", .takes = JSON | ALL | CONDITIONS, .takes_ids = true, .reads_spool = true,
     .run = command_ask},
    {"show", "show", .takes = JSON | COMMAND_TAKES(COMMAND_RAW), .takes_ids = true,
     .reads_spool = true, .run = command_ask},
    {"retry", "retry", .takes = CHANGE, .takes_ids = true, .all_by_default = true,
     .changes = true, .run = command_ask},
    {"hold", "hold", .takes = CHANGE, .takes_ids = true, .changes = true, .run = command_ask},
    {"release", "release", .takes = CHANGE, .takes_ids = true, .changes = true,
     .run = command_ask},
    {"remove", "remove", .takes = CHANGE, .takes_ids = true, .changes = true,
     .run = command_ask},
    {"return", "return", .takes = CHANGE, .takes_ids = true, .changes = true,
     .run = command_ask},
    {"reload", "reload", .run = command_ask},
    {"check", .takes = JSON, .run = command_check},
    {"diagnose", .takes = JSON | COMMAND_TAKES(COMMAND_FROM) | COMMAND_TAKES(COMMAND_TO),
     .takes_words = true, .run = command_diagnose},
    {"why", .takes = JSON | WHO, .takes_words = true, .run = command_why},
    {"metrics", "metrics", .run = command_ask},
};

/* The first option that command does not know; COMMAND_OPTIONS: none. */
static unsigned strange_option(const struct command *command, const struct command_line *line)
{
    unsigned i = 0;
    while (i < COMMAND_OPTIONS && (!line->option[i] || (command->takes & COMMAND_TAKES(i))))
        i++;
    return i;
}

static bool has_condition(const struct command_line *line)
{
    for (unsigned i = 0; i < COMMAND_OPTIONS; i++) {
        if (line->option[i] && CONDITIONS & COMMAND_TAKES(i))
            return true;
    }
    return false;
}

/* NULL if the words fit the command, else what is wrong with them. */
static const char *misfit(const struct command *command, const struct command_line *line)
{
    bool all = line->option[COMMAND_ALL];
    if (line->n_words > 0 && !command->takes_ids && !command->takes_words)
        return "takes nothing after it";
    if (all && line->n_words > 0)
        return "takes ids or --all, not both";
    if (command->changes && !command->all_by_default && !all && line->n_words == 0 &&
        !has_condition(line))
        return "needs ids, or --all, or a condition";
    return NULL;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int run_command(const char *name, const struct command_line *line)
{
    const struct command *command = find_command(name);
    if (!command) {
        say(command_program, "there is no command %.100s; see tranterctl --help", name);
        return EX_USAGE;
    }
    unsigned strange = strange_option(command, line);
    const char *why = misfit(command, line);
    if (strange == COMMAND_OPTIONS && !why)
        return command->run(command, line);
    if (strange < COMMAND_OPTIONS)
        say(command_program, "%s takes no --%s; see tranterctl --help", name,
            command_options[strange].name);
    else
        say(command_program, "%s %s; see tranterctl --help", name, why);
    return EX_USAGE;
}

/* -1 while the command line goes on, else the exit status. */
static int take_option(struct command_line *line, int c)
{
    switch (c) {
    case 'c':
        line->file = optarg;
        return -1;
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

static int read_options(struct command_line *line, int argc, char **argv)
{
    enum {
        OURS = 256 /* beyond any character; and on from here, the commands' */
    };
    struct option options[COMMAND_OPTIONS + 4] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"config", required_argument, NULL, 'c'},
    };
    for (int i = 0; i < COMMAND_OPTIONS; i++)
        options[3 + i] = (struct option){command_options[i].name, command_options[i].has_value,
                                         NULL, OURS + i};
    int exit_status = -1, c;
    while (exit_status < 0 && (c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        if (c >= OURS)
            line->option[c - OURS] = optarg ? optarg : "";
        else
            exit_status = take_option(line, c);
    }
    return exit_status;
}

int main(int argc, char **argv)
{
    struct command_line line = {.file = NULL};
    signal(SIGPIPE, SIG_IGN);
    int exit_status = argc < 1 ? EX_USAGE : read_options(&line, argc, argv);
    if (exit_status < 0 && optind >= argc) {
        say(command_program, "which command? See tranterctl --help");
        exit_status = EX_USAGE;
    } else if (exit_status < 0) {
        line.words = argv + optind + 1;
        line.n_words = argc - optind - 1;
        exit_status = run_command(argv[optind], &line);
    }
    if (fflush(stdout) != 0 && exit_status == EX_OK) {
        say(command_program, "cannot write to standard output: %s", strerror(errno));
        exit_status = EX_IOERR;
    }
    return exit_status;
}
