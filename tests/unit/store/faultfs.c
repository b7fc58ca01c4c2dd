/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "faultfs_inner.h"

#include "buf.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    SECTOR_BYTES = 512,
    FILES_MAX = 16,
    FILE_BYTES_MAX = 1 << 26
};

struct change {
    struct change *next;
    bool truncates; /* to offset at; else a write there */
    sqlite3_int64 at;
    int n;
    char bytes[];
};

/* A file by its name. */
struct image {
    char *path;
    char *durable; /* what was synced */
    size_t durable_bytes;
    bool durable_exists;
    bool deleted; /* by SQLite, without a sync of the directory */
    struct change *first;
    struct change *last;
};

struct file {
    sqlite3_file base;
    struct image *image; /* NULL: not kept track of */
    sqlite3_file real[]; /* the system's */
};

/* One fault at a time is under test. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t synced;
    unsigned syncs;
    struct image images[FILES_MAX];
    unsigned n_images;
    enum faultfs_fault fault;
    unsigned at;
    unsigned changes;
    bool struck;
    bool struck_sync;
    bool full;
    const char *beside;
    sqlite3_int64 room; /* that it gave up */
} fs = {.mutex = PTHREAD_MUTEX_INITIALIZER, .synced = PTHREAD_COND_INITIALIZER};

static sqlite3_vfs *real_vfs;

static void forget_changes(struct image *image)
{
    while (image->first) {
        struct change *c = image->first;
        image->first = c->next;
        free(c);
    }
    image->last = NULL;
}

static void resize(struct image *image, size_t n)
{
    BUG_ON(n > FILE_BYTES_MAX);
    image->durable = mem_resize(image->durable, n, 1);
    if (n > image->durable_bytes)
        memset(image->durable + image->durable_bytes, 0, n - image->durable_bytes);
    image->durable_bytes = n;
}

static void write_durable(struct image *image, sqlite3_int64 at, const char *bytes, size_t n)
{
    size_t end = (size_t)at + n;
    if (end > image->durable_bytes)
        resize(image, end);
    memcpy(image->durable + at, bytes, n);
}

static void make_durable(struct image *image)
{
    for (struct change *c = image->first; c; c = c->next)
        if (c->truncates)
            resize(image, (size_t)c->at);
        else
            write_durable(image, c->at, c->bytes, (size_t)c->n);
    forget_changes(image);
    image->durable_exists = true;
}

static void add_change(struct image *image, bool truncates, sqlite3_int64 at, const void *bytes,
                       int n)
{
    struct change *c = mem_array(1, sizeof *c + (size_t)n);
    c->truncates = truncates;
    c->at = at;
    c->n = n;
    if (n > 0)
        memcpy(c->bytes, bytes, (size_t)n);
    if (image->first)
        image->last->next = c;
    else
        image->first = c;
    image->last = c;
}

/* What lies there before SQLite opens it is on the disk. */
static void load(struct image *image)
{
    int fd = open(image->path, O_RDONLY);
    if (fd < 0)
        return;
    struct stat st;
    BUG_ON(fstat(fd, &st) < 0);
    resize(image, (size_t)st.st_size);
    BUG_ON(pread(fd, image->durable, (size_t)st.st_size, 0) != st.st_size);
    image->durable_exists = true;
    close(fd);
}

static struct image *find(const char *path)
{
    for (unsigned i = 0; i < fs.n_images; i++)
        if (strcmp(fs.images[i].path, path) == 0)
            return &fs.images[i];
    return NULL;
}

static struct image *find_or_load(const char *path)
{
    struct image *image = find(path);
    if (image)
        return image;
    BUG_ON(fs.n_images == FILES_MAX);
    image = &fs.images[fs.n_images++];
    *image = (struct image){.path = mem_strdup(path)};
    load(image);
    return image;
}

void faultfs_inner_lock(void)
{
    pthread_mutex_lock(&fs.mutex);
}

void faultfs_inner_unlock(void)
{
    pthread_mutex_unlock(&fs.mutex);
}

bool faultfs_inner_full(void)
{
    return fs.full;
}

enum faultfs_fault faultfs_inner_fault(void)
{
    return fs.fault;
}

int faultfs_inner_change(bool writes, int code)
{
    fs.changes++;
    bool hit = fs.fault == FAULTFS_CUT ? fs.changes >= fs.at : fs.changes == fs.at;
    if (fs.fault == FAULTFS_NONE || !hit || (fs.fault == FAULTFS_FULL_ONCE && !writes))
        return SQLITE_OK;
    fs.struck = true;
    fs.struck_sync = code == SQLITE_IOERR_FSYNC;
    errno = EIO;
    return fs.fault == FAULTFS_FULL_ONCE ? SQLITE_FULL : code;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return (sqlite3_file *)((struct file *)(void *)file)->real;
}

static struct image *image_of(sqlite3_file *file)
{
    return ((struct file *)(void *)file)->image;
}

static int on_close(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}

static int on_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
    return real(file)->pMethods->xRead(real(file), bytes, n, at);
}

static bool has_blocks(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_blocks > 0;
}

static bool no_room(sqlite3_file *file, sqlite3_int64 end)
{
    sqlite3_int64 size = 0;
    real(file)->pMethods->xFileSize(real(file), &size);
    if (!fs.full || end <= size)
        return false;
    if (!fs.beside || has_blocks(fs.beside) || fs.room < end - size)
        return true;
    fs.room -= end - size;
    return false;
}

static int on_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    pthread_mutex_lock(&fs.mutex);
    int rc = faultfs_inner_change(true, SQLITE_IOERR_WRITE);
    if (rc == SQLITE_OK && no_room(file, at + n))
        rc = SQLITE_FULL;
    if (rc == SQLITE_OK && image_of(file))
        add_change(image_of(file), false, at, bytes, n);
    if (rc == SQLITE_OK)
        rc = real(file)->pMethods->xWrite(real(file), bytes, n, at);
    pthread_mutex_unlock(&fs.mutex);
    return rc;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    pthread_mutex_lock(&fs.mutex);
    int rc = faultfs_inner_change(false, SQLITE_IOERR_TRUNCATE);
    if (rc == SQLITE_OK && image_of(file))
        add_change(image_of(file), true, size, NULL, 0);
    if (rc == SQLITE_OK)
        rc = real(file)->pMethods->xTruncate(real(file), size);
    pthread_mutex_unlock(&fs.mutex);
    return rc;
}

/* What a failed sync was to write is marked clean by the kernel, and is never written. */
static int on_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    pthread_mutex_lock(&fs.mutex);
    int rc = faultfs_inner_change(false, SQLITE_IOERR_FSYNC);
    if (rc == SQLITE_OK && image_of(file))
        make_durable(image_of(file));
    else if (image_of(file) && fs.fault == FAULTFS_FAIL_ONCE)
        forget_changes(image_of(file));
    fs.syncs++;
    pthread_cond_signal(&fs.synced);
    pthread_mutex_unlock(&fs.mutex);
    return rc;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int on_check_lock(sqlite3_file *file, int *locked)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), locked);
}

static int on_control(sqlite3_file *file, int what, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), what, arg);
}

static int on_sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int on_characteristics(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend,
                      void volatile **memory)
{
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int on_shm_unmap(sqlite3_file *file, int deletes)
{
    return real(file)->pMethods->xShmUnmap(real(file), deletes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

/* The image of a file that is about to be opened; SQLITE_OK or why it may not be. With the
 * mutex held. */
static int open_image(const char *path, int flags, struct image **image)
{
    *image = find_or_load(path);
    int rc = faultfs_inner_change(false, SQLITE_CANTOPEN);
    if (rc == SQLITE_OK && flags & SQLITE_OPEN_CREATE && access(path, F_OK) < 0) {
        (*image)->deleted = false;
        add_change(*image, true, 0, NULL, 0);
    }
    return rc;
}

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out)
{
    (void)vfs;
    struct file *file = (struct file *)(void *)base;
    *file = (struct file){.image = NULL};
    int rc = SQLITE_OK;
    pthread_mutex_lock(&fs.mutex);
    if (path && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)))
        rc = open_image(path, flags, &file->image);
    pthread_mutex_unlock(&fs.mutex);
    if (rc == SQLITE_OK)
        rc = real_vfs->xOpen(real_vfs, path, real(base), flags, out);
    if (rc == SQLITE_OK)
        base->pMethods = &methods;
    return rc;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
    (void)vfs;
    pthread_mutex_lock(&fs.mutex);
    struct image *image = find_or_load(path);
    int rc = faultfs_inner_change(false, SQLITE_IOERR_DELETE);
    if (rc == SQLITE_OK) {
        forget_changes(image);
        image->deleted = true;
        image->durable_exists = image->durable_exists && !sync_directory;
        rc = real_vfs->xDelete(real_vfs, path, 0);
    }
    pthread_mutex_unlock(&fs.mutex);
    return rc;
}

static int on_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    (void)vfs;
    return real_vfs->xAccess(real_vfs, path, flags, out);
}

static int on_full_pathname(sqlite3_vfs *vfs, const char *path, int n, char *out)
{
    (void)vfs;
    return real_vfs->xFullPathname(real_vfs, path, n, out);
}

static void register_vfs(void)
{
    static sqlite3_vfs vfs;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.pNext = NULL;
    vfs.zName = FAULTFS_NAME;
    vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    vfs.xOpen = on_open;
    vfs.xDelete = on_delete;
    vfs.xAccess = on_access;
    vfs.xFullPathname = on_full_pathname;
    BUG_ON(sqlite3_vfs_register(&vfs, 0) != SQLITE_OK);
}

void faultfs_begin(enum faultfs_fault fault, unsigned k)
{
    if (!real_vfs)
        register_vfs();
    while (fs.n_images > 0) {
        struct image *image = &fs.images[--fs.n_images];
        forget_changes(image);
        free(image->path);
        free(image->durable);
    }
    faultsys_begin();
    fs.fault = fault;
    fs.at = k;
    fs.changes = 0;
    fs.struck = false;
    fs.struck_sync = false;
    fs.full = false;
    fs.beside = NULL;
}

unsigned faultfs_changes(void)
{
    pthread_mutex_lock(&fs.mutex);
    unsigned n = fs.changes;
    pthread_mutex_unlock(&fs.mutex);
    return n;
}

bool faultfs_struck(void)
{
    pthread_mutex_lock(&fs.mutex);
    bool struck = fs.struck;
    pthread_mutex_unlock(&fs.mutex);
    return struck;
}

bool faultfs_struck_sync(void)
{
    pthread_mutex_lock(&fs.mutex);
    bool struck = fs.struck_sync;
    pthread_mutex_unlock(&fs.mutex);
    return struck;
}

void faultfs_fill(bool full)
{
    pthread_mutex_lock(&fs.mutex);
    fs.full = full;
    pthread_mutex_unlock(&fs.mutex);
}

void faultfs_fill_beside(const char *path)
{
    struct stat st;
    BUG_ON(stat(path, &st) < 0);
    pthread_mutex_lock(&fs.mutex);
    fs.full = true;
    fs.beside = path;
    fs.room = st.st_size;
    pthread_mutex_unlock(&fs.mutex);
}

bool faultfs_wait_for_sync(int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    pthread_mutex_lock(&fs.mutex);
    unsigned before = fs.syncs;
    int late = 0;
    while (fs.syncs == before && late == 0)
        late = pthread_cond_timedwait(&fs.synced, &fs.mutex, &until);
    pthread_mutex_unlock(&fs.mutex);
    return late == 0;
}

void faultfs_cut_now(void)
{
    pthread_mutex_lock(&fs.mutex);
    fs.fault = FAULTFS_CUT;
    fs.at = fs.changes + 1;
    pthread_mutex_unlock(&fs.mutex);
}

bool faultfs_inner_by_chance(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 31;
}

/* Some of what was not synced reached the disk, in pieces of a sector. */
static void keep_some(struct image *image, uint32_t *seed)
{
    for (struct change *c = image->first; c; c = c->next) {
        if (c->truncates && faultfs_inner_by_chance(seed))
            resize(image, (size_t)c->at);
        for (int at = 0; at < c->n;) {
            int n = SECTOR_BYTES - (int)((c->at + at) % SECTOR_BYTES);
            if (n > c->n - at)
                n = c->n - at;
            if (faultfs_inner_by_chance(seed))
                write_durable(image, c->at + at, c->bytes + at, (size_t)n);
            at += n;
        }
    }
    if (image->first && faultfs_inner_by_chance(seed))
        image->durable_exists = true;
}

static void put_back(const struct image *image)
{
    if (!image->durable_exists) {
        unlink(image->path);
        return;
    }
    int fd = open(image->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    BUG_ON(fd < 0);
    BUG_ON(write(fd, image->durable, image->durable_bytes) != (ssize_t)image->durable_bytes);
    close(fd);
}

void faultfs_lose_power(enum faultfs_left left, uint32_t seed)
{
    faultsys_lose_power(left, &seed);
    for (unsigned i = 0; i < fs.n_images && left != FAULTFS_LEFT_ALL; i++) {
        struct image *image = &fs.images[i];
        /* The name may have been changed, which happens behind our back and is synced. */
        if (!image->deleted && access(image->path, F_OK) < 0)
            continue;
        if (left == FAULTFS_LEFT_SOME)
            keep_some(image, &seed);
        if (image->deleted && left == FAULTFS_LEFT_SOME && faultfs_inner_by_chance(&seed))
            continue;
        put_back(image);
    }
}
