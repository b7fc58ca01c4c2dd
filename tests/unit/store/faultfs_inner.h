/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What faultfs.c (beneath SQLite) and faultsys.c (beneath the store's own files) share: one
 * count of changes, one fault. */
#ifndef TRANTER_FAULTFS_INNER_H
#define TRANTER_FAULTFS_INNER_H

#include "faultfs.h"

void faultfs_inner_lock(void);
void faultfs_inner_unlock(void);

/* Whether the next change may be made: SQLITE_OK, or code, or SQLITE_FULL. With the lock. */
int faultfs_inner_change(bool writes, int code);

/* Whether faultfs_fill() is in force. With the lock. */
bool faultfs_inner_full(void);

/* The fault under test. With the lock. */
enum faultfs_fault faultfs_inner_fault(void);

bool faultfs_inner_by_chance(uint32_t *seed);

/* As faultfs_begin() and faultfs_lose_power(), for the files that SQLite does not know. */
void faultsys_begin(void);
void faultsys_lose_power(enum faultfs_left left, uint32_t *seed);

#endif
