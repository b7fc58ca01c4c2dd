/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "login.h"

#include "mem.h"
#include "sasl.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>

struct login {
    struct loop *loop;
    const struct conf_smarthost *smarthost;
    struct credential *credential;
    struct smtp_client *smtp;
    void (*on_progress)(void *owner);
    void *owner;

    const struct smtp_caps *caps;
    const struct tls *tls;
    struct credential_request *request; /* under way */
    bool asking;                        /* within login_choose(): its caller knows */
    bool has_secret;
    struct buf secret;
    unsigned generation; /* of a token */
    struct buf binding;
    struct sasl *sasl;
    const char *given_up; /* the mechanism before */
};

struct credential_source login_source(const struct conf_smarthost *s)
{
    return (struct credential_source){.account = s->name,
                                      .password_file = s->password_file,
                                      .password_command = s->password_command,
                                      .token_command = s->token_command,
                                      .token_lifetime_ms = s->token_lifetime_ms};
}

struct login *login_new(struct loop *loop, const struct conf_smarthost *smarthost,
                        struct credential *credential, struct smtp_client *smtp,
                        void (*on_progress)(void *owner), void *owner)
{
    struct login *l = mem_new(sizeof *l);
    l->loop = loop;
    l->smarthost = smarthost;
    l->credential = credential;
    l->smtp = smtp;
    l->on_progress = on_progress;
    l->owner = owner;
    buf_init(&l->secret, SECRET_MAX);
    l->secret.secret = true;
    buf_init(&l->binding, TLS_BINDING_MAX);
    return l;
}

void login_free(struct login *l)
{
    if (!l)
        return;
    credential_cancel(l->request);
    sasl_free(l->sasl);
    buf_release(&l->secret);
    buf_release(&l->binding);
    free(l);
}

/* One that the server takes, as long as it is (RFC 4954 section 4). */
static bool has_room(const struct login *l, const struct buf *message, struct fault *f)
{
    if (!message->failed && buf_len(message) <= SMTP_CLIENT_RESPONSE_MAX)
        return true;
    fault_set(f, FAULT_ACCOUNT, "4.7.0", "CRED-FILE",
              "user and secret have more bytes than a login by %s can carry",
              sasl_mechanism(l->sasl));
    fault_fix(f, "check user and %s",
              l->smarthost->token_command ? "token-command" : "password-file");
    return false;
}

static void speak_first(struct login *l)
{
    int64_t now = loop_now_ms(l->loop);
    struct fault f;
    struct buf first;
    buf_init(&first, SECRET_MAX * 2);
    first.secret = true;
    bool speaks = sasl_initial(l->sasl, &first);
    struct str initial = buf_str(&first);
    if (has_room(l, &first, &f))
        smtp_client_auth(l->smtp, sasl_mechanism(l->sasl), speaks ? &initial : NULL, now);
    else
        smtp_client_auth_cancel(l->smtp, &f, now);
    buf_release(&first);
}

static void choose(struct login *l)
{
    struct fault f;
    const struct conf_smarthost *s = l->smarthost;
    if (l->sasl)
        l->given_up = sasl_mechanism(l->sasl);
    buf_clear(&l->binding);
    struct sasl_identity identity = {
        .user = s->user,
        .kind = credential_kind(l->credential),
        .secret = buf_str(&l->secret),
        .has_certificate = l->tls && s->tls_cert,
        .binding_name = l->tls ? tls_binding(l->tls, &l->binding) : NULL,
        .host = s->host,
        .port = s->port,
    };
    identity.binding = buf_str(&l->binding);
    sasl_free(l->sasl);
    l->sasl = sasl_new(s->auth, l->caps->auth, &identity, &f);
    if (!l->sasl) {
        smtp_client_auth_cancel(l->smtp, &f, loop_now_ms(l->loop));
        return;
    }
    speak_first(l);
}

static void on_secret(void *owner, struct str secret, const struct fault *fault)
{
    struct login *l = owner;
    l->request = NULL;
    if (fault) {
        smtp_client_auth_cancel(l->smtp, fault, loop_now_ms(l->loop));
    } else {
        l->has_secret = true;
        l->generation = credential_generation(l->credential);
        buf_put_str(&l->secret, secret);
        choose(l);
    }
    if (!l->asking)
        l->on_progress(l->owner);
}

void login_choose(struct login *l, const struct smtp_caps *caps, const struct tls *tls)
{
    l->caps = caps;
    l->tls = tls;
    if (l->has_secret || credential_kind(l->credential) == SASL_SECRET_NONE) {
        choose(l);
        return;
    }
    l->asking = true;
    l->request = credential_ask(l->credential, on_secret, l);
    l->asking = false;
}

void login_answer(struct login *l, struct str challenge)
{
    int64_t now = loop_now_ms(l->loop);
    struct fault f;
    struct buf response;
    buf_init(&response, SECRET_MAX * 2);
    response.secret = true;
    if (sasl_step(l->sasl, challenge, &response, &f) && has_room(l, &response, &f))
        smtp_client_auth_response(l->smtp, buf_str(&response), now);
    else
        smtp_client_auth_cancel(l->smtp, &f, now);
    buf_release(&response);
}

bool login_is_accepted(struct login *l, struct fault *fault)
{
    if (l->sasl && !sasl_satisfied(l->sasl, fault))
        return false;
    credential_accepted(l->credential);
    return true;
}

bool login_is_refused(struct login *l, struct fault *fault)
{
    secret_hide(fault, buf_str(&l->secret));
    return l->sasl && sasl_refused(l->sasl, fault) &&
           credential_refused(l->credential, l->generation);
}

const char *login_mechanism(const struct login *l)
{
    return l->sasl ? sasl_mechanism(l->sasl) : "none";
}

const char *login_given_up(const struct login *l)
{
    return l->given_up;
}

struct str login_secret(const struct login *l)
{
    return buf_str(&l->secret);
}
