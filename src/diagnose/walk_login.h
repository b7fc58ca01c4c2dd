/* SPDX-License-Identifier: GPL-3.0-or-later */
/* walk_login_: the login of a walk, with the smarthost's own secret and mechanisms; walk.c's
 * own.
 */
#ifndef TRANTER_WALK_LOGIN_H
#define TRANTER_WALK_LOGIN_H

#include "conf.h"
#include "smtp_advice.h"
#include "smtp_client.h"
#include "tls.h"

struct walk_login;

struct walk_login *walk_login_new(const struct conf_smarthost *smarthost);
void walk_login_free(struct walk_login *l);

/* Answer SMTP_CLIENT_AUTH and SMTP_CLIENT_CHALLENGE. tls: NULL in clear. */
void walk_login_choose(struct walk_login *l, struct smtp_client *smtp,
                       const struct smtp_caps *caps, const struct tls *tls, int64_t now_ms);
void walk_login_answer(struct walk_login *l, struct smtp_client *smtp, struct str challenge,
                       int64_t now_ms);

/* The mechanism that was chosen last, "" none. */
const char *walk_login_mechanism(const struct walk_login *l);

/* The server said yes: may it be believed? */
bool walk_login_is_good(const struct walk_login *l, struct fault *fault);

/* Put what the exchange has taught into the fault with which the dialogue ended. */
void walk_login_explain(const struct walk_login *l, struct fault *fault);

/* What is strange about the secret. */
enum smtp_advice_secret walk_login_secret_look(const struct walk_login *l);

#endif
