/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "secret.h"

#include "base64.h"
#include "private_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CREDENTIAL_PREFIX "credential:"

enum {
    PATH_BYTES_MAX = 4096,
    TELLING_ENCODED = 4, /* so many bytes of a secret give it away */
    TELLING_PLAIN = 8    /* among words, which may begin like it */
};

/* The path that source stands for, in path[PATH_BYTES_MAX]. */
static int find(const char *source, char *path, struct err *err)
{
    int n;
    if (strncmp(source, CREDENTIAL_PREFIX, strlen(CREDENTIAL_PREFIX)) != 0) {
        n = snprintf(path, PATH_BYTES_MAX, "%s", source);
    } else {
        const char *directory = secure_getenv("CREDENTIALS_DIRECTORY");
        const char *name = source + strlen(CREDENTIAL_PREFIX);
        if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
            return err_set(err,
                           "%.200s: the name of a credential is that of LoadCredential= in the "
                           "unit: not empty, no '/', no '.' at its start",
                           source);
        if (!directory || !directory[0])
            return err_set(
                err,
                "%.200s: there is no $CREDENTIALS_DIRECTORY; add LoadCredential=%.100s:"
                "FILE to the systemd unit, or name a file",
                source, name);
        n = snprintf(path, PATH_BYTES_MAX, "%s/%s", directory, name);
    }
    if (n < 0 || n >= PATH_BYTES_MAX)
        return err_set(err, "the name of a password file has more than %d bytes",
                       PATH_BYTES_MAX - 1);
    return 0;
}

/* Letters of any encoding are the server's business; a control byte is a slip of an editor. */
static int check_line(struct str line, struct err *err)
{
    if (line.n == 0)
        return err_set(err, "its first line is empty, and the password has to stand there");
    if (line.n >= 3 && memcmp(line.p, "\xEF\xBB\xBF", 3) == 0)
        return err_set(err, "it begins with a byte order mark, which would become part of the "
                            "password; plain UTF-8 has none");
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        if (c < 0x20 || c == 0x7F)
            return err_set(err,
                           "byte %zu of the password is a control character (0x%02X); the "
                           "password has to stand alone on the first line",
                           i + 1, c);
    }
    return 0;
}

/* What follows the line goes when the memory is wiped. */
int secret_keep_line(struct buf *secret, struct err *err)
{
    struct str line = buf_str(secret);
    line.n = str_find(line, '\n');
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    secret->used = line.n;
    return check_line(line, err);
}

static int read_line(const char *path, struct buf *secret, struct err *err)
{
    struct err why;
    if (private_file_read(path, secret, err) < 0)
        return -1;
    return secret_keep_line(secret, &why) < 0 ? err_set(err, "%s: %s", path, why.text) : 0;
}

int secret_read(const char *source, struct buf *secret, struct err *err)
{
    char path[PATH_BYTES_MAX];
    if (find(source, path, err) == 0 && read_line(path, secret, err) == 0)
        return 0;
    buf_release(secret);
    return -1;
}

void secret_stamp(const char *source, struct secret_stamp *stamp)
{
    char path[PATH_BYTES_MAX];
    struct err err;
    struct stat st;
    *stamp = (struct secret_stamp){.bytes = 0};
    if (find(source, path, &err) == 0 && stat(path, &st) == 0)
        *stamp =
            (struct secret_stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
}

static bool tells(struct str text, struct str telling)
{
    for (; text.n >= telling.n; text = str_tail(text, 1))
        if (str_eq(str_head(text, telling.n), telling))
            return true;
    return false;
}

static bool tells_in_base64(struct str word, struct str secret)
{
    struct buf raw;
    buf_init(&raw, word.n);
    raw.secret = true;
    bool telling = (base64_decode(&raw, word) ||
                    base64_decode(&raw, str_head(word, word.n - word.n % 4))) &&
                   tells(buf_str(&raw), str_head(secret, TELLING_ENCODED));
    buf_release(&raw);
    return telling;
}

bool secret_is_told(struct str words, struct str secret)
{
    struct str rest = words, word;
    if (secret.n < TELLING_ENCODED)
        return false;
    bool told = tells(words, str_head(secret, TELLING_PLAIN));
    while (!told && (word = str_word(&rest, " \t\r\n\"'<>()[],;:")).n)
        told = tells_in_base64(word, secret);
    return told;
}

void secret_hide(struct fault *f, struct str secret)
{
    if (secret_is_told(str_of(f->reply), secret))
        fault_reply(f, STR_LIT("(the server repeats what it was told of the secret, so its "
                               "words are left out)"));
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool secret_stamp_is_same(const struct secret_stamp *a, const struct secret_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           is_same_time(&a->modified, &b->modified) && is_same_time(&a->changed, &b->changed);
}
