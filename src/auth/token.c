/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "token.h"

#include "crypto.h"
#include "printable.h"
#include "secret.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>

enum {
    ERROR_SHOWN_MAX = 100
};

/* jansson copies the token more than once, and gives all copies back through this. */
static void free_wiped(void *memory)
{
    if (memory)
        crypto_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

static void refuse(json_t *object, struct err *err)
{
    const char *word = json_string_value(json_object_get(object, "error"));
    char shown[ERROR_SHOWN_MAX];
    printable_cut(shown, sizeof shown, str_of(word));
    if (word)
        err_set(err, "gave no token: %s", shown);
    else
        err_set(err, "printed JSON without a text access_token");
}

static int64_t lifetime_of(json_t *object)
{
    json_t *value = json_object_get(object, "expires_in");
    double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds >= 0))
        return -1;
    return seconds < TOKEN_LIFETIME_MAX_S ? (int64_t)seconds : TOKEN_LIFETIME_MAX_S;
}

static int read_object(struct buf *output, int64_t *lifetime_s, struct err *err)
{
    json_error_t error;
    json_t *object =
        json_loadb(buf_str(output).p, buf_len(output), JSON_REJECT_DUPLICATES, &error);
    const char *token = json_string_value(json_object_get(object, "access_token"));
    int result = token ? 0 : -1;
    if (!object)
        err_set(err, "printed what begins like JSON and is none (line %d, column %d)",
                error.line, error.column);
    else if (!token)
        refuse(object, err);
    *lifetime_s = lifetime_of(object);
    /* No longer than the text that it stood in. */
    buf_clear(output);
    buf_puts(output, token ? token : "");
    json_decref(object);
    return result;
}

int token_read(struct buf *output, int64_t *lifetime_s, struct err *err)
{
    json_malloc_t allocate;
    json_free_t give_back;
    *lifetime_s = -1;
    if (buf_len(output) == 0 || buf_str(output).p[0] != '{')
        return secret_keep_line(output, err);
    json_get_alloc_funcs(&allocate, &give_back);
    json_set_alloc_funcs(malloc, free_wiped);
    int result = read_object(output, lifetime_s, err);
    json_set_alloc_funcs(allocate, give_back);
    return result < 0 ? result : secret_keep_line(output, err);
}
