/* SPDX-License-Identifier: GPL-3.0-or-later */
/* waiter_: who waits for a result of the store. Embedded in the object that handed the
 * operation in, which lives until every result has come. */
#ifndef TRANTER_WAITER_H
#define TRANTER_WAITER_H

#include "store.h"

struct waiter {
    void (*on_result)(struct waiter *waiter, const struct store_result *result);
};

#endif
