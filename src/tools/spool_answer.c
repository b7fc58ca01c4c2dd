/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spool_answer.h"

#include "clock.h"
#include "mem.h"
#include "owner.h"
#include "question.h"
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    PAGE = 64
};

/* Nothing is going on: no smarthost is up or down, no message active. */
static const struct listing_view at_rest = {.smarthost = ""};

/* False where standard output takes no more; the caller reads errno when it flushes. */
static bool write_out(struct buf *text)
{
    BUG_ON(text->failed);
    size_t n = buf_len(text);
    bool written = fwrite(buf_str(text).p, 1, n, stdout) == n;
    buf_clear(text);
    return written;
}

struct totals {
    uint64_t messages, bytes;
};

static void list_message(struct buf *text, const struct question *q,
                         const struct store_message *m, struct totals *t)
{
    static const struct selection_view view = {.active = false};
    if (!selection_fits(&q->selection, m, &view))
        return;
    if (t->messages++ == 0 && !q->json && selection_has_condition(&q->selection))
        listing_columns(text);
    t->bytes += m->body_bytes;
    if (q->json)
        listing_json(text, m, &at_rest);
    else
        listing_message(text, m, &at_rest);
}

static int no_message(const char *id, struct err *err)
{
    (void)err_set(err, "no message %s in the queue", id);
    return EX_NOUSER;
}

static int list_named(struct store *s, struct buf *text, const struct question *q,
                      struct totals *t, struct err *err)
{
    int exit_status = EX_OK;
    for (unsigned i = 0; i < q->selection.n_ids; i++) {
        char id[STORE_ID_MAX];
        struct store_message *m = store_load(s, q->selection.ids[i]);
        store_id_format(id, q->selection.ids[i]);
        if (m)
            list_message(text, q, m, t);
        else if (exit_status == EX_OK)
            exit_status = no_message(id, err);
        store_message_free(m);
    }
    return exit_status;
}

static bool may_fit(const void *arg, const struct store_message *m)
{
    return selection_may_fit(arg, m);
}

static void list_found(struct store *s, struct buf *text, const struct question *q,
                       struct totals *t)
{
    struct store_search search = {.states = selection_store_states(&q->selection),
                                  .wants = may_fit,
                                  .arg = &q->selection};
    bool written = true;
    while (!search.over && written) {
        struct store_message *page[PAGE];
        unsigned n = store_search(s, &search, page, PAGE);
        for (unsigned i = 0; i < n; i++) {
            list_message(text, q, page[i], t);
            store_message_free(page[i]);
        }
        written = write_out(text);
    }
}

static int answer_queue(struct store *s, const char *directory, const struct question *q,
                        struct err *err)
{
    struct store_counts counts;
    struct totals t = {0};
    struct buf text;
    int exit_status = EX_OK;
    bool whole = !selection_has_condition(&q->selection);
    buf_init(&text, 64 * 1024 * 1024);
    store_count(s, &counts);
    if (!q->json && whole)
        listing_head(&text, directory,
                     counts.queued + counts.deferred + counts.held + counts.dead);
    if (q->selection.n_ids)
        exit_status = list_named(s, &text, q, &t, err);
    else
        list_found(s, &text, q, &t);
    struct err failure;
    if (!q->json && !store_visit_failed(s, &failure))
        listing_foot(&text, t.messages, t.bytes, whole);
    write_out(&text);
    buf_release(&text);
    return exit_status;
}

static void put_view(struct store *s, const struct store_message *m, bool json)
{
    struct store_event events[STORE_EVENTS_MAX];
    struct buf head, text;
    buf_init(&head, STORE_CHUNK_BYTES);
    buf_init(&text, SHOW_OUT_MAX);
    (void)!store_read(s, m->id, 0, &head);
    unsigned n = store_events(s, m->id, events);
    const struct show_facts facts = {.message = m,
                                     .view = &at_rest,
                                     .events = events,
                                     .n_events = n,
                                     .head = buf_str(&head)};
    if (json)
        show_json(&text, &facts);
    else
        show_text(&text, &facts);
    write_out(&text);
    while (n)
        store_event_release(&events[--n]);
    buf_release(&head);
    buf_release(&text);
}

static int put_content(struct store *s, store_id id, struct err *err)
{
    struct buf chunk;
    ssize_t n = 1;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    for (unsigned i = 0; n > 0; i++) {
        n = store_read(s, id, i, &chunk);
        if (!write_out(&chunk))
            break;
    }
    buf_release(&chunk);
    if (n >= 0)
        return EX_OK;
    (void)err_set(err, "this is not all of it: the content cannot be read");
    return EX_OSERR;
}

static int answer_show(struct store *s, const struct question *q, struct err *err)
{
    char id[STORE_ID_MAX];
    int exit_status = EX_OK;
    if (q->selection.n_ids != 1) {
        (void)err_set(err, "one message is shown at a time");
        return EX_USAGE;
    }
    struct store_message *m = store_load(s, q->selection.ids[0]);
    store_id_format(id, q->selection.ids[0]);
    if (!m)
        return no_message(id, err);
    if (q->raw)
        exit_status = put_content(s, m->id, err);
    else
        put_view(s, m, q->json);
    store_message_free(m);
    return exit_status;
}

/* Its limits are of no use: that no daemon answers is worse than what they are about. */
static int answer_status(struct store *s, struct str words)
{
    struct store_counts n;
    bool json = false;
    for (struct str word = str_word(&words, " "); word.n; word = str_word(&words, " "))
        json = json || str_eq(word, STR_LIT("json"));
    store_count(s, &n);
    if (json) {
        json_t *o = json_pack("{s:b, s:{s:I, s:I, s:I, s:I, s:I, s:I}}", "running", 0, "queue",
                              "new", (json_int_t)n.queued, "deferred", (json_int_t)n.deferred,
                              "held", (json_int_t)n.held, "dead", (json_int_t)n.dead, "bytes",
                              (json_int_t)n.bytes, "oldest", (json_int_t)(n.oldest_ms / 1000));
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(o);
    } else {
        printf("tranterd does not answer\nqueue: %" PRIu64 " new, %" PRIu64
               " deferred, %" PRIu64 " held, %" PRIu64 " dead; %" PRIu64 " Kbytes\n",
               n.queued, n.deferred, n.held, n.dead, n.bytes / 1024);
    }
    return EX_UNAVAILABLE;
}

static int answer_messages(struct store *s, const char *directory, struct str verb,
                           struct str words, struct err *err)
{
    struct question q;
    int exit_status = question_read(&q, words, clock_wall_ms(), err);
    if (exit_status != EX_OK)
        return exit_status;
    if (str_eq(verb, STR_LIT("queue")))
        exit_status = answer_queue(s, directory, &q, err);
    else
        exit_status = answer_show(s, &q, err);
    question_release(&q);
    return exit_status;
}

static int answer(struct store *s, const char *directory, struct str question, struct err *err)
{
    struct str verb = str_word(&question, " ");
    int exit_status = str_eq(verb, STR_LIT("status"))
                          ? answer_status(s, question)
                          : answer_messages(s, directory, verb, question, err);
    struct err failure;
    if (!store_visit_failed(s, &failure))
        return exit_status;
    *err = failure;
    return EX_TEMPFAIL;
}

struct store *spool_answer_open(const char *directory, struct err *err)
{
    /* Nobody but its owner should touch the spool: what SQLite has to make there must be
     * theirs, and what a damaged or hostile database may do must not be done by root. */
    return owner_become(directory, err) < 0 ? NULL : store_visit(directory, err);
}

int spool_answer(struct store *s, const char *directory, struct str question, struct err *err)
{
    err->text[0] = '\0';
    int exit_status = answer(s, directory, question, err);
    store_close(s);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit_status;
    /* Whoever closed a pipe has read enough, and wants to hear no more of it. */
    if (errno == EPIPE)
        err->text[0] = '\0';
    else
        (void)err_set(err, "cannot write to standard output: %s", strerror(errno));
    return EX_IOERR;
}
