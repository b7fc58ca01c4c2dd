/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trust.h"

#include "contact.h"
#include "login.h"

#include <string.h>

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool trust_is_same(const struct conf_smarthost *a, const struct conf_smarthost *b)
{
    return a->verify == b->verify && is_same(a->tls_fingerprints, b->tls_fingerprints) &&
           is_same(a->tls_ca_file, b->tls_ca_file) && is_same(a->tls_cert, b->tls_cert) &&
           is_same(a->tls_key, b->tls_key) && is_same(a->tls_priority, b->tls_priority);
}

int trust_place(const struct conf *conf, unsigned i, const struct err *why, struct err *err)
{
    return err_set(err, "%s:%d: smarthost \"%s\": %s", conf->file, conf->smarthosts[i].line,
                   conf->smarthosts[i].name, why->text);
}

int trust_check(const struct conf *conf, unsigned i, struct err *err)
{
    const struct conf_smarthost *c = &conf->smarthosts[i];
    struct err why;
    int result = 0;
    if (c->tls != CONF_TLS_NONE) {
        struct tls_context *context = contact_tls(c, &why);
        result = context ? 0 : -1;
        tls_context_free(context);
    }
    struct credential_source source = login_source(c);
    if (result == 0)
        result = credential_check(&source, &why);
    return result < 0 ? trust_place(conf, i, &why, err) : 0;
}
