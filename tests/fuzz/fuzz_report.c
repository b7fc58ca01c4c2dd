/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever the server, the addresses and the original header say, the report has our three
 * parts and no more, and no line that may not be sent. */
#include "mem.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static unsigned occurrences(struct str s, const char *word)
{
    unsigned n = 0;
    const char *at;
    while (s.n && (at = memmem(s.p, s.n, word, strlen(word)))) {
        s = str_tail(s, (size_t)(at - s.p) + strlen(word));
        n++;
    }
    return n;
}

static void check_lines(struct str s)
{
    while (s.n) {
        size_t n = str_find(s, '\n');
        BUG_ON(n == s.n || n == 0 || n > 999 || s.p[n - 1] != '\r');
        BUG_ON(memchr(s.p, '\r', n - 1) || memchr(s.p, '\0', n));
        s = str_tail(s, n + 1);
    }
}

static void check_boundary(struct str s)
{
    static const char param[] = "delivery-status;\r\n boundary=\"";
    char delimiter[80] = "\r\n--";
    const char *at = memmem(s.p, s.n, param, strlen(param));
    BUG_ON(!at);
    at += strlen(param);
    size_t n = str_find((struct str){at, s.n - (size_t)(at - s.p)}, '"');
    BUG_ON(n > 64);
    memcpy(delimiter + 4, at, n);
    BUG_ON(occurrences(s, delimiter) != 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fault fault = {.scope = FAULT_RECIPIENT};
    struct buf out;
    char *text = mem_strndup((const char *)data, n);
    struct str header = {(const char *)data, n};
    memcpy(fault.text, text, str_head(str_of(text), FAULT_TEXT_MAX - 1).n);
    memcpy(fault.reply, fault.text, sizeof fault.reply);
    memcpy(fault.status, fault.text, sizeof fault.status - 1);
    struct report_recipient recipient = {
        .address = text, .orcpt = text, .fault = &fault, .remote = text};
    struct report_facts facts = {.hostname = text,
                                 .domain = text,
                                 .id = text,
                                 .report_id = "A",
                                 .sender = text,
                                 .envid = text,
                                 .original = header,
                                 .recipients = &recipient,
                                 .n_recipients = 1};
    buf_init(&out, SIZE_MAX);
    for (unsigned action = REPORT_FAILED; action <= REPORT_RELAYED; action++) {
        recipient.action = (enum report_action)action;
        facts.whole = action == REPORT_FAILED && n % 2;
        report_write(&out, &facts);
        check_lines(buf_str(&out));
        check_boundary(buf_str(&out));
        buf_clear(&out);
    }
    report_is_wanted(header);
    buf_release(&out);
    free(text);
    return 0;
}
