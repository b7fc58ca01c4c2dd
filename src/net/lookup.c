/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lookup.h"

#include "clock.h"
#include "mem.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    STACK_BYTES = 512 * 1024, /* name service modules are not modest */
    AT_ONCE_MS = 1000         /* a resolver that is not there is noticed this soon */
};

/* What the thread and the loop share; the last of the two frees it. */
struct question {
    atomic_int holders;
    atomic_bool done; /* what the thread wrote is the loop's to read */
    int done_fd;      /* eventfd */
    char *host;
    char service[8];
    int result, error;
    struct addrinfo *list;
    struct lookup_dns dns;
    bool asked_dns;
};

struct lookup {
    struct question *question;
    struct loop_watch *watch;
    void (*on_done)(void *owner);
    void *owner;
};

static atomic_uint n_threads;

static int (*resolve)(const char *host, const char *service, const struct addrinfo *hints,
                      struct addrinfo **list) = getaddrinfo;

static void (*ask_dns)(const char *host, struct lookup_dns *found) = lookup_dns_ask;

void lookup_replace(int (*for_getaddrinfo)(const char *host, const char *service,
                                           const struct addrinfo *hints,
                                           struct addrinfo **list),
                    void (*for_dns)(const char *host, struct lookup_dns *found))
{
    resolve = for_getaddrinfo ? for_getaddrinfo : getaddrinfo;
    ask_dns = for_dns ? for_dns : lookup_dns_ask;
}

static void let_go(struct question *q)
{
    if (atomic_fetch_sub(&q->holders, 1) > 1)
        return;
    if (q->list)
        freeaddrinfo(q->list);
    close(q->done_fd);
    free(q->host);
    free(q);
}

/* No address: a mail domain has mail servers instead. No answer at once: from whom? */
static void look_closer(struct question *q, int64_t took_ms)
{
    if (q->result != EAI_NODATA && (q->result != EAI_AGAIN || took_ms > AT_ONCE_MS))
        return;
    ask_dns(q->host, &q->dns);
    q->asked_dns = true;
}

static void *ask(void *arg)
{
    struct question *q = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
    int64_t began_ms = clock_mono_ms();
    q->result = resolve(q->host, q->service, &hints, &q->list);
    q->error = errno;
    if (q->result != 0)
        q->list = NULL;
    look_closer(q, clock_mono_ms() - began_ms);
    atomic_fetch_sub(&n_threads, 1);
    atomic_store(&q->done, true);
    eventfd_write(q->done_fd, 1);
    let_go(q);
    return NULL;
}

static void on_answer(void *arg)
{
    struct lookup *l = arg;
    if (!atomic_load(&l->question->done))
        return;
    loop_watch_free(l->watch);
    l->watch = NULL;
    l->on_done(l->owner);
}

/* Signals are the loop's business: the thread starts with all of them blocked. */
static bool start_thread(struct question *q)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attributes, ask, q) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

struct lookup *lookup_new(struct loop *loop, const char *host, uint16_t port,
                          void (*on_done)(void *owner), void *owner)
{
    int done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (done_fd < 0)
        return NULL;
    struct question *q = mem_new(sizeof *q);
    q->done_fd = done_fd;
    q->host = mem_strdup(host);
    snprintf(q->service, sizeof q->service, "%u", port);
    atomic_store(&q->holders, 2);
    bool room = atomic_fetch_add(&n_threads, 1) < LOOKUP_THREADS_MAX;
    if (!room || !start_thread(q)) {
        atomic_fetch_sub(&n_threads, 1);
        atomic_store(&q->holders, 1);
        let_go(q);
        return NULL;
    }
    struct lookup *l = mem_new(sizeof *l);
    *l = (struct lookup){q, NULL, on_done, owner};
    l->watch = loop_watch_new(loop, done_fd, on_answer, l);
    return l;
}

int lookup_result(const struct lookup *l, int *error, const struct addrinfo **list)
{
    *error = l->question->error;
    *list = l->question->list;
    return l->question->result;
}

const struct lookup_dns *lookup_dns(const struct lookup *l)
{
    return l->question->asked_dns ? &l->question->dns : NULL;
}

void lookup_free(struct lookup *l)
{
    if (!l)
        return;
    loop_watch_free(l->watch);
    let_go(l->question);
    free(l);
}
