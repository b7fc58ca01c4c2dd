/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_aliases.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 * 1024
};

struct alias_home conf_aliases_home(const struct conf *conf)
{
    return (struct alias_home){conf->hostname, conf->domain, conf->admin};
}

/* Of a file that is no regular one, reading might never end. */
static int open_regular(const char *path, struct stat *st, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, st) != 0) {
        err_set(err, "%s", strerror(errno));
    } else if (!S_ISREG(st->st_mode)) {
        err_set(err, "it is not a regular file");
        errno = EINVAL;
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* All of fd, which is closed, into the reader, which is ended. */
static int read_all(int fd, struct alias_reader *r, struct err *err)
{
    char bytes[READ_BYTES];
    int result = 0;
    ssize_t n;
    while (result == 0 && (n = read(fd, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno != EINTR)
            result = err_set(err, "%s", strerror(errno));
        else if (n > 0 && !alias_reader_feed(r, bytes, (size_t)n))
            result =
                err_set(err, "alias files have more than %d MiB in all", ALIAS_FILE_MAX >> 20);
    }
    close(fd);
    alias_reader_end(r);
    return result;
}

static void read_include(struct alias_table *t, size_t index)
{
    const struct alias_entry *e = &t->entries[index];
    const char *path = alias_include_path(e);
    struct alias_reader r;
    struct err why;
    struct stat st;
    int fd = open_regular(path, &st, &why);
    bool failed = fd < 0;
    if (!failed && !(st.st_mode & S_IROTH)) {
        failed = true;
        err_set(&why, "not everybody may read it; chmod o+r");
        close(fd);
    } else if (!failed) {
        alias_reader_init_include(&r, t, index);
        failed = read_all(fd, &r, &why) != 0;
    }
    if (failed)
        alias_table_tell(t, true, t->entries[index].file, t->entries[index].line,
                         "%.200s cannot be included: %s", path, why.text);
}

/* *fd is -1 where there is none, and none need be. */
static int open_aliases(const struct conf *conf, const char *path, int *fd, struct err *err)
{
    struct err why;
    struct stat st;
    *fd = *path ? open_regular(path, &st, &why) : -1;
    if (*fd >= 0 || !*path || (!conf->aliases && errno == ENOENT))
        return 0;
    if (!conf->aliases)
        return err_set(err, "%s cannot be read: %s; mend that, or set aliases in %s", path,
                       why.text, conf->file);
    return err_set(err,
                   "%s:%d: the alias file %s cannot be read: %s; mend that, or take it out",
                   conf->file, conf->aliases_line, path, why.text);
}

struct alias_table *conf_aliases_load(const struct conf *conf, struct err *err)
{
    const char *path = conf->aliases ? conf->aliases : CONF_ALIASES_FILE;
    struct alias_table *t = alias_table_new();
    struct alias_home home = conf_aliases_home(conf);
    struct alias_reader r;
    struct err why;
    int fd, result = open_aliases(conf, path, &fd, err);
    if (fd >= 0) {
        alias_reader_init(&r, t, path);
        if (read_all(fd, &r, &why) != 0)
            result = err_set(err, "%s: %s", path, why.text);
    }
    if (result != 0) {
        alias_table_free(t);
        return NULL;
    }
    for (size_t i = SIZE_MAX; (i = alias_table_next_include(t, i)) != SIZE_MAX;)
        read_include(t, i);
    alias_table_settle(t, &home);
    return t;
}
