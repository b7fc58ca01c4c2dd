/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "listener.h"

#include "clock.h"
#include "mem.h"
#include "sockname.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ACCEPTS_A_TURN = 64,
    STARVED_PAUSE_MS = 100
};

struct listener {
    struct loop *loop;
    int fd;
    struct event *event;
    struct loop_timer *again; /* after descriptors ran out */
    int reserve;              /* a descriptor to turn away with; -1 */
    char *busy_reply;
    bool paused;  /* by the owner */
    bool starved; /* of descriptors */
    bool freed;
    bool is_network;
    void (*on_accept)(int fd, void *arg);
    void *arg;
    char *path; /* of the socket file that is ours */
    dev_t device;
    ino_t inode;
};

static void watch(struct listener *l)
{
    if (l->paused || l->starved || l->freed)
        event_del(l->event);
    else
        BUG_ON(event_add(l->event, NULL) != 0);
}

static void hold_reserve(struct listener *l)
{
    if (l->reserve < 0)
        l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The one at the head of the queue would wait for long: tell it so. */
static void turn_one_away(struct listener *l)
{
    if (l->reserve < 0 || !l->busy_reply)
        return;
    close(l->reserve);
    l->reserve = -1;
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        /* Best effort: it finds the connection closed otherwise. */
        ssize_t n = send(fd, l->busy_reply, strlen(l->busy_reply), MSG_NOSIGNAL);
        (void)n;
        close(fd);
    }
    hold_reserve(l);
}

static bool out_of_descriptors(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_connection(evutil_socket_t listening, short what, void *arg)
{
    struct listener *l = arg;
    (void)listening;
    (void)what;
    for (int i = 0; i < ACCEPTS_A_TURN && !l->freed && !l->paused; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            l->on_accept(fd, l->arg);
        } else if (out_of_descriptors(errno)) {
            /* The socket stays readable: without a pause the loop would spin. */
            turn_one_away(l);
            l->starved = true;
            watch(l);
            loop_timer_set(l->again, clock_mono_ms() + STARVED_PAUSE_MS);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void on_again(void *arg)
{
    struct listener *l = arg;
    l->starved = false;
    hold_reserve(l);
    watch(l);
}

struct listener *listener_of_fd(struct loop *loop, int fd, void (*on_accept)(int fd, void *arg),
                                void *arg)
{
    struct listener *l = mem_new(sizeof *l);
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    *l = (struct listener){.loop = loop, .fd = fd, .reserve = -1, .on_accept = on_accept};
    l->arg = arg;
    evutil_make_socket_nonblocking(fd);
    evutil_make_socket_closeonexec(fd);
    l->is_network = getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
                    address.ss_family != AF_UNIX;
    l->event = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_connection, l);
    BUG_ON(!l->event);
    l->again = loop_timer_new(loop, on_again, l);
    hold_reserve(l);
    watch(l);
    return l;
}

/* Is somebody listening there? A refused connection is the one proof that nobody is. */
static bool is_abandoned(const struct sockaddr *address, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, address, length) != 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return refused;
}

static int bind_path(int fd, const char *path, const struct sockaddr *address, socklen_t length,
                     struct err *err)
{
    struct stat st;
    if (bind(fd, address, length) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return err_set(err,
                       "the socket %s cannot be made: %s; see who may write in its "
                       "directory",
                       path, strerror(errno));
    if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return err_set(err,
                       "%s is there and is no socket; it is left alone: move it away, or "
                       "configure another path",
                       path);
    if (!is_abandoned(address, length))
        return err_set(err,
                       "another process is listening at %s; stop it, or configure another "
                       "path",
                       path);
    if (unlink(path) != 0 || bind(fd, address, length) != 0)
        return err_set(err, "the socket %s is left over and cannot be replaced: %s; remove it",
                       path, strerror(errno));
    return 0;
}

static int make_parent(const char *path, struct err *err)
{
    struct str parent = str_of(path);
    while (parent.n && parent.p[parent.n - 1] != '/')
        parent.n--;
    char *directory = mem_strndup(parent.p, parent.n);
    int result = 0;
    if (mkdir(directory, 0755) != 0 && errno != EEXIST)
        result = err_set(err,
                         "the directory %s cannot be made: %s; make it, owned by the user "
                         "that this runs as",
                         directory, strerror(errno));
    free(directory);
    return result;
}

/* Nobody can connect between bind and listen, so that the mode is right before the first does.
 */
static int listen_at_path(int fd, const char *path, mode_t mode, const struct sockaddr *address,
                          socklen_t length, struct err *err)
{
    if (make_parent(path, err) != 0 || bind_path(fd, path, address, length, err) != 0)
        return -1;
    if (chmod(path, mode) == 0 && listen(fd, SOMAXCONN) == 0)
        return 0;
    err_set(err, "the socket %s cannot be opened: %s", path, strerror(errno));
    unlink(path);
    return -1;
}

static int listen_at_port(int fd, const char *where, const struct sockaddr *address,
                          socklen_t length, struct err *err)
{
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, address, length) == 0 && listen(fd, SOMAXCONN) == 0)
        return 0;
    return err_set(err, "cannot listen on %s: %s; %s", where, strerror(errno),
                   errno == EADDRINUSE ? "another process does; configure another port"
                   : errno == EACCES   ? "ports under 1024 are root's; configure another port"
                                       : "configure an address that this machine has");
}

struct listener *listener_new(struct loop *loop, const char *where, mode_t mode,
                              void (*on_accept)(int fd, void *arg), void *arg, struct err *err)
{
    struct sockaddr_storage storage;
    struct sockaddr *address = (struct sockaddr *)&storage;
    socklen_t length;
    struct stat st;
    if (!sockname_parse(str_of(where), &storage, &length)) {
        err_set(err, "\"%s\" is not an absolute path and no address:port", where);
        return NULL;
    }
    bool is_path = address->sa_family == AF_UNIX;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        err_set(err, "no socket for %s: %s", where, strerror(errno));
        return NULL;
    }
    int failed = is_path ? listen_at_path(fd, where, mode, address, length, err)
                         : listen_at_port(fd, where, address, length, err);
    if (failed) {
        close(fd);
        return NULL;
    }
    struct listener *l = listener_of_fd(loop, fd, on_accept, arg);
    if (is_path && lstat(where, &st) == 0) {
        l->path = mem_strdup(where);
        l->device = st.st_dev;
        l->inode = st.st_ino;
    }
    return l;
}

void listener_busy_reply(struct listener *l, const char *reply)
{
    free(l->busy_reply);
    l->busy_reply = mem_strdup(reply);
}

void listener_pause(struct listener *l, bool pause)
{
    l->paused = pause;
    watch(l);
}

/* Another daemon may have put its own socket in the place of ours since. */
static void remove_path(const struct listener *l)
{
    struct stat st;
    if (l->path && lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
        unlink(l->path);
}

static void free_listener(void *object)
{
    struct listener *l = object;
    event_free(l->event);
    free(l->path);
    free(l->busy_reply);
    free(l);
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    l->freed = true;
    watch(l);
    loop_timer_free(l->again);
    remove_path(l);
    close(l->fd);
    if (l->reserve >= 0)
        close(l->reserve);
    loop_defer(l->loop, free_listener, l);
}

bool listener_is_network(const struct listener *l)
{
    return l->is_network;
}

uint16_t listener_port(const struct listener *l)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(l->fd, (struct sockaddr *)&address, &length) != 0)
        return 0;
    return sockname_port((struct sockaddr *)&address);
}
