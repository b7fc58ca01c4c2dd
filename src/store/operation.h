/* SPDX-License-Identifier: GPL-3.0-or-later */
/* operation_: what the loop hands to the writer thread, and gets back as a result. */
#ifndef TRANTER_OPERATION_H
#define TRANTER_OPERATION_H

#include "store.h"

enum operation_type {
    OPERATION_APPEND,
    OPERATION_COMMIT,
    OPERATION_RECORD,
    OPERATION_RETRY,
    OPERATION_HOLD,
    OPERATION_RELEASE,
    OPERATION_REMOVE,
    OPERATION_TELL,
    OPERATION_SWEEP,  /* drop chunks that belong to no message, a slice at a time */
    OPERATION_FORGET, /* submissions that are remembered long enough, a slice at a time */
    OPERATION_SPEND,  /* a message went to a smarthost that has a rate */
    OPERATION_SHIFT   /* the wall clock jumped, and the times of all messages with it */
};

/* What is left to do once the transaction that applied it is committed. */
enum operation_rest {
    OPERATION_DONE,
    OPERATION_AGAIN, /* apply it once more, from .after_next on */
    OPERATION_LITTER /* its message's chunks are to be swept */
};

struct operation {
    struct operation *next;
    enum operation_type type;
    store_id id;
    struct store_message *message; /* COMMIT, RECORD; owned */
    struct store_message *report;  /* COMMIT, RECORD; or NULL; TELL; owned */
    struct buf report_content;
    struct store_message *second; /* RECORD; or NULL; owned */
    struct buf second_content;
    struct buf content;       /* a chunk */
    unsigned n;               /* number of the chunk */
    struct store_event event; /* RECORD, HOLD, RELEASE; owned */
    int64_t next_attempt_ms;  /* RETRY, RELEASE */
    store_id after;           /* RETRY of all, SHIFT: done up to this id */
    int64_t now_ms;           /* FORGET, SPEND, SHIFT; wall clock */
    int64_t before_ms;        /* TELL: of what died before; wall clock */
    int64_t jump_ms;          /* SHIFT, to now_ms */
    char *smarthost;          /* SPEND; owned */
    int64_t period_ms;        /* SPEND: what went before that is forgotten; SHIFT: the longest
                                 wait for an attempt */

    /* Set anew by each attempt to apply it; they count when that is committed. */
    enum operation_rest rest;
    store_id after_next;
    store_id first;   /* COMMIT: as in store_result */
    bool drops_annex; /* the message is gone, and the file that it has with it */

    struct store_result result; /* .id and .owner from the start */
};

struct operation *operation_new(enum operation_type type, store_id id, void *owner);

/* Give back all but the result. */
void operation_release(struct operation *op);

/* Release it and give it back. */
void operation_free(struct operation *op);

/* A list, oldest first. */
struct operation_list {
    struct operation *first;
    struct operation *last;
};

void operation_add(struct operation_list *list, struct operation *op);
void operation_append(struct operation_list *list,
                      struct operation_list *more);            /* empties more */
struct operation *operation_take(struct operation_list *list); /* NULL: empty */

#endif
