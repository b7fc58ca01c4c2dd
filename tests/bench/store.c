/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store [DIRECTORY [DEFERRED [keep|due]]]: what the queue does in a second, beside a bare write
 * and fdatasync on the same file system in the same run. DIRECTORY (".") must be on the disk
 * that is meant; a spool is made in it and removed. With DEFERRED, so many messages wait in the
 * queue, each tried once and due in an hour, while it is measured how long questions to it
 * take; with keep, the spool is only filled, left there and named on the last line, for a
 * daemon to be started on; with due, so is one of messages that are due at once, of which each
 * thousandth has LARGE_BYTES. */
#include "store.h"
#include "clock.h"
#include "marks.h"
#include "mem.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MESSAGE_BYTES = 4096,
    LARGE_BYTES = 2 * 1024 * 1024,
    SECONDS = 3, /* each row */
    MARKS = 200000
};

static char directory[256];
static char content[MESSAGE_BYTES];

static double now_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void give_up(const char *words)
{
    fprintf(stderr, "store: %s\n", words);
    exit(1);
}

static const char *path_of(const char *name)
{
    static char path[320];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

/* A row: what, how many a second, processor time of each. */
struct row {
    double wall;
    double cpu;
};

static struct row start(void)
{
    return (struct row){now_s(CLOCK_MONOTONIC), now_s(CLOCK_PROCESS_CPUTIME_ID)};
}

static void finish(const struct row *row, const char *what, unsigned n)
{
    double wall = now_s(CLOCK_MONOTONIC) - row->wall;
    double cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - row->cpu;
    printf("%-44s %8.0f /s %8.1f us cpu each\n", what, n / wall, cpu / n * 1e6);
}

/* On a file that grows, and on one that is written over, as the log is. */
static void write_bare(bool over)
{
    int fd = open(path_of("bare"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        give_up("cannot write there");
    for (unsigned i = 0; over && i < 1000; i++)
        if (pwrite(fd, content, sizeof content, (off_t)i * MESSAGE_BYTES) < 0)
            give_up("cannot write there");
    fsync(fd);
    struct row row = start();
    unsigned n = 0;
    for (; now_s(CLOCK_MONOTONIC) - row.wall < SECONDS; n++) {
        off_t at = (off_t)(over ? n % 1000 : n) * MESSAGE_BYTES;
        if (pwrite(fd, content, sizeof content, at) < 0 || fdatasync(fd) < 0)
            give_up("cannot write there");
    }
    finish(&row, over ? "bare write over + fdatasync" : "bare append + fdatasync", n);
    close(fd);
    unlink(path_of("bare"));
}

static struct store *open_store(void)
{
    struct err err;
    pid_t busy_pid;
    struct store *s = store_open(directory, &err, &busy_pid);
    if (!s)
        give_up(err.text);
    return s;
}

static void remove_spool(void)
{
    static const char *const names[] = {"queue.db", "queue.db-wal", "queue.db-shm",
                                        "lock",     "sending",      "reserve"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    rmdir(path_of("content"));
    rmdir(directory);
}

static struct store_message *new_message(struct store *s)
{
    struct store_message *m = mem_new(sizeof *m);
    m->id = store_begin(s, clock_wall_ms());
    m->sender = mem_strdup("sender@example.com");
    m->recipients = mem_new(sizeof *m->recipients);
    m->recipients[0].address = mem_strdup("recipient@example.org");
    m->n_recipients = 1;
    m->arrival_ms = clock_wall_ms();
    m->next_attempt_ms = m->arrival_ms;
    return m;
}

static void submit(struct store *s)
{
    struct buf chunk;
    buf_init(&chunk, STORE_CHUNK_BYTES);
    buf_put(&chunk, content, sizeof content);
    store_commit(s, new_message(s), 0, &chunk, NULL);
}

static struct store_result next_result(struct store *s)
{
    struct store_result r;
    struct pollfd wait = {.fd = store_event_fd(s), .events = POLLIN};
    while (store_next(s, &r) == STORE_NOTHING)
        poll(&wait, 1, -1);
    if (r.failure != STORE_OK || r.type == STORE_BROKEN)
        give_up(r.reason);
    return r;
}

/* So many submitters, each of whom waits for the answer to one message before the next. */
static void accept_messages(unsigned submitters)
{
    struct store *s = open_store();
    char what[64];
    unsigned n = 0;
    struct row row = start();
    for (unsigned i = 0; i < submitters; i++)
        submit(s);
    for (; now_s(CLOCK_MONOTONIC) - row.wall < SECONDS; n++) {
        next_result(s);
        submit(s);
    }
    snprintf(what, sizeof what, "accept, %u waiting", submitters);
    finish(&row, what, n);
    store_close(s);
    remove_spool();
}

/* As accept_messages, and each accepted message is read, marked, sent and removed. */
static void pass_through(unsigned submitters)
{
    struct store *s = open_store();
    char what[64];
    struct buf out;
    unsigned n = 0;
    buf_init(&out, STORE_CHUNK_BYTES);
    struct row row = start();
    for (unsigned i = 0; i < submitters; i++)
        submit(s);
    while (now_s(CLOCK_MONOTONIC) - row.wall < SECONDS) {
        struct store_result r = next_result(s);
        if (r.type == STORE_RECORDED) {
            n++;
            continue;
        }
        struct store_outcome outcome = {.message = store_load(s, r.id)};
        buf_clear(&out);
        if (!outcome.message || store_read(s, r.id, 0, &out) != MESSAGE_BYTES)
            give_up("a message is lost");
        store_mark_sending(s, r.id);
        outcome.message->recipients[0].state = STORE_SENT;
        store_record(s, &outcome, NULL);
        submit(s);
    }
    snprintf(what, sizeof what, "accept, load, mark, record, %u waiting", submitters);
    finish(&row, what, n);
    buf_release(&out);
    store_close(s);
    remove_spool();
}

/* What each message pays for its mark before the final dot. */
static void mark(void)
{
    struct marks marks;
    struct err err;
    mkdir(directory, 0700);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || marks_open(&marks, fd, &err) < 0)
        give_up("cannot write there");
    struct row row = start();
    for (int i = 0; i < MARKS; i++) {
        marks_set(&marks, i + 1);
        marks_clear(&marks, i + 1);
    }
    finish(&row, "mark set and taken away", MARKS);
    marks_close(&marks);
    close(fd);
    remove_spool();
}

static void took(const char *what, double since)
{
    printf("%-44s %8.2f ms\n", what, (now_s(CLOCK_MONOTONIC) - since) * 1e3);
}

/* One attempt failed for its recipient, and the next is in an hour. */
static void defer(struct store *s, store_id id)
{
    struct store_outcome outcome = {.message = store_load(s, id)};
    struct store_message *m = outcome.message;
    if (!m)
        give_up("a message is lost");
    struct fault *f = &m->recipients[0].fault;
    fault_set(f, FAULT_RECIPIENT, "4.2.2", "RCPT-FULL", "recipient's mailbox is full");
    fault_reply(f, STR_LIT("452 4.2.2 The mailbox of recipient@example.org is over its quota"));
    m->attempts = 1;
    m->next_attempt_ms = clock_wall_ms() + 3600 * 1000;
    store_record(s, &outcome, NULL);
}

static void submit_large(struct store *s)
{
    struct store_message *m = new_message(s);
    struct buf chunk;
    char *line = mem_array(STORE_CHUNK_BYTES, 1);
    memset(line, 'x', STORE_CHUNK_BYTES);
    buf_init(&chunk, STORE_CHUNK_BYTES);
    for (unsigned i = 0; i < LARGE_BYTES / STORE_CHUNK_BYTES; i++) {
        buf_put(&chunk, line, STORE_CHUNK_BYTES);
        store_append(s, m->id, i, &chunk, NULL);
    }
    free(line);
    store_commit(s, m, LARGE_BYTES / STORE_CHUNK_BYTES, &chunk, NULL);
}

static void fill(unsigned n, bool due)
{
    struct store *s = open_store();
    struct row row = start();
    for (unsigned i = 0, done = 0; done < n;) {
        for (; i < n && i < done + 256; i++)
            if (due && i % 1000 == 999)
                submit_large(s);
            else
                submit(s);
        struct store_result r = next_result(s);
        if (r.type == STORE_COMMITTED && !due)
            defer(s, r.id);
        else
            done += r.type != STORE_APPENDED;
    }
    finish(&row, "fill the queue", n);
    store_close(s);
}

static void ask(void)
{
    double since = now_s(CLOCK_MONOTONIC);
    struct store *s = open_store();
    took("open", since);
    since = now_s(CLOCK_MONOTONIC);
    submit(s);
    next_result(s);
    took("first acceptance", since);
    store_id ids[100];
    since = now_s(CLOCK_MONOTONIC);
    unsigned n = store_due(s, clock_wall_ms(), NULL, 0, ids, 100);
    took(n == 1 ? "what is due" : "what is due (wrong)", since);
    since = now_s(CLOCK_MONOTONIC);
    store_next_due(s, clock_wall_ms());
    took("when the next is due", since);
    struct store_counts counts;
    since = now_s(CLOCK_MONOTONIC);
    store_count(s, &counts);
    took("count", since);
    struct store_message *page[100];
    since = now_s(CLOCK_MONOTONIC);
    n = store_page(s, 0, page, 100);
    took("first page of 100", since);
    while (n > 0)
        store_message_free(page[--n]);
    since = now_s(CLOCK_MONOTONIC);
    store_close(s);
    took("close", since);
}

int main(int argc, char **argv)
{
    snprintf(directory, sizeof directory, "%s/bench-XXXXXX", argc > 1 ? argv[1] : ".");
    if (!mkdtemp(directory))
        give_up("cannot make a directory there");
    memset(content, 'x', sizeof content);
    static const unsigned submitters[] = {1, 4, 16, 64};
    if (argc > 2) {
        fill((unsigned)strtoul(argv[2], NULL, 10), argc > 3 && strcmp(argv[3], "due") == 0);
        if (argc > 3) {
            puts(directory);
            return 0;
        }
        ask();
        remove_spool();
        return 0;
    }
    write_bare(false);
    write_bare(true);
    for (size_t i = 0; i < sizeof submitters / sizeof *submitters; i++)
        accept_messages(submitters[i]);
    for (size_t i = 0; i < sizeof submitters / sizeof *submitters; i++)
        pass_through(submitters[i]);
    mark();
    return 0;
}
