/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop N INPUT PROGRAM ARGUMENT...: run the program N times, one after another, each with the
 * file INPUT as its standard input; print the seconds that took. Exit 1 when a run fails. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run(const char *input, char **command)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int fd = open(input, O_RDONLY);
        if (fd < 0 || dup2(fd, 0) < 0)
            _exit(127);
        close(fd);
        execv(command[0], command);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: loop N INPUT PROGRAM ARGUMENT...\n");
        return 64;
    }
    double began = now_s();
    for (long n = strtol(argv[1], NULL, 10); n > 0; n--) {
        int status = run(argv[2], argv + 3);
        if (status != 0) {
            fprintf(stderr, "loop: %s: wait status %d\n", argv[3], status);
            return 1;
        }
    }
    printf("%.6f\n", now_s() - began);
    return 0;
}
