/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may have an answer at all; the rest is the clients'. */
#include "control.h"

#include "control_client.h"
#include "listener.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 64,
    CLIENTS_USER_MAX = 16, /* of one uid, so that nobody shuts out the others; and */
    CLIENTS_RESERVED = 16  /* more for those who may do everything */
};

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
    control_client_new(control, fd, cred.uid, privileged);
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
    while ((client = TAILQ_FIRST(&c->clients)))
        control_client_end(client);
    loop_defer(c->facts.loop, free, c);
}

void control_loaded(struct control *c, const struct conf *conf, int64_t loaded_ms,
                    const char *failure)
{
    snprintf(c->configuration.file, sizeof c->configuration.file, "%s", conf->file);
    snprintf(c->configuration.failure, sizeof c->configuration.failure, "%s",
             failure ? failure : "");
    c->configuration.loaded_ms = loaded_ms;
    c->configuration.minimum_free_bytes = conf->minimum_free_bytes;
    snprintf(c->spool, sizeof c->spool, "%s", conf->spool);
    c->opens_listing = conf->queue_listing_all;
}
