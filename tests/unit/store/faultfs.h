/* SPDX-License-Identifier: GPL-3.0-or-later */
/* faultfs_: a file system beneath SQLite that fails, fills up or loses its power at the k-th
 * change. It keeps, beside each real file, what would be on the disk: only what was synced. */
#ifndef TRANTER_FAULTFS_H
#define TRANTER_FAULTFS_H

#include <stdbool.h>
#include <stdint.h>

#define FAULTFS_NAME "faultfs"

enum faultfs_fault {
    FAULTFS_NONE,
    FAULTFS_FAIL_ONCE, /* the k-th change is not made and fails; a failed sync loses for good
                          what it should have synced */
    FAULTFS_FULL_ONCE, /* the k-th change is not made for want of room, if it is a write */
    FAULTFS_CUT        /* the k-th change and all later ones fail */
};

/* What is left of unsynced changes when the power is cut. */
enum faultfs_left {
    FAULTFS_LEFT_ALL, /* the process was killed, not the machine */
    FAULTFS_LEFT_NONE,
    FAULTFS_LEFT_SOME /* sectors of 512 bytes by chance */
};

/* Count changes (write, sync, truncate, delete, open) from now on, with this fault at
 * number k (1 or more). Forgets all files seen before: what they hold is on the disk. */
void faultfs_begin(enum faultfs_fault fault, unsigned k);

/* Changes seen; whether the fault has struck, and at a sync. */
unsigned faultfs_changes(void);
bool faultfs_struck(void);
bool faultfs_struck_sync(void);

/* While full is set, a write that makes a file longer fails for want of room. */
void faultfs_fill(bool full);

/* As faultfs_fill(true), but that there is as much room as the file at path had, once it has
 * given up its blocks. path is borrowed; NULL: there is none. */
void faultfs_fill_beside(const char *path);

/* Wait until the next sync from now on has been made; false after timeout_ms. */
bool faultfs_wait_for_sync(int timeout_ms);

/* From now on every change fails. */
void faultfs_cut_now(void);

/* Make the files what the disk would hold after a power cut. All are closed. */
void faultfs_lose_power(enum faultfs_left left, uint32_t seed);

#endif
