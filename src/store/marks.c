/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "marks.h"

#include "log.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINE_BYTES = 16, /* never crosses a page, so that a kill cannot tear it */
    PREPARED_BYTES = 4096,
    SLOTS_MAX = 65536
};

static store_id read_line(int fd, unsigned slot)
{
    char line[LINE_BYTES];
    store_id id;
    if (pread(fd, line, sizeof line, (off_t)slot * LINE_BYTES) != LINE_BYTES ||
        !store_id_parse(str_trim((struct str){line, sizeof line}), &id))
        return 0;
    return id;
}

static int write_line(int fd, unsigned slot, store_id id)
{
    char text[STORE_ID_MAX] = "";
    if (id)
        store_id_format(text, id);
    char line[LINE_BYTES + 1];
    snprintf(line, sizeof line, "%-15.15s\n", text);
    ssize_t n = pwrite(fd, line, LINE_BYTES, (off_t)slot * LINE_BYTES);
    return n == LINE_BYTES ? 0 : -1;
}

int marks_open(struct marks *marks, int directory_fd, struct err *err)
{
    *marks = (struct marks){0};
    marks->fd =
        openat(directory_fd, "sending", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat st;
    if (marks->fd < 0 || fstat(marks->fd, &st) < 0) {
        int code = errno;
        marks_close(marks);
        return err_set(err, "cannot open the file \"sending\" in the spool: %s",
                       strerror(code));
    }
    /* A block of its own, so that a mark needs no room later on. Where that is not to be had, a
     * mark may fail, which is logged then. */
    (void)!fallocate(marks->fd, FALLOC_FL_KEEP_SIZE, 0, PREPARED_BYTES);
    off_t lines = st.st_size / LINE_BYTES;
    marks->n_slots = lines < SLOTS_MAX ? (unsigned)lines : SLOTS_MAX;
    marks->slots = mem_array(marks->n_slots, sizeof *marks->slots);
    for (unsigned i = 0; i < marks->n_slots; i++)
        marks->slots[i] = read_line(marks->fd, i);
    return 0;
}

int marks_forget(struct marks *marks, struct err *err)
{
    for (unsigned i = 0; i < marks->n_slots; i++) {
        if (marks->slots[i] && write_line(marks->fd, i, 0) < 0)
            return err_set(err, "cannot write the file \"sending\" in the spool: %s",
                           strerror(errno));
        marks->slots[i] = 0;
    }
    return 0;
}

static unsigned find(const struct marks *marks, store_id id)
{
    unsigned i = 0;
    while (i < marks->n_slots && marks->slots[i] != id)
        i++;
    return i;
}

static void put(struct marks *marks, unsigned slot, store_id id)
{
    marks->slots[slot] = id;
    if (write_line(marks->fd, slot, id) < 0)
        log_say(LOG_LEVEL_WARNING, NULL,
                "cannot write the file \"sending\" in the spool: %s; were tranterd killed now, "
                "mail under way could be sent twice",
                strerror(errno));
}

void marks_set(struct marks *marks, store_id id)
{
    if (find(marks, id) < marks->n_slots)
        return;
    unsigned slot = find(marks, 0);
    if (slot == marks->n_slots) {
        marks->slots = mem_resize(marks->slots, marks->n_slots + 1, sizeof *marks->slots);
        marks->n_slots++;
    }
    put(marks, slot, id);
}

void marks_clear(struct marks *marks, store_id id)
{
    unsigned slot = find(marks, id);
    if (slot < marks->n_slots)
        put(marks, slot, 0);
}

void marks_close(struct marks *marks)
{
    if (marks->fd >= 0)
        close(marks->fd);
    free(marks->slots);
    *marks = (struct marks){.fd = -1};
}
