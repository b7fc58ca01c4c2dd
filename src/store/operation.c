/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "operation.h"

#include "mem.h"

#include <stdlib.h>

struct operation *operation_new(enum operation_type type, store_id id, void *owner)
{
    struct operation *op = mem_new(sizeof *op);
    op->type = type;
    op->id = id;
    op->result.id = id;
    op->result.owner = owner;
    return op;
}

void operation_release(struct operation *op)
{
    store_message_free(op->message);
    store_message_free(op->report);
    store_message_free(op->second);
    buf_release(&op->content);
    buf_release(&op->report_content);
    buf_release(&op->second_content);
    store_event_release(&op->event);
    free(op->smarthost);
    op->smarthost = NULL;
    op->message = NULL;
    op->report = NULL;
    op->second = NULL;
}

void operation_free(struct operation *op)
{
    if (!op)
        return;
    operation_release(op);
    free(op);
}

void operation_add(struct operation_list *list, struct operation *op)
{
    op->next = NULL;
    if (list->first)
        list->last->next = op;
    else
        list->first = op;
    list->last = op;
}

void operation_append(struct operation_list *list, struct operation_list *more)
{
    if (!more->first)
        return;
    if (list->first)
        list->last->next = more->first;
    else
        list->first = more->first;
    list->last = more->last;
    *more = (struct operation_list){0};
}

struct operation *operation_take(struct operation_list *list)
{
    struct operation *op = list->first;
    if (op) {
        list->first = op->next;
        op->next = NULL;
    }
    return op;
}
