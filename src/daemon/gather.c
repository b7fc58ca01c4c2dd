/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gather.h"

#include "clock.h"
#include "mem.h"
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEXT_MAX = 4 * 1024 * 1024
};

void gather_text(struct buf *out, const struct gather_source *source)
{
    struct metrics_facts facts = {
        .now_ms = clock_wall_ms(),
        .started_ms = source->started_ms,
        .free_bytes = store_free_bytes(source->store),
        .active = relay_active(source->relay),
        .tally = source->tally,
        .reload_failed = source->reload_failed,
    };
    store_count(source->store, &facts.counts);
    store_latency(source->store, &facts.commits);
    struct relay_status one;
    while (relay_smarthost(source->relay, facts.n_smarthosts, &one))
        facts.n_smarthosts++;
    struct relay_status *all = mem_array(facts.n_smarthosts, sizeof *all);
    for (unsigned i = 0; i < facts.n_smarthosts; i++)
        relay_smarthost(source->relay, i, &all[i]);
    facts.smarthosts = all;
    metrics_put(out, &facts);
    free(all);
}

/* A new file beside the old one, which the rename then replaces; its name does not end in
 * .prom, so that the collector leaves it alone. */
static int write_new(const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    ssize_t n = fchmod(fd, 0644) == 0 ? write(fd, text.p, text.n) : -1;
    int code = n < 0 ? errno : ENOSPC;
    close(fd);
    if (n == (ssize_t)text.n)
        return 0;
    unlink(path);
    errno = code;
    return -1;
}

int gather_check(const char *path, struct err *err)
{
    struct buf directory;
    struct stat st;
    struct str rest = str_of(path);
    while (rest.n > 1 && rest.p[rest.n - 1] != '/')
        rest.n--;
    buf_init(&directory, 8192);
    buf_put(&directory, rest.p, rest.n);
    buf_putc(&directory, '\0');
    int result = stat(buf_str(&directory).p, &st);
    if (result < 0)
        err_set(err, "metrics-file %s: its directory: %s", path, strerror(errno));
    buf_release(&directory);
    return result;
}

int gather_file(const char *path, const struct gather_source *source, struct err *err)
{
    struct buf text, draft;
    buf_init(&text, TEXT_MAX);
    buf_init(&draft, 8192);
    gather_text(&text, source);
    buf_puts(&draft, path);
    buf_puts(&draft, ".new");
    buf_putc(&draft, '\0');
    int result = write_new(buf_str(&draft).p, buf_str(&text));
    if (result == 0)
        result = rename(buf_str(&draft).p, path);
    if (result < 0)
        err_set(err,
                "cannot write metrics-file %s: %s; may the user of tranterd write to its "
                "directory, and does the unit let it (ReadWritePaths=)?",
                path, strerror(errno));
    buf_release(&draft);
    buf_release(&text);
    return result < 0 ? -1 : 0;
}
