/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink CERTIFICATE KEY COUNT [data]: a smarthost that takes everything and keeps nothing, as
 * fast as it can, so that a measurement does not measure it. STARTTLS, AUTH PLAIN with any
 * password, PIPELINING, CHUNKING unless "data" is said. Prints its port on loopback and keeps
 * the number of messages taken, a uint64_t, at the beginning of the file COUNT. A thread for
 * each connection. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct session {
    int fd;
    gnutls_session_t tls; /* NULL before STARTTLS */
    char in[65536];
    size_t in_bytes;
    char out[8192];
    size_t out_bytes;
};

static gnutls_certificate_credentials_t credentials;
static _Atomic uint64_t *taken;
static bool chunking;

static ssize_t receive(struct session *s, void *bytes, size_t n)
{
    return s->tls != NULL ? gnutls_record_recv(s->tls, bytes, n) : recv(s->fd, bytes, n, 0);
}

static bool flush(struct session *s)
{
    size_t at = 0;

    while (at < s->out_bytes) {
        ssize_t n = s->tls != NULL ? gnutls_record_send(s->tls, s->out + at, s->out_bytes - at)
                                   : send(s->fd, s->out + at, s->out_bytes - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    s->out_bytes = 0;
    return true;
}

static void say(struct session *s, const char *text)
{
    size_t n = strlen(text);

    if (s->out_bytes + n > sizeof s->out)
        flush(s);
    memcpy(s->out + s->out_bytes, text, n);
    s->out_bytes += n;
}

/* More input; what is owed to the client goes out first. */
static bool fill(struct session *s)
{
    if (!flush(s) || s->in_bytes == sizeof s->in)
        return false;
    ssize_t n = receive(s, s->in + s->in_bytes, sizeof s->in - s->in_bytes);
    if (n <= 0)
        return false;
    s->in_bytes += (size_t)n;
    return true;
}

static void consume(struct session *s, size_t n)
{
    s->in_bytes -= n;
    memmove(s->in, s->in + n, s->in_bytes);
}

/* The next line, with a NUL in place of its CRLF. */
static bool next_line(struct session *s, char line[4096])
{
    char *end;

    while ((end = memmem(s->in, s->in_bytes, "\r\n", 2)) == NULL)
        if (!fill(s))
            return false;
    size_t n = (size_t)(end - s->in);
    if (n >= 4096)
        return false;
    memcpy(line, s->in, n);
    line[n] = '\0';
    consume(s, n + 2);
    return true;
}

/* Drop content up to its end. */
static bool take_content(struct session *s)
{
    static const char end[] = "\r\n.\r\n";
    char *found;

    while ((found = memmem(s->in, s->in_bytes, end, 5)) == NULL) {
        if (s->in_bytes > 4)
            consume(s, s->in_bytes - 4);
        if (!fill(s))
            return false;
    }
    consume(s, (size_t)(found - s->in) + 5);
    atomic_fetch_add(taken, 1);
    return true;
}

/* Drop the octets of a chunk. */
static bool take_chunk(struct session *s, const char *argument)
{
    size_t left = strtoul(argument, NULL, 10);
    bool last = strcasestr(argument, "LAST") != NULL;

    while (left > 0) {
        if (s->in_bytes == 0 && !fill(s))
            return false;
        size_t n = left < s->in_bytes ? left : s->in_bytes;
        consume(s, n);
        left -= n;
    }
    if (last)
        atomic_fetch_add(taken, 1);
    say(s, "250 Taken\r\n");
    return true;
}

static bool start_tls(struct session *s)
{
    int status;

    if (!flush(s) || gnutls_init(&s->tls, GNUTLS_SERVER) < 0)
        return false;
    gnutls_set_default_priority(s->tls);
    gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(s->tls, s->fd);
    do
        status = gnutls_handshake(s->tls);
    while (status < 0 && !gnutls_error_is_fatal(status));
    return status == 0;
}

static bool obey(struct session *s, const char *line)
{
    if (strncasecmp(line, "EHLO", 4) == 0) {
        say(s, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 104857600\r\n");
        say(s, chunking ? "250-CHUNKING\r\n" : "");
        say(s, s->tls != NULL ? "250 AUTH PLAIN\r\n" : "250 STARTTLS\r\n");
    } else if (strncasecmp(line, "STARTTLS", 8) == 0) {
        say(s, "220 Go\r\n");
        return start_tls(s);
    } else if (strcasecmp(line, "AUTH PLAIN") == 0) {
        char answer[4096];
        say(s, "334 \r\n");
        if (!next_line(s, answer))
            return false;
        say(s, "235 Welcome\r\n");
    } else if (strncasecmp(line, "AUTH", 4) == 0) {
        say(s, "235 Welcome\r\n");
    } else if (strcasecmp(line, "DATA") == 0) {
        say(s, "354 Go\r\n");
        if (!take_content(s))
            return false;
        say(s, "250 Taken\r\n");
    } else if (strncasecmp(line, "BDAT ", 5) == 0) {
        return take_chunk(s, line + 5);
    } else if (strcasecmp(line, "QUIT") == 0) {
        say(s, "221 Bye\r\n");
        flush(s);
        return false;
    } else {
        say(s, "250 Ok\r\n");
    }
    return true;
}

static void *serve(void *opaque)
{
    struct session *s = opaque;
    char line[4096];
    int one = 1;

    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    say(s, "220 sink\r\n");
    while (next_line(s, line) && obey(s, line))
        ;
    if (s->tls != NULL)
        gnutls_deinit(s->tls);
    close(s->fd);
    free(s);
    return NULL;
}

static int listen_on_loopback(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return -1;
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 64;
    chunking = argc == 4;
    int count = open(argv[3], O_RDWR | O_CREAT, 0644);
    if (count < 0 || ftruncate(count, sizeof *taken) != 0)
        return 1;
    taken = mmap(NULL, sizeof *taken, PROT_READ | PROT_WRITE, MAP_SHARED, count, 0);
    if (taken == MAP_FAILED || gnutls_certificate_allocate_credentials(&credentials) < 0 ||
        gnutls_certificate_set_x509_key_file(credentials, argv[1], argv[2],
                                             GNUTLS_X509_FMT_PEM) < 0)
        return 1;
    int listener = listen_on_loopback();
    while (listener >= 0) {
        pthread_t thread;
        struct session *s = calloc(1, sizeof *s);
        if (s == NULL || (s->fd = accept(listener, NULL, NULL)) < 0 ||
            pthread_create(&thread, NULL, serve, s) != 0)
            return 1;
        pthread_detach(thread);
    }
    return 1;
}
