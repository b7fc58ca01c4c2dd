/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "private_file.h"

#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 4096
};

static int check(const char *path, const struct stat *st, size_t max, struct err *err)
{
    unsigned mode = st->st_mode & 07777;
    if (!S_ISREG(st->st_mode))
        return err_set(err, "%s is not a regular file", path);
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(err,
                       "%s belongs to user %lu; it must belong to root or to user %lu, whom "
                       "this program runs as (chown)",
                       path, (unsigned long)st->st_uid, (unsigned long)geteuid());
    if (mode & 07)
        return err_set(err,
                       "%s is open to every user of this machine (mode %04o); make it 0600, or "
                       "0640 with this program's group (chmod o= %s)",
                       path, mode, path);
    if (mode & 020)
        return err_set(
            err, "%s can be written by its group (mode %04o); make it 0640 (chmod g-w %s)",
            path, mode, path);
    if ((uintmax_t)st->st_size > max)
        return err_set(err, "%s has %jd bytes; at most %zu are allowed", path,
                       (intmax_t)st->st_size, max);
    return 0;
}

/* Whoever can write to the folder can take the file away, or bring back an older one. */
static int check_folder(const char *path, struct err *err)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    char *folder = mem_strndup(path, (size_t)(slash - path));
    int rc = 0;
    if (stat(folder, &st) == 0 && (st.st_mode & 02) && !(st.st_mode & S_ISVTX))
        rc = err_set(err,
                     "%s lies in %s, where every user of this machine can put another in its "
                     "place (mode %04o); make that 0755 (chmod o-w %s)",
                     path, folder, (unsigned)st.st_mode & 07777, folder);
    free(folder);
    return rc;
}

static int read_all(int fd, const char *path, struct buf *content, struct err *err)
{
    for (;;) {
        size_t space = buf_space(content);
        char *end = buf_reserve(content, space < READ_BYTES ? space : READ_BYTES);
        ssize_t n = read(fd, end, space < READ_BYTES ? space : READ_BYTES);
        if (n > 0)
            buf_added(content, (size_t)n);
        else if (n == 0)
            return 0;
        else if (errno != EINTR)
            return err_set(err, "%s cannot be read: %s", path, strerror(errno));
    }
}

int private_file_read(const char *path, struct buf *content, struct err *err)
{
    struct stat st;
    /* Opening a pipe must not wait for somebody to write to it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, "%s cannot be opened by user %lu: %s%s", path,
                       (unsigned long)geteuid(), strerror(errno),
                       errno == EACCES   ? "; let its group be that user's, with mode 0640"
                       : errno == ENOENT ? "; write it, with mode 0640 and that user's group"
                                         : "");
    int rc = fstat(fd, &st) < 0
                 ? err_set(err, "%s cannot be examined: %s", path, strerror(errno))
                 : check(path, &st, buf_space(content), err);
    if (rc == 0)
        rc = check_folder(path, err);
    if (rc == 0)
        rc = read_all(fd, path, content, err);
    close(fd);
    return rc;
}
