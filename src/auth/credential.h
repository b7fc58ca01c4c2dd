/* SPDX-License-Identifier: GPL-3.0-or-later */
/* credential_: the password or token of an account, from where the administrator keeps it.
 *
 * Passwords are got afresh each time they are asked for, so that a changed one counts from the
 * next login on. Tokens are kept until they expire or are refused. Commands run beside the
 * loop, one at a time for a credential: whoever asks meanwhile gets the same answer. */
#ifndef TRANTER_CREDENTIAL_H
#define TRANTER_CREDENTIAL_H

#include "loop.h"
#include "sasl.h"
#include "secret.h"

/* At most one of the three sources is set. Copied, but strings are borrowed while the
 * credential lives. */
struct credential_source {
    const char *account;          /* for sentences: the smarthost's name */
    const char *password_file;    /* as in secret_read() */
    const char *password_command; /* as in argv_split() */
    const char *token_command;
    int64_t token_lifetime_ms; /* of a token that does not tell itself */
    int64_t timeout_ms;        /* of a command; 0: CREDENTIAL_TIMEOUT_MS */
};

enum {
    CREDENTIAL_TIMEOUT_MS = 30 * 1000,
    CREDENTIAL_MARGIN_MS = 60 * 1000 /* a token that tells when it expires is not used so near
                                        to that */
};

struct credential;
struct credential_request;

struct credential *credential_new(struct loop *loop, const struct credential_source *source);

/* All requests must be over or cancelled. */
void credential_free(struct credential *c);

/* What kind of secret it gives. */
enum sasl_secret credential_kind(const struct credential *c);

/* Number of the token that an answer gives; the next one has a higher one. */
unsigned credential_generation(const struct credential *c);

/* on_answer(owner, secret, NULL) when it is there, valid until on_answer returns; or with a
 * fault that says why it is not (scope ACCOUNT). It is called once, before this returns (NULL,
 * then) or later from the loop. Only where the kind is not SASL_SECRET_NONE. */
struct credential_request *credential_ask(struct credential *c,
                                          void (*on_answer)(void *owner, struct str secret,
                                                            const struct fault *fault),
                                          void *owner);

/* Nobody wants the answer any more; on_answer is not called. NULL is nothing. */
void credential_cancel(struct credential_request *request);

/* The server has refused, or accepted, the token of this generation. Refused: it is forgotten;
 * true says that a fresh one should be tried at once, which is so once until one is accepted.
 */
bool credential_refused(struct credential *c, unsigned generation);
void credential_accepted(struct credential *c);

/* Can it be had at all: is the file good, the command a program that we may run? -1 with a
 * sentence in *err. No command is run. */
int credential_check(const struct credential_source *source, struct err *err) ATTR_MUST_CHECK;

#endif
