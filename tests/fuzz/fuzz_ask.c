/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answers on the control socket. The first byte says how the rest is cut. */
#include "ask.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct ask_answer a;
    size_t step = n ? bytes[0] % 16 + 1u : 1;
    struct str rest = {(const char *)bytes + 1, n ? n - 1 : 0};
    size_t data_bytes = 0;
    enum ask_event event = ASK_MORE;
    ask_answer_init(&a);
    while (rest.n && event == ASK_MORE) {
        struct str input = str_head(rest, step);
        rest = str_tail(rest, step);
        while ((event = ask_answer_next(&a, &input)) == ASK_DATA)
            data_bytes += a.data.n;
    }
    BUG_ON(data_bytes >= n + 1);
    BUG_ON(event == ASK_END && (a.exit_status < 0 || a.exit_status > 255));
    return 0;
}
