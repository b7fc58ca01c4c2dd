/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory is one that anybody may write to and nobody but the daemon may list: names are
 * random, and that keeps one user's mail from the eyes of others. */
#include "drop.h"

#include "smtp_caps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME_MAX_BYTES = 64,
    FILL_BYTES = 64 * 1024,
    HEAD_MAX = 256 * 1024 * 1024,
    MODE_ALL = 0644,  /* the daemon is another user, */
    MODE_GROUP = 0640 /* or of the group that the directory gives its files */
};

/* What a daemon of this version offers to those who connect. */
static const unsigned daemon_caps =
    SMTP_CAP_8BITMIME | SMTP_CAP_SMTPUTF8 | SMTP_CAP_DSN | SMTP_CAP_XTRANTER;

struct drop {
    int directory;
    int fd;
    char new_name[NAME_MAX_BYTES];
    char name[NAME_MAX_BYTES];
};

const char *drop_path(void)
{
    const char *path = secure_getenv("TRANTER_DROP");
    return path && *path ? path : DROP_DIRECTORY;
}

/* A descriptor above 2, or as it was where there is none. */
static int raised(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return high;
}

static int open_new(struct drop *d)
{
    struct stat st;
    d->fd = raised(openat(d->directory, d->new_name,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (d->fd < 0 || fstat(d->directory, &st) < 0)
        return -1;
    return fchmod(d->fd, st.st_mode & S_ISGID ? MODE_GROUP : MODE_ALL);
}

static int put(const struct drop *d, struct str text)
{
    while (text.n) {
        ssize_t n = write(d->fd, text.p, text.n);
        if (n < 0 && errno != EINTR)
            return -1;
        text = str_tail(text, n < 0 ? 0 : (size_t)n);
    }
    return 0;
}

static int put_head(const struct drop *d, const struct submission_envelope *envelope,
                    struct str top)
{
    struct buf head;
    buf_init(&head, HEAD_MAX);
    buf_puts(&head, "EHLO localhost\r\n");
    submission_put_envelope(&head, envelope, daemon_caps);
    buf_put_str(&head, top);
    int rc = put(d, buf_str(&head));
    buf_release(&head);
    return rc;
}

static int put_content(const struct drop *d, struct source *source)
{
    for (;;) {
        source_fill(source, FILL_BYTES);
        if (source->error) {
            errno = source->error;
            return -1;
        }
        bool last = source_is_done(source);
        if (last)
            source_end(source);
        struct str text = buf_str(&source->intake.out);
        if (put(d, text) < 0)
            return -1;
        source_take(source, text.n);
        if (last)
            return 0;
    }
}

/* The name must survive a power cut, too. Who may not list a directory cannot open it to sync
 * it; then all of its file system is synced. */
static int sync_name(const struct drop *d)
{
    int fd = raised(openat(d->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return syncfs(d->fd);
    int rc = fsync(fd);
    int why = errno;
    close(fd);
    errno = why;
    return rc;
}

static int publish(const struct drop *d)
{
    if (fsync(d->fd) < 0 || renameat(d->directory, d->new_name, d->directory, d->name) < 0)
        return -1;
    if (sync_name(d) == 0)
        return 0;
    int why = errno;
    unlinkat(d->directory, d->name, 0);
    errno = why;
    return -1;
}

static int write_file(struct drop *d, const struct submission_envelope *envelope,
                      struct str top, struct source *source)
{
    if (open_new(d) < 0)
        return -1;
    if (put_head(d, envelope, top) == 0 && put_content(d, source) == 0 && publish(d) == 0)
        return 0;
    int why = errno;
    unlinkat(d->directory, d->new_name, 0);
    errno = why;
    return -1;
}

int drop_store(const char *directory, const struct submission_envelope *envelope,
               struct str top, struct source *source, struct err *err)
{
    struct drop d = {.fd = -1};
    d.directory = raised(open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (d.directory < 0)
        return err_set(err, "%s: %s", directory, strerror(errno));
    snprintf(d.new_name, sizeof d.new_name, "%s.new", envelope->xid);
    snprintf(d.name, sizeof d.name, "%s.smtp", envelope->xid);
    int rc = write_file(&d, envelope, top, source);
    int why = errno;
    if (d.fd >= 0)
        close(d.fd);
    close(d.directory);
    if (rc < 0)
        err_set(err, "%s %s: %s",
                source->error ? "cannot read the message for" : "cannot write to", directory,
                strerror(why));
    errno = why == ENOENT ? EIO : why;
    return rc;
}
