/* SPDX-License-Identifier: GPL-3.0-or-later */
/* annex_: what is beyond the first chunks of a content, in a file of its own.
 *
 * SPOOL/content/ID has the chunks from number .from on, each at its place in the content:
 * the file is as long as the content and begins with a hole. The database stays the truth. The
 * file is on the disk before the transaction that makes its message visible, and is removed
 * once the transaction that removed the message is on the disk; a file without a message is
 * left from a daemon that was killed. All but annex_read() are the writer thread's, or come
 * before it starts. */
#ifndef TRANTER_ANNEX_H
#define TRANTER_ANNEX_H

#include "store.h"

enum {
    ANNEX_FROM = 16, /* 1 MiB: up to there rows are as fast as a file (tests/bench/README) */
    ANNEX_REMOVED_AT_ONCE = 16 /* by one annex_reap() */
};

struct annex_file; /* one that is being written */

struct annex {
    unsigned from; /* ANNEX_FROM, but in tests */
    int directory_fd;
    char *directory; /* its path, for people; owned */
    struct annex_file *files;
    store_id *doomed;
    size_t n_doomed;
    size_t room;
};

/* Open the directory "content" of the spool, made with mode 0700 where it is missing; its name
 * is durable once the spool directory was synced. 0, or -1 with a sentence in *err. */
int annex_open(struct annex *a, unsigned from, const char *spool, int spool_fd,
               struct err *err) ATTR_MUST_CHECK;
void annex_close(struct annex *a);

/* The same for annex_read() alone; where there is no directory, there is nothing to be read. */
void annex_visit(struct annex *a, const char *spool, int spool_fd);

/* Whether a content of so many bytes has a file. */
static inline bool annex_has(const struct annex *a, uint64_t body_bytes)
{
    return body_bytes > (uint64_t)a->from * STORE_CHUNK_BYTES;
}

/* Write chunk number n (.from and up, in order) of message id. A failure is for good: all
 * that follows for that message fails as well. Says why in *err. */
enum store_failure annex_append(struct annex *a, store_id id, unsigned n, struct str chunk,
                                struct err *err) ATTR_MUST_CHECK;

/* Chunks .from to n - 1 were appended: make them and the file's name durable. */
enum store_failure annex_sync(struct annex *a, store_id id, unsigned n,
                              struct err *err) ATTR_MUST_CHECK;

/* The message is committed: the file is complete. Without effect where there is none. */
void annex_settle(struct annex *a, store_id id);

/* The file, if there is one, is to be removed by annex_reap(). */
void annex_doom(struct annex *a, store_id id);

/* Remove some of the doomed; what doomed them is on the disk. True when none is left. */
bool annex_reap(struct annex *a);

/* Call each with the id of each file, until it returns something else than 0, which is
 * returned. -1 with a sentence in *err where the directory cannot be read. */
int annex_list(const struct annex *a, int (*each)(void *owner, store_id id), void *owner,
               struct err *err) ATTR_MUST_CHECK;

/* Append the bytes of chunk n, which must be there, to out, which has room for them. 0, or -1
 * with a sentence in *err. From any thread. */
int annex_read(const struct annex *a, store_id id, unsigned n, size_t bytes, struct buf *out,
               struct err *err) ATTR_MUST_CHECK;

#endif
