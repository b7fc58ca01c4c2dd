/* SPDX-License-Identifier: GPL-3.0-or-later */
/* login_: AUTH in one dialogue. It gets the secret, chooses the mechanism and speaks for it to
 * the client core; its owner passes the core's events on:
 *
 *     SMTP_CLIENT_AUTH       login_choose()
 *     SMTP_CLIENT_CHALLENGE  login_answer()
 *     SMTP_CLIENT_IDLE       login_is_accepted(), the first time
 *     SMTP_CLIENT_DEAD       login_is_refused(), if it was not accepted before
 */
#ifndef TRANTER_LOGIN_H
#define TRANTER_LOGIN_H

#include "conf.h"
#include "credential.h"
#include "smtp_client.h"
#include "tls.h"

struct login;

/* Where the secret of a smarthost comes from. Strings are borrowed from s. */
struct credential_source login_source(const struct conf_smarthost *s);

/* All are borrowed while the login lives. on_progress(owner) is called from the loop when the
 * secret came and the core has news; it may free the login. */
struct login *login_new(struct loop *loop, const struct conf_smarthost *smarthost,
                        struct credential *credential, struct smtp_client *smtp,
                        void (*on_progress)(void *owner), void *owner);
void login_free(struct login *l); /* wiped */

/* caps is the event's; tls is NULL where there is none. */
void login_choose(struct login *l, const struct smtp_caps *caps, const struct tls *tls);
void login_answer(struct login *l, struct str challenge);

/* The server said yes. False: it is not to be believed, *fault says why; close at once. */
bool login_is_accepted(struct login *l, struct fault *fault) ATTR_MUST_CHECK;

/* The dialogue ended with *fault before the login was accepted: put what is known better into
 * it, and take out of it what the server repeated of the secret. True: a fresh token should be
 * tried at once on a new connection. */
bool login_is_refused(struct login *l, struct fault *fault) ATTR_MUST_CHECK;

/* "PLAIN", or "none" before one was chosen. */
const char *login_mechanism(const struct login *l);

/* The last mechanism that the server offered and did not take; NULL for none. */
const char *login_given_up(const struct login *l);

/* The password or token; empty while it has not come, and where none is needed. */
struct str login_secret(const struct login *l);

#endif
