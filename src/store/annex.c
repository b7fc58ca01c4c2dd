/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "annex.h"

#include "log.h"
#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    /* The disk is given so much at a time while more is still coming, so that little is left
     * for the sync: with it 50 MB took 25 ms to write and sync, without it 38. */
    PUSH_BYTES = 2 * 1024 * 1024
};

static const char directory_name[] = "content";

struct annex_file {
    struct annex_file *next;
    store_id id;
    int fd;
    unsigned n_chunks; /* of the content, with those in rows */
    off_t pushed;      /* up to here writing to the disk has begun */
    off_t end;
    bool synced;
    enum store_failure failure;
    struct err err; /* why, where it failed */
};

static off_t place_of(unsigned n)
{
    return (off_t)n * STORE_CHUNK_BYTES;
}

void annex_visit(struct annex *a, const char *spool, int spool_fd)
{
    size_t size = strlen(spool) + 1 + sizeof directory_name;
    *a = (struct annex){.directory = mem_array(size, 1)};
    snprintf(a->directory, size, "%s/%s", spool, directory_name);
    a->directory_fd =
        openat(spool_fd, directory_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int annex_open(struct annex *a, unsigned from, const char *spool, int spool_fd, struct err *err)
{
    int made = mkdirat(spool_fd, directory_name, 0700) < 0 ? errno : 0;
    annex_visit(a, spool, spool_fd);
    a->from = from;
    if (made && made != EEXIST)
        return err_set(err, "cannot make the directory %s: %s", a->directory, strerror(made));
    struct stat st;
    if (a->directory_fd < 0 || fstat(a->directory_fd, &st) < 0)
        return err_set(err, "cannot open the directory %s: %s", a->directory, strerror(errno));
    if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err,
                       "%s must belong to uid %lu, whom tranterd runs as, and be writable for "
                       "nobody else: chown and chmod it",
                       a->directory, (unsigned long)geteuid());
    return 0;
}

static void free_file(struct annex_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}

void annex_close(struct annex *a)
{
    while (a->files) {
        struct annex_file *f = a->files;
        a->files = f->next;
        free_file(f);
    }
    if (a->directory_fd >= 0)
        close(a->directory_fd);
    free(a->directory);
    free(a->doomed);
    *a = (struct annex){.directory_fd = -1};
}

static struct annex_file **find(struct annex *a, store_id id)
{
    struct annex_file **link = &a->files;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

/* A clock that went back can give the id of a file that a killed daemon left. */
static void spare(struct annex *a, store_id id)
{
    for (size_t i = 0; i < a->n_doomed; i++)
        if (a->doomed[i] == id)
            a->doomed[i--] = a->doomed[--a->n_doomed];
}

static enum store_failure fail(const struct annex *a, struct annex_file *f, const char *what)
{
    int code = errno;
    char name[STORE_ID_MAX];
    store_id_format(name, f->id);
    bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    f->failure = full ? STORE_FULL : STORE_ERROR;
    err_set(&f->err, "cannot %s %s/%s: %s", what, a->directory, name, strerror(code));
    return f->failure;
}

static enum store_failure begin(struct annex *a, struct annex_file *f)
{
    char name[STORE_ID_MAX];
    store_id_format(name, f->id);
    spare(a, f->id);
    f->n_chunks = a->from;
    f->pushed = f->end = place_of(a->from);
    f->fd = openat(a->directory_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                   0600);
    return f->fd < 0 ? fail(a, f, "make") : STORE_OK;
}

static struct annex_file *find_or_begin(struct annex *a, store_id id)
{
    struct annex_file *f = *find(a, id);
    if (f)
        return f;
    f = mem_new(sizeof *f);
    f->id = id;
    f->next = a->files;
    a->files = f;
    (void)begin(a, f);
    return f;
}

static enum store_failure write_chunk(const struct annex *a, struct annex_file *f,
                                      struct str chunk)
{
    while (chunk.n > 0) {
        ssize_t n = pwrite(f->fd, chunk.p, chunk.n, f->end);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(a, f, "write");
        f->end += n;
        chunk = str_tail(chunk, (size_t)n);
    }
    /* Without effect on what is promised: a failure here is told by the sync. */
    if (f->end - f->pushed >= PUSH_BYTES) {
        (void)sync_file_range(f->fd, f->pushed, f->end - f->pushed, SYNC_FILE_RANGE_WRITE);
        f->pushed = f->end;
    }
    return STORE_OK;
}

/* What comes after a part that is missing is as good as missing. */
static enum store_failure missing(struct annex_file *f)
{
    f->failure = STORE_ERROR;
    err_set(&f->err, "a part of the message is not in the queue");
    return f->failure;
}

static enum store_failure append(struct annex *a, struct annex_file *f, unsigned n,
                                 struct str chunk)
{
    if (f->failure != STORE_OK)
        return f->failure;
    if (n != f->n_chunks || f->end != place_of(n))
        return missing(f);
    f->n_chunks++;
    return write_chunk(a, f, chunk);
}

enum store_failure annex_append(struct annex *a, store_id id, unsigned n, struct str chunk,
                                struct err *err)
{
    struct annex_file *f = find_or_begin(a, id);
    enum store_failure failure = append(a, f, n, chunk);
    if (failure != STORE_OK)
        *err = f->err;
    return failure;
}

/* A sync that failed is never repeated: the kernel forgets what it could not write. */
static enum store_failure make_durable(const struct annex *a, struct annex_file *f, unsigned n)
{
    if (f->failure != STORE_OK || f->synced)
        return f->failure;
    if (n != f->n_chunks)
        return missing(f);
    if (fdatasync(f->fd) < 0)
        return fail(a, f, "sync");
    if (fsync(a->directory_fd) < 0)
        return fail(a, f, "sync the name of");
    f->synced = true;
    return STORE_OK;
}

enum store_failure annex_sync(struct annex *a, store_id id, unsigned n, struct err *err)
{
    struct annex_file *f = *find(a, id);
    struct annex_file none = {.id = id, .fd = -1};
    enum store_failure failure = f ? make_durable(a, f, n) : missing(&none);
    if (failure != STORE_OK)
        *err = f ? f->err : none.err;
    return failure;
}

void annex_settle(struct annex *a, store_id id)
{
    struct annex_file **link = find(a, id);
    struct annex_file *f = *link;
    if (!f)
        return;
    *link = f->next;
    free_file(f);
}

void annex_doom(struct annex *a, store_id id)
{
    annex_settle(a, id);
    if (a->n_doomed == a->room) {
        a->room = a->room ? 2 * a->room : 16;
        a->doomed = mem_resize(a->doomed, a->room, sizeof *a->doomed);
    }
    a->doomed[a->n_doomed++] = id;
}

bool annex_reap(struct annex *a)
{
    char name[STORE_ID_MAX];
    for (unsigned i = 0; i < ANNEX_REMOVED_AT_ONCE && a->n_doomed > 0; i++) {
        store_id_format(name, a->doomed[--a->n_doomed]);
        if (unlinkat(a->directory_fd, name, 0) < 0 && errno != ENOENT)
            log_say(LOG_LEVEL_WARNING, NULL,
                    "cannot remove %s/%s: %s; it is tried again at the next start",
                    a->directory, name, strerror(errno));
    }
    if (a->n_doomed > 0)
        return false;
    free(a->doomed);
    a->doomed = NULL;
    a->room = 0;
    return true;
}

static int list(DIR *d, const struct annex *a, int (*each)(void *owner, store_id id),
                void *owner, struct err *err)
{
    int rc = 0;
    errno = 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir(d)); errno = 0) {
        store_id id;
        if (store_id_parse(str_of(entry->d_name), &id))
            rc = each(owner, id);
        else if (entry->d_name[0] != '.')
            log_say(LOG_LEVEL_WARNING, NULL, "%s/%s is not a part of the queue, and is left",
                    a->directory, entry->d_name);
    }
    if (rc == 0 && errno != 0)
        return err_set(err, "cannot read the directory %s: %s", a->directory, strerror(errno));
    return rc;
}

int annex_list(const struct annex *a, int (*each)(void *owner, store_id id), void *owner,
               struct err *err)
{
    int fd = openat(a->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        return err_set(err, "cannot read the directory %s: %s", a->directory, strerror(code));
    }
    int rc = list(d, a, each, owner, err);
    closedir(d);
    return rc;
}

static ssize_t read_at(int fd, char *bytes, size_t n, off_t at)
{
    size_t got = 0;
    while (got < n) {
        ssize_t some = pread(fd, bytes + got, n - got, at + (off_t)got);
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0)
            return some < 0 ? -1 : (ssize_t)got;
        got += (size_t)some;
    }
    return (ssize_t)got;
}

int annex_read(const struct annex *a, store_id id, unsigned n, size_t bytes, struct buf *out,
               struct err *err)
{
    char name[STORE_ID_MAX];
    store_id_format(name, id);
    char *end = buf_reserve(out, bytes);
    BUG_ON(!end);
    int fd = openat(a->directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read_at(fd, end, bytes, place_of(n));
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return err_set(err, "cannot read %s/%s: %s", a->directory, name, strerror(code));
    if ((size_t)got < bytes)
        return err_set(err, "%s/%s is cut off", a->directory, name);
    buf_added(out, bytes);
    return 0;
}
