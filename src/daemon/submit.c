/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "submit.h"

#include "listener.h"
#include "mem.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

/* A socket we listen on, so that a session knows where it came from. */
struct door {
    struct submit *submit;
    struct listener *listener;
};

/* A session, and whose it is. */
struct visit {
    struct submit *submit;
    struct session *session;
    uid_t uid;
    TAILQ_ENTRY(visit) entry;
};

struct submit {
    struct loop *loop;
    struct store *store;
    struct tally *tally;
    const struct aliases *aliases;
    struct report_limit *limit;
    struct conf *conf;
    struct door *doors;
    unsigned n_doors;
    TAILQ_HEAD(, visit) visits;
    unsigned n_visits;
    bool stopping;
};

static const char busy[] = "421 4.7.0 Too many sessions; try later\r\n";

/* The answer to one client too many, without a session. */
static void turn_away(int fd)
{
    ssize_t written = write(fd, busy, sizeof busy - 1);
    (void)written;
    close(fd);
}

static unsigned sessions_of(const struct submit *submit, uid_t uid)
{
    const struct visit *visit;
    unsigned n = 0;
    TAILQ_FOREACH(visit, &submit->visits, entry)
    n += visit->uid == uid;
    return n;
}

static bool has_room_for(const struct submit *submit, uid_t uid)
{
    if (submit->n_visits >= SUBMIT_SESSIONS_MAX)
        return false;
    return uid == 0 || submit->n_visits < SUBMIT_SESSIONS_USER_MAX ||
           sessions_of(submit, uid) < SUBMIT_SESSIONS_USER_MAX;
}

static void on_session_end(void *owner)
{
    struct visit *visit = owner;
    TAILQ_REMOVE(&visit->submit->visits, visit, entry);
    visit->submit->n_visits--;
    free(visit);
}

static void begin_session(struct submit *submit, int fd, const struct session_setup *setup)
{
    struct visit *visit = mem_new(sizeof *visit);
    visit->submit = submit;
    visit->uid = setup->cred.uid;
    TAILQ_INSERT_TAIL(&submit->visits, visit, entry);
    submit->n_visits++;
    struct session_setup all = *setup;
    all.loop = submit->loop;
    all.store = submit->store;
    all.tally = submit->tally;
    all.aliases = submit->aliases;
    all.limit = submit->limit;
    all.conf = submit->conf;
    all.on_end = on_session_end;
    all.owner = visit;
    visit->session = session_new(&all, fd);
    session_begin(visit->session);
}

static void on_accept(int fd, void *arg)
{
    struct door *door = arg;
    struct submit *submit = door->submit;
    struct session_setup setup = {.network = listener_is_network(door->listener),
                                  .cred = {.uid = (uid_t)-1, .gid = (gid_t)-1},
                                  .recipient_limit = submit->conf->recipient_limit};
    socklen_t size = sizeof setup.cred;
    if (!setup.network && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &setup.cred, &size) != 0)
        setup.cred.uid = (uid_t)-1;
    if (submit->stopping || !has_room_for(submit, setup.cred.uid))
        turn_away(fd);
    else
        begin_session(submit, fd, &setup);
}

void submit_adopt(struct submit *s, int fd, uid_t uid, gid_t gid)
{
    begin_session(s, fd, &(struct session_setup){.cred = {.uid = uid, .gid = gid}});
}

struct submit *submit_new(struct loop *loop, struct store *store, struct tally *tally,
                          const struct aliases *aliases, struct report_limit *limit,
                          struct conf *conf)
{
    struct submit *s = mem_new(sizeof *s);
    s->loop = loop;
    s->store = store;
    s->tally = tally;
    s->aliases = aliases;
    s->limit = limit;
    s->conf = conf_ref(conf);
    TAILQ_INIT(&s->visits);
    return s;
}

void submit_free(struct submit *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n_doors; i++)
        listener_free(s->doors[i].listener);
    free(s->doors);
    struct visit *visit;
    while ((visit = TAILQ_FIRST(&s->visits)))
        session_free(visit->session);
    conf_unref(s->conf);
    loop_defer(s->loop, free, s);
}

int submit_listen(struct submit *s, const int *fds, unsigned n, struct err *err)
{
    unsigned wanted = n ? n : s->conf->n_listen;
    s->doors = mem_array(wanted, sizeof *s->doors);
    for (unsigned i = 0; i < wanted; i++) {
        struct door *door = &s->doors[i];
        door->submit = s;
        door->listener = n ? listener_of_fd(s->loop, fds[i], on_accept, door)
                           : listener_new(s->loop, s->conf->listen[i], s->conf->listen_mode,
                                          on_accept, door, err);
        if (!door->listener)
            return -1;
        listener_busy_reply(door->listener, busy);
        s->n_doors++;
    }
    return 0;
}

static bool same_sockets(const struct conf *a, const struct conf *b)
{
    if (a->n_listen != b->n_listen || a->listen_mode != b->listen_mode)
        return false;
    for (unsigned i = 0; i < a->n_listen; i++) {
        if (strcmp(a->listen[i], b->listen[i]) != 0)
            return false;
    }
    return true;
}

bool submit_reload(struct submit *s, struct conf *conf)
{
    bool differs = !same_sockets(s->conf, conf);
    conf_unref(s->conf);
    s->conf = conf_ref(conf);
    return differs;
}

void submit_stop(struct submit *s)
{
    s->stopping = true;
    for (unsigned i = 0; i < s->n_doors; i++)
        listener_pause(s->doors[i].listener, true);
    struct visit *visit, *next;
    for (visit = TAILQ_FIRST(&s->visits); visit; visit = next) {
        next = TAILQ_NEXT(visit, entry);
        session_stop(visit->session);
    }
}

unsigned submit_sessions(const struct submit *s)
{
    return s->n_visits;
}
