/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "walk_login.h"

#include "mem.h"
#include "sasl.h"
#include "secret.h"
#include "smtp_advice.h"

#include <stdio.h>
#include <stdlib.h>

struct walk_login {
    const struct conf_smarthost *smarthost;
    struct sasl *sasl;
    struct buf password, binding;
    char mechanism[32];
};

struct walk_login *walk_login_new(const struct conf_smarthost *smarthost)
{
    struct walk_login *l = mem_new(sizeof *l);
    l->smarthost = smarthost;
    buf_init(&l->password, SECRET_MAX);
    buf_init(&l->binding, SECRET_MAX);
    l->password.secret = true;
    l->binding.secret = true;
    return l;
}

void walk_login_free(struct walk_login *l)
{
    if (!l)
        return;
    sasl_free(l->sasl);
    buf_release(&l->password);
    buf_release(&l->binding);
    free(l);
}

static bool read_password(struct walk_login *l, struct fault *f)
{
    struct err err;
    buf_release(&l->password);
    if (secret_read(l->smarthost->password_file, &l->password, &err) == 0)
        return true;
    fault_set(f, FAULT_ACCOUNT, "4.7.0", "CRED-FILE", "%s", err.text);
    fault_fix(f, "mend password-file of smarthost \"%s\"", l->smarthost->name);
    return false;
}

static void speak_first(struct walk_login *l, struct smtp_client *smtp, int64_t now_ms)
{
    struct buf first;
    snprintf(l->mechanism, sizeof l->mechanism, "%s", sasl_mechanism(l->sasl));
    buf_init(&first, SECRET_MAX * 2);
    first.secret = true;
    bool speaks_first = sasl_initial(l->sasl, &first);
    struct str initial = buf_str(&first);
    smtp_client_auth(smtp, l->mechanism, speaks_first ? &initial : NULL, now_ms);
    buf_release(&first);
}

void walk_login_choose(struct walk_login *l, struct smtp_client *smtp,
                       const struct smtp_caps *caps, const struct tls *tls, int64_t now_ms)
{
    const struct conf_smarthost *s = l->smarthost;
    struct fault f;
    sasl_free(l->sasl);
    l->sasl = NULL;
    if (!read_password(l, &f)) {
        smtp_client_auth_cancel(smtp, &f, now_ms);
        return;
    }
    buf_release(&l->binding);
    const char *binding = tls ? tls_binding(tls, &l->binding) : NULL;
    l->sasl = sasl_new(s->auth, caps->auth,
                       &(struct sasl_identity){.user = s->user,
                                               .kind = SASL_SECRET_PASSWORD,
                                               .secret = buf_str(&l->password),
                                               .has_certificate = tls && s->tls_cert,
                                               .binding_name = binding,
                                               .binding = buf_str(&l->binding),
                                               .host = s->host,
                                               .port = s->port},
                       &f);
    if (l->sasl)
        speak_first(l, smtp, now_ms);
    else
        smtp_client_auth_cancel(smtp, &f, now_ms);
}

void walk_login_answer(struct walk_login *l, struct smtp_client *smtp, struct str challenge,
                       int64_t now_ms)
{
    struct fault f;
    struct buf response;
    buf_init(&response, SECRET_MAX * 2);
    response.secret = true;
    if (sasl_step(l->sasl, challenge, &response, &f))
        smtp_client_auth_response(smtp, buf_str(&response), now_ms);
    else
        smtp_client_auth_cancel(smtp, &f, now_ms);
    buf_release(&response);
}

const char *walk_login_mechanism(const struct walk_login *l)
{
    return l->mechanism;
}

bool walk_login_is_good(const struct walk_login *l, struct fault *fault)
{
    return !l->sasl || sasl_satisfied(l->sasl, fault);
}

void walk_login_explain(const struct walk_login *l, struct fault *fault)
{
    if (l->sasl && fault->scope == FAULT_ACCOUNT)
        sasl_refused(l->sasl, fault);
}

enum smtp_advice_secret walk_login_secret_look(const struct walk_login *l)
{
    return smtp_advice_secret_of(buf_str(&l->password));
}
