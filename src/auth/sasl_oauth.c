/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OAUTHBEARER (RFC 7628) and its forerunner XOAUTH2 (Google's and Microsoft's): a bearer token
 * in one message. A server that refuses it says why in a challenge of JSON, wants an answer
 * without meaning, and only then refuses the login. */
#include "printable.h"
#include "sasl_mechanism.h"
#include "secret.h"

#include <jansson.h>
#include <stdio.h>

static bool is_visible(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7e)
            return false;
    return s.n > 0;
}

static const char *objection(const struct sasl_identity *identity)
{
    if (!identity->user || !identity->user[0])
        return "no user is set (user)";
    if (!is_visible(identity->secret))
        return "the token is empty, or has blanks or letters that no token has";
    return NULL;
}

static void put_bearer(const struct sasl *s, struct buf *out)
{
    buf_puts(out, "\001auth=Bearer ");
    buf_put_str(out, s->identity.secret);
    buf_puts(out, "\001\001");
}

static void initial_bearer(struct sasl *s, struct buf *out)
{
    buf_puts(out, "n,a=");
    sasl_put_name(out, str_of(s->identity.user));
    buf_putc(out, ',');
    if (s->identity.host)
        buf_printf(out, "\001host=%s", s->identity.host);
    if (s->identity.port)
        buf_printf(out, "\001port=%u", s->identity.port);
    put_bearer(s, out);
}

static void initial_xoauth2(struct sasl *s, struct buf *out)
{
    buf_printf(out, "user=%s", s->identity.user);
    put_bearer(s, out);
}

static void put_member(struct buf *words, json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    if (value && value[0])
        buf_printf(words, "%s%s %s", buf_len(words) ? ", " : "", name, value);
}

static void keep_refusal(struct sasl *s, struct str challenge)
{
    json_error_t error;
    json_t *object = json_loadb(challenge.p, challenge.n, JSON_REJECT_DUPLICATES, &error);
    struct buf words;
    buf_init(&words, SASL_MESSAGE_MAX);
    put_member(&words, object, "status");
    put_member(&words, object, "scope");
    put_member(&words, object, "error_description");
    if (buf_len(&words) == 0)
        buf_put_str(&words, challenge);
    if (secret_is_told(buf_str(&words), s->identity.secret)) {
        buf_clear(&words);
        buf_puts(&words, "it repeats the token");
    }
    printable_cut(s->refusal, sizeof s->refusal / 2, buf_str(&words));
    buf_release(&words);
    json_decref(object);
}

static bool step(struct sasl *s, struct str challenge, struct buf *out, struct fault *fault)
{
    (void)fault;
    if (s->steps > 0)
        return false;
    keep_refusal(s, challenge);
    if (s->mechanism == &sasl_oauthbearer)
        buf_putc(out, '\001');
    return true;
}

/* Yes after an error is neither. */
static bool satisfied(const struct sasl *s, struct fault *fault)
{
    if (s->steps == 0)
        return true;
    fault_set(fault, FAULT_SERVER, "4.7.0", "AUTH-BADSERVER",
              "the server breaks the login protocol: it refused the token (%s), and then "
              "accepted it",
              s->refusal);
    return false;
}

const struct sasl_mechanism sasl_oauthbearer = {
    .name = "OAUTHBEARER",
    .kind = SASL_SECRET_TOKEN,
    .objection = objection,
    .initial = initial_bearer,
    .step = step,
    .satisfied = satisfied,
};

const struct sasl_mechanism sasl_xoauth2 = {
    .name = "XOAUTH2",
    .kind = SASL_SECRET_TOKEN,
    .objection = objection,
    .initial = initial_xoauth2,
    .step = step,
    .satisfied = satisfied,
};
