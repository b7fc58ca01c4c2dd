/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server can say within AUTH: the first octet chooses the mechanism, the rest are its
 * challenges, a line each; in a challenge ~ stands for our nonce. Whatever comes, the exchange
 * ends, the secret is in no fault, and SCRAM's yes needs a proof. */
#include "mem.h"
#include "sasl_mechanism.h"

#include <string.h>

#define SECRET "s3cret-Word"

enum {
    CHALLENGES_MAX = 10
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const mechanisms[] = {
    "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "CRAM-MD5",
    "LOGIN",       "PLAIN",         "EXTERNAL",         "OAUTHBEARER",        "XOAUTH2"};

enum {
    N_MECHANISMS = sizeof mechanisms / sizeof mechanisms[0],
    N_PASSWORD = 7
};

static void check_fault(const struct fault *f)
{
    BUG_ON(f->scope == FAULT_NONE || !f->code[0] || !f->text[0]);
    BUG_ON(strstr(f->text, SECRET) || strstr(f->fix, SECRET));
}

static void fill_in(struct buf *challenge, struct str line, const char *nonce)
{
    buf_clear(challenge);
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '~')
            buf_puts(challenge, nonce);
        else
            buf_putc(challenge, line.p[i]);
    }
}

/* False at the end of the exchange. */
static bool answer(struct sasl *s, struct str line)
{
    struct buf challenge, response;
    struct fault f;
    buf_init(&challenge, SASL_MESSAGE_MAX);
    buf_init(&response, 4 * SASL_MESSAGE_MAX);
    fill_in(&challenge, line, s->nonce);
    bool goes_on = !challenge.failed && sasl_step(s, buf_str(&challenge), &response, &f);
    if (!goes_on && !challenge.failed)
        check_fault(&f);
    BUG_ON(response.failed);
    buf_release(&challenge);
    buf_release(&response);
    return goes_on;
}

static void check_end(const struct sasl *s)
{
    struct fault f;
    if (!sasl_satisfied(s, &f))
        check_fault(&f);
    else
        BUG_ON(strncmp(sasl_mechanism(s), "SCRAM-", 6) == 0); /* nobody guesses the proof */
    fault_set(&f, FAULT_ACCOUNT, "5.7.8", "AUTH-REJECTED", "refused");
    sasl_refused(s, &f);
    check_fault(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > 1 << 14)
        return 0;
    unsigned which = data[0] % N_MECHANISMS;
    struct str rest = {(const char *)data + 1, n - 1};
    struct buf first;
    struct fault f;
    const struct sasl_identity identity = {.user = "u",
                                           .kind = which < N_PASSWORD ? SASL_SECRET_PASSWORD
                                                                      : SASL_SECRET_TOKEN,
                                           .secret = STR_LIT(SECRET),
                                           .has_certificate = true,
                                           .binding_name = "tls-exporter",
                                           .binding = STR_LIT("0123"),
                                           .host = "h",
                                           .port = 587};
    struct sasl *s = sasl_new(mechanisms[which], mechanisms[which], &identity, &f);
    BUG_ON(!s);
    buf_init(&first, SASL_MESSAGE_MAX);
    bool speaks = sasl_initial(s, &first);
    BUG_ON(first.failed || speaks != (which != 4 && which != 5));
    for (unsigned i = 0; i < CHALLENGES_MAX; i++) {
        struct str line = str_head(rest, str_find(rest, '\n'));
        if (!answer(s, line))
            break;
        BUG_ON(i == 2); /* no mechanism has more to say */
        rest = str_tail(rest, line.n + 1);
    }
    check_end(s);
    sasl_free(s);
    buf_release(&first);
    return 0;
}
