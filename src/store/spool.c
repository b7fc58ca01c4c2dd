/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spool.h"

#include "mem.h"
#include "schema.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char *path_in(const char *directory, const char *name)
{
    size_t size = strlen(directory) + 1 + strlen(name) + 1;
    char *path = mem_array(size, 1);
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

/* The new directory's own name must survive a power cut as well. */
static int sync_parent(const char *directory)
{
    char *parent = path_in(directory, "..");
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    close(fd);
    return rc;
}

static int open_directory(const char *directory, struct err *err)
{
    if (mkdir(directory, 0700) == 0) {
        if (sync_parent(directory) < 0)
            return err_set(err, "cannot sync the directory above the spool directory %s: %s",
                           directory, strerror(errno));
    } else if (errno != EEXIST) {
        return err_set(err,
                       "cannot make the spool directory %s: %s; make it with mode 0700, owned "
                       "by the user tranterd runs as",
                       directory, strerror(errno));
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, "cannot open the spool directory %s: %s", directory,
                       strerror(errno));
    return fd;
}

/* Whoever else may write here could put a queue of their own in our place. */
static int check_ours(int fd, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set(err, "cannot look at %s: %s", path, strerror(errno));
    if (st.st_uid != geteuid())
        return err_set(err, "%s belongs to uid %lu, but tranterd runs as uid %lu: chown it",
                       path, (unsigned long)st.st_uid, (unsigned long)geteuid());
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, "%s may be written to by others (mode %04o): chmod go-w %s", path,
                       (unsigned)(st.st_mode & 07777), path);
    return 0;
}

static pid_t read_pid(int fd)
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof text, 0);
    uint64_t pid;
    if (n <= 0 || !str_u64(str_trim((struct str){text, (size_t)n}), &pid) || pid == 0 ||
        pid > INT32_MAX)
        return -1;
    return (pid_t)pid;
}

static int busy(int fd, const char *directory, struct err *err, pid_t *busy_pid)
{
    *busy_pid = read_pid(fd);
    close(fd);
    if (*busy_pid > 0)
        return err_set(err, "the spool %s is in use by another tranterd, pid %ld", directory,
                       (long)*busy_pid);
    return err_set(err, "the spool %s is in use by another tranterd", directory);
}

/* The lock is the kernel's, not the file's content: it ends with the process, however that
 * ends. The pid in it is for people. */
static int take_lock(int directory_fd, const char *directory, struct err *err, pid_t *busy_pid)
{
    int fd = openat(directory_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, "cannot open %s/lock: %s", directory, strerror(errno));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        if (errno == EAGAIN || errno == EACCES)
            return busy(fd, directory, err, busy_pid);
        int code = errno;
        close(fd);
        return err_set(err, "cannot lock %s/lock: %s", directory, strerror(code));
    }
    /* On a full disk it stays empty: that is no reason not to send what is queued. */
    char text[24];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if ((ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) && errno != ENOSPC &&
        errno != EDQUOT) {
        int code = errno;
        close(fd);
        return err_set(err, "cannot write %s/lock: %s", directory, strerror(code));
    }
    return fd;
}

int spool_open(struct spool *spool, const char *directory, struct err *err, pid_t *busy_pid)
{
    *spool = (struct spool){.directory_fd = -1, .lock_fd = -1};
    *busy_pid = 0;
    spool->directory_fd = open_directory(directory, err);
    if (spool->directory_fd < 0)
        return -1;
    if (check_ours(spool->directory_fd, directory, err) == 0)
        spool->lock_fd = take_lock(spool->directory_fd, directory, err, busy_pid);
    if (spool->lock_fd < 0) {
        spool_close(spool);
        return -1;
    }
    spool->directory = mem_strdup(directory);
    spool->database = path_in(directory, "queue.db");
    spool->draft = path_in(directory, "queue.db.new");
    return 0;
}

void spool_close(struct spool *spool)
{
    if (spool->lock_fd >= 0)
        close(spool->lock_fd);
    if (spool->directory_fd >= 0)
        close(spool->directory_fd);
    free(spool->directory);
    free(spool->database);
    free(spool->draft);
    *spool = (struct spool){.directory_fd = -1, .lock_fd = -1};
}

static uint32_t get_be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* https://www.sqlite.org/fileformat2.html section 1.3. A database gets its name only when its
 * first transaction is whole, so that these fields are never still to come from a log. */
static int check_head(const struct spool *spool, int fd, struct err *err)
{
    unsigned char head[100];
    ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0)
        return err_set(err, "cannot read %s: %s", spool->database, strerror(errno));
    if (n < (ssize_t)sizeof head)
        return spool_damaged(spool->database, "it is too short", err);
    if (memcmp(head, "SQLite format 3", 16) != 0)
        return spool_damaged(spool->database, "it is not a database", err);
    if (get_be32(head + 68) != SCHEMA_APPLICATION_ID)
        return err_set(err, "%s is a database of another program: move it out of the spool",
                       spool->database);
    return schema_check_version(spool->database, (int32_t)get_be32(head + 60), err);
}

/* A log whose database is gone may hold the only copy of mail: it is neither played into a new
 * database nor deleted. */
static enum spool_content inspect_missing(const struct spool *spool, struct err *err)
{
    struct stat st;
    if (fstatat(spool->directory_fd, "queue.db-wal", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        st.st_size == 0)
        return SPOOL_MISSING;
    err_set(err,
            "%s is missing, but its log queue.db-wal is there and may hold mail: put queue.db "
            "back, or move the log away too, to start with an empty queue",
            spool->database);
    return SPOOL_REFUSED;
}

enum spool_content spool_inspect(const struct spool *spool, struct err *err)
{
    int fd = open(spool->database, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return inspect_missing(spool, err);
    if (fd < 0) {
        err_set(err, "cannot open %s: %s", spool->database, strerror(errno));
        return SPOOL_REFUSED;
    }
    bool ours = check_ours(fd, spool->database, err) == 0 && check_head(spool, fd, err) == 0;
    close(fd);
    return ours ? SPOOL_OURS : SPOOL_REFUSED;
}

int spool_visit(struct spool *spool, const char *directory, struct err *err)
{
    *spool = (struct spool){.directory_fd = -1, .lock_fd = -1};
    spool->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->directory_fd < 0)
        return err_set(err, "cannot open the spool directory %s: %s", directory,
                       strerror(errno));
    spool->directory = mem_strdup(directory);
    spool->database = path_in(directory, "queue.db");
    int fd = open(spool->database, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        err_set(err, "cannot open %s: %s", spool->database, strerror(errno));
    int good = fd < 0 ? -1 : check_head(spool, fd, err);
    if (fd >= 0)
        close(fd);
    if (good < 0)
        spool_close(spool);
    return good;
}

bool spool_is_locked(const struct spool *spool)
{
    int fd = openat(spool->directory_fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno != ENOENT;
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    bool locked = fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}

int spool_make_draft(const struct spool *spool, struct err *err)
{
    char journal[sizeof "queue.db.new-journal"] = "queue.db.new-journal";
    unlinkat(spool->directory_fd, journal, 0);
    unlink(spool->draft);
    int fd = open(spool->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, "cannot make %s: %s", spool->draft, strerror(errno));
    close(fd);
    return 0;
}

int spool_publish_draft(const struct spool *spool, struct err *err)
{
    if (rename(spool->draft, spool->database) < 0)
        return err_set(err, "cannot rename %s to %s: %s", spool->draft, spool->database,
                       strerror(errno));
    return spool_sync(spool, err);
}

int spool_sync(const struct spool *spool, struct err *err)
{
    if (fsync(spool->directory_fd) < 0)
        return err_set(err, "cannot sync the directory of %s: %s", spool->database,
                       strerror(errno));
    return 0;
}

uint64_t spool_free_bytes(const struct spool *spool)
{
    struct statvfs fs;
    if (fstatvfs(spool->directory_fd, &fs) < 0)
        return UINT64_MAX;
    return (uint64_t)fs.f_bavail * fs.f_frsize;
}

const char *spool_volatile(uint32_t type)
{
    static const struct {
        uint32_t type;
        const char *words;
    } kinds[] = {
        {TMPFS_MAGIC, "tmpfs, which is memory: queued mail is lost when the system goes down"},
        {RAMFS_MAGIC, "ramfs, which is memory: queued mail is lost when the system goes down"},
        {OVERLAYFS_SUPER_MAGIC,
         "an overlay: queued mail is lost when the container is removed"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].type == type)
            return kinds[i].words;
    return NULL;
}

bool spool_warn(const struct spool *spool, struct err *warning)
{
    struct statfs fs;
    if (fstatfs(spool->directory_fd, &fs) < 0)
        return false;
    const char *words = spool_volatile((uint32_t)fs.f_type);
    if (!words)
        return false;
    (void)err_set(warning,
                  "the queue's database %s lies on %s; set \"spool\" to a directory on a disk",
                  spool->database, words);
    return true;
}

int spool_damaged(const char *database, const char *words, struct err *err)
{
    return err_set(
        err,
        "%s is damaged (%s) and was left as it is: restore it from a backup, or move "
        "it away with queue.db-wal and save what can be saved with \"sqlite3 "
        "queue.db .recover\"; without it tranterd starts with an empty queue",
        database, words);
}
