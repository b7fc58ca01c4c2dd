/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process stores and records as fast as it can, tells through a pipe what it was told, and is
 * killed at a moment of chance; again and again on the same spool. */
#include "fixture.h"

#include "mem.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ROUNDS = 30,
    TOLD_MAX = 300, /* what the child tells before it is killed, at most */
    IN_FLIGHT = 8,
    LOG_PAGES = 100, /* so that some are killed while the log is checkpointed */
    MESSAGES_MAX = 100000
};

enum event {
    ACCEPTED,
    END_HANDED_IN,
    END_TOLD
};

/* Written to the pipe in one piece. */
struct told {
    enum event event;
    unsigned n;
    store_id id;
};

struct fate {
    store_id id;
    bool accepted;
    bool end_handed_in;
    bool end_told;
};

static struct fate *fates; /* by number of message */
static unsigned n_fates;
static uint32_t seed = 20250101;

static uint32_t by_chance(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)seed * limit) >> 32);
}

/* Mostly small ones; each seventeenth has a chunk and a half. */
static size_t bytes_of(unsigned n)
{
    return n % 17 == 0 ? STORE_CHUNK_BYTES * 3 / 2 : 100 + n * 37 % 5000;
}

static void tell(int fd, enum event event, unsigned n, store_id id)
{
    struct told told = {.event = event, .n = n, .id = id};
    if (write(fd, &told, sizeof told) != sizeof told)
        _exit(1);
}

/* What the child knows of a message under way. Its owner pointer. */
struct sending {
    unsigned n;
    store_id id;
};

static void submit(struct store *s, struct sending *m, unsigned n)
{
    struct buf all;
    struct buf chunk;
    unsigned number = 0;
    buf_init(&all, 2 * STORE_CHUNK_BYTES);
    buf_init(&chunk, STORE_CHUNK_BYTES);
    fixture_content(&all, n, bytes_of(n));
    m->n = n;
    m->id = store_begin(s, 0);
    for (; buf_len(&all) > STORE_CHUNK_BYTES; buf_consume(&all, STORE_CHUNK_BYTES)) {
        buf_put(&chunk, buf_str(&all).p, STORE_CHUNK_BYTES);
        store_append(s, m->id, number++, &chunk, NULL);
    }
    buf_put_str(&chunk, buf_str(&all));
    buf_release(&all);
    store_commit(s, fixture_message(m->id, 2), number, &chunk, m);
}

/* Every third stays in the queue; the others are sent. False: nothing is under way any more. */
static bool follow_up(struct store *s, int fd, struct sending *m)
{
    tell(fd, ACCEPTED, m->n, m->id);
    if (m->n % 3 == 0)
        return false;
    struct store_outcome outcome = {.message = store_load(s, m->id)};
    if (!outcome.message)
        _exit(2);
    for (unsigned i = 0; i < 2; i++)
        outcome.message->recipients[i].state = STORE_SENT;
    tell(fd, END_HANDED_IN, m->n, m->id);
    store_mark_sending(s, m->id);
    store_record(s, &outcome, m);
    return true;
}

static void store_until_killed(int fd, unsigned n)
{
    static struct sending sending[IN_FLIGHT];
    const struct store_options options = {.log_pages_max = LOG_PAGES, .annex_from = 1};
    struct store *s = fixture_open_with(&options);
    for (unsigned i = 0; i < IN_FLIGHT; i++)
        submit(s, &sending[i], n++);
    for (;;) {
        struct store_result r = fixture_result(s);
        struct sending *m = r.owner;
        if (r.failure != STORE_OK || r.type == STORE_BROKEN)
            _exit(3);
        if (!m || (r.type == STORE_COMMITTED && follow_up(s, fd, m)))
            continue;
        if (r.type == STORE_RECORDED)
            tell(fd, END_TOLD, m->n, m->id);
        submit(s, m, n++);
    }
}

static void note(const struct told *told)
{
    ck_assert_uint_lt(told->n, MESSAGES_MAX);
    struct fate *f = &fates[told->n];
    f->id = told->id;
    f->accepted = true;
    f->end_handed_in = f->end_handed_in || told->event == END_HANDED_IN;
    f->end_told = f->end_told || told->event == END_TOLD;
    if (told->n >= n_fates)
        n_fates = told->n + 1;
}

static void run_and_kill(unsigned first)
{
    int told_by[2];
    struct told told;
    ck_assert_int_eq(pipe(told_by), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        close(told_by[0]);
        store_until_killed(told_by[1], first);
    }
    close(told_by[1]);
    for (uint32_t left = 1 + by_chance(TOLD_MAX); left > 0; left--) {
        ck_assert_int_eq(read(told_by[0], &told, sizeof told), sizeof told);
        note(&told);
    }
    kill(pid, SIGKILL);
    while (read(told_by[0], &told, sizeof told) == sizeof told)
        note(&told);
    close(told_by[0]);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void check_fates(void)
{
    struct store *s = fixture_open();
    for (unsigned n = 0; n < n_fates; n++) {
        const struct fate *f = &fates[n];
        if (!f->accepted)
            continue;
        struct store_message *m = store_load(s, f->id);
        ck_assert_msg(m || f->end_handed_in, "message %u is lost", n);
        ck_assert_msg(!m || !f->end_told, "message %u would be sent again", n);
        if (m) {
            ck_assert_uint_eq(m->n_recipients, 2);
            ck_assert(fixture_same_content(s, f->id, n, bytes_of(n)));
            ck_assert(m->ambiguous == 0 || f->end_handed_in);
        }
        store_message_free(m);
    }
    /* What was told to nobody is whole too. */
    store_id after = 0;
    for (struct store_message *m; (m = store_after(s, after)); store_message_free(m)) {
        after = m->id;
        struct buf out;
        buf_init(&out, STORE_CHUNK_BYTES);
        for (unsigned n = 0; n * (uint64_t)STORE_CHUNK_BYTES < m->body_bytes; n++) {
            ck_assert_int_gt(store_read(s, after, n, &out), 0);
            buf_clear(&out);
        }
        buf_release(&out);
    }
    store_close(s);
    ck_assert_str_eq(fixture_integrity(), "ok");
    ck_assert_int_eq(fixture_sql_number("SELECT count(*) FROM half"), 0);
}

START_TEST(kill_at_any_moment_loses_nothing_accepted_and_forgets_nothing_recorded)
{
    fixture_make();
    fates = mem_array(MESSAGES_MAX, sizeof *fates);
    for (unsigned round = 0; round < ROUNDS; round++) {
        /* Numbers that the last child used and did not tell of are left out. */
        run_and_kill(n_fates + IN_FLIGHT);
        check_fates();
    }
    ck_assert_uint_gt(n_fates, ROUNDS);
    free(fates);
    fixture_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kill");
    TCase *tc = tcase_create("kill");
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, kill_at_any_moment_loses_nothing_accepted_and_forgets_nothing_recorded);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
