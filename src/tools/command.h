/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_: what tranterctl does. tranterctl.c has the table of commands; each family of them
 * has a file command_NAME.c. */
#ifndef TRANTER_COMMAND_H
#define TRANTER_COMMAND_H

#include "buf.h"

/* Options that come after a command, or before it. */
enum command_option {
    COMMAND_JSON,
    COMMAND_ALL,
    COMMAND_FROM,
    COMMAND_TO,
    COMMAND_OLDER,
    COMMAND_USER,
    COMMAND_STATE,
    COMMAND_RAW,
    COMMAND_WARNING_AGE,
    COMMAND_CRITICAL_AGE,
    COMMAND_WARNING_QUEUE,
    COMMAND_CRITICAL_QUEUE,
    COMMAND_WARNING_DEAD,
    COMMAND_CRITICAL_DEAD,
    COMMAND_OPTIONS
};

/* The command line, as far as all commands read it alike. */
struct command_line {
    const char *file;                    /* -c, or NULL */
    const char *option[COMMAND_OPTIONS]; /* the option's value, "" where it takes none; or NULL:
                                            not given */
    char **words;                        /* n_words words after the command */
    int n_words;
};

#define COMMAND_TAKES(option) (1u << (option))

struct command {
    const char *name;
    const char *verb;    /* on the control socket; for command_ask */
    unsigned takes;      /* COMMAND_TAKES(...) of each option that it knows */
    bool takes_words;    /* after its name */
    bool takes_ids;      /* and they are queue ids */
    bool all_by_default; /* where no message is selected */
    bool reads_spool;    /* where no daemon runs, its spool answers */
    bool changes;        /* what it selects: it is counted, may take long, and can be stopped */

    /* The exit status. What is wrong was said on standard error. */
    int (*run)(const struct command *command, const struct command_line *line);
};

extern const char command_program[]; /* "tranterctl", as messages begin */

/* Append what the daemon is to be asked: command->verb, and what was said after the command.
 * -1, and said why, where that is not what the command takes. */
int command_words(const struct command *command, const struct command_line *line,
                  struct buf *question);

/* Ask the daemon command->verb of the messages that are selected, and pass its answer on. */
int command_ask(const struct command *command, const struct command_line *line);

/* Say which settings apply to mail for an address. */
int command_why(const struct command *command, const struct command_line *line);

/* Walk to the smarthosts, and say what is wrong. */
int command_diagnose(const struct command *command, const struct command_line *line);

/* Check the configuration file, and the alias files. */
int command_check(const struct command *command, const struct command_line *line);

#endif
