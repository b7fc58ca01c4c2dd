/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a token command may print. A token is one line without controls; no sentence has a part
 * of what was printed but RFC 6749's error. */
#include "mem.h"
#include "secret.h"
#include "token.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf output;
    struct err err = {.text = ""};
    int64_t lifetime_s;
    if (n > SECRET_MAX)
        return 0;
    buf_init(&output, SECRET_MAX);
    output.secret = true;
    buf_put(&output, data, n);
    if (token_read(&output, &lifetime_s, &err) == 0) {
        struct str token = buf_str(&output);
        BUG_ON(token.n == 0 || token.n > n);
        for (size_t i = 0; i < token.n; i++)
            BUG_ON((unsigned char)token.p[i] < 0x20 || token.p[i] == 0x7f);
        BUG_ON(lifetime_s < -1 || lifetime_s > TOKEN_LIFETIME_MAX_S);
    } else {
        BUG_ON(!err.text[0]);
        for (const char *c = err.text; *c; c++)
            BUG_ON((unsigned char)*c < 0x20);
    }
    buf_release(&output);
    return 0;
}
