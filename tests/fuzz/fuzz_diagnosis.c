/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dialogue of any bytes, a line "C..." what we said, "S..." what the server said, "T" TLS:
 * the transcript keeps its limits, nothing of a login is shown, and the texts are printable. */
#include "diagnosis_text.h"
#include "mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Commands between AUTH and the reply that ends it. */
static void check_login(const struct transcript *t)
{
    bool in_login = false;
    for (unsigned i = 0; i < t->n; i++) {
        const struct transcript_exchange *e = &t->exchanges[i];
        struct str shown = str_of(e->command);
        BUG_ON(in_login && !str_eq(shown, STR_LIT("(secret)")));
        in_login = str_starts_nocase(shown, STR_LIT("AUTH ")) || in_login;
        /* Where replies are behind, it is not known that the login is over. */
        if (e->code != 334)
            return;
    }
}

static void check_printable(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        BUG_ON(((unsigned char)text.p[i] < 0x20 && text.p[i] != '\n') || text.p[i] == 0x7f);
}

static void check_texts(struct walk_facts *facts)
{
    char name[] = "main", host[] = "smtp.example.com";
    struct conf_smarthost smarthost = {.name = name, .host = host, .port = 587};
    struct diagnosis d = {.smarthost = &smarthost, .facts = facts, .over = true};
    struct buf out;
    unsigned shown = 0;
    buf_init(&out, 16 * 1024 * 1024);
    diagnosis_text_put(&out, &d, &shown, 0);
    BUG_ON(out.failed);
    check_printable(buf_str(&out));
    buf_clear(&out);
    diagnosis_json_put(&out, &d, 0);
    struct str json = buf_str(&out);
    BUG_ON(json.n == 0 || str_find(json, '\n') != json.n - 1);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct walk_facts facts = {.began_ms = 1, .n_addresses = 1, .peer = "192.0.2.1"};
    struct transcript *t = &facts.transcript;
    struct str rest = {(const char *)data, n};
    facts.over = n % 2;
    facts.addresses[0].address.ss_family = AF_INET;
    transcript_init(t, 0);
    for (int64_t now = 0; rest.n > 0; now++) {
        struct str line = str_head(rest, str_find(rest, '\n') + 1);
        rest = str_tail(rest, line.n);
        if (line.p[0] == 'C')
            transcript_sent(t, str_tail(line, 1), now);
        else if (line.p[0] == 'S')
            transcript_received(t, str_tail(line, 1), now);
        else
            transcript_secured(t, now);
        facts.secured = t->secured;
        BUG_ON(t->n > TRANSCRIPT_MAX || t->n_answered > t->n);
    }
    check_login(t);
    check_texts(&facts);
    transcript_release(t);
    return 0;
}
