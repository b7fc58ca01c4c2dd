/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reserve.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    PART_OF_FILE_SYSTEM = 16,
    BLOCK_BYTES = 512 /* of st_blocks */
};

static void go_without(struct reserve *r, int code)
{
    log_say(LOG_LEVEL_WARNING, NULL,
            "cannot make the file \"reserve\" in the spool: %s; if the disk fills up, what "
            "became of mail may wait to be recorded",
            strerror(code));
    reserve_close(r);
}

void reserve_open(struct reserve *r, int directory_fd, off_t bytes)
{
    struct statvfs fs;
    *r = (struct reserve){.fd = -1, .bytes = bytes, .held = true};
    if (bytes == 0)
        return;
    r->fd = openat(directory_fd, "reserve", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (r->fd < 0 || fstatvfs(r->fd, &fs) < 0) {
        go_without(r, errno);
        return;
    }
    uint64_t part = (uint64_t)fs.f_blocks * fs.f_frsize / PART_OF_FILE_SYSTEM;
    if (part < (uint64_t)bytes)
        r->bytes = (off_t)part;
    r->held = false;
    (void)reserve_take(r);
}

void reserve_close(struct reserve *r)
{
    if (r->fd >= 0)
        close(r->fd);
    *r = (struct reserve){.fd = -1, .held = true};
}

static bool has_blocks(const struct reserve *r)
{
    struct stat st;
    return fstat(r->fd, &st) == 0 && st.st_size >= r->bytes &&
           (off_t)st.st_blocks * BLOCK_BYTES >= r->bytes;
}

bool reserve_take(struct reserve *r)
{
    if (r->held)
        return true;
    int code = has_blocks(r) ? 0 : posix_fallocate(r->fd, 0, r->bytes);
    r->held = code == 0;
    if (r->held)
        return true;
    /* What was had of it is not to be missing elsewhere. */
    (void)!ftruncate(r->fd, 0);
    if (code != ENOSPC && code != EDQUOT)
        go_without(r, code);
    return r->held;
}

bool reserve_release(struct reserve *r)
{
    if (r->fd < 0 || !r->held)
        return false;
    r->held = ftruncate(r->fd, 0) < 0;
    return !r->held;
}
