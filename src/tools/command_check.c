/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

#include "conf.h"
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
    printf("%s: good\n", conf->file);
    conf_unref(conf);
    return EX_OK;
}
