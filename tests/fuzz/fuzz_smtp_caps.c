/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of an EHLO reply: the list of mechanisms stays a list of distinct names that can be
 * dropped one by one. */
#include "mem.h"
#include "smtp_caps.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_mechanisms(struct smtp_caps *caps)
{
    char name[64];
    size_t before = SMTP_CAPS_AUTH_MAX;
    while (caps->auth[0]) {
        struct str rest = str_of(caps->auth);
        BUG_ON(rest.n >= before);
        before = rest.n;
        /* From the front and from the back in turn. */
        size_t at = before % 2 || !strrchr(caps->auth, ' ')
                        ? 0
                        : (size_t)(strrchr(caps->auth, ' ') - caps->auth) + 1;
        rest = str_tail(rest, at);
        struct str word = str_word(&rest, " ");
        BUG_ON(word.n == 0 || word.n > 20 || !smtp_caps_has_auth(caps, word));
        memcpy(name, word.p, word.n);
        smtp_caps_drop_auth(caps, (struct str){name, word.n});
        BUG_ON(smtp_caps_has_auth(caps, (struct str){name, word.n}));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct smtp_caps caps;
    struct str rest = {(const char *)data, n};
    smtp_caps_clear(&caps);
    while (rest.n > 0) {
        size_t end = str_find(rest, '\n');
        smtp_caps_add(&caps, str_head(rest, end));
        rest = str_tail(rest, end + 1);
    }
    BUG_ON(caps.auth[0] && !smtp_caps_has(&caps, SMTP_CAP_AUTH));
    BUG_ON(caps.size_bytes && !smtp_caps_has(&caps, SMTP_CAP_SIZE));
    BUG_ON(strlen(caps.auth) >= SMTP_CAPS_AUTH_MAX);
    check_mechanisms(&caps);
    return 0;
}
