/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sasl_mechanism.h"

#include "mem.h"

#include <stdlib.h>

/* In our order of preference. */
static const struct sasl_mechanism *const mechanisms[] = {&sasl_plain, &sasl_login};

#define OUR_ORDER "PLAIN LOGIN"

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

/* The next of ours that is in allowed and in offered. */
static const struct sasl_mechanism *next_common(struct str *allowed, const char *offered)
{
    for (;;) {
        struct str word = str_word(allowed, " ");
        const struct sasl_mechanism *mechanism = mechanism_named(word);
        if (word.n == 0 || (mechanism && lists(offered, word)))
            return mechanism;
    }
}

const char *sasl_object_to_password(const struct sasl_identity *identity)
{
    if (!identity->user || !identity->user[0])
        return "no user is set (user)";
    if (identity->password.n == 0)
        return "no password is set (password-file)";
    if (str_find(identity->password, '\0') < identity->password.n)
        return "the password has a NUL byte (password-file)";
    return NULL;
}

static bool offers_tokens_alone(const char *offered)
{
    return lists(offered, STR_LIT("XOAUTH2")) || lists(offered, STR_LIT("OAUTHBEARER"));
}

static void say_none_in_common(struct fault *fault, const char *allowed, const char *offered)
{
    struct str all = str_of(OUR_ORDER);
    if (str_trim(str_of(offered)).n == 0) {
        fault_set(fault, FAULT_ACCOUNT, "4.7.4", "AUTH-NOMECH",
                  "the server offers AUTH, but names no mechanism for it");
        fault_fix(fault, "the server's administrator has to mend it; or try another port");
    } else if (allowed && next_common(&all, offered)) {
        fault_set(fault, FAULT_ACCOUNT, "4.7.4", "AUTH-POLICY-FILTER",
                  "the server offers the login mechanisms %.150s, but auth allows only %.150s",
                  offered, allowed);
        fault_fix(fault, "add one of the server's to auth, or leave auth out");
    } else if (offers_tokens_alone(offered)) {
        fault_set(fault, FAULT_ACCOUNT, "4.7.4", "AUTH-OAUTH-ONLY",
                  "the server accepts only sign-in with a token (%.150s), and a password is "
                  "configured (mechanisms: %.150s)",
                  offered, allowed ? allowed : OUR_ORDER);
        fault_fix(fault,
                  "ask the provider to allow SMTP AUTH with a password for this account");
    } else {
        fault_set(
            fault, FAULT_ACCOUNT, "4.7.4", "AUTH-NOMECH",
            "the server offers only the login mechanisms %.150s, of which there is none in "
            "auth (%.150s)",
            offered, allowed ? allowed : OUR_ORDER);
        fault_fix(fault,
                  "have the server offer PLAIN or LOGIN inside TLS, and allow it in auth");
    }
}

struct sasl *sasl_new(const char *allowed, const char *offered,
                      const struct sasl_identity *identity, struct fault *fault)
{
    struct str rest = str_of(allowed ? allowed : OUR_ORDER);
    const char *objection = NULL;
    const struct sasl_mechanism *mechanism;
    while ((mechanism = next_common(&rest, offered)) != NULL) {
        objection = mechanism->objection(identity);
        if (!objection) {
            struct sasl *s = mem_new(sizeof *s);
            *s = (struct sasl){.mechanism = mechanism, .identity = *identity};
            return s;
        }
    }
    if (objection)
        fault_set(fault, FAULT_ACCOUNT, "4.7.8", "CRED-FILE", "login is not possible: %s",
                  objection);
    else
        say_none_in_common(fault, allowed, offered);
    return NULL;
}

void sasl_free(struct sasl *s)
{
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
    if (s->mechanism->step && s->mechanism->step(s, challenge, out)) {
        s->steps++;
        return true;
    }
    fault_set(
        fault, FAULT_SERVER, "4.7.0", "AUTH-BADSERVER",
        "the server breaks the login protocol: it goes on asking when %s has nothing more "
        "to say",
        s->mechanism->name);
    fault_fix(fault, "name another mechanism in auth, if the server offers one");
    return false;
}
