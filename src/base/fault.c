/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault.h"

#include "buf.h"
#include "mem.h"
#include "printable.h"

#include <stdarg.h>
#include <stdio.h>

const char *fault_scope_name(enum fault_scope scope)
{
    switch (scope) {
    case FAULT_NONE:
        return "none";
    case FAULT_SERVER:
        return "server";
    case FAULT_ACCOUNT:
        return "account";
    case FAULT_SENDER:
        return "sender";
    case FAULT_MESSAGE:
        return "message";
    case FAULT_RECIPIENT:
        return "recipient";
    }
    return "none";
}

static void set_text(char *text, size_t size, const char *fmt, va_list args) ATTR_PRINTF(3, 0);

static void set_text(char *text, size_t size, const char *fmt, va_list args)
{
    char raw[2 * FAULT_TEXT_MAX];
    vsnprintf(raw, sizeof raw, fmt, args);
    printable_cut(text, size, str_of(raw));
}

void fault_set(struct fault *f, enum fault_scope scope, const char *status, const char *code,
               const char *fmt, ...)
{
    *f = (struct fault){.scope = scope, .permanent = status[0] == '5'};
    snprintf(f->status, sizeof f->status, "%s", status);
    snprintf(f->code, sizeof f->code, "%s", code);
    va_list args;
    va_start(args, fmt);
    set_text(f->text, sizeof f->text, fmt, args);
    va_end(args);
}

void fault_fix(struct fault *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set_text(f->fix, sizeof f->fix, fmt, args);
    va_end(args);
}

void fault_reply(struct fault *f, struct str words)
{
    printable_cut(f->reply, sizeof f->reply, words);
}
