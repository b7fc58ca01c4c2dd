/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gives a fuzz target what lies in its corpus: the files and folders named as arguments, or
 * FUZZ_CORPUS. A file is also how a crash that the fuzzer found is looked at. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void give_up(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(99);
}

/* The memory is of exactly the file's size, so that a read beyond it is seen. */
static void replay_file(const char *path, size_t n)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(n ? n : 1);
    if (!file || !data || fread(data, 1, n, file) != n)
        give_up(path);
    fclose(file);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
}

static unsigned replay(const char *path);

static unsigned replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        give_up(path);
    unsigned n = 0;
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        char child[4096];
        snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            n += replay(child);
    }
    closedir(folder);
    return n;
}

/* How many files there were. */
static unsigned replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        give_up(path);
    if (S_ISDIR(st.st_mode))
        return replay_folder(path);
    replay_file(path, (size_t)st.st_size);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned n = 0;
    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    if (argc < 2)
        n = replay(FUZZ_CORPUS);
    printf("%u inputs\n", n);
    return n ? EXIT_SUCCESS : 99;
}
