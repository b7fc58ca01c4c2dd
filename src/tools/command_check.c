/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

#include "conf.h"
#include "conf_aliases.h"
#include "say.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

/* What is said of a configuration: in sentences on standard error, or all in one object. */
struct findings {
    json_t *problems; /* NULL: in sentences */
};

static void find(struct findings *f, const char *sentence)
{
    if (f->problems)
        json_array_append_new(f->problems, json_string(sentence));
    else
        say(command_program, "%s", sentence);
}

static bool check_aliases(struct findings *f, const struct conf *conf)
{
    struct err err;
    struct alias_table *aliases = conf_aliases_load(conf, &err);
    if (!aliases) {
        find(f, err.text);
        return false;
    }
    for (size_t i = 0; i < aliases->n_problems && i < ALIAS_PROBLEMS_MAX; i++)
        find(f, aliases->problems[i].sentence);
    bool good = aliases->n_grave == 0;
    alias_table_free(aliases);
    return good;
}

static bool check_file(struct findings *f, const char *file)
{
    struct err err;
    struct conf *conf = conf_load(file, &err);
    bool good = conf && check_aliases(f, conf);
    if (!conf)
        find(f, err.text);
    conf_unref(conf);
    return good;
}

int command_check(const struct command *command, const struct command_line *line)
{
    (void)command;
    const char *file = line->file ? line->file : CONFIG_FILE;
    bool json = line->option[COMMAND_JSON] != NULL;
    struct findings f = {.problems = json ? json_array() : NULL};
    bool good = check_file(&f, file);
    if (json) {
        json_t *o =
            json_pack("{s:s, s:b, s:O}", "file", file, "good", good, "problems", f.problems);
        if (!o || json_dumpf(o, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF)
            say(command_program, "%s cannot be told in JSON", file);
        json_decref(o);
        json_decref(f.problems);
    } else if (good) {
        printf("%s: well written; \"tranterd -t\" also tries the passwords, certificates and "
               "commands that it names\n",
               file);
    }
    return good ? EX_OK : EX_CONFIG;
}
