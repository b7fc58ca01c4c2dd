/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sasl.h"

#include "base64.h"
#include "mem.h"
#include "sasl_mechanism.h"

#include <stdlib.h>
#include <string.h>

/* In our order of preference. */
static const struct sasl_mechanism *const mechanisms[] = {
    &sasl_external,
    &sasl_oauthbearer,
    &sasl_xoauth2,
    &sasl_scram_sha_256_plus,
    &sasl_scram_sha_1_plus,
    &sasl_scram_sha_256,
    &sasl_scram_sha_1,
    &sasl_plain,
    &sasl_login,
    &sasl_cram_md5,
};

/* CRAM-MD5 has servers keep the password in clear and proves nothing of theirs. */
#define OUR_ORDER                                                                              \
    "EXTERNAL OAUTHBEARER XOAUTH2 SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 "          \
    "SCRAM-SHA-1 PLAIN LOGIN"
#define ALL_THERE_ARE OUR_ORDER " CRAM-MD5"

const char *sasl_default_order(void)
{
    return OUR_ORDER;
}

static bool lists(const char *list, struct str name)
{
    struct str rest = str_of(list);
    for (;;) {
        struct str word = str_word(&rest, " ");
        if (word.n == 0)
            return false;
        if (str_eq_nocase(word, name))
            return true;
    }
}

static const struct sasl_mechanism *mechanism_named(struct str name)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
        if (str_eq_nocase(name, str_of(mechanisms[i]->name)))
            return mechanisms[i];
    }
    return NULL;
}

/* Is identity of the kind that the mechanism is for? */
static bool is_meant_for(const struct sasl_mechanism *m, const struct sasl_identity *identity)
{
    if (m->kind == SASL_SECRET_NONE)
        return identity->has_certificate;
    return m->kind == identity->kind && (!m->binds || identity->binding_name);
}

/* The next of ours that is in allowed and in offered, and meant for identity (NULL: any). */
static const struct sasl_mechanism *next_common(struct str *allowed, const char *offered,
                                                const struct sasl_identity *identity)
{
    for (;;) {
        struct str word = str_word(allowed, " ");
        const struct sasl_mechanism *m = mechanism_named(word);
        if (word.n == 0)
            return NULL;
        if (m && lists(offered, word) && (!identity || is_meant_for(m, identity)))
            return m;
    }
}

const char *sasl_object_to_password(const struct sasl_identity *identity)
{
    if (!identity->user || !identity->user[0])
        return "no user is set (user)";
    if (identity->secret.n == 0)
        return "the password is empty";
    if (str_find(identity->secret, '\0') < identity->secret.n)
        return "the password has a NUL byte";
    return NULL;
}

void sasl_put_name(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == ',' || name.p[i] == '=')
            buf_puts(out, name.p[i] == ',' ? "=2C" : "=3D");
        else
            buf_putc(out, name.p[i]);
    }
}

static bool offers_tokens(const char *offered)
{
    return lists(offered, STR_LIT("XOAUTH2")) || lists(offered, STR_LIT("OAUTHBEARER"));
}

/* What is configured, what of the server's it is good for, and what else to do. */
static void say_nothing_in_common(struct fault *fault, const char *allowed, const char *offered,
                                  const struct sasl_identity *identity)
{
    static const char *const have[] = {
        [SASL_SECRET_NONE] = "a certificate is all there is to log in with",
        [SASL_SECRET_PASSWORD] = "a password is configured",
        [SASL_SECRET_TOKEN] = "a token is configured (token-command)"};
    struct str all = STR_LIT(ALL_THERE_ARE);
    bool token_wanted = identity->kind == SASL_SECRET_PASSWORD && offers_tokens(offered);
    const char *code = token_wanted ? "AUTH-OAUTH-ONLY" : "AUTH-NOMECH";
    if (next_common(&all, offered, identity)) {
        fault_set(fault, FAULT_ACCOUNT, "4.7.4", "AUTH-POLICY-FILTER",
                  "the server offers the login mechanisms %.150s, but auth allows only %.150s",
                  offered, allowed);
        fault_fix(fault, "add one of the server's to auth, or leave auth out");
        return;
    }
    fault_set(fault, FAULT_ACCOUNT, "4.7.4", code,
              "no login mechanism in common: the server offers %.150s, auth allows %.170s, and "
              "%s",
              offered, allowed, have[identity->kind]);
    if (token_wanted)
        fault_fix(fault, "set token-command, or ask the provider to allow SMTP AUTH with a "
                         "password for this account");
    else if (identity->kind == SASL_SECRET_TOKEN)
        fault_fix(fault, "use password-file instead of token-command, or another host");
    else
        fault_fix(fault, "have the server offer PLAIN or SCRAM-SHA-256 inside TLS");
}

static void say_none(struct fault *fault, const char *allowed, const char *offered,
                     const struct sasl_identity *identity)
{
    if (str_trim(str_of(offered)).n > 0) {
        say_nothing_in_common(fault, allowed, offered, identity);
        return;
    }
    fault_set(fault, FAULT_ACCOUNT, "4.7.4", "AUTH-NOMECH",
              "the server offers AUTH, but names no mechanism for it");
    fault_fix(fault, "the server's administrator has to mend it; or try another port");
}

static bool is_binding(struct str name)
{
    static const struct str end = STR_LIT("-PLUS");
    return name.n > end.n && str_eq_nocase(str_tail(name, name.n - end.n), end);
}

/* 'y' tells the server that its offer of -PLUS, if it made one, did not arrive: somebody took
 * it out (RFC 5802 section 6). */
static char binding_flag(const struct sasl_mechanism *m, const char *offered,
                         const struct sasl_identity *identity)
{
    struct str rest = str_of(offered), word;
    if (m->binds)
        return 'p';
    while ((word = str_word(&rest, " ")).n)
        if (is_binding(word))
            return 'n';
    return identity->binding_name ? 'y' : 'n';
}

static struct sasl *begin(const struct sasl_mechanism *m, const char *offered,
                          const struct sasl_identity *identity)
{
    struct sasl *s = mem_new(sizeof *s);
    char bytes[SASL_NONCE_BYTES];
    struct buf text;
    *s = (struct sasl){.mechanism = m, .identity = *identity};
    s->binding_flag = binding_flag(m, offered, identity);
    buf_init(&s->first, SASL_MESSAGE_MAX);
    buf_init(&text, SASL_NONCE_MAX);
    crypto_random(bytes, sizeof bytes);
    base64_encode(&text, (struct str){bytes, sizeof bytes});
    memcpy(s->nonce, buf_str(&text).p, buf_len(&text)); /* '+', '/' and letters: no comma */
    buf_release(&text);
    return s;
}

struct sasl *sasl_new(const char *allowed, const char *offered,
                      const struct sasl_identity *identity, struct fault *fault)
{
    const char *list = allowed ? allowed : OUR_ORDER;
    struct str rest = str_of(list);
    const char *objection = NULL;
    const struct sasl_mechanism *mechanism;
    while ((mechanism = next_common(&rest, offered, identity)) != NULL) {
        objection = mechanism->objection(identity);
        if (!objection)
            return begin(mechanism, offered, identity);
    }
    if (objection)
        fault_set(fault, FAULT_ACCOUNT, "4.7.8", "CRED-FILE", "login is not possible: %s",
                  objection);
    else
        say_none(fault, list, offered, identity);
    return NULL;
}

void sasl_free(struct sasl *s)
{
    if (!s)
        return;
    buf_release(&s->first);
    crypto_wipe(s, sizeof *s);
    free(s);
}

const char *sasl_mechanism(const struct sasl *s)
{
    return s->mechanism->name;
}

bool sasl_initial(struct sasl *s, struct buf *out)
{
    if (!s->mechanism->initial)
        return false;
    s->mechanism->initial(s, out);
    return true;
}

bool sasl_step(struct sasl *s, struct str challenge, struct buf *out, struct fault *fault)
{
    fault_set(
        fault, FAULT_SERVER, "4.7.0", "AUTH-BADSERVER",
        "the server breaks the login protocol: it goes on asking when %s has nothing more "
        "to say",
        s->mechanism->name);
    fault_fix(fault, "name another mechanism in auth, if the server offers one");
    if (!s->mechanism->step || !s->mechanism->step(s, challenge, out, fault))
        return false;
    s->steps++;
    return true;
}

bool sasl_satisfied(const struct sasl *s, struct fault *fault)
{
    return !s->mechanism->satisfied || s->mechanism->satisfied(s, fault);
}

bool sasl_refused(const struct sasl *s, struct fault *fault)
{
    bool token = s->mechanism->kind == SASL_SECRET_TOKEN;
    struct fault theirs = *fault;
    if (strcmp(fault->code, "AUTH-REJECTED") != 0 || (!token && !s->refusal[0]))
        return false;
    fault_set(fault, theirs.scope, theirs.status, token ? "AUTH-TOKEN-EXPIRED" : theirs.code,
              "the server refuses the %s%s%s%s", token ? "token" : "login",
              s->refusal[0] ? " (" : "", s->refusal, s->refusal[0] ? ")" : "");
    if (token)
        fault_fix(fault, "check that token-command gives a token for sending mail as user, and "
                         "sign in again if it has ended");
    else
        fault_fix(fault, "%s", theirs.fix);
    fault_reply(fault, str_of(theirs.reply));
    return token;
}
