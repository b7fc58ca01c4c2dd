/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drop_list.h"

#include "printable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NAME_DIGITS = 32,
    ID_DIGITS = 16, /* of them are shown */
    HEAD_BYTES = 64 * 1024,
    ADDRESS_SHOWN_MAX = 400,
    RECIPIENT_COLUMN = 47 /* Postfix's layout for long queue ids */
};

static bool is_name(const char *name)
{
    size_t n = strspn(name, "0123456789abcdef");
    return n == NAME_DIGITS && strcmp(name + n, ".smtp") == 0;
}

/* What stands between < and > of the line, if it begins with command. */
static bool read_path(struct str line, struct str command, struct str *path)
{
    if (!str_starts_nocase(line, command))
        return false;
    *path = str_tail(line, command.n);
    *path = str_head(*path, str_find(*path, '>'));
    return true;
}

static void put_address(const char *before, struct str address)
{
    char shown[ADDRESS_SHOWN_MAX];
    printable_cut(shown, sizeof shown, address);
    printf("%s%s\n", before, shown);
}

/* Sender and recipients, as far as they stand in the head of the file. */
static void put_envelope(struct str head)
{
    static const struct str mail = {"MAIL FROM:<", 11}, rcpt = {"RCPT TO:<", 9};
    char margin[RECIPIENT_COLUMN + 1];
    bool began = false;
    snprintf(margin, sizeof margin, "%*s", RECIPIENT_COLUMN, "");
    while (head.n && !str_starts_nocase(head, STR_LIT("DATA\r"))) {
        struct str line = str_head(head, str_find(head, '\n')), path;
        head = str_tail(head, line.n + 1);
        if (!began && read_path(line, mail, &path)) {
            put_address("", path.n ? path : STR_LIT("MAILER-DAEMON"));
            began = true;
        } else if (began && read_path(line, rcpt, &path)) {
            put_address(margin, path);
        }
    }
    printf(began ? "\n" : "?\n\n");
}

/* Its bytes, or 0 where it is not a message; below the columns' names where it is the first. */
static uint64_t put_message(int fd, const char *name, bool first)
{
    struct stat st;
    struct tm local;
    char id[ID_DIGITS + 1], date[32] = "-";
    char *head =
        fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? malloc(HEAD_BYTES) : NULL;
    ssize_t n = head ? read(fd, head, HEAD_BYTES) : 0;
    if (n > 0) {
        for (size_t i = 0; i <= ID_DIGITS; i++)
            id[i] = i == ID_DIGITS   ? '\0'
                    : name[i] >= 'a' ? (char)(name[i] - 'a' + 'A')
                                     : name[i];
        if (localtime_r(&st.st_mtime, &local))
            strftime(date, sizeof date, "%a %b %e %H:%M:%S", &local);
        if (first)
            puts("----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------");
        printf("%-17s %8jd %19s ", id, (intmax_t)st.st_size, date);
        put_envelope((struct str){head, (size_t)n});
    }
    free(head);
    return n > 0 ? (uint64_t)st.st_size : 0;
}

void drop_list(const char *directory)
{
    DIR *listing = opendir(directory);
    uint64_t bytes = 0;
    unsigned messages = 0;
    const struct dirent *entry;
    while (listing && (entry = readdir(listing))) {
        if (!is_name(entry->d_name))
            continue;
        int fd = openat(dirfd(listing), entry->d_name,
                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        uint64_t size = put_message(fd, entry->d_name, messages == 0);
        messages += size > 0;
        bytes += size;
        if (fd >= 0)
            close(fd);
    }
    if (messages)
        printf("-- %" PRIu64 " Kbytes in %u Request%s.\n", bytes / 1024, messages,
               messages == 1 ? "" : "s");
    if (listing)
        closedir(listing);
}
