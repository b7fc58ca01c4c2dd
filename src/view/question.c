/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "question.h"

#include "mem.h"
#include "pattern.h"
#include "xtext.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int refuse(struct err *err, struct str name, struct str value)
{
    (void)err_set(err, "%.*s=%.*s is not understood; is tranterd of another version?",
                  STR_FMT(name), STR_FMT(str_head(value, 64)));
    return EX_USAGE;
}

static int take_pattern(char **pattern, struct str name, struct str value, struct err *err)
{
    struct buf text;
    buf_init(&text, PATTERN_MAX);
    if (xtext_is_valid(value))
        xtext_decode(&text, value);
    bool good = xtext_is_valid(value) && !text.failed &&
                !memchr(buf_str(&text).p, '\0', buf_len(&text));
    free(*pattern);
    *pattern = good ? buf_strdup(&text) : NULL;
    buf_release(&text);
    return good ? 0 : refuse(err, name, value);
}

static int take_states(struct selection *s, struct str names, struct err *err)
{
    enum queue_state state;
    for (struct str name = str_word(&names, ","); name.n; name = str_word(&names, ",")) {
        if (!queue_state_parse(name, &state)) {
            (void)err_set(
                err,
                "there is no state \"%.*s\"; there are queued, active, deferred, held "
                "and dead",
                STR_FMT(str_head(name, 32)));
            return EX_USAGE;
        }
        s->states |= 1U << state;
    }
    return 0;
}

static int take_condition(struct selection *s, struct str name, struct str value,
                          int64_t now_ms, struct err *err)
{
    uint64_t number = 0;
    bool is_number = str_u64(value, &number);
    if (str_eq(name, STR_LIT("from")))
        return take_pattern(&s->from, name, value, err);
    if (str_eq(name, STR_LIT("to")))
        return take_pattern(&s->to, name, value, err);
    if (str_eq(name, STR_LIT("state")))
        return take_states(s, value, err);
    if (str_eq(name, STR_LIT("older")) && is_number && number < INT64_MAX) {
        s->before_ms = now_ms - (int64_t)number;
        return 0;
    }
    if (str_eq(name, STR_LIT("user")) && is_number && number <= UINT32_MAX) {
        s->has_uid = true;
        s->uid = (uid_t)number;
        return 0;
    }
    return refuse(err, name, value);
}

static int take_id(struct selection *s, struct str word, struct err *err)
{
    store_id id;
    if (!store_id_parse(word, &id)) {
        (void)err_set(err, "no message %.*s in the queue", STR_FMT(str_head(word, 64)));
        return EX_NOUSER;
    }
    /* Room is doubled at powers of two. */
    if ((s->n_ids & (s->n_ids - 1)) == 0)
        s->ids = mem_resize(s->ids, s->n_ids ? 2 * (size_t)s->n_ids : 1, sizeof *s->ids);
    s->ids[s->n_ids++] = id;
    return 0;
}

static bool take_flag(struct question *q, struct str word)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"json", &q->json},
                 {"raw", &q->raw},
                 {"count", &q->count},
                 {"progress", &q->progress},
                 {"all", &q->selection.all}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (str_eq(word, str_of(flags[i].name))) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

static int take_match(struct question *q, struct str words, struct err *err)
{
    q->text = mem_strndup(words.p, words.n);
    if (match_read(&q->selection.match, str_of(q->text)))
        return 0;
    (void)err_set(err, "a part of the queue is I, R or S, a colon, and text");
    return EX_USAGE;
}

static int take_word(struct question *q, struct str word, int64_t now_ms, struct err *err)
{
    size_t equal = str_find(word, '=');
    if (equal < word.n)
        return take_condition(&q->selection, str_head(word, equal), str_tail(word, equal + 1),
                              now_ms, err);
    return take_flag(q, word) ? 0 : take_id(&q->selection, word, err);
}

int question_read(struct question *q, struct str words, int64_t now_ms, struct err *err)
{
    static const struct str match = STR_LIT("match=");
    int exit_status = 0;
    *q = (struct question){.text = NULL};
    while (exit_status == 0 && words.n) {
        words = str_tail(words, words.p[0] == ' ');
        if (str_starts_nocase(words, match)) {
            exit_status = take_match(q, str_tail(words, match.n), err);
            break;
        }
        struct str word = str_word(&words, " ");
        if (word.n)
            exit_status = take_word(q, word, now_ms, err);
    }
    if (exit_status)
        question_release(q);
    return exit_status;
}

void question_release(struct question *q)
{
    selection_release(&q->selection);
    free(q->text);
    q->text = NULL;
}

void question_put(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, " %s=", name);
    xtext_put(out, str_of(value));
}
