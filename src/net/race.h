/* SPDX-License-Identifier: GPL-3.0-or-later */
/* race_: which of a host's addresses is tried when (RFC 8305, "Happy Eyeballs"): one after the
 * other, a quarter of a second apart, and none waits for the failure of the one before. Pure:
 * time is the caller's. */
#ifndef TRANTER_RACE_H
#define TRANTER_RACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RACE_MAX = 16,         /* addresses */
    RACE_STAGGER_MS = 250, /* section 5, Connection Attempt Delay */
};

enum race_state {
    RACE_WAITING,
    RACE_RUNNING,
    RACE_LOST /* failed, or took too long */
};

struct race {
    unsigned n;
    int64_t timeout_ms; /* each one's */
    int64_t next_ms;    /* when the next may start */
    struct {
        enum race_state state;
        int64_t began_ms;
    } runners[RACE_MAX];
};

/* The order in which n addresses (RACE_MAX at most) of these families start: that of RFC 6724
 * in which they are given, but with the families in turn (section 4). order[i] is the i-th's
 * index.
 */
void race_order(const int *families, unsigned n, unsigned *order);

/* None has started. */
void race_begin(struct race *r, unsigned n, int64_t timeout_ms);

/* The one that starts now, or -1. Ask until -1. */
int race_start(struct race *r, int64_t now_ms);

/* One whose time is over, or -1; it has lost, and the next may start. Ask until -1. */
int race_expire(struct race *r, int64_t now_ms);

/* The i-th failed: the next may start at once. */
void race_lose(struct race *r, unsigned i, int64_t now_ms);

/* When to ask again, if nothing happens until then; INT64_MAX for never. */
int64_t race_wake_ms(const struct race *r);

/* All have lost. */
bool race_is_over(const struct race *r);

#endif
