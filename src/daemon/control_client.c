/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control_client.h"

#include "clock.h"
#include "mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    REQUEST_TIMEOUT_MS = 30 * 1000,
    LINGER_MS = 30 * 1000,
    PROGRESS_MS = 200
};

static const struct {
    const char *verb;
    control_verb *ask;
} verbs[] = {
    {"queue", control_ask_queue},     {"status", control_ask_status},
    {"metrics", control_ask_metrics}, {"show", control_ask_show},
    {"retry", control_ask_retry},     {"hold", control_ask_hold},
    {"release", control_ask_release}, {"remove", control_ask_remove},
    {"return", control_ask_return},   {"reload", control_ask_reload},
    {"aliases", control_ask_aliases}, {"verify", control_ask_verify},
};

static void free_client(void *object)
{
    struct client *c = object;
    control_walk_end(&c->walk);
    question_release(&c->question);
    free(c);
}

static void end_client(struct client *c, int64_t linger_ms)
{
    if (c->conn) {
        conn_close(c->conn, linger_ms);
        c->conn = NULL;
        TAILQ_REMOVE(&c->control->clients, c, entry);
        c->control->n_clients--;
    }
    if (!c->pending)
        loop_defer(c->control->facts.loop, free_client, c);
}

void control_client_put(struct client *c, const struct buf *payload)
{
    char head[32];
    if (!buf_len(payload))
        return;
    snprintf(head, sizeof head, "%zu\n", buf_len(payload));
    conn_write(c->conn, str_of(head));
    conn_write(c->conn, buf_str(payload));
}

void control_client_note(struct client *c, int code, const char *fmt, ...)
{
    if (c->code != EX_OK)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(c->sentence, sizeof c->sentence, fmt, args);
    va_end(args);
    c->code = code;
}

void control_client_finish(struct client *c)
{
    char line[ERR_TEXT_MAX + 32];
    if (!c->conn)
        return;
    snprintf(line, sizeof line, c->sentence[0] ? "end %d %s\n" : "end %d\n", c->code,
             c->sentence);
    conn_write(c->conn, str_of(line));
    end_client(c, LINGER_MS);
}

bool control_client_read(struct client *c, struct str words)
{
    struct err err;
    int exit_status = question_read(&c->question, words, clock_wall_ms(), &err);
    if (exit_status == EX_OK)
        return true;
    control_client_note(c, exit_status, "%s", err.text);
    control_client_finish(c);
    return false;
}

static bool is_theirs(const struct client *c, const struct store_message *m)
{
    return c->privileged || m->uid == c->uid;
}

bool control_client_hides(const struct client *c, const struct store_message *m)
{
    return !is_theirs(c, m) && !c->control->opens_listing;
}

struct listing_view control_client_view(const struct client *c, const struct store_message *m)
{
    struct relay *relay = c->control->facts.relay;
    return (struct listing_view){
        .active = relay_is_active(relay, m->id),
        .hidden = control_client_hides(c, m),
        .held_by = m->state == STORE_QUEUED ? relay_held_by(relay) : NULL,
        .paced = relay_paced(relay),
        .smarthost = relay_route(relay),
    };
}

struct store_message *control_client_find(struct client *c, store_id id)
{
    char text[STORE_ID_MAX];
    struct store_message *m = store_load(c->control->facts.store, id);
    store_id_format(text, id);
    if (!m) {
        control_client_note(c, EX_NOUSER, "no message %s in the queue", text);
    } else if (!is_theirs(c, m)) {
        control_client_note(c, EX_NOPERM, "message %s is not yours", text);
        store_message_free(m);
        m = NULL;
    }
    return m;
}

void control_client_progress(struct client *c, uint64_t looked)
{
    char line[64];
    int64_t now = loop_now_ms(c->control->facts.loop);
    if (!c->question.progress || now < c->told_at + PROGRESS_MS)
        return;
    c->told_at = now;
    snprintf(line, sizeof line, "at %" PRIu64 " %" PRIu64 "\n", looked, c->total);
    conn_write(c->conn, str_of(line));
}

bool control_client_may(struct client *c, const char *what)
{
    if (!c->privileged)
        control_client_note(c, EX_NOPERM, "only root and the user of tranterd may %s", what);
    return c->privileged;
}

void control_client_yield(struct client *c)
{
    conn_deadline(c->conn, loop_now_ms(c->control->facts.loop));
}

static void answer(struct client *c, struct str request)
{
    struct str verb = str_word(&request, " ");
    c->asked = true;
    conn_deadline(c->conn, INT64_MAX);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (str_eq(verb, str_of(verbs[i].verb))) {
            verbs[i].ask(c, request);
            return;
        }
    }
    control_client_note(c, EX_USAGE,
                        "the daemon knows no request \"%.*s\"; is it of another version?",
                        STR_FMT(str_head(verb, 32)));
    control_client_finish(c);
}

static void on_result(struct waiter *waiter, const struct store_result *result)
{
    struct client *c = (struct client *)waiter;
    c->pending--;
    if (result->failure != STORE_OK)
        control_client_note(c, EX_OSERR, "%s", result->reason);
    else if (result->id)
        c->done++;
    relay_wake(c->control->facts.relay);
    if (c->pending)
        return;
    if (!c->conn)
        end_client(c, 0);
    else if (c->go_on)
        c->go_on(c);
    else
        control_client_finish(c);
}

static void read_request(struct client *c)
{
    struct buf *in = conn_in(c->conn);
    struct str bytes = buf_str(in);
    size_t n = str_find(bytes, '\n');
    if (n < bytes.n) {
        char *line = mem_strndup(bytes.p, n);
        buf_consume(in, n + 1);
        answer(c, str_of(line));
        free(line);
    } else if (bytes.n >= CONN_IN_MAX || conn_end(c->conn) != CONN_OPEN ||
               loop_now_ms(c->control->facts.loop) >= c->give_up_at) {
        end_client(c, 0);
    }
}

static void on_io(void *owner)
{
    struct client *c = owner;
    if (!c->asked)
        read_request(c);
    else if (conn_end(c->conn) == CONN_FAILED)
        end_client(c, 0);
    else if (c->go_on && !c->pending)
        c->go_on(c);
}

void control_client_new(struct control *control, int fd, uid_t uid, bool privileged)
{
    struct client *c = mem_new(sizeof *c);
    c->waiter.on_result = on_result;
    c->control = control;
    c->uid = uid;
    c->privileged = privileged;
    c->conn = conn_new(control->facts.loop, fd, on_io, c);
    TAILQ_INSERT_TAIL(&control->clients, c, entry);
    control->n_clients++;
    c->give_up_at = loop_now_ms(control->facts.loop) + REQUEST_TIMEOUT_MS;
    conn_deadline(c->conn, c->give_up_at);
}

void control_client_end(struct client *c)
{
    c->pending = 0;
    end_client(c, 0);
}
