/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "credential_fault.h"

#include "printable.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

enum {
    PROGRAM_SHOWN_MAX = 200,
    TELLTALE_BYTES = 16 /* a word of the output that is so long may be the secret */
};

const char *credential_fault_key(const struct credential_source *source)
{
    if (source->password_file)
        return "password-file";
    return source->token_command ? "token-command" : "password-command";
}

/* "token-command /usr/bin/oama": its arguments may be nobody's business. */
static void name_command(char *text, size_t size, const struct credential_source *source)
{
    const char *line = source->token_command ? source->token_command : source->password_command;
    struct str rest = str_of(line);
    char program[PROGRAM_SHOWN_MAX];
    printable_cut(program, sizeof program, str_word(&rest, " \t"));
    snprintf(text, size, "%s %s", credential_fault_key(source), program);
}

static void fix(struct fault *f, const struct credential_source *source)
{
    fault_fix(f, "mend %s of smarthost \"%s\"", credential_fault_key(source), source->account);
}

void credential_fault_of_file(struct fault *f, const struct credential_source *source,
                              const char *why)
{
    fault_set(f, FAULT_ACCOUNT, "4.7.0", "CRED-FILE", "%s", why);
    fix(f, source);
}

void credential_fault_of_start(struct fault *f, const struct credential_source *source,
                               const char *why)
{
    char command[PROGRAM_SHOWN_MAX + 32];
    name_command(command, sizeof command, source);
    fault_set(f, FAULT_ACCOUNT, "4.7.0", "AUTH-HELPER", "%s cannot be run: %s", command, why);
    fix(f, source);
}

static bool contains(struct str text, struct str part)
{
    for (size_t at = 0; part.n && at + part.n <= text.n; at++)
        if (str_eq(str_head(str_tail(text, at), part.n), part))
            return true;
    return false;
}

static bool gives_away(struct str complaint, struct str output)
{
    struct str line = str_trim(str_head(output, str_find(output, '\n')));
    struct str rest = output, word;
    if (contains(complaint, line))
        return true;
    while ((word = str_word(&rest, " \t\r\n\",:{}")).n)
        if (word.n >= TELLTALE_BYTES && contains(complaint, word))
            return true;
    return false;
}

/* ": no such key", or nothing. */
static void quote(char *text, size_t size, const struct command_end *end)
{
    char shown[COMMAND_COMPLAINT_MAX];
    text[0] = '\0';
    if (end->complaint.n == 0)
        return;
    printable_cut(shown, sizeof shown, end->complaint);
    if (gives_away(end->complaint, buf_str(end->output)))
        snprintf(text, size,
                 " (what it complained of repeats what it printed, and is left out)");
    else
        snprintf(text, size, ": %s", shown);
}

/* RFC 6749's word for a refresh token that is no more, or sysexits for the like (O-011). */
static bool has_ended(const struct credential_source *source, int code, struct str words)
{
    return source->token_command && (code == EX_NOPERM || code == EX_CONFIG ||
                                     contains(words, STR_LIT("invalid_grant")));
}

static void say_sign_in(struct fault *f, const struct credential_source *source)
{
    snprintf(f->code, sizeof f->code, "%s", "OAUTH-REFRESH-DEAD");
    fault_fix(f, "sign in again, as token-command of smarthost \"%s\" has it", source->account);
}

static void say_exit(struct fault *f, const struct credential_source *source,
                     const struct command_end *end, const char *command)
{
    int code = WEXITSTATUS(end->status);
    char words[COMMAND_COMPLAINT_MAX + 80];
    quote(words, sizeof words, end);
    fault_set(f, FAULT_ACCOUNT, "4.7.0", "AUTH-HELPER", "%s failed with exit status %d%s%s",
              command, code, code == EX_TEMPFAIL ? ", for now" : "", words);
    fix(f, source);
    if (has_ended(source, code, str_of(words)))
        say_sign_in(f, source);
}

bool credential_fault_of_end(struct fault *f, const struct credential_source *source,
                             const struct command_end *end)
{
    char command[PROGRAM_SHOWN_MAX + 32];
    name_command(command, sizeof command, source);
    if (end->timed_out)
        fault_set(f, FAULT_ACCOUNT, "4.7.0", "AUTH-HELPER",
                  "%s did not end within %lld s and was killed", command,
                  (long long)(source->timeout_ms / 1000));
    else if (end->flooded)
        fault_set(f, FAULT_ACCOUNT, "4.7.0", "AUTH-HELPER",
                  "%s printed more than %d bytes and was killed", command, SECRET_MAX);
    else if (WIFSIGNALED(end->status))
        fault_set(f, FAULT_ACCOUNT, "4.7.0", "AUTH-HELPER", "%s was killed by signal %d",
                  command, WTERMSIG(end->status));
    else if (WEXITSTATUS(end->status) != 0) {
        say_exit(f, source, end, command);
        return true;
    } else {
        return false;
    }
    fix(f, source);
    return true;
}

void credential_fault_of_output(struct fault *f, const struct credential_source *source,
                                const char *why)
{
    char command[PROGRAM_SHOWN_MAX + 32];
    name_command(command, sizeof command, source);
    fault_set(f, FAULT_ACCOUNT, "4.7.0", "AUTH-HELPER", "%s: %s", command, why);
    fix(f, source);
    if (has_ended(source, 0, str_of(why)))
        say_sign_in(f, source);
}
