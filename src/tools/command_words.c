/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

#include "ask.h"
#include "conf_value.h"
#include "question.h"
#include "say.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

enum {
    ID_MAX = 64 /* bytes of a queue id; ours are shorter */
};

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

int command_words(const struct command *command, const struct command_line *line,
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
