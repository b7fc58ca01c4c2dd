/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop_: the event loop (libevent's event_core), its timers and signals, and objects that die
 * at the end of a turn. */
#ifndef TRANTER_LOOP_H
#define TRANTER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct event_base;

struct loop *loop_new(void);
void loop_free(struct loop *loop); /* runs what was deferred */

/* Run until loop_stop(). After each turn of events at_turn_end(arg) is called, then what was
 * deferred is freed. */
void loop_run(struct loop *loop, void (*at_turn_end)(void *arg), void *arg);
void loop_stop(struct loop *loop);

/* Free object with free_object at the end of this turn: callbacks that still run on it may
 * finish. */
void loop_defer(struct loop *loop, void (*free_object)(void *object), void *object);

/* Monotonic ms as of the start of this turn. */
int64_t loop_now_ms(struct loop *loop);

/* A timer, unset at first. Fires once at the monotonic time it was set to; setting again
 * replaces; INT64_MAX unsets. Owned by the caller. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *loop, void (*on_time)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *timer, int64_t at_ms);
void loop_timer_free(struct loop_timer *timer);

/* Calls on_readable(arg) as long as fd is readable. Owned by the caller; fd is not closed. */
struct loop_watch;
struct loop_watch *loop_watch_new(struct loop *loop, int fd, void (*on_readable)(void *arg),
                                  void *arg);
void loop_watch_free(struct loop_watch *watch);

/* Calls on_signal(number, arg) in the loop. Lives as long as the loop. */
void loop_signal(struct loop *loop, int number, void (*on_signal)(int number, void *arg),
                 void *arg);

/* For this layer's own files. */
struct event_base *loop_base(struct loop *loop);

#endif
