/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

#include "conf.h"
#include "conf_aliases.h"
#include "say.h"

#include <stdio.h>
#include <sysexits.h>

int command_check(const struct command *command, const struct command_line *line)
{
    (void)command;
    struct err err;
    struct conf *conf = conf_load(line->file ? line->file : CONFIG_FILE, &err);
    if (!conf) {
        say(command_program, "%s", err.text);
        return EX_CONFIG;
    }
    struct alias_table *aliases = conf_aliases_load(conf, &err);
    int exit_status = aliases && aliases->n_grave == 0 ? EX_OK : EX_CONFIG;
    for (size_t i = 0; aliases && i < aliases->n_problems && i < ALIAS_PROBLEMS_MAX; i++)
        say(command_program, "%s", aliases->problems[i].sentence);
    if (!aliases)
        say(command_program, "%s", err.text);
    if (exit_status == EX_OK)
        printf("%s: good\n", conf->file);
    alias_table_free(aliases);
    conf_unref(conf);
    return exit_status;
}
