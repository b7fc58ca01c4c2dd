/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop.h"

#include "clock.h"
#include "loop_task.h"
#include "mem.h"

#include <event2/event.h>
#include <stdlib.h>

/* An object that dies at the end of the turn. */
struct deferred {
    void (*free_object)(void *object);
    void *object;
    struct deferred *next;
};

struct loop_signal {
    struct event *event;
    void (*on_signal)(int number, void *arg);
    void *arg;
    struct loop_signal *next;
};

struct loop {
    struct event_base *base;
    int64_t now_ms; /* 0: not asked in this turn */
    bool stopping;
    struct loop_task *tasks, **tasks_end;
    struct loop_task *orphans;
    struct deferred *deferred, **deferred_end;
    struct loop_signal *signals;
    char scratch[LOOP_SCRATCH_BYTES];
};

struct loop_timer {
    struct loop *loop;
    struct event *event;
    int64_t at_ms;    /* what was asked for */
    int64_t armed_ms; /* when libevent will wake us, INT64_MAX: not */
    void (*on_time)(void *arg);
    void *arg;
};

struct loop_watch {
    struct event *event;
    void (*on_readable)(void *arg);
    void *arg;
};

struct loop *loop_new(void)
{
    struct loop *loop = mem_new(sizeof *loop);
    struct event_config *config = event_config_new();
    BUG_ON(!config);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    loop->base = event_base_new_with_config(config);
    BUG_ON(!loop->base);
    event_config_free(config);
    loop->tasks_end = &loop->tasks;
    loop->deferred_end = &loop->deferred;
    return loop;
}

static bool run_first_task(struct loop *loop)
{
    struct loop_task *task = loop->tasks;
    if (!task)
        return false;
    loop->tasks = task->next;
    if (!loop->tasks)
        loop->tasks_end = &loop->tasks;
    task->queued = false;
    task->run(task->arg);
    return true;
}

static bool free_first_deferred(struct loop *loop)
{
    struct deferred *d = loop->deferred;
    if (!d)
        return false;
    loop->deferred = d->next;
    if (!loop->deferred)
        loop->deferred_end = &loop->deferred;
    d->free_object(d->object);
    free(d);
    return true;
}

/* Tasks first, always: one may still be about an object that is to be freed. */
static void end_turn(struct loop *loop)
{
    while (run_first_task(loop) || free_first_deferred(loop))
        ;
    loop->now_ms = 0;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    end_turn(loop);
    while (loop->orphans) {
        struct loop_task *task = loop->orphans;
        loop_task_cancel(task);
        task->run(task->arg);
        end_turn(loop);
    }
    while (loop->signals) {
        struct loop_signal *s = loop->signals;
        loop->signals = s->next;
        event_free(s->event);
        free(s);
    }
    event_base_free(loop->base);
    free(loop);
}

void loop_run(struct loop *loop, void (*at_turn_end)(void *arg), void *arg)
{
    end_turn(loop);
    while (!loop->stopping) {
        event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
        if (at_turn_end)
            at_turn_end(arg);
        end_turn(loop);
    }
    loop->stopping = false;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

void loop_defer(struct loop *loop, void (*free_object)(void *object), void *object)
{
    struct deferred *d = mem_new(sizeof *d);
    *d = (struct deferred){free_object, object, NULL};
    *loop->deferred_end = d;
    loop->deferred_end = &d->next;
}

int64_t loop_now_ms(struct loop *loop)
{
    if (!loop->now_ms)
        loop->now_ms = clock_mono_ms();
    return loop->now_ms;
}

static void arm(struct loop_timer *timer)
{
    int64_t left_ms = timer->at_ms - clock_mono_ms();
    if (left_ms < 0)
        left_ms = 0;
    struct timeval delay = {.tv_sec = (time_t)(left_ms / 1000),
                            .tv_usec = (suseconds_t)(left_ms % 1000 * 1000)};
    timer->armed_ms = timer->at_ms;
    BUG_ON(event_add(timer->event, &delay) != 0);
}

/* libevent may be early: it was set for an earlier time since put off, and its clock is a
 * coarse one. */
static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *timer = arg;
    (void)fd;
    (void)what;
    timer->armed_ms = INT64_MAX;
    if (timer->at_ms == INT64_MAX)
        return;
    if (timer->at_ms > clock_mono_ms()) {
        arm(timer);
        return;
    }
    timer->at_ms = INT64_MAX;
    timer->on_time(timer->arg);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*on_time)(void *arg), void *arg)
{
    struct loop_timer *timer = mem_new(sizeof *timer);
    *timer = (struct loop_timer){loop, NULL, INT64_MAX, INT64_MAX, on_time, arg};
    timer->event = event_new(loop->base, -1, 0, on_timeout, timer);
    BUG_ON(!timer->event);
    return timer;
}

/* Put off is the common case (a deadline that each reply moves on) and costs nothing. */
void loop_timer_set(struct loop_timer *timer, int64_t at_ms)
{
    timer->at_ms = at_ms;
    if (at_ms < timer->armed_ms)
        arm(timer);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    event_free(timer->event);
    free(timer);
}

static void on_watched(evutil_socket_t fd, short what, void *arg)
{
    struct loop_watch *watch = arg;
    (void)fd;
    (void)what;
    watch->on_readable(watch->arg);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, void (*on_readable)(void *arg),
                                  void *arg)
{
    struct loop_watch *watch = mem_new(sizeof *watch);
    *watch = (struct loop_watch){NULL, on_readable, arg};
    watch->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_watched, watch);
    BUG_ON(!watch->event || event_add(watch->event, NULL) != 0);
    return watch;
}

void loop_watch_free(struct loop_watch *watch)
{
    if (!watch)
        return;
    event_free(watch->event);
    free(watch);
}

static void on_signalled(evutil_socket_t number, short what, void *arg)
{
    struct loop_signal *s = arg;
    (void)what;
    s->on_signal((int)number, s->arg);
}

void loop_signal(struct loop *loop, int number, void (*on_signal)(int number, void *arg),
                 void *arg)
{
    struct loop_signal *s = mem_new(sizeof *s);
    *s = (struct loop_signal){NULL, on_signal, arg, loop->signals};
    loop->signals = s;
    s->event = evsignal_new(loop->base, number, on_signalled, s);
    BUG_ON(!s->event || event_add(s->event, NULL) != 0);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

void loop_task_at_turn_end(struct loop *loop, struct loop_task *task)
{
    if (task->queued)
        return;
    task->queued = true;
    task->next = NULL;
    *loop->tasks_end = task;
    loop->tasks_end = &task->next;
}

void loop_task_at_free(struct loop *loop, struct loop_task *task)
{
    task->next = loop->orphans;
    task->link = &loop->orphans;
    if (task->next)
        task->next->link = &task->next;
    loop->orphans = task;
}

void loop_task_cancel(struct loop_task *task)
{
    if (!task->link)
        return;
    *task->link = task->next;
    if (task->next)
        task->next->link = task->link;
    task->link = NULL;
}

char *loop_task_scratch(struct loop *loop)
{
    return loop->scratch;
}
