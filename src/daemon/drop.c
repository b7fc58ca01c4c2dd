/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One file at a time is written into one end of a socket pair, as a client would; submit has
 * the other end. What its replies come to is the file's fate. */
#include "drop.h"

#include "clock.h"
#include "conn.h"
#include "log.h"
#include "mem.h"
#include "smtp_reply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME_DIGITS = 32,
    NAME_BYTES = 128,
    ENTRIES_MAX = 1024, /* looked at in a turn of the loop, */
    FILES_MAX = 16,     /* and files refused */
    UNFINISHED_SECONDS = 24 * 3600,
    ENVELOPE_BYTES_MAX = 16 * 1024 * 1024,
    BLOCK_BYTES = 64 * 1024,
    PATIENCE_MS = 60 * 1000 /* for a session that does not move */
};

/* The last failing reply decides, unless it is the echo of an earlier one (503, 221). */
enum fate {
    FATE_GOOD,
    FATE_LATER, /* the file stays */
    FATE_BAD
};

struct drop {
    struct loop *loop;
    struct submit *submit;
    char *path;
    uint64_t size_max;
    struct loop_timer *timer;
    DIR *listing; /* of the sweep in hand; NULL: none */
    bool stopping;
    bool complained; /* of the directory itself */

    /* The file in hand; conn is NULL when there is none. */
    char name[NAME_BYTES];
    int fd;
    uid_t uid;
    struct conn *conn;
    size_t out_bytes;   /* of conn when we last looked */
    int64_t give_up_at; /* if nothing moves */
    struct smtp_reply reply;
    enum fate fate;
    bool in_content;   /* the next reply is the one to a message */
    unsigned messages; /* that are in the queue */
    struct err reason; /* of FATE_LATER and FATE_BAD */
};

/* Something about the directory is not as it should be; said once. */
static void ATTR_PRINTF(2, 3) complain(struct drop *d, const char *fmt, ...)
{
    struct err err;
    va_list args;
    va_start(args, fmt);
    vsnprintf(err.text, sizeof err.text, fmt, args);
    va_end(args);
    if (!d->complained)
        log_say(LOG_LEVEL_ERROR, NULL, "%s", err.text);
    d->complained = true;
}

/* An earlier file of that name is kept, too. */
static void set_aside(struct drop *d)
{
    char bad[NAME_BYTES + 32];
    int directory = dirfd(d->listing);
    snprintf(bad, sizeof bad, "%s.bad", d->name);
    int rc = renameat2(directory, d->name, directory, bad, RENAME_NOREPLACE);
    if (rc < 0 && errno == EEXIST) {
        snprintf(bad, sizeof bad, "%s.%" PRId64 ".bad", d->name, clock_wall_ms());
        rc = renameat2(directory, d->name, directory, bad, RENAME_NOREPLACE);
    }
    if (rc == 0)
        log_say(LOG_LEVEL_ERROR, NULL, "drop file of uid %u set aside as %s/%s: %s",
                (unsigned)d->uid, d->path, bad, d->reason.text);
    else
        complain(d, "cannot set aside the bad drop file %s/%s (%s): %s", d->path, d->name,
                 d->reason.text, strerror(errno));
}

/* What is queued but cannot be removed would be queued again when its id is forgotten. */
static void take_away(struct drop *d)
{
    if (unlinkat(dirfd(d->listing), d->name, 0) == 0 || errno == ENOENT) {
        log_say(LOG_LEVEL_INFO, NULL, "drop file %s of uid %u queued, messages=%u", d->name,
                (unsigned)d->uid, d->messages);
        return;
    }
    complain(d,
             "cannot remove the drop file %s/%s, which is queued: %s; no more are taken from "
             "there until tranterd restarts",
             d->path, d->name, strerror(errno));
    d->stopping = true;
}

static void close_file(struct drop *d)
{
    if (d->conn)
        conn_close(d->conn, 0);
    d->conn = NULL;
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    smtp_reply_release(&d->reply);
}

/* The file in hand is done with. False where the sweep is, too: whatever keeps one file from
 * being queued now keeps the others. */
static bool settle(struct drop *d)
{
    close_file(d);
    if (d->fate == FATE_GOOD && d->messages == 0) {
        d->fate = FATE_BAD;
        err_set(&d->reason, "there is no message in it");
    }
    if (d->fate == FATE_GOOD)
        take_away(d);
    else if (d->fate == FATE_BAD)
        set_aside(d);
    else
        log_say(LOG_LEVEL_WARNING, NULL, "drop file %s of uid %u stays for now: %s", d->name,
                (unsigned)d->uid, d->reason.text);
    return d->fate != FATE_LATER;
}

static void fail(struct drop *d, enum fate fate)
{
    struct buf words;
    d->fate = fate;
    buf_init(&words, SMTP_REPLY_MAX * 2);
    smtp_reply_words(&d->reply, &words);
    err_set(&d->reason, "%.*s", STR_FMT(buf_str(&words)));
    buf_release(&words);
}

static void take_reply(struct drop *d)
{
    const struct smtp_reply *r = &d->reply;
    bool echo = r->code == 503 || (r->code == 421 && strcmp(r->status, "4.3.2") != 0);
    if (echo && d->fate == FATE_GOOD)
        fail(d, FATE_BAD);
    else if (r->code >= 400 && !echo)
        fail(d, r->code >= 500 ? FATE_BAD : FATE_LATER);
    d->messages += d->in_content && r->code / 100 == 2;
    d->in_content = r->code == 354;
}

/* Was there one? */
static bool take_replies(struct drop *d)
{
    struct buf *in = conn_in(d->conn);
    bool any = buf_len(in) > 0;
    while (buf_len(in)) {
        size_t taken = 0;
        if (smtp_reply_feed(&d->reply, buf_str(in), &taken, NULL) == SMTP_REPLY_GOOD)
            take_reply(d);
        buf_consume(in, taken);
        BUG_ON(d->reply.result == SMTP_REPLY_BAD); /* we are talking to ourselves */
    }
    return any;
}

/* As much of the file as the session takes. False if that fails. */
static bool write_on(struct drop *d)
{
    char block[BLOCK_BYTES];
    ssize_t n = 1;
    while (n > 0 && conn_out_room(d->conn)) {
        n = read(d->fd, block, sizeof block);
        if (n > 0)
            conn_write(d->conn, (struct str){block, (size_t)n});
    }
    if (n < 0) {
        d->fate = FATE_LATER;
        err_set(&d->reason, "cannot read it: %s", strerror(errno));
    }
    return n >= 0;
}

/* Is the session at its end, or out of patience? */
static bool is_over(struct drop *d)
{
    int64_t now = loop_now_ms(d->loop);
    size_t out_bytes = conn_out_bytes(d->conn);
    bool moved = take_replies(d) || out_bytes != d->out_bytes;
    d->out_bytes = out_bytes;
    if (conn_end(d->conn) != CONN_OPEN)
        return true;
    if (!moved && now >= d->give_up_at) {
        d->fate = FATE_LATER;
        err_set(&d->reason, "its session stands still");
        return true;
    }
    if (moved)
        d->give_up_at = now + PATIENCE_MS;
    conn_deadline(d->conn, d->give_up_at);
    return !write_on(d);
}

static void end_sweep(struct drop *d)
{
    if (d->listing)
        closedir(d->listing);
    d->listing = NULL;
    if (!d->stopping)
        loop_timer_set(d->timer, loop_now_ms(d->loop) + DROP_SWEEP_MS);
}

static void go_on(struct drop *d);

static void on_io(void *arg)
{
    struct drop *d = arg;
    if (!is_over(d))
        return;
    if (settle(d))
        go_on(d);
    else
        end_sweep(d);
}

/* What a whole session ends in: its last line is a command then whatever stands before it, so
 * the session has an end. */
static bool ends_well(int fd, off_t size)
{
    static const char end[] = "\r\n.\r\nQUIT\r\n";
    char tail[sizeof end - 1];
    return size > (off_t)sizeof tail &&
           pread(fd, tail, sizeof tail, size - (off_t)sizeof tail) == (ssize_t)sizeof tail &&
           memcmp(tail, end, sizeof tail) == 0;
}

/* Open the file if it is what sendmail leaves; -1 with the reason. */
static int open_file(struct drop *d, struct stat *st)
{
    struct err *why = &d->reason;
    *st = (struct stat){.st_uid = (uid_t)-1};
    d->fd = openat(dirfd(d->listing), d->name,
                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (d->fd < 0) {
        int code = errno;
        fstatat(dirfd(d->listing), d->name, st, AT_SYMLINK_NOFOLLOW);
        return err_set(why, "cannot open it: %s", strerror(code));
    }
    if (fstat(d->fd, st) < 0)
        return err_set(why, "cannot look at it: %s", strerror(errno));
    if (!S_ISREG(st->st_mode))
        return err_set(why, "it is no regular file");
    if (st->st_nlink != 1)
        return err_set(why, "it has another name, too, and may be somebody else's");
    if ((uint64_t)st->st_size > d->size_max)
        return err_set(why,
                       "it has %jd bytes, over the %" PRIu64 " that message-size-limit allows",
                       (intmax_t)st->st_size, d->size_max);
    if (!ends_well(d->fd, st->st_size))
        return err_set(why, "it does not end as a whole session does");
    return 0;
}

/* True: its session has begun. False: its fate is known. */
static bool begin_file(struct drop *d)
{
    struct stat st;
    int pair[2];
    d->fate = FATE_BAD;
    d->messages = 0;
    d->in_content = false;
    smtp_reply_init(&d->reply, SMTP_REPLY_LINE_MAX);
    int opened = open_file(d, &st);
    d->uid = st.st_uid;
    if (opened < 0)
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        d->fate = FATE_LATER;
        err_set(&d->reason, "cannot make a session for it: %s", strerror(errno));
        return false;
    }
    d->fate = FATE_GOOD;
    d->out_bytes = 0;
    d->give_up_at = loop_now_ms(d->loop) + PATIENCE_MS;
    d->conn = conn_new(d->loop, pair[0], on_io, d);
    conn_deadline(d->conn, d->give_up_at);
    submit_adopt(d->submit, pair[1], st.st_uid, st.st_gid);
    return true;
}

static bool is_name(const char *name, const char *suffix)
{
    size_t n = strspn(name, "0123456789abcdef");
    return n == NAME_DIGITS && strcmp(name + n, suffix) == 0;
}

/* What a sendmail that was killed left: nobody was told that it is stored. */
static void sweep_unfinished(const struct drop *d, const char *name)
{
    struct stat st;
    if (fstatat(dirfd(d->listing), name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(st.st_mode) && st.st_mtime < clock_wall_ms() / 1000 - UNFINISHED_SECONDS)
        unlinkat(dirfd(d->listing), name, 0);
}

/* The next file, into d->name. False at the end, or when this turn has looked at enough. */
static bool find_file(struct drop *d, bool *more)
{
    struct dirent *entry;
    for (int n = 0; n < ENTRIES_MAX; n++) {
        entry = readdir(d->listing);
        *more = entry != NULL;
        if (!entry)
            return false;
        if (is_name(entry->d_name, ".new"))
            sweep_unfinished(d, entry->d_name);
        if (is_name(entry->d_name, ".smtp")) {
            memcpy(d->name, entry->d_name, strlen(entry->d_name) + 1);
            return true;
        }
    }
    return false;
}

static void go_on(struct drop *d)
{
    bool more = true;
    for (int n = 0; n < FILES_MAX && !d->stopping; n++) {
        if (!find_file(d, &more))
            break;
        if (begin_file(d))
            return;
        if (!settle(d)) {
            more = false;
            break;
        }
    }
    if (more && !d->stopping)
        loop_timer_set(d->timer, loop_now_ms(d->loop)); /* after the others' turn */
    else
        end_sweep(d);
}

static bool check_directory(struct drop *d, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        complain(d, "cannot look at the drop directory %s: %s", d->path, strerror(errno));
        return false;
    }
    if (st.st_uid != geteuid()) {
        complain(d,
                 "the drop directory %s belongs to uid %u, and nothing can be taken out of it: "
                 "chown it to uid %u, which tranterd runs as",
                 d->path, (unsigned)st.st_uid, (unsigned)geteuid());
        return false;
    }
    if ((st.st_mode & (S_ISVTX | S_IRWXO)) != (S_ISVTX | S_IWOTH | S_IXOTH))
        complain(
            d,
            "the drop directory %s has mode %04o: chmod 1733 lets everybody store there, and "
            "nobody see or remove what others stored",
            d->path, (unsigned)(st.st_mode & 07777));
    else if (fstatat(fd, "..", &st, 0) == 0 && !(st.st_mode & S_IXOTH))
        complain(d, "the spool above the drop directory %s keeps everybody out: chmod o+x it",
                 d->path);
    return true;
}

void drop_sweep(struct drop *d)
{
    if (d->listing || d->stopping)
        return;
    int fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        complain(d,
                 "cannot open the drop directory %s: %s; make it with: install -d -m 1733 -o "
                 "USER %s, where tranterd runs as USER",
                 d->path, strerror(errno), d->path);
    if (fd >= 0 && check_directory(d, fd))
        d->listing = fdopendir(fd);
    else if (fd >= 0)
        close(fd);
    if (d->listing)
        go_on(d);
    else
        end_sweep(d);
}

static void on_time(void *arg)
{
    struct drop *d = arg;
    if (d->listing)
        go_on(d);
    else
        drop_sweep(d);
}

void drop_reload(struct drop *d, const struct conf *conf)
{
    uint64_t limit = conf->message_size_limit_bytes;
    d->size_max = limit + limit / 2 + ENVELOPE_BYTES_MAX;
}

struct drop *drop_new(struct loop *loop, struct submit *submit, const struct conf *conf)
{
    struct drop *d = mem_new(sizeof *d);
    size_t size = strlen(conf->spool) + sizeof "/drop";
    d->loop = loop;
    d->submit = submit;
    d->path = mem_array(size, 1);
    snprintf(d->path, size, "%s/drop", conf->spool);
    d->fd = -1;
    d->timer = loop_timer_new(loop, on_time, d);
    drop_reload(d, conf);
    return d;
}

void drop_stop(struct drop *d)
{
    d->stopping = true;
    loop_timer_set(d->timer, INT64_MAX);
}

void drop_free(struct drop *d)
{
    if (!d)
        return;
    drop_stop(d);
    close_file(d);
    end_sweep(d);
    loop_timer_free(d->timer);
    free(d->path);
    loop_defer(d->loop, free, d);
}
