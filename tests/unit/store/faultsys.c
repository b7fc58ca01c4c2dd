/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same beneath what the store writes without SQLite: the linker puts these functions in the
 * place of the C library's (--wrap). The files of contents are kept track of: what is in one
 * after a power cut is what was synced, and whether it is there at all depends on the sync of
 * its directory. */
#include "faultfs_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_openat(int directory, const char *name, int flags, ...);
int __wrap_openat(int directory, const char *name, int flags, ...);
ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int __real_unlinkat(int directory, const char *name, int flags);
int __wrap_unlinkat(int directory, const char *name, int flags);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

enum {
    FILES_MAX = 32,
    SECTOR_BYTES = 512
};

/* A file in the directory "content". */
struct tracked {
    char path[PATH_MAX];
    off_t durable_bytes; /* of it are on the disk */
    bool lost;           /* a sync failed: what was not durable then never will be */
    bool name_durable;
    bool gone; /* removed, and kept under another name until that is durable */
};

static struct tracked files[FILES_MAX];
static unsigned n_files;

void faultsys_begin(void)
{
    n_files = 0;
}

/* The path of fd, or of name in the directory fd. */
static void path_of(int fd, const char *name, char path[PATH_MAX])
{
    char link[64];
    char place[PATH_MAX] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    (void)!readlink(link, place, sizeof place - 1);
    snprintf(path, PATH_MAX, "%.*s%s%.*s", PATH_MAX / 2, place, name ? "/" : "", PATH_MAX / 4,
             name ? name : "");
}

static bool is_content(const char *path)
{
    return strstr(path, "/content/") != NULL;
}

static struct tracked *find(const char *path)
{
    for (unsigned i = 0; i < n_files; i++)
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

/* Where a removed one is kept. */
static void path_away(const struct tracked *f, char path[PATH_MAX])
{
    const char *name = strrchr(f->path, '/') + 1;
    snprintf(path, PATH_MAX, "%.*s.%.*s", (int)(name - f->path), f->path, NAME_MAX / 2, name);
}

/* With the lock: whether the call is to fail, with errno. */
static bool fails(bool writes, int code)
{
    int rc = faultfs_inner_change(writes, code);
    if (rc != SQLITE_OK)
        errno = rc == SQLITE_FULL ? ENOSPC : EIO;
    return rc != SQLITE_OK;
}

static void track_new(const char *path)
{
    struct tracked *f = find(path);
    if (!f && n_files < FILES_MAX)
        f = &files[n_files++];
    if (!f)
        return;
    *f = (struct tracked){.durable_bytes = 0};
    snprintf(f->path, sizeof f->path, "%s", path);
}

int __wrap_openat(int directory, const char *name, int flags, ...)
{
    char path[PATH_MAX];
    va_list args;
    va_start(args, flags);
    unsigned mode = flags & O_CREAT ? va_arg(args, unsigned) : 0;
    va_end(args);
    path_of(directory, name, path);
    faultfs_inner_lock();
    bool creates = flags & O_CREAT && access(path, F_OK) < 0;
    int fd = fails(creates, SQLITE_CANTOPEN) ? -1 : __real_openat(directory, name, flags, mode);
    if (fd >= 0 && creates && is_content(path))
        track_new(path);
    faultfs_inner_unlock();
    return fd;
}

static bool has_room(int fd, off_t end)
{
    struct stat st;
    if (!faultfs_inner_full() || fstat(fd, &st) < 0 || end <= st.st_size)
        return true;
    errno = ENOSPC;
    return false;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    faultfs_inner_lock();
    ssize_t written = -1;
    if (!fails(true, SQLITE_IOERR_WRITE) && has_room(fd, at + (off_t)n))
        written = __real_pwrite(fd, bytes, n, at);
    faultfs_inner_unlock();
    return written;
}

int __wrap_ftruncate(int fd, off_t size)
{
    faultfs_inner_lock();
    int rc = fails(false, SQLITE_IOERR_TRUNCATE) ? -1 : __real_ftruncate(fd, size);
    faultfs_inner_unlock();
    return rc;
}

/* The sync itself would only take time: what it does is done here. */
static int sync_file(int fd)
{
    char path[PATH_MAX];
    struct stat st;
    path_of(fd, NULL, path);
    struct tracked *f = find(path);
    if (fails(false, SQLITE_IOERR_DIR_FSYNC)) {
        if (f && faultfs_inner_fault() == FAULTFS_FAIL_ONCE)
            f->lost = true;
        return -1;
    }
    if (f && !f->lost && fstat(fd, &st) == 0)
        f->durable_bytes = st.st_size;
    return 0;
}

int __wrap_fdatasync(int fd)
{
    faultfs_inner_lock();
    int rc = sync_file(fd);
    faultfs_inner_unlock();
    return rc;
}

static int sync_directory(int fd)
{
    char path[PATH_MAX];
    char away[PATH_MAX];
    path_of(fd, NULL, path);
    if (fails(false, SQLITE_IOERR_DIR_FSYNC))
        return -1;
    for (unsigned i = 0; i < n_files; i++) {
        struct tracked *f = &files[i];
        size_t n = strlen(path);
        if (strncmp(f->path, path, n) != 0 || strchr(f->path + n + 1, '/'))
            continue;
        f->name_durable = !f->gone;
        path_away(f, away);
        unlink(away);
    }
    return 0;
}

int __wrap_fsync(int fd)
{
    faultfs_inner_lock();
    int rc = sync_directory(fd);
    faultfs_inner_unlock();
    return rc;
}

static int take_away(struct tracked *f)
{
    char away[PATH_MAX];
    path_away(f, away);
    f->gone = true;
    return __real_rename(f->path, away);
}

int __wrap_unlinkat(int directory, const char *name, int flags)
{
    char path[PATH_MAX];
    path_of(directory, name, path);
    faultfs_inner_lock();
    struct tracked *f = find(path);
    int rc = -1;
    if (!fails(false, SQLITE_IOERR_DELETE))
        rc = f && !f->gone ? take_away(f) : __real_unlinkat(directory, name, flags);
    faultfs_inner_unlock();
    return rc;
}

int __wrap_rename(const char *from, const char *to)
{
    faultfs_inner_lock();
    int rc = fails(false, SQLITE_IOERR_WRITE) ? -1 : __real_rename(from, to);
    faultfs_inner_unlock();
    return rc;
}

/* What was not synced is lost, or is there in part: zeros where it is not. */
static void lose_content(const struct tracked *f, enum faultfs_left left, uint32_t *seed)
{
    static const char zeros[SECTOR_BYTES];
    struct stat st;
    if (left == FAULTFS_LEFT_NONE) {
        (void)!truncate(f->path, f->durable_bytes);
        return;
    }
    int fd = open(f->path, O_WRONLY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    for (off_t at = f->durable_bytes; at < st.st_size; at += SECTOR_BYTES) {
        off_t n = st.st_size - at < SECTOR_BYTES ? st.st_size - at : SECTOR_BYTES;
        if (faultfs_inner_by_chance(seed))
            (void)!__real_pwrite(fd, zeros, (size_t)n, at);
    }
    close(fd);
}

static void lose_one(struct tracked *f, enum faultfs_left left, uint32_t *seed)
{
    char away[PATH_MAX];
    bool some = left == FAULTFS_LEFT_SOME;
    path_away(f, away);
    if (left == FAULTFS_LEFT_ALL) {
        unlink(away);
        return;
    }
    bool there = f->name_durable || (some && faultfs_inner_by_chance(seed));
    if (f->gone && there && !(some && faultfs_inner_by_chance(seed)))
        (void)!__real_rename(away, f->path);
    unlink(away);
    if (there)
        lose_content(f, left, seed);
    else
        unlink(f->path);
}

void faultsys_lose_power(enum faultfs_left left, uint32_t *seed)
{
    for (unsigned i = 0; i < n_files; i++)
        lose_one(&files[i], left, seed);
}
