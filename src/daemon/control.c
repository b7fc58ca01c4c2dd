/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client asks once and is answered in frames. Long answers are paged: the next page is read
 * from the store when the connection has room for it, so that a million messages pass through
 * little memory and nobody else waits. */
#include "control.h"

#include "clock.h"
#include "conn.h"
#include "listener.h"
#include "listing.h"
#include "log.h"
#include "match.h"
#include "mem.h"
#include "status.h"
#include "waiter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 32 * 1024,
    PENDING_MAX = 256,
    LOOK_BATCH = 1024, /* messages looked at in one turn */
    CLIENTS_MAX = 64,
    CLIENTS_USER_MAX = 16, /* of one uid, so that nobody shuts out the others; and */
    CLIENTS_RESERVED = 16, /* more for those who may do everything */
    REQUEST_TIMEOUT_MS = 30 * 1000,
    LINGER_MS = 30 * 1000
};

struct control {
    struct control_facts facts;
    struct listener *listener;
    TAILQ_HEAD(, client) clients;
    unsigned n_clients;
    struct status_configuration configuration;
    char spool[4096];
};

/* What goes on with the answer when there is room, or when the store has answered. */
enum client_work {
    WORK_NONE,
    WORK_LIST,
    WORK_EACH
};

struct client {
    struct waiter waiter; /* first */
    TAILQ_ENTRY(client) entry;
    struct control *control;
    struct conn *conn; /* NULL once closed */
    uid_t uid;
    bool privileged;
    bool asked;
    int64_t give_up_at; /* when no whole request came */
    bool json;
    enum client_work work;
    void (*each)(struct client *c, const struct store_message *m); /* of WORK_EACH */
    struct match match;
    char *request; /* that match is part of */
    store_id after;
    uint64_t listed, listed_bytes;
    unsigned pending; /* operations in the store */
    int code;
    char sentence[ERR_TEXT_MAX];
};

static void free_client(void *object)
{
    struct client *c = object;
    free(c->request);
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

static void put_frame(struct client *c, const struct buf *payload)
{
    char head[32];
    if (!buf_len(payload))
        return;
    snprintf(head, sizeof head, "%zu\n", buf_len(payload));
    conn_write(c->conn, str_of(head));
    conn_write(c->conn, buf_str(payload));
}

/* The first failure is the answer's. */
static void note(struct client *c, int code, const char *fmt, ...) ATTR_PRINTF(3, 4);

static void note(struct client *c, int code, const char *fmt, ...)
{
    if (c->code != EX_OK)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(c->sentence, sizeof c->sentence, fmt, args);
    va_end(args);
    c->code = code;
}

static void finish(struct client *c)
{
    char line[ERR_TEXT_MAX + 32];
    if (!c->conn)
        return;
    snprintf(line, sizeof line, c->sentence[0] ? "end %d %s\n" : "end %d\n", c->code,
             c->sentence);
    conn_write(c->conn, str_of(line));
    end_client(c, LINGER_MS);
}

static struct listing_view view_of(const struct client *c, const struct store_message *m)
{
    const struct relay *relay = c->control->facts.relay;
    return (struct listing_view){
        .active = relay_is_active(relay, m->id),
        .hidden = !c->privileged && m->uid != c->uid,
        .held_by = relay_held_by(relay),
        .smarthost = relay_route(relay),
    };
}

static void list_page(struct client *c, struct buf *page)
{
    struct store_message *m;
    while (buf_len(page) < PAGE_BYTES && (m = store_after(c->control->facts.store, c->after))) {
        struct listing_view view = view_of(c, m);
        c->after = m->id;
        c->listed++;
        c->listed_bytes += m->body_bytes;
        if (c->json)
            listing_json(page, m, &view);
        else
            listing_message(page, m, &view);
        store_message_free(m);
    }
    if (buf_len(page) < PAGE_BYTES) {
        if (!c->json)
            listing_foot(page, c->listed, c->listed_bytes);
        c->work = WORK_NONE;
    }
}

static void list_on(struct client *c)
{
    while (c->work == WORK_LIST && conn_out_room(c->conn)) {
        struct buf page;
        buf_init(&page, 64 * 1024 * 1024);
        list_page(c, &page);
        put_frame(c, &page);
        buf_release(&page);
    }
    if (c->work == WORK_NONE)
        finish(c);
}

static void ask_queue(struct client *c, struct str words)
{
    struct store_counts counts;
    struct buf head;
    c->json = str_eq(str_word(&words, " "), STR_LIT("json"));
    c->work = WORK_LIST;
    store_count(c->control->facts.store, &counts);
    buf_init(&head, sizeof c->control->spool + 256);
    if (!c->json)
        listing_head(&head, c->control->spool,
                     counts.queued + counts.deferred + counts.held + counts.dead);
    put_frame(c, &head);
    buf_release(&head);
    list_on(c);
}

static void ask_status(struct client *c, struct str words)
{
    const struct control_facts *facts = &c->control->facts;
    struct buf text;
    buf_init(&text, 1024 * 1024);
    status_put(&text, str_eq(str_word(&words, " "), STR_LIT("json")), facts->store,
               facts->relay, &c->control->configuration, facts->started_ms, clock_wall_ms());
    put_frame(c, &text);
    buf_release(&text);
    finish(c);
}

static bool is_allowed(struct client *c, const char *what)
{
    if (!c->privileged)
        note(c, EX_NOPERM, "only root and the user of tranterd may %s", what);
    return c->privileged;
}

/* The message with this id if the client may see it; else the answer says why not. */
static struct store_message *find(struct client *c, struct str word)
{
    store_id id;
    struct store_message *m =
        store_id_parse(word, &id) ? store_load(c->control->facts.store, id) : NULL;
    if (!m) {
        note(c, EX_NOUSER, "no message %.*s in the queue", STR_FMT(str_head(word, 64)));
        return NULL;
    }
    if (!c->privileged && m->uid != c->uid) {
        note(c, EX_NOPERM, "message %.*s is not yours", STR_FMT(str_head(word, 64)));
        store_message_free(m);
        return NULL;
    }
    return m;
}

/* One that is being sent is left alone: its attempt is under way, and what the store has noted
 * of it (that the dot is out) must stay. */
static void retry_message(struct client *c, const struct store_message *m)
{
    char id[STORE_ID_MAX];
    store_id_format(id, m->id);
    if (m->state == STORE_DEAD) {
        note(c, EX_UNAVAILABLE,
             "message %s is dead: it was refused for good; remove it once you have read why",
             id);
        return;
    }
    if (relay_is_active(c->control->facts.relay, m->id))
        return;
    c->pending++;
    store_retry(c->control->facts.store, m->id, clock_wall_ms(), &c->waiter);
}

static void remove_message(struct client *c, const struct store_message *m)
{
    char id[STORE_ID_MAX];
    store_id_format(id, m->id);
    if (relay_is_active(c->control->facts.relay, m->id)) {
        note(c, EX_TEMPFAIL, "message %s is being sent at this moment; try again", id);
        return;
    }
    log_say(LOG_LEVEL_NOTICE, id, "removed by uid %u", (unsigned)c->uid);
    c->pending++;
    store_remove(c->control->facts.store, m->id, &c->waiter);
}

/* Do c->each to every message, some in each turn. */
static void each_on(struct client *c)
{
    bool more = true;
    for (unsigned i = 0; more && i < LOOK_BATCH && c->pending < PENDING_MAX; i++) {
        struct store_message *m = store_after(c->control->facts.store, c->after);
        more = m != NULL;
        if (!m)
            continue;
        c->after = m->id;
        c->each(c, m);
        store_message_free(m);
    }
    if (!c->pending && more)
        conn_deadline(c->conn, loop_now_ms(c->control->facts.loop)); /* on in the next turn */
    else if (!c->pending)
        finish(c);
}

static void begin_each(struct client *c,
                       void (*each)(struct client *c, const struct store_message *m))
{
    c->work = WORK_EACH;
    c->each = each;
    each_on(c);
}

static void retry_if_it_fits(struct client *c, const struct store_message *m)
{
    if (m->state != STORE_DEAD && match_fits(&c->match, m))
        retry_message(c, m);
}

/* Text of a match goes to the end of the request: there may be blanks in it. */
static void retry_match(struct client *c, struct str words)
{
    c->request = mem_strndup(words.p, words.n);
    if (match_read(&c->match, str_of(c->request))) {
        begin_each(c, retry_if_it_fits);
        relay_probe_now(c->control->facts.relay);
    } else {
        note(c, EX_USAGE, "a part of the queue is I, R or S, a colon, and text");
        finish(c);
    }
}

static void ask_retry(struct client *c, struct str words)
{
    const struct control_facts *facts = &c->control->facts;
    if (!is_allowed(c, "retry the queue")) {
        finish(c);
        return;
    }
    static const struct str match = STR_LIT(" match=");
    if (str_starts_nocase(words, match)) {
        retry_match(c, str_tail(words, match.n));
        return;
    }
    for (struct str word = str_word(&words, " "); word.n; word = str_word(&words, " ")) {
        if (str_eq(word, STR_LIT("all"))) {
            c->pending++;
            facts->sweep(facts->arg);
            store_retry(facts->store, 0, clock_wall_ms(), &c->waiter);
            continue;
        }
        struct store_message *m = find(c, word);
        if (m)
            retry_message(c, m);
        store_message_free(m);
    }
    relay_probe_now(facts->relay);
    if (!c->pending)
        finish(c);
}

static void remove_if_allowed(struct client *c, const struct store_message *m)
{
    if (c->privileged || m->uid == c->uid)
        remove_message(c, m);
    else
        note(c, EX_NOPERM, "only your own messages were removed; others are not yours");
}

static void ask_remove(struct client *c, struct str words)
{
    for (struct str word = str_word(&words, " "); word.n; word = str_word(&words, " ")) {
        if (str_eq(word, STR_LIT("all"))) {
            begin_each(c, remove_if_allowed);
            return;
        }
        struct store_message *m = find(c, word);
        if (m)
            remove_message(c, m);
        store_message_free(m);
    }
    if (!c->pending)
        finish(c);
}

static void ask_reload(struct client *c, struct str words)
{
    struct err err;
    (void)words;
    if (is_allowed(c, "reload the configuration") &&
        c->control->facts.reload(c->control->facts.arg, &err) < 0)
        note(c, EX_CONFIG, "%s", err.text);
    finish(c);
}

/* There is no alias file yet, so there is nothing to rebuild; package scripts call newaliases
 * and count on success. */
static void ask_aliases(struct client *c, struct str words)
{
    (void)words;
    finish(c);
}

static const struct {
    const char *verb;
    void (*ask)(struct client *c, struct str words);
} verbs[] = {
    {"queue", ask_queue},   {"status", ask_status}, {"retry", ask_retry},
    {"remove", ask_remove}, {"reload", ask_reload}, {"aliases", ask_aliases},
};

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
    note(c, EX_USAGE, "the daemon knows no request \"%.*s\"; is it of another version?",
         STR_FMT(str_head(verb, 32)));
    finish(c);
}

static void on_result(struct waiter *waiter, const struct store_result *result)
{
    struct client *c = (struct client *)waiter;
    c->pending--;
    if (result->failure != STORE_OK)
        note(c, EX_OSERR, "%s", result->reason);
    relay_wake(c->control->facts.relay);
    if (c->pending)
        return;
    if (!c->conn)
        end_client(c, 0);
    else if (c->work == WORK_EACH)
        each_on(c);
    else
        finish(c);
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
    if (!c->asked) {
        read_request(c);
        return;
    }
    if (conn_end(c->conn) == CONN_FAILED)
        end_client(c, 0);
    else if (c->work == WORK_LIST)
        list_on(c);
    else if (c->work == WORK_EACH && !c->pending)
        each_on(c);
}

static bool has_room_for(const struct control *control, uid_t uid, bool privileged)
{
    const struct client *c;
    unsigned n = 0;
    TAILQ_FOREACH(c, &control->clients, entry)
    n += c->uid == uid;
    if (privileged)
        return control->n_clients < CLIENTS_MAX + CLIENTS_RESERVED;
    return control->n_clients < CLIENTS_MAX && n < CLIENTS_USER_MAX;
}

static void turn_away(int fd)
{
    static const char words[] = "end 75 the daemon answers too many at once; try again\n";
    ssize_t written = send(fd, words, sizeof words - 1, MSG_NOSIGNAL);
    (void)written;
    close(fd);
}

static void on_accept(int fd, void *arg)
{
    struct control *control = arg;
    struct ucred cred;
    socklen_t size = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) != 0) {
        close(fd);
        return;
    }
    bool privileged = cred.uid == 0 || cred.uid == geteuid();
    if (!has_room_for(control, cred.uid, privileged)) {
        turn_away(fd);
        return;
    }
    struct client *c = mem_new(sizeof *c);
    c->waiter.on_result = on_result;
    c->control = control;
    c->uid = cred.uid;
    c->privileged = privileged;
    c->conn = conn_new(control->facts.loop, fd, on_io, c);
    TAILQ_INSERT_TAIL(&control->clients, c, entry);
    control->n_clients++;
    c->give_up_at = loop_now_ms(control->facts.loop) + REQUEST_TIMEOUT_MS;
    conn_deadline(c->conn, c->give_up_at);
}

struct control *control_new(const struct control_facts *facts, const struct conf *conf,
                            struct err *err)
{
    struct control *c = mem_new(sizeof *c);
    c->facts = *facts;
    TAILQ_INIT(&c->clients);
    c->listener = listener_new(facts->loop, conf->control, 0666, on_accept, c, err);
    if (!c->listener) {
        free(c);
        return NULL;
    }
    return c;
}

void control_free(struct control *c)
{
    if (!c)
        return;
    listener_free(c->listener);
    struct client *client;
    while ((client = TAILQ_FIRST(&c->clients))) {
        client->pending = 0;
        end_client(client, 0);
    }
    loop_defer(c->facts.loop, free, c);
}

void control_loaded(struct control *c, const char *file, const char *spool, int64_t loaded_ms,
                    const char *failure)
{
    snprintf(c->configuration.file, sizeof c->configuration.file, "%s", file);
    snprintf(c->configuration.failure, sizeof c->configuration.failure, "%s",
             failure ? failure : "");
    c->configuration.loaded_ms = loaded_ms;
    snprintf(c->spool, sizeof c->spool, "%s", spool);
}
