/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

#include "loop_task.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READ_BYTES = 4096,
    VARIABLE_MAX = 4096, /* bytes of one */
    VARIABLES = 8        /* with the NULL behind them */
};

struct command {
    struct loop *loop;
    void (*on_end)(void *owner, const struct command_end *end); /* NULL: nobody waits for it */
    void *owner;
    pid_t pid;
    int exit_fd; /* readable once it has ended */
    int out_fd, err_fd;
    struct loop_watch *exit_watch, *out_watch, *err_watch;
    struct loop_timer *timer;
    struct loop_task orphaned;
    struct buf output, complaint;
    bool flooded;
};

/* Its own environment is the program's business; what could be told through ours is not. */
static void fill_environment(char *variables[VARIABLES])
{
    static const char *const kept[] = {"HOME", "USER", "LOGNAME", "TZ",
                                       "CREDENTIALS_DIRECTORY"};
    size_t n = 0;
    variables[n++] = mem_strdup("PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:"
                                "/sbin");
    variables[n++] = mem_strdup("LC_ALL=C.UTF-8");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0] && n < VARIABLES - 1; i++) {
        const char *value = getenv(kept[i]);
        char *variable = mem_array(VARIABLE_MAX, 1);
        int length = value ? snprintf(variable, VARIABLE_MAX, "%s=%s", kept[i], value) : -1;
        if (length >= 0 && length < VARIABLE_MAX)
            variables[n++] = variable;
        else
            free(variable);
    }
    variables[n] = NULL;
}

static int start(struct command *c, char *const argv[], const int out[2], const int err[2])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    char *variables[VARIABLES];
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    fill_environment(variables);
    int rc = posix_spawn(&c->pid, argv[0], &actions, &attributes, argv, variables);
    for (size_t i = 0; variables[i]; i++)
        free(variables[i]);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void free_now(void *object)
{
    struct command *c = object;
    loop_task_cancel(&c->orphaned);
    loop_watch_free(c->exit_watch);
    loop_watch_free(c->out_watch);
    loop_watch_free(c->err_watch);
    loop_timer_free(c->timer);
    close_fd(&c->exit_fd);
    close_fd(&c->out_fd);
    close_fd(&c->err_fd);
    buf_release(&c->output);
    buf_release(&c->complaint);
    free(c);
}

static void kill_all(const struct command *c)
{
    kill(-c->pid, SIGKILL);
}

static void stop_reading(struct loop_watch **watch, int *fd)
{
    loop_watch_free(*watch);
    *watch = NULL;
    close_fd(fd);
}

/* Read what is there into b. False when no more can come. */
static bool read_some(int fd, struct buf *b)
{
    for (;;) {
        size_t space = buf_space(b), room = space < READ_BYTES ? space : READ_BYTES;
        char *end = buf_reserve(b, room);
        ssize_t n = room ? read(fd, end, room) : 0;
        if (n > 0)
            buf_added(b, (size_t)n);
        else
            return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
}

/* One byte more than is allowed has room, so that going over it is seen. */
static void on_output(void *arg)
{
    struct command *c = arg;
    bool more = c->out_fd >= 0 && read_some(c->out_fd, &c->output);
    if (buf_space(&c->output) == 0 && !c->flooded) {
        c->flooded = true;
        kill_all(c);
    }
    if (!more)
        stop_reading(&c->out_watch, &c->out_fd);
}

/* What does not fit is read and forgotten. */
static void on_complaint(void *arg)
{
    struct command *c = arg;
    char more[READ_BYTES];
    ssize_t n;
    if (c->err_fd < 0)
        return;
    while ((n = read(c->err_fd, more, sizeof more)) > 0) {
        size_t space = buf_space(&c->complaint);
        buf_put(&c->complaint, more, (size_t)n < space ? (size_t)n : space);
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        stop_reading(&c->err_watch, &c->err_fd);
}

static struct str first_line(struct str text)
{
    while (text.n && (text.p[0] == '\n' || text.p[0] == '\r'))
        text = str_tail(text, 1);
    return str_trim(str_head(text, str_find(text, '\n')));
}

/* Nobody waits for it after that. */
static void report(struct command *c, bool timed_out, int status)
{
    struct command_end end = {timed_out, c->flooded, status, &c->output,
                              first_line(buf_str(&c->complaint))};
    void (*on_end)(void *owner, const struct command_end *end) = c->on_end;
    c->on_end = NULL;
    if (on_end)
        on_end(c->owner, &end);
}

/* What it wrote is in the pipes by now. Something that it left behind may hold them open. */
static void on_ended(void *arg)
{
    struct command *c = arg;
    int status = 0;
    if (waitpid(c->pid, &status, WNOHANG) != c->pid)
        return;
    on_output(c);
    on_complaint(c);
    report(c, false, status);
    free_now(c);
}

/* A process that hangs in the kernel is not killed before that lets it go. */
static void on_time(void *arg)
{
    struct command *c = arg;
    kill_all(c);
    report(c, true, 0);
}

static void abandon(void *arg)
{
    struct command *c = arg;
    kill_all(c);
    waitpid(c->pid, NULL, WNOHANG);
    free_now(c);
}

static void watch(struct command *c, int64_t timeout_ms)
{
    c->exit_watch = loop_watch_new(c->loop, c->exit_fd, on_ended, c);
    c->out_watch = loop_watch_new(c->loop, c->out_fd, on_output, c);
    c->err_watch = loop_watch_new(c->loop, c->err_fd, on_complaint, c);
    c->timer = loop_timer_new(c->loop, on_time, c);
    loop_timer_set(c->timer, loop_now_ms(c->loop) + timeout_ms);
    c->orphaned = (struct loop_task){.run = abandon, .arg = c};
    loop_task_at_free(c->loop, &c->orphaned);
}

static int open_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
}

static int launch(struct command *c, char *const argv[])
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    int rc = open_pipe(out);
    if (rc == 0)
        rc = open_pipe(err);
    if (rc == 0)
        rc = start(c, argv, out, err);
    close_fd(&out[1]);
    close_fd(&err[1]);
    c->out_fd = out[0];
    c->err_fd = err[0];
    if (rc != 0)
        return rc;
    c->exit_fd = pidfd_open(c->pid, 0);
    if (c->exit_fd >= 0)
        return 0;
    rc = errno;
    kill_all(c);
    waitpid(c->pid, NULL, 0);
    return rc;
}

struct command *command_new(struct loop *loop, char *const argv[], size_t output_max,
                            int64_t timeout_ms,
                            void (*on_end)(void *owner, const struct command_end *end),
                            void *owner, int *error)
{
    struct command *c = mem_new(sizeof *c);
    *c = (struct command){.loop = loop, .on_end = on_end, .owner = owner, .exit_fd = -1};
    buf_init(&c->output, output_max + 1);
    buf_init(&c->complaint, COMMAND_COMPLAINT_MAX);
    c->output.secret = c->complaint.secret = true;
    *error = launch(c, argv);
    if (*error != 0) {
        free_now(c);
        return NULL;
    }
    watch(c, timeout_ms);
    return c;
}

/* The exit is still to be waited for, or a zombie would stay. */
void command_free(struct command *c)
{
    if (!c)
        return;
    c->on_end = NULL;
    kill_all(c);
}
