/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sendmail's command line: words that NULs separate. */
#include "mem.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum {
    WORDS_MAX = 64
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = mem_strndup((const char *)bytes, n);
    char *words[WORDS_MAX + 1] = {text};
    int count = 1;
    for (size_t i = 0; i < n && count < WORDS_MAX; i++) {
        if (text[i] == '\0')
            words[count++] = text + i + 1;
    }
    struct options o;
    struct err err = {.text = ""};
    int result = options_parse(&o, count, words, &err);
    BUG_ON(result != 0 && err.text[0] == '\0');
    BUG_ON(result == 0 && o.n_operands >= (size_t)count);
    for (size_t i = 0; result == 0 && i < o.n_operands; i++)
        BUG_ON(o.operands[i] != words[(size_t)count - o.n_operands + i]);
    options_release(&o);
    free(text);
    return 0;
}
