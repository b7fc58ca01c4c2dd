/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "saslprep.h"

#include "crypto.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <stringprep.h>

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    return false;
}

static void free_wiped(char *text)
{
    if (text)
        crypto_wipe(text, strlen(text));
    free(text);
}

bool saslprep(struct buf *out, struct str text, enum saslprep_use use)
{
    if (text.n == 0 || has_control(text))
        return false;
    if (str_is_ascii(text)) {
        buf_put_str(out, text);
        return !out->failed;
    }
    char *copy = mem_strndup(text.p, text.n), *prepared = NULL;
    Stringprep_profile_flags flags =
        use == SASLPREP_STORED ? STRINGPREP_NO_UNASSIGNED : (Stringprep_profile_flags)0;
    int rc = stringprep_profile(copy, &prepared, "SASLprep", flags);
    bool good = rc == STRINGPREP_OK && prepared && prepared[0];
    if (good)
        buf_puts(out, prepared);
    free_wiped(copy);
    free_wiped(prepared);
    return good && !out->failed;
}
